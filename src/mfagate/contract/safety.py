"""Check that a request of a pact reaches its own target, and that the target reads it as written."""

from __future__ import annotations

import re
from collections.abc import Iterable

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

_METHODS_FOR_PROXIES = ("CONNECT", "TRACE")
"""CONNECT opens a tunnel, and TRACE sends the credential back (RFC 9110 sections 9.3.6 and 9.3.8)."""

_OF_THE_CONNECTION = frozenset(
    {
        "connection", "content-length", "expect", "forwarded", "host", "http2-settings", "keep-alive", "te", "trailer",
        "transfer-encoding", "upgrade", "via",
    }
)  # fmt: skip
"""Headers that frame a message or belong to one connection (RFC 9110 section 7, RFC 9112 section 6, RFC 7239). The HTTP
client sets them. In a pact they could address another host, or hide a second request in the first."""

_PREFIXES = ("proxy-", "x-forwarded-", "x-original-", "x-rewrite-", "x-http-method", "x-http-host")
_OTHERS = frozenset({"alt-used", "x-forwarded", "x-host", "x-method-override"})
"""Headers that make proxies and frameworks use a different host, path or method."""

_HARMLESS = frozenset({"x-forwarded-for"})
"""This header contains the user's address, and some providers require it."""


def fault_of_method(method: str) -> str | None:
    """Return why a method is not allowed; None if it is."""
    if not _TOKEN.fullmatch(method):
        return "is not an HTTP method"
    return "is a method for proxies, not for APIs" if method in _METHODS_FOR_PROXIES else None


def fault_of_header(name: str, values: Iterable[str]) -> str | None:
    """Return why a header is not allowed; None if it is. The values are not quoted."""
    if not _TOKEN.fullmatch(name):
        return "has a name that HTTP does not allow"
    lower = name.lower().replace("_", "-")
    elsewhere = lower in _OF_THE_CONNECTION or lower in _OTHERS or lower.startswith(_PREFIXES)
    if elsewhere and lower not in _HARMLESS:
        return "can send the request, or a part of it, elsewhere: remove it"
    if not all(_FIELD_VALUE.fullmatch(value) for value in values):
        return "contains a line break or another character that HTTP does not allow"
    return None
