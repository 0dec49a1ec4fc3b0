"""Decide whether another request may follow an answer on the same connection (RFC 9112 sections 6 and 9)."""

from __future__ import annotations

import re

from mfagate.core.exchange import Headers
from mfagate.core.foreign.parsing import raw

_WITHOUT_BODY = (204, 304)


def asks_to_close(headers: Headers) -> bool:
    """Return whether a message says that its connection ends after it."""
    return "close" in _options(headers)


def permits_another(method: str, status: int, version: int, headers: Headers) -> bool:
    """Return whether the server keeps the connection, and the end of the answer is beyond doubt.

    Args:
        method: The method of the request.
        status: The status of the answer.
        version: 10 or 11, as in ``http.client``.
        headers: The header fields of the answer.
    """
    if asks_to_close(headers) or status == 101:
        return False
    if version != 11 and "keep-alive" not in _options(headers):
        return False
    codings, lengths = _values(headers, "transfer-encoding"), _values(headers, "content-length")
    if status == 204 and (codings or lengths not in ([], ["0"])):
        return False  # It has no body, but its server may send one (RFC 9110 section 8.6).
    if codings:
        # With both, a server or a proxy on the way may see another end (RFC 9112 section 6.3).
        return codings == ["chunked"] and version == 11 and not lengths
    if lengths:
        return len(set(lengths)) == 1 and re.fullmatch(r"[0-9]{1,18}", lengths[0]) is not None
    return method == "HEAD" or status in _WITHOUT_BODY


def _options(headers: Headers) -> set[str]:
    return {option.strip() for value in _values(headers, "connection") for option in value.split(",")}


def _values(headers: Headers, name: str) -> list[str]:
    return [(raw(value) or "").strip().lower() for value in headers.all(name)]
