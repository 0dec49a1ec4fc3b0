"""A server that answers what a test says, and every single change of a good answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from mfagate.sandbox.faulty_proxy import Handler

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; the body is sent as JSON, or as the bytes that it is."""

    body: Any
    status: int = 200
    content_type: str | None = JSON
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, handler: Handler) -> bool:
        content = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        return handler.answer(self.status, content, self.content_type, **self.headers)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that came."""

    method: str
    path: str
    body: bytes

    @property
    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.body.decode())


class Answers:
    """What a provider says next, at one path or everywhere; ``asked`` has the requests, the last at the end."""

    def __init__(self) -> None:
        self.by_path: dict[str, Answer] = {"*": Answer(b"", 404)}
        self.asked: list[Asked] = []

    def say(
        self, body: Any, status: int = 200, content_type: str | None = JSON, *, path: str = "*", **headers: str
    ) -> None:
        self.by_path[path] = Answer(body, status, content_type, headers)

    def choose(self, asked: Asked) -> Answer:
        return self.by_path.get(asked.path.partition("?")[0]) or self.by_path["*"]

    def __call__(self, handler: Handler) -> bool:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        self.asked.append(Asked(handler.command, handler.path, body))
        return self.choose(self.asked[-1]).send(handler)


def mutations(value: Any, *others: Any) -> Iterator[Any]:
    """Every single change of a JSON value: removed, renamed, retyped, nulled, wrapped; ``others`` in every place."""
    if isinstance(value, dict):
        for name in value:
            without = {key: item for key, item in value.items() if key != name}
            yield without
            yield {**without, name.upper(): value[name]}
            for changed in mutations(value[name], *others):
                yield {**without, name: changed}
    usual: list[Any] = [None, 0, 1, 1.5, "", "x", "true", "True", f"{value} ", [], [value], {}, False, True]
    for other in [*usual, *others]:
        if type(other) is not type(value) or other != value:
            yield other
