"""Convert the requests and answers of any client to the form that the diagnosis reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any
from urllib.parse import urlsplit

from mfagate.core.exchange import Exchange, Headers, Request, Response
from mfagate.core.foreign.parsing import beginning

LARGEST_BODY = 8 << 10
"""Bytes of a refusal that are read, so that no answer delays the other threads of a login service."""

_LONGEST_HEADER = 1 << 10
_MOST_HEADERS = 8 << 10
_DEEPEST = 6
_LARGEST_INTEGER_BITS = 64


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of a client that has no response object.

    y
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "headers", {name.lower(): value for name, value in self.headers.items()})


def status_of(response: Any) -> int:
    """Return the status code, whatever the client's attribute is called."""
    return int(response.status_code if hasattr(response, "status_code") else response.status)


def exchange_of(request: Any, response: Any) -> tuple[Exchange, Response, bool]:
    """Return the exchange, its answer, and whether the body was read. An unread body is not read here."""
    body = _body(response)
    read = body is not None
    content = body or b""
    answer = Response(
        status_of(response),
        headers=Headers(tuple(_headers(response.headers))),
        body=content[:LARGEST_BODY],
        truncated=len(content) > LARGEST_BODY,
    )
    return Exchange(_request(request), datetime.now(UTC), answer), answer, read


def _headers(headers: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    """Yield as many header fields as an explanation needs, each cut to a length that no useful field exceeds."""
    seen = 0
    for name, value in headers.items():
        shown = (beginning(name, _LONGEST_HEADER), beginning(value, _LONGEST_HEADER))
        seen += sum(map(len, shown))
        if seen > _MOST_HEADERS:
            return
        yield shown


def _body(response: Any) -> bytes | None:
    if isinstance(response, Answer):
        return response.body
    # requests and httpx keep here only what was read; their property `content` would read the rest.
    body = getattr(response, "_content", None)
    return body if isinstance(body, bytes) else None


def answer_in(error: Exception) -> Any:
    """Return the answer that an SDK turned into an exception, or None.

    Exceptions keep it as ``response`` (requests and httpx), or as a status with the parsed body
    (duo_client: ``status`` and ``data``, auth0: ``status_code`` and ``body``) or its parts
    (twilio: ``status``, ``code``, ``msg``).
    """
    response = getattr(error, "response", None)
    if hasattr(response, "status_code") and hasattr(response, "headers"):
        return response
    status = getattr(error, "status_code", getattr(error, "status", None))
    if not isinstance(status, int) or not 100 <= status <= 599:
        return None
    body = getattr(error, "data", getattr(error, "body", None))
    if body is None and hasattr(error, "code"):
        body = {"code": error.code, "message": getattr(error, "msg", "")}
    headers = getattr(error, "headers", None)
    given = headers if isinstance(headers, Mapping) else {}
    return Answer(status, {"content-type": "application/json", **given}, _as_bytes(body))


def _as_bytes(body: Any) -> bytes | None:
    if isinstance(body, bytes | None):
        return body
    if isinstance(body, str):
        return body[: LARGEST_BODY + 1].encode(errors="replace")
    return json.dumps(_shortened(body, _TextBudget(LARGEST_BODY))).encode()


@dataclass(slots=True)
class _TextBudget:
    """The number of characters that may still be copied."""

    left: int

    def take(self, text: str) -> str:
        taken = text[: max(self.left, 0)]
        self.left -= len(text) + 1
        return taken


def _shortened(value: Any, budget: _TextBudget, depth: int = 0) -> Any:
    """Return as much of a parsed body as the budget allows: SDKs parse bodies of any size and depth."""
    if budget.left <= 0:
        return None
    if isinstance(value, Mapping) and depth < _DEEPEST:
        fields = takewhile(lambda _: budget.left > 0, value.items())
        return {budget.take(str(name)): _shortened(item, budget, depth + 1) for name, item in fields}
    if isinstance(value, list | tuple) and depth < _DEEPEST:
        return [_shortened(item, budget, depth + 1) for item in takewhile(lambda _: budget.left > 0, value)]
    if isinstance(value, bool | float | None):
        budget.left -= 1
        return value
    if isinstance(value, int):
        budget.left -= 1
        return value if value.bit_length() < _LARGEST_INTEGER_BITS else None
    return budget.take(value if isinstance(value, str) else type(value).__name__)


def _request(request: Any) -> Request:
    if request is None:
        return Request("", "")
    # Without headers and body: no explanation needs them, and they may contain secrets.
    return Request(str(getattr(request, "method", "")), str(getattr(request, "url", "")))


def host_of(request: Any) -> str:
    """Return the host that was asked, or the empty string."""
    try:
        return urlsplit(str(getattr(request, "url", "") or "")).hostname or ""
    except ValueError:
        return ""
