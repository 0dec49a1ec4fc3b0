"""What a request of a pact may say, so that it reaches its own target and means there what it says."""

from __future__ import annotations

import re
from collections.abc import Iterable

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

_METHODS_FOR_PROXIES = ("CONNECT", "TRACE")
"""The one opens a tunnel, the other sends the credential back (RFC 9110 sections 9.3.6 and 9.3.8)."""

_OF_THE_CONNECTION = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "forwarded",
        "host",
        "http2-settings",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
    }
)
"""They frame a message or belong to one connection (RFC 9110 section 7, RFC 9112 section 6, RFC 7239): whoever sends
the request sets them. From a pact they could address another host, or hide a second request in the first."""

_PREFIXES = ("proxy-", "x-forwarded-", "x-original-", "x-rewrite-", "x-http-method", "x-http-host")
_OTHERS = frozenset({"alt-used", "x-forwarded", "x-host", "x-method-override"})
"""Names by which proxies and frameworks take another host, path or method than those of the request."""

_HARMLESS = frozenset({"x-forwarded-for"})
"""It names the user's address, and some providers ask for it."""


def fault_of_method(method: str) -> str | None:
    """Say why a method is not sent; None if it is."""
    if not _TOKEN.fullmatch(method):
        return "is not a method of HTTP"
    return "is a method for proxies, which no API needs" if method in _METHODS_FOR_PROXIES else None


def fault_of_header(name: str, values: Iterable[str]) -> str | None:
    """Say why a header is not sent; None if it is. Nothing of the values is quoted."""
    if not _TOKEN.fullmatch(name):
        return "has a name that HTTP does not allow"
    lower = name.lower().replace("_", "-")
    elsewhere = lower in _OF_THE_CONNECTION or lower in _OTHERS or lower.startswith(_PREFIXES)
    if elsewhere and lower not in _HARMLESS:
        return "can send the request, or a part of it, elsewhere: remove it"
    if not all(_FIELD_VALUE.fullmatch(value) for value in values):
        return "holds a line break or another character that HTTP does not allow"
    return None
