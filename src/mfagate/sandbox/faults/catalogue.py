"""Every fault by name: what it does, and what it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mfagate.causes import CauseId


class Layer(StrEnum):
    """Where a fault happens; what is no layer of requests does not look at paths."""

    TCP = "tcp"
    TLS = "tls"
    HTTP = "http"
    BODY = "body"
    ANSWER = "answer"
    """The provider's own, for some requests: how it answers."""
    STATE = "state"
    """The provider's own, for as long as it lasts: what it knows."""

    @property
    def is_providers(self) -> bool:
        """Whether the provider itself does it, and nothing on the way to it."""
        return self in (Layer.ANSWER, Layer.STATE)


Check = Callable[[str], str | None]

MODIFIERS = ("path", "rate", "after", "times")
"""What may follow a fault: which requests it strikes, and how many of them."""


def _anything(argument: str) -> str | None:
    return None


def _number(what: str, least: int, most: int, kind: type[float] = float) -> Check:
    """A number that the fault can be done with; ``kind`` may be int."""

    def problem(argument: str) -> str | None:
        try:
            written = argument.isascii() and (kind is float or argument.isdecimal())
            good = written and least <= kind(argument) <= most
        except ValueError:
            good = False
        return None if good else f"{what} from {least} to {most} is due"

    return problem


_DAY = 86400

_status = _number("a status", 200, 599, int)
_seconds = _number("a number of seconds", 0, _DAY)
_retry_after = _number("a whole number of seconds", 0, _DAY, int)  # RFC 9110 section 10.2.3
_offset = _number("a number of seconds", -3650 * _DAY, 3650 * _DAY)
_days = _number("a number of days", 0, 3650)


def _media_type(argument: str) -> str | None:
    return None if argument.isascii() and argument.isprintable() else "a media type in ASCII is due"


def _field_and_value(argument: str) -> str | None:
    return None if "=" in argument and not argument.startswith("=") else "write FIELD=VALUE"


