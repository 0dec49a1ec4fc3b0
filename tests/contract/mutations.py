"""Answers that are almost right: the good answer of a contract, and variants of it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

from mfagate.core.exchange import Headers, Response

_HTML = b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>"
_OTHER_VALUES: tuple[Any, ...] = (None, True, 7, -1.5, 3.0, "7", "", "new", "é", [], ["x", 1], {}, {"x": 1})
_BODIES = (
    b"",
    b" ",
    b"null",
    b"[]",
    b"{}",
    b"[1, 2]",
    b'"text"',
    b"text",
    b"NaN",
    b"\xff\xfe",
    b"\xef\xbb\xbf{}",
    b'{"a": "\\ud800"}',
    b'{"a": 1e400}',
    b"[" * 200 + b"]" * 200,
    _HTML,
)
_CONTENT_TYPES = (
    None,
    "",
    "json",
    "*/*",
    "text/html",
    "text/plain",
    "text/json",
    "application/json",
    "Application/JSON",
    "application/json;",
    "application/json; charset",
    "application/json;charset=UTF-8",
    "application/json; charset=utf-8; profile=x",
    "application/json; charset=latin1",
    "application/problem+json",
    "application/vnd.api+json; charset=utf-8",
    "application/xml",
)
_STATUSES = (200, 201, 204, 302, 400, 401, 403, 404, 410, 429, 500, 503)


class Case(NamedTuple):
    """An answer and how it was made."""

    label: str
    answer: Response


def good_answer(response: Mapping[str, Any]) -> Response:
    """The example of a response in a pact file."""
    items = tuple(
        (name, value)
        for name, values in response.get("headers", {}).items()
        for value in ([values] if isinstance(values, str) else values)
    )
    body = response.get("body") or {}
    content = body.get("content")
    if content is None:
        data = b""
    elif isinstance(content, str) and "json" not in body.get("contentType", ""):
        data = content.encode()
    else:
        data = json.dumps(content).encode()
    return Response(response.get("status", 200), headers=Headers(items), body=data)


def cases(response: Mapping[str, Any], *, most: int, seed: int = 1) -> list[Case]:
    """The good answer and at most ``most`` mutations of it, the same ones on every run."""
    good = good_answer(response)
    every = [*_other_heads(good), *_other_bodies(good), *_other_fields(good)]
    chosen = random.Random(seed).sample(every, min(most, len(every)))
    return [Case("good", good), *chosen]


def _other_heads(good: Response) -> Iterator[Case]:
    for status in _STATUSES:
        # A 204 has no body on the wire, whatever the server sends.
        yield Case(f"status {status}", _but(good, status=status, body=b"" if status == 204 else good.body))
    others = tuple(item for item in good.headers.items_in_order if item[0].lower() != "content-type")
    for value in _CONTENT_TYPES:
        named = () if value is None else (("content-type", value),)
        yield Case(f"content type {value}", _but(good, headers=Headers((*others, *named))))
    for index, (name, value) in enumerate(good.headers.items_in_order):
        for label, items in {
            "removed": (),
            "renamed": ((f"{name}-2", value),),
            "in capitals": ((name.upper(), value),),
            "capitalised": ((name, value.upper()),),
            "changed": ((name, "changed"),),
            "emptied": ((name, ""),),
            "repeated": ((name, value), (name, value)),
            "extended": ((name, value), (name, "other")),
            "as a list": ((name, f"{value}, other"),),
        }.items():
            before, after = good.headers.items_in_order[:index], good.headers.items_in_order[index + 1 :]
            yield Case(f"header {name} {label}", _but(good, headers=Headers((*before, *items, *after))))


def _other_bodies(good: Response) -> Iterator[Case]:
    for body in (*_BODIES, good.body[: len(good.body) // 2], b"\n " + good.body + b"\n", good.body + b"x"):
        yield Case(f"body {body[:20]!r}", _but(good, body=body))
    html = Headers((("Content-Type", "text/html"),))
    yield Case("HTML page", _but(good, status=502, headers=html, body=_HTML))
    yield Case("HTML page with 200", _but(good, headers=html, body=_HTML))


def _other_fields(good: Response) -> Iterator[Case]:
    try:
        document = json.loads(good.body)
    except ValueError:
        return
    for steps in _paths(document):
        for label, change in _changes(_at(document, steps)):
            mutated = [deepcopy(document)]
            parent = _at(mutated, (0, *steps)[:-1])
            change(parent, (0, *steps)[-1])
            label = f"{'.'.join(map(str, steps)) or '$'} {label}"
            yield Case(label, _but(good, body=json.dumps(mutated[0] if mutated else None).encode()))


def _changes(value: Any) -> Iterator[tuple[str, Callable[[Any, Any], object]]]:
    """Yield the mutations of the value ``parent[key]``."""

    def put(new: Any) -> Callable[[Any, Any], object]:
        return lambda parent, key: parent.__setitem__(key, new)

    yield "removed", lambda parent, key: parent.pop(key)
    for new in _OTHER_VALUES:
        yield f"is {new!r}", put(new)
    if isinstance(value, dict):
        yield "has more", put({**value, "new-field": {"x": None}})
        yield "renamed", put({f"{name}2": each for name, each in value.items()})
    elif isinstance(value, list):
        yield "doubled", put(value * 2)
        yield "reversed", put(value[::-1])
        yield "has more", put([*value, "other"])
        yield "shorter", put(value[:-1])
    elif isinstance(value, str):
        yield "longer", put(value + "x")
        yield "in capitals", put(value.upper())
    elif isinstance(value, int | float):
        yield "as text", put(str(value))
        yield "as float", put(float(value))
        yield "more", put(value + 1)


def _paths(value: Any, steps: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield steps
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from _paths(value[key], (*steps, key))


def _at(value: Any, steps: tuple[Any, ...]) -> Any:
    for step in steps:
        value = value[step]
    return value


def _but(good: Response, **changes: Any) -> Response:
    kept = {"status": good.status, "headers": good.headers, "body": good.body}
    return Response(**{**kept, **changes})
