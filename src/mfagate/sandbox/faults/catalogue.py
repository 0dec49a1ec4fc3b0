"""Every fault by name: what it does, and what it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Layer(StrEnum):
    """Where a fault happens; the faults of a connection do not look at paths."""

    TCP = "tcp"
    TLS = "tls"
    HTTP = "http"
    BODY = "body"


Check = Callable[[str], str | None]


def _anything(argument: str) -> str | None:
    return None


def _seconds(argument: str) -> str | None:
    try:
        return None if abs(float(argument)) < float("inf") else "a number of seconds is due"
    except ValueError:
        return "a number of seconds is due"


def _status(argument: str) -> str | None:
    good = argument.isdecimal() and 200 <= int(argument) <= 599
    return None if good else "a status from 200 to 599 is due"


def _field_and_value(argument: str) -> str | None:
    return None if "=" in argument and not argument.startswith("=") else "write FIELD=VALUE"


@dataclass(frozen=True, slots=True)
class Kind:
    """One fault of the catalogue. ``argument`` says what it takes, None for nothing; ``default`` may stand in."""

    name: str
    layer: Layer
    summary: str
    argument: str | None = None
    default: str | None = ""
    problem: Check = _anything


_FIELD = "a field by its dotted path, or by its name at any depth"

_KINDS = (
    Kind("refuse", Layer.TCP, "nothing listens on the port"),
    Kind("drop", Layer.TCP, "connection attempts are never answered, as by an egress filter"),
    Kind("reset", Layer.TCP, "the connection is accepted and reset"),
    Kind("silent", Layer.TCP, "the connection is accepted, and nothing is ever said"),
    Kind("garbage", Layer.TCP, "something answers that speaks another protocol"),
    Kind("slow-connect", Layer.TCP, "the first byte takes a while", "seconds", "1", _seconds),
    Kind("tls-expired", Layer.TLS, "the certificate is out of date"),
    Kind("tls-self-signed", Layer.TLS, "the certificate vouches for itself"),
    Kind(
        "tls-unknown-ca", Layer.TLS, "the certificate is of an authority that nobody trusts, as an intercepting proxy's"
    ),
    Kind("tls-other-name", Layer.TLS, "the certificate is for another name"),
    Kind("tls-old", Layer.TLS, "only TLS 1.1 is spoken"),
    Kind("tls-plain", Layer.TLS, "the port speaks HTTP without TLS"),
    Kind("tls-client-certificate", Layer.TLS, "a client certificate is demanded"),
    Kind("tls-expiring", Layer.TLS, "the certificate is valid for some days", "days", "20", _seconds),
    Kind("reset-headers", Layer.HTTP, "the connection is reset in the middle of the headers"),
    Kind("reset-body", Layer.HTTP, "the connection is reset in the middle of the body"),
    Kind("cut-body", Layer.HTTP, "the connection is closed in the middle of the body"),
    Kind("hang-up", Layer.HTTP, "the connection is closed without an answer"),
    Kind("drip", Layer.HTTP, "the body comes at a byte a second"),
    Kind("drip-headers", Layer.HTTP, "the headers come at a byte a second"),
    Kind("stall", Layer.HTTP, "the request is read and never answered"),
    Kind("slow", Layer.HTTP, "the answer takes a while", "seconds", "1", _seconds),
    Kind("slow-body", Layer.HTTP, "the body takes a while after the headers", "seconds", "1", _seconds),
    Kind("proxy-407", Layer.HTTP, "a proxy on the way wants a password"),
    Kind("captive-portal", Layer.HTTP, "a redirect to a page where one has to sign in"),
    Kind("html", Layer.HTTP, "a page of HTML in the place of the answer", "status", "200", _status),
    Kind("status", Layer.HTTP, "another status with an empty JSON object", "status", "500", _status),
    Kind("unavailable", Layer.HTTP, "503 with Retry-After", "seconds", "120", _seconds),
    Kind("too-many", Layer.HTTP, "429 with Retry-After, in no provider's dialect", "seconds", "30", _seconds),
    Kind("empty", Layer.HTTP, "the answer has no body"),
    Kind("truncated", Layer.HTTP, "the JSON ends in the middle, as its length says"),
    Kind("oversized", Layer.HTTP, "fifty megabytes of JSON"),
    Kind("not-utf8", Layer.HTTP, "the body is UTF-16"),
    Kind("bad-gzip", Layer.HTTP, "the body is said to be gzip and is not"),
    Kind("content-type", Layer.HTTP, "another content type", "media type", "text/plain"),
    Kind("no-content-type", Layer.HTTP, "no content type"),
    Kind("clock", Layer.HTTP, "the Date header is off", "seconds", "3600", _seconds),
    Kind("retired", Layer.HTTP, "410, and a Sunset header"),
    Kind("removed", Layer.BODY, "a field is gone", _FIELD, None),
    Kind("renamed", Layer.BODY, "a field has another name", _FIELD, None),
    Kind("nulled", Layer.BODY, "a field is null", _FIELD, None),
    Kind("retyped", Layer.BODY, "a field has another type", _FIELD, None),
    Kind("wrapped", Layer.BODY, "a field has become a list", _FIELD, None),
    Kind("value", Layer.BODY, "a field has another value", "FIELD=VALUE", None, _field_and_value),
    Kind("added", Layer.BODY, "an object has one field more", "the field's name", "mfagate_new"),
)

FAULTS = {kind.name: kind for kind in _KINDS}
