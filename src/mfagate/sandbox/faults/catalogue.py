"""The faults of connections and answers: what each does, its argument, and the causes that the gate should report."""

from __future__ import annotations

from mfagate.core.causes import CauseId
from mfagate.sandbox.faults.kind import DAY, Argument, FaultKind, Layer, declared, number, retry_after


def _media_type(argument: str) -> str | None:
    return None if argument.isascii() and argument.isprintable() else "expected a media type in ASCII"


def _pair(notation: str) -> Argument:
    def problem(argument: str) -> str | None:
        return None if "=" in argument and not argument.startswith("=") else f"write {notation}"

    return Argument(notation, None, problem)


def _status(default: str) -> Argument:
    return Argument("status", default, number("a status", 200, 599, int))


_SECONDS = Argument("seconds", "1", number("a number of seconds", 0, DAY))
_OFFSET = Argument("seconds", "3600", number("a number of seconds", -3650 * DAY, 3650 * DAY))
_DAYS = Argument("days", "20", number("a number of days", 0, 3650))
_MEDIA_TYPE = Argument("media type", "text/plain", _media_type)
_FIELD = Argument("FIELD: its dotted path, or its name at any depth", None)
_WORDS = _pair("WORD=OTHER")
_FIELD_AND_VALUE = _pair("FIELD=VALUE")

# A slow answer within the client's timeout is a warning (provider.degraded) in a run that passes, because a login
# waits for it too. It fails the check only beyond the login's budget or the run's deadline.
_LATE = (CauseId.NETWORK_READ_TIMEOUT, CauseId.PROVIDER_DEGRADED)

_MILLISECONDS = Argument("milliseconds", "60", number("a round-trip time in milliseconds", 0, 10_000))

_tcp, _tls, _http, _body = map(declared, (Layer.TCP, Layer.TLS, Layer.HTTP, Layer.BODY))

