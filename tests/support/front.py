"""A front before a real server: it passes everything on, or does one thing wrong."""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

Fault = Callable[["Handler"], bool]
"""Answers instead of the server behind, or returns False to pass the request on."""


class Handler(BaseHTTPRequestHandler):
    """One request through the front."""

    server: Front

    def handle_one_request(self) -> None:
        """Quietly end when the client or a test hangs up."""
        try:
            super().handle_one_request()
        except (ConnectionError, ssl.SSLError):
            self.close_connection = True

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.requests.append((self.command, self.path))
        if not self.server.fault(self):
            self.pass_on()

    do_POST = do_DELETE = do_GET

    def pass_on(self, *, date: str | None = None) -> None:
        """Ask the server behind and answer with what it says."""
        length = int(self.headers.get("Content-Length") or 0)
        behind = http.client.HTTPConnection(self.server.behind, timeout=30)
        behind.request(self.command, self.path, self.rfile.read(length), dict(self.headers))
        answer = behind.getresponse()
        self.answer(answer.status, answer.read(), answer.headers["Content-Type"], date=date)
        behind.close()

    def answer(
        self, status: int, body: bytes, content_type: str | None = "text/html", *, date: str | None = None, **more: str
    ) -> bool:
        """Answer at once; ``more`` are headers with underscores for hyphens."""
        self.send_response_only(status)
        if date != "":
            self.send_header("Date", date or self.date_time_string())
        headers = {name.replace("_", "-"): value for name, value in more.items()}
        if content_type is not None:
            headers["Content-Type"] = content_type
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        return True

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


class Front(ThreadingHTTPServer):
    """Listens on a free port of 127.0.0.1."""

    daemon_threads = True

    def __init__(self, behind: str, fault: Fault, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behind = urlsplit(behind).netloc
        self.fault = fault
        self.lock = threading.Lock()
        self.requests: list[tuple[str, str]] = []
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error of the test."""


@contextmanager
def front(behind: str, fault: Fault = lambda handler: False, tls: ssl.SSLContext | None = None) -> Iterator[Front]:
    """A running front."""
    server = Front(behind, fault, tls)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def always(status: int, body: bytes, content_type: str | None = "text/html", **headers: str) -> Fault:
    """The same answer to everything."""
    return lambda handler: handler.answer(status, body, content_type, **headers)


def clock_ahead(seconds: float) -> Fault:
    """A server whose clock is wrong."""

    def fault(handler: Handler) -> bool:
        handler.pass_on(date=formatdate(time.time() + seconds, usegmt=True))
        return True

    return fault


def without_date(handler: Handler) -> bool:
    """A server that does not tell its time."""
    handler.pass_on(date="")
    return True


def drip(handler: Handler) -> bool:
    """One byte a second, for as long as the client listens."""
    handler.send_response_only(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(60):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(1)
    return True


def flood(handler: Handler) -> bool:
    """Fifty megabytes of JSON."""
    handler.send_response_only(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(50 << 20))
    handler.end_headers()
    for _ in range(50):
        handler.wfile.write(b'"' + b"x" * ((1 << 20) - 2) + b",")
    return True


def after(requests: int, fault: Fault) -> Fault:
    """Be healthy for a number of requests, then do something wrong."""

    def later(handler: Handler) -> bool:
        return len(handler.server.requests) > requests and fault(handler)

    return later


def on_path(path: str, fault: Fault) -> Fault:
    """Do something wrong on one endpoint only."""
    return lambda handler: urlsplit(handler.path).path == path and fault(handler)


def hang_up(handler: Handler) -> bool:
    """Close without an answer."""
    handler.close_connection = True
    handler.connection.close()
    return True
