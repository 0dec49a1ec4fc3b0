"""Faults of a single HTTP answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import formatdate

from mfagate.sandbox.faults.connection import abort
from mfagate.sandbox.faulty_proxy import Handler, drip, flood, hang_up, stall

Strike = Callable[[Handler, str], bool]
"""Answers in the server's place, and returns True."""

_HTML = b"<!DOCTYPE html><html><head><title>Sign in to the network</title></head><body>Welcome</body></html>"


def strike(handler: Handler, name: str, argument: str) -> bool:
    """Answer as the fault of that name does."""
    return _STRIKES[name](handler, argument)


def _head(handler: Handler, status: int, body: bytes, content_type: str | None) -> bytes:
    fields = f"HTTP/1.1 {status} OK\r\nContent-Length: {len(body)}\r\n"
    return (fields + (f"Content-Type: {content_type}\r\n" if content_type else "") + "\r\n").encode()


def _reset_headers(handler: Handler, argument: str) -> bool:
    handler.ask()
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Ty")
    handler.wfile.flush()
    time.sleep(0.05)
    abort(handler.connection)
    handler.close_connection = True
    return True


def _half_a_body(handler: Handler) -> None:
    status, body, headers = handler.ask()
    handler.wfile.write(_head(handler, status, body, headers["Content-Type"]) + body[: len(body) // 2])
    handler.wfile.flush()
    time.sleep(0.05)
    handler.close_connection = True


def _reset_body(handler: Handler, argument: str) -> bool:
    _half_a_body(handler)
    abort(handler.connection)
    return True


def _cut_body(handler: Handler, argument: str) -> bool:
    _half_a_body(handler)
    return True


def _drip_headers(handler: Handler, argument: str) -> bool:
    status, body, headers = handler.ask()
    for byte in _head(handler, status, body, headers["Content-Type"]):
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
        time.sleep(1)
    return True


def _slow_body(handler: Handler, argument: str) -> bool:
    status, body, headers = handler.ask()
    handler.wfile.write(_head(handler, status, body, headers["Content-Type"]))
    handler.wfile.flush()
    time.sleep(float(argument))
    handler.wfile.write(body)
    return True


def _answer(
    handler: Handler, status: int, body: bytes, content_type: str | None = "application/json", **more: str
) -> bool:
    """Answer without asking the server behind; the request's body is read, as its sender expects."""
    handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    return handler.answer(status, body, content_type, **more)


def _captive_portal(handler: Handler, argument: str) -> bool:
    return _answer(handler, 302, _HTML, "text/html", Location="https://portal.example.net/login?from=mfa")


def _truncated(handler: Handler, argument: str) -> bool:
    status, body, headers = handler.ask()
    return handler.relay(status, body[: max(1, len(body) * 2 // 3)], headers, headers["Content-Type"])


def _not_utf8(handler: Handler, argument: str) -> bool:
    status, body, headers = handler.ask()
    return handler.relay(status, body.decode("utf-8", "replace").encode("utf-16"), headers, headers["Content-Type"])


def _bad_gzip(handler: Handler, argument: str) -> bool:
    status, body, headers = handler.ask()
    return handler.relay(status, body, headers, headers["Content-Type"], Content_Encoding="gzip")


def _content_type(handler: Handler, argument: str) -> bool:
    status, body, headers = handler.ask()
    return handler.relay(status, body, headers, argument)


def _no_content_type(handler: Handler, argument: str) -> bool:
    status, body, headers = handler.ask()
    return handler.relay(status, body, headers, None)


def _empty(handler: Handler, argument: str) -> bool:
    status, _, headers = handler.ask()
    return handler.relay(status, b"", headers, headers["Content-Type"])


def _clock(handler: Handler, argument: str) -> bool:
    handler.pass_on(date=formatdate(time.time() + float(argument), usegmt=True))
    return True


_STRIKES: dict[str, Strike] = {
    "reset-headers": _reset_headers,
    "reset-body": _reset_body,
    "cut-body": _cut_body,
    "hang-up": lambda handler, argument: hang_up(handler),
    "drip": lambda handler, argument: drip(handler),
    "drip-headers": _drip_headers,
    "stall": lambda handler, argument: stall(handler),
    "slow-body": _slow_body,
    "proxy-407": lambda handler, argument: _answer(handler, 407, b"", None, Proxy_Authenticate='Basic realm="egress"'),
    "captive-portal": _captive_portal,
    "html": lambda handler, argument: _answer(handler, int(argument), _HTML, "text/html"),
    "status": lambda handler, argument: _answer(handler, int(argument), b"{}"),
    "unavailable": lambda handler, argument: _answer(handler, 503, b"busy", "text/plain", Retry_After=argument),
    "too-many": lambda handler, argument: _answer(handler, 429, b"{}", Retry_After=argument),
    "empty": _empty,
    "truncated": _truncated,
    "oversized": lambda handler, argument: flood(handler),
    "not-utf8": _not_utf8,
    "bad-gzip": _bad_gzip,
    "content-type": _content_type,
    "no-content-type": _no_content_type,
    "clock": _clock,
    "retired": lambda handler, argument: _answer(
        handler, 410, b'{"error":"gone"}', Sunset="Sat, 31 Oct 2026 23:59:59 GMT"
    ),
}