_KINDS = (
    FaultKind(
        "line",
        Layer.LINE,
        "a round-trip time in ms, with jitter in ms, loss in per cent of the segments, and bandwidth in Mbit/s",
        _MILLISECONDS,
    ),
    _tcp("refuse", "nothing listens on the port", CauseId.NETWORK_CONNECTION_REFUSED),
    _tcp("drop", "connection attempts get no answer, as with an egress filter", CauseId.NETWORK_CONNECTION_TIMEOUT),
    _tcp("reset", "the connection is accepted and reset", CauseId.NETWORK_CONNECTION_RESET),
    _tcp("silent", "the connection is accepted, and no byte is ever sent", CauseId.NETWORK_READ_TIMEOUT),
    _tcp(
        "garbage",
        "the server speaks another protocol",
        CauseId.NETWORK_NOT_HTTP,
        CauseId.NETWORK_TLS_HANDSHAKE,
    ),
    _tcp("slow-connect", "the server waits before it accepts the connection", *_LATE, argument=_SECONDS, delays=True),
    _tls("tls-expired", "the certificate has expired", CauseId.NETWORK_TLS_EXPIRED),
    _tls("tls-self-signed", "the certificate is self-signed", CauseId.NETWORK_TLS_UNTRUSTED),
    _tls(
        "tls-unknown-ca",
        "the certificate comes from an unknown authority, as with an intercepting proxy",
        CauseId.NETWORK_TLS_UNTRUSTED,
    ),
    _tls("tls-other-name", "the certificate is for another host name", CauseId.NETWORK_TLS_HOSTNAME_MISMATCH),
    _tls("tls-old", "the server speaks only TLS 1.1", CauseId.NETWORK_TLS_HANDSHAKE),
    _tls("tls-plain", "the port speaks HTTP without TLS", CauseId.NETWORK_TLS_HANDSHAKE),
    _tls("tls-client-certificate", "the server requires a client certificate", CauseId.NETWORK_TLS_CLIENT_CERTIFICATE),
    _tls("tls-expiring", "the certificate expires in some days", CauseId.NETWORK_TLS_EXPIRING_SOON, argument=_DAYS),
    _http("reset-headers", "the connection is reset in the middle of the headers", CauseId.NETWORK_CONNECTION_RESET),
    _http("reset-body", "the connection is reset in the middle of the body", CauseId.NETWORK_CONNECTION_RESET),
    _http("cut-body", "the connection is closed in the middle of the body", CauseId.NETWORK_CONNECTION_RESET),
    _http("hang-up", "the connection is closed without an answer", CauseId.NETWORK_CONNECTION_RESET),
    _http("drip", "the body arrives at one byte per second", CauseId.NETWORK_READ_TIMEOUT),
    _http("drip-headers", "the headers arrive at one byte per second", CauseId.NETWORK_READ_TIMEOUT),
    _http("stall", "the request is read and never answered", CauseId.NETWORK_READ_TIMEOUT),
    _http("slow", "the answer is delayed", *_LATE, argument=_SECONDS, delays=True),
    _http("slow-body", "the body is delayed after the headers", *_LATE, argument=_SECONDS),
    _http("proxy-407", "a proxy on the network path requires a password", CauseId.NETWORK_PROXY),
    _http("captive-portal", "a redirect to a sign-in page", CauseId.NETWORK_UNEXPECTED_REDIRECT),
    _http(
        "html",
        "an HTML page replaces the answer",
        CauseId.CONTRACT_NOT_JSON,
        CauseId.CONFIG_MALFORMED_URL,
        argument=_status("200"),
    ),
    _http("status", "another status code, with an empty JSON object", CauseId.PROVIDER_OUTAGE, argument=_status("500")),
    _http("unavailable", "503 with Retry-After", CauseId.PROVIDER_MAINTENANCE, argument=retry_after("120")),
    _http(
        "too-many",
        "429 with Retry-After, without the provider's error format",
        CauseId.PROVIDER_RATE_LIMITED,
        argument=retry_after("30"),
    ),
    _http("empty", "the answer has no body", CauseId.CONTRACT_BODY_UNREADABLE),
    _http("truncated", "the JSON is incomplete, and its Content-Length matches", CauseId.CONTRACT_BODY_UNREADABLE),
    _http("oversized", "the answer has fifty megabytes of JSON", CauseId.CONTRACT_BODY_UNREADABLE),
    _http("not-utf8", "the body is UTF-16", CauseId.CONTRACT_BODY_UNREADABLE),
    _http("bad-gzip", "the header says gzip, and the body is not compressed", CauseId.CONTRACT_BODY_UNREADABLE),
    _http("content-type", "the content type is another one", CauseId.CONTRACT_HEADER_CHANGED, argument=_MEDIA_TYPE),
    _http("no-content-type", "the content type is missing", CauseId.CONTRACT_HEADER_CHANGED),
    _http("clock", "the Date header shows another time", CauseId.CLOCK_SKEW, argument=_OFFSET),
    _http("retired", "410 with a Sunset header", CauseId.CONTRACT_ENDPOINT_RETIRED),
    _body("removed", "a field is missing", CauseId.CONTRACT_FIELD_MISSING, argument=_FIELD),
    _body("renamed", "a field has another name", CauseId.CONTRACT_FIELD_MISSING, argument=_FIELD),
    _body("nulled", "a field is null", CauseId.CONTRACT_TYPE_CHANGED, argument=_FIELD),
    _body("retyped", "a field has another type", CauseId.CONTRACT_TYPE_CHANGED, argument=_FIELD),
    _body("wrapped", "a field has become a list", CauseId.CONTRACT_TYPE_CHANGED, argument=_FIELD),
    _body(
        "emptied",
        "a list, an object or a string is empty",
        CauseId.CONTRACT_VALUE_UNEXPECTED,
        CauseId.CONTRACT_FIELD_MISSING,
        CauseId.CONTRACT_TYPE_CHANGED,
        argument=_FIELD,
    ),
    _body("mixed", "a list has an element of another type", CauseId.CONTRACT_TYPE_CHANGED, argument=_FIELD),
    _body("reworded", "a word is replaced by another one", CauseId.CONTRACT_VALUE_UNEXPECTED, argument=_WORDS),
    _body("value", "a field has another value", CauseId.CONTRACT_VALUE_UNEXPECTED, argument=_FIELD_AND_VALUE),
    _body("added", "an object has an additional field", argument=Argument("the field's name", "mfagate_new")),
)

FAULTS = {kind.name: kind for kind in _KINDS}
