"""Faults of a single HTTP answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import formatdate

from mfagate.sandbox.faults.connection import abort
from mfagate.sandbox.faulty_proxy import SAME_TYPE, Handler, drip, flood, hang_up, stall

HttpFault = Callable[[Handler, str], bool]
"""Answers instead of the server behind the proxy, and returns True. The second parameter is the fault's argument."""

_HTML = b"<!DOCTYPE html><html><head><title>Sign in to the network</title></head><body>Welcome</body></html>"


def _head(handler: Handler) -> tuple[bytes, bytes]:
    """Forward the request, and return the answer as a short head and its body."""
    status, body, headers = handler.ask()
    fields = f"HTTP/1.1 {status} OK\r\nContent-Length: {len(body)}\r\n"
    kind = headers["Content-Type"]
    return (fields + (f"Content-Type: {kind}\r\n" if kind else "") + "\r\n").encode(), body


def _send_beginning(handler: Handler, content: bytes) -> None:
    handler.wfile.write(content)
    handler.wfile.flush()
    time.sleep(0.05)
    handler.close_connection = True


def _reset_headers(handler: Handler, argument: str) -> bool:
    handler.ask()
    _send_beginning(handler, b"HTTP/1.1 200 OK\r\nContent-Ty")
    abort(handler.connection)
    return True


def _cut_body(handler: Handler, argument: str) -> bool:
    head, body = _head(handler)
    _send_beginning(handler, head + body[: len(body) // 2])
    return True


def _reset_body(handler: Handler, argument: str) -> bool:
    _cut_body(handler, argument)
    abort(handler.connection)
    return True


def _drip_headers(handler: Handler, argument: str) -> bool:
    for byte in _head(handler)[0]:
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
        time.sleep(1)
    return True


def _slow_body(handler: Handler, argument: str) -> bool:
    head, body = _head(handler)
    handler.wfile.write(head)
    handler.wfile.flush()
    time.sleep(float(argument))
    handler.wfile.write(body)
    return True


def _answer(
    handler: Handler, status: int, body: bytes, content_type: str | None = "application/json", **more: str
) -> bool:
    """Answer without forwarding the request; its body is read, as the sender expects."""
    handler.read_body()
    return handler.answer(status, body, content_type, **more)


def _changed(
    handler: Handler,
    change: Callable[[bytes], bytes] = lambda body: body,
    content_type: str | None = SAME_TYPE,
    **more: str,
) -> bool:
    """Forward the request, and relay the answer with another body or other headers."""
    status, body, headers = handler.ask()
    return handler.relay(status, change(body), headers, content_type, **more)


def _captive_portal(handler: Handler, argument: str) -> bool:
    return _answer(handler, 302, _HTML, "text/html", Location="https://portal.example.net/login?from=mfa")


def _retired(handler: Handler, argument: str) -> bool:
    return _answer(handler, 410, b'{"error":"gone"}', Sunset="Sat, 31 Oct 2026 23:59:59 GMT")


def _truncated(body: bytes) -> bytes:
    return body[: max(1, len(body) * 2 // 3)]


def _in_utf16(body: bytes) -> bytes:
    return body.decode("utf-8", "replace").encode("utf-16")


HTTP_FAULTS: dict[str, HttpFault] = {
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
    "empty": lambda handler, argument: _changed(handler, lambda body: b""),
    "truncated": lambda handler, argument: _changed(handler, _truncated),
    "oversized": lambda handler, argument: flood(handler),
    "not-utf8": lambda handler, argument: _changed(handler, _in_utf16),
    "bad-gzip": lambda handler, argument: _changed(handler, Content_Encoding="gzip"),
    "content-type": lambda handler, argument: _changed(handler, content_type=argument),
    "no-content-type": lambda handler, argument: _changed(handler, content_type=None),
    "clock": lambda handler, argument: handler.pass_on(date=formatdate(time.time() + float(argument), usegmt=True)),
    "retired": _retired,
}
