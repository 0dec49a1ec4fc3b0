"""Decide whether a request was sent, sends a message to a person, or came too soon."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from mfagate.checks.live import LiveContext
from mfagate.core.exchange import Exchange, Phase, Request

if TYPE_CHECKING:
    import requests

_UNSENT = (Phase.RESOLVE, Phase.CONNECT, Phase.TLS)
_REFUSED = 400


def never_left(exchange: Exchange) -> bool:
    """Return whether the request certainly never left this machine, because no connection was made."""
    if exchange.connection == "renewed":
        return False  # It left on the connection that had been kept.
    return exchange.failure is not None and exchange.failure.phase in _UNSENT


def too_soon(live: LiveContext, exchange: Exchange) -> float | None:
    """Return how many seconds to wait, if the provider calls the request too early; None for other answers."""
    response = exchange.response
    if response is None or response.status < _REFUSED:
        return None
    error = live.provider.dialect.error_of(response)
    return live.provider.dialect.too_soon(error, exchange) if error is not None else None


def reason_to_wait(live: LiveContext, exchange: Exchange) -> str:
    """Return the provider's reason for not accepting a request yet."""
    finding = live.dialect.explain(exchange)
    return finding.message if finding is not None else f"{live.provider.title} does not accept this request again yet"


def sends_message(live: LiveContext, request: requests.Request | Request) -> bool:
    """Return whether a request may send a message to a person, so that it must be sent only once."""
    try:
        path = urlsplit(str(request.url)).path
    except ValueError:
        return False  # Such an address is refused before anything is sent.
    return live.provider.api.sends_message(str(request.method), path, _fields(request))


def _fields(request: requests.Request | Request) -> Mapping[str, Any]:
    """Return the fields of a form or a JSON object."""
    if not isinstance(request, Request) and request.json is not None:
        return request.json if isinstance(request.json, Mapping) else {}
    body = request.body if isinstance(request, Request) else request.data
    if isinstance(body, Mapping):
        return body
    text = bytes(body).decode("utf-8", "replace") if isinstance(body, bytes | bytearray) else str(body or "")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return dict(parse_qsl(text, keep_blank_values=True))
    return document if isinstance(document, dict) else {}