@dataclass(frozen=True, slots=True)
class Kind:
    """One fault of the catalogue. ``argument`` says what it takes, None for nothing; ``default`` may stand in.

    ``causes`` are the right answers of the gate, the best first: without a cause, none of its checks may be red.
    Those of a fault that takes seconds hold where the client does not wait so long. ``controlled`` are the right
    ones where a control credential is configured, if they are others. A fault that strikes one way of signing alone
    names its settings in ``needs``.
    """

    name: str
    layer: Layer
    summary: str
    argument: str | None = None
    default: str | None = ""
    problem: Check = _anything
    causes: tuple[CauseId, ...] = ()
    controlled: tuple[CauseId, ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def modifiers(self) -> Sequence[str]:
        """Which of :data:`MODIFIERS` it takes."""
        if self.layer in (Layer.TLS, Layer.STATE) or self.name in ("refuse", "drop"):
            return ()
        return MODIFIERS[1:] if self.layer is Layer.TCP else MODIFIERS


def state(
    name: str,
    summary: str,
    *causes: CauseId,
    controlled: tuple[CauseId, ...] = (),
    needs: tuple[str, ...] = (),
) -> Kind:
    """A fault of what a provider knows, such as a key that was deleted."""
    return Kind(name, Layer.STATE, summary, causes=causes, controlled=controlled, needs=needs)


def answer(name: str, summary: str, *causes: CauseId, seconds: str | None = None) -> Kind:
    """A fault of how a provider answers; ``seconds`` is how long it says to wait, where it says so."""
    if seconds is None:
        return Kind(name, Layer.ANSWER, summary, causes=causes)
    return Kind(name, Layer.ANSWER, summary, "seconds", seconds, _retry_after, causes)


_FIELD = "FIELD: its dotted path, or its name at any depth"

_KINDS = (
    Kind("refuse", Layer.TCP, "nothing listens on the port", causes=(CauseId.NETWORK_CONNECTION_REFUSED,)),
    Kind(
        "drop",
        Layer.TCP,
        "connection attempts are never answered, as by an egress filter",
        causes=(CauseId.NETWORK_CONNECTION_TIMEOUT,),
    ),
    Kind("reset", Layer.TCP, "the connection is accepted and reset", causes=(CauseId.NETWORK_CONNECTION_RESET,)),
    Kind(
        "silent",
        Layer.TCP,
        "the connection is accepted, and nothing is ever said",
        causes=(CauseId.NETWORK_READ_TIMEOUT,),
    ),
    Kind(
        "garbage",
        Layer.TCP,
        "something answers that speaks another protocol",
        causes=(CauseId.NETWORK_NOT_HTTP, CauseId.NETWORK_TLS_HANDSHAKE),
    ),
    Kind(
        "slow-connect",
        Layer.TCP,
        "the first byte takes a while",
        "seconds",
        "1",
        _seconds,
        causes=(CauseId.NETWORK_READ_TIMEOUT, CauseId.PROVIDER_DEGRADED),
    ),
    Kind("tls-expired", Layer.TLS, "the certificate is out of date", causes=(CauseId.NETWORK_TLS_EXPIRED,)),
    Kind("tls-self-signed", Layer.TLS, "the certificate vouches for itself", causes=(CauseId.NETWORK_TLS_UNTRUSTED,)),
    Kind(
        "tls-unknown-ca",
        Layer.TLS,
        "the certificate is of an authority that nobody trusts, as an intercepting proxy's",
        causes=(CauseId.NETWORK_TLS_UNTRUSTED,),
    ),
    Kind(
        "tls-other-name",
        Layer.TLS,
        "the certificate is for another name",
        causes=(CauseId.NETWORK_TLS_HOSTNAME_MISMATCH,),
    ),
    Kind("tls-old", Layer.TLS, "only TLS 1.1 is spoken", causes=(CauseId.NETWORK_TLS_HANDSHAKE,)),
    Kind("tls-plain", Layer.TLS, "the port speaks HTTP without TLS", causes=(CauseId.NETWORK_TLS_HANDSHAKE,)),
    Kind(
        "tls-client-certificate",
        Layer.TLS,
        "a client certificate is demanded",
        causes=(CauseId.NETWORK_TLS_CLIENT_CERTIFICATE,),
    ),
    Kind(
        "tls-expiring",
        Layer.TLS,
        "the certificate is valid for some days",
        "days",
        "20",
        _days,
        causes=(CauseId.NETWORK_TLS_EXPIRING_SOON,),
    ),
    Kind(
        "reset-headers",
        Layer.HTTP,
        "the connection is reset in the middle of the headers",
        causes=(CauseId.NETWORK_CONNECTION_RESET,),
    ),
    Kind(
        "reset-body",
        Layer.HTTP,
        "the connection is reset in the middle of the body",
        causes=(CauseId.NETWORK_CONNECTION_RESET,),
    ),
    Kind(
        "cut-body",
        Layer.HTTP,
        "the connection is closed in the middle of the body",
        causes=(CauseId.NETWORK_CONNECTION_RESET,),
    ),
    Kind(
        "hang-up", Layer.HTTP, "the connection is closed without an answer", causes=(CauseId.NETWORK_CONNECTION_RESET,)
    ),
    Kind("drip", Layer.HTTP, "the body comes at a byte a second", causes=(CauseId.NETWORK_READ_TIMEOUT,)),
    Kind("drip-headers", Layer.HTTP, "the headers come at a byte a second", causes=(CauseId.NETWORK_READ_TIMEOUT,)),
    Kind("stall", Layer.HTTP, "the request is read and never answered", causes=(CauseId.NETWORK_READ_TIMEOUT,)),
    Kind(
        "slow",
        Layer.HTTP,
        "the answer takes a while",
        "seconds",
        "1",
        _seconds,
        causes=(CauseId.NETWORK_READ_TIMEOUT, CauseId.PROVIDER_DEGRADED),
    ),
    Kind(
        "slow-body",
        Layer.HTTP,
        "the body takes a while after the headers",
        "seconds",
        "1",
        _seconds,
        causes=(CauseId.NETWORK_READ_TIMEOUT, CauseId.PROVIDER_DEGRADED),
    ),
    Kind("proxy-407", Layer.HTTP, "a proxy on the way wants a password", causes=(CauseId.NETWORK_PROXY,)),
    Kind(
        "captive-portal",
        Layer.HTTP,
        "a redirect to a page where one has to sign in",
        causes=(CauseId.NETWORK_UNEXPECTED_REDIRECT,),
    ),
    Kind(
        "html",
        Layer.HTTP,
        "a page of HTML in the place of the answer",
        "status",
        "200",
        _status,
        causes=(CauseId.CONTRACT_NOT_JSON, CauseId.CONFIG_MALFORMED_URL),
    ),
    Kind(
        "status",
        Layer.HTTP,
        "another status with an empty JSON object",
        "status",
        "500",
        _status,
        causes=(CauseId.PROVIDER_OUTAGE,),
    ),
    Kind(
        "unavailable",
        Layer.HTTP,
        "503 with Retry-After",
        "seconds",
        "120",
        _retry_after,
        causes=(CauseId.PROVIDER_MAINTENANCE,),
    ),
    Kind(
        "too-many",
        Layer.HTTP,
        "429 with Retry-After, in no provider's dialect",
        "seconds",
        "30",
        _retry_after,
        causes=(CauseId.PROVIDER_RATE_LIMITED,),
    ),
    Kind("empty", Layer.HTTP, "the answer has no body", causes=(CauseId.CONTRACT_BODY_UNREADABLE,)),
    Kind(
        "truncated",
        Layer.HTTP,
        "the JSON ends in the middle, as its length says",
        causes=(CauseId.CONTRACT_BODY_UNREADABLE,),
    ),
    Kind("oversized", Layer.HTTP, "fifty megabytes of JSON", causes=(CauseId.CONTRACT_BODY_UNREADABLE,)),
    Kind("not-utf8", Layer.HTTP, "the body is UTF-16", causes=(CauseId.CONTRACT_BODY_UNREADABLE,)),
    Kind("bad-gzip", Layer.HTTP, "the body is said to be gzip and is not", causes=(CauseId.CONTRACT_BODY_UNREADABLE,)),
    Kind(
        "content-type",
        Layer.HTTP,
        "another content type",
        "media type",
        "text/plain",
        _media_type,
        causes=(CauseId.CONTRACT_HEADER_CHANGED,),
    ),
    Kind("no-content-type", Layer.HTTP, "no content type", causes=(CauseId.CONTRACT_HEADER_CHANGED,)),
    Kind("clock", Layer.HTTP, "the Date header is off", "seconds", "3600", _offset, causes=(CauseId.CLOCK_SKEW,)),
    Kind("retired", Layer.HTTP, "410, and a Sunset header", causes=(CauseId.CONTRACT_ENDPOINT_RETIRED,)),
    Kind("removed", Layer.BODY, "a field is gone", _FIELD, None, causes=(CauseId.CONTRACT_FIELD_MISSING,)),
    Kind("renamed", Layer.BODY, "a field has another name", _FIELD, None, causes=(CauseId.CONTRACT_FIELD_MISSING,)),
    Kind("nulled", Layer.BODY, "a field is null", _FIELD, None, causes=(CauseId.CONTRACT_TYPE_CHANGED,)),
    Kind("retyped", Layer.BODY, "a field has another type", _FIELD, None, causes=(CauseId.CONTRACT_TYPE_CHANGED,)),
    Kind("wrapped", Layer.BODY, "a field has become a list", _FIELD, None, causes=(CauseId.CONTRACT_TYPE_CHANGED,)),
    Kind(
        "value",
        Layer.BODY,
        "a field has another value",
        "FIELD=VALUE",
        None,
        _field_and_value,
        causes=(CauseId.CONTRACT_VALUE_UNEXPECTED,),
    ),
    Kind("added", Layer.BODY, "an object has one field more", "the field's name", "mfagate_new"),
)

FAULTS = {kind.name: kind for kind in _KINDS}
"""Those of the way to a provider, which can happen to each of them."""
