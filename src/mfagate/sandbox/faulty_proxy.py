"""A reverse proxy for tests: it forwards each request, or injects one fault."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from mfagate.core.sockets import is_readable

Fault = Callable[["Handler"], bool]
"""Answers instead of the server behind, or returns False to pass the request on."""

_BEHIND_SECONDS = 30.0
_IDLE_SECONDS = 30.0

SAME_TYPE = ""
"""Stands for the content type of the server behind the proxy."""


class Handler(BaseHTTPRequestHandler):
    """Handles the requests of one connection to the proxy.

    The connection stays open after an answer whose length the client knows, if the whole request was read.
    """

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    # Head and body are written one after the other; Nagle's algorithm would delay the body by 40 ms.
    disable_nagle_algorithm = True

    server: FaultyProxy
    _may_keep = False
    _wants_to_keep = False
    _behind: http.client.HTTPConnection | None = None

    def handle_one_request(self) -> None:
        """End the connection without a message when the client hangs up, or when the server stops."""
        if not self.server.idles(self.connection):
            self.close_connection = True
            return
        try:
            super().handle_one_request()
        except (ConnectionError, ssl.SSLError):
            self.close_connection = True

    def parse_request(self) -> bool:
        """Parse the request that has begun: from now on it is answered, even if the server stops."""
        self.server.works(self.connection)
        return super().parse_request()

    def do_GET(self) -> None:
        """Inject the fault, or forward the request."""
        with self.server.lock:
            self.server.requests.append((self.command, self.path))
        self._wants_to_keep = not self.close_connection and self.command != "HEAD"
        self._may_keep = self._wants_to_keep and not self._has_body()
        self.close_connection = True
        if not self.server.fault(self):
            self.pass_on()

    do_HEAD = do_OPTIONS = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names are http.server's

    def ask(self) -> tuple[int, bytes, http.client.HTTPMessage]:
        """Forward this request, and return status, body and headers of the answer."""
        body, headers = self.read_body(), dict(self.headers)
        self._behind = self._behind or self.server.connect()
        if self._behind.sock is not None and is_readable(self._behind.sock):
            self._behind.close()  # The server has closed it; http.client opens a new one.
        try:
            self._behind.request(self.command, self.path, body, headers)
            answer = self._behind.getresponse()
            return answer.status, answer.read(), answer.headers
        except (OSError, http.client.HTTPException):
            self._behind.close()
            raise

    def read_body(self) -> bytes:
        """Read the body of the request."""
        self._may_keep = self._wants_to_keep and "Transfer-Encoding" not in self.headers
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _has_body(self) -> bool:
        return "Transfer-Encoding" in self.headers or self.headers.get("Content-Length", "0") != "0"

    def finish(self) -> None:
        """Close the connection to the server behind, too."""
        self.server.works(self.connection)
        super().finish()
        if self._behind is not None:
            self._behind.close()

    def pass_on(self, *, date: str | None = None) -> bool:
        """Forward the request, and relay the answer."""
        return self.relay(*self.ask(), date=date)

    def relay(
        self,
        status: int,
        body: bytes,
        headers: http.client.HTTPMessage,
        content_type: str | None = SAME_TYPE,
        *,
        date: str | None = None,
        **more: str,
    ) -> bool:
        """Answer with the headers of the server behind, except those about the body or the connection."""
        kept = {name: value for name, value in headers.items() if name.lower() not in _HOP_BY_HOP}
        kind = headers["Content-Type"] if content_type == SAME_TYPE else content_type
        return self.answer(status, body, kind, date=date, **(kept | more))

    def answer(
        self, status: int, body: bytes, content_type: str | None = "text/html", *, date: str | None = None, **more: str
    ) -> bool:
        """Answer at once.

        Args:
            status: The status code.
            body: The body.
            content_type: Its media type; None sends no Content-Type.
            date: The header Date; empty sends none, and None the time of now.
            more: Other headers, with underscores for hyphens.
        """
        self.send_response_only(status)
        if date != "":
            self.send_header("Date", date or self.date_time_string())
        headers = {name.replace("_", "-"): value for name, value in more.items()}
        if content_type is not None:
            headers["Content-Type"] = content_type
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        is_framed = "Content-Length" not in headers and not (body and status in (204, 304))
        keeps = self._may_keep and is_framed and self.server.keeps_connections
        if not keeps:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = not keeps
        return True

    def log_message(self, *args: Any) -> None:
        """Log nothing."""


_HOP_BY_HOP = frozenset({"connection", "content-length", "content-type", "date", "keep-alive", "transfer-encoding"})


class FaultyProxy(ThreadingHTTPServer):
    """Listens on a port of 127.0.0.1, a free one by default."""

    daemon_threads = True
    # With 5, the default, connections that are opened together are dropped and repeated a second later.
    request_queue_size = 128

    def __init__(self, behind: str, fault: Fault, tls: ssl.SSLContext | None, port: int = 0) -> None:
        """Forward to the URL ``behind``; its certificate is not verified."""
        super().__init__(("127.0.0.1", port), Handler)
        self._behind = urlsplit(behind)
        self.fault = fault
        self.lock = threading.Lock()
        self._idle: set[socket.socket] = set()
        self._is_stopping = False
        self.keeps_connections = True
        """Whether a connection serves more than one request."""
        self.requests: list[tuple[str, str]] = []
        self.on_connection: Callable[[socket.socket], bool] = lambda connection: False
        self._tls = tls
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server_port}"

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve one connection, in its thread."""
        if self.on_connection(request):
            return
        if self._tls is None:
            super().finish_request(request, client_address)
        else:
            with self._tls.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)

    def idles(self, connection: socket.socket) -> bool:
        """Note that a connection waits for a request; return False if none is accepted any more."""
        with self.lock:
            if not self._is_stopping:
                self._idle.add(connection)
            return not self._is_stopping

    def works(self, connection: socket.socket) -> None:
        """Note that a connection does not wait any more."""
        with self.lock:
            self._idle.discard(connection)

    def server_close(self) -> None:
        """End the idle connections, too, and the others after their answer: the next server may have other faults."""
        super().server_close()
        with self.lock:
            self._is_stopping, self.keeps_connections = True, False
            for connection in self._idle:
                with suppress(OSError):
                    # Not SSLSocket.shutdown, because another thread is reading.
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection to the server behind."""
        if self._behind.scheme == "https":
            context = ssl._create_unverified_context()  # noqa: S323 - a sandbox on loopback
            return http.client.HTTPSConnection(self._behind.netloc, timeout=_BEHIND_SECONDS, context=context)
        return http.client.HTTPConnection(self._behind.netloc, timeout=_BEHIND_SECONDS)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that hang up."""


@contextmanager
def faulty_proxy(
    behind: str, fault: Fault = lambda handler: False, tls: ssl.SSLContext | None = None, port: int = 0
) -> Iterator[FaultyProxy]:
    """Run the proxy while the context lasts."""
    server = FaultyProxy(behind, fault, tls, port)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def always(status: int, body: bytes, content_type: str | None = "text/html", **headers: str) -> Fault:
    """Answer every request in the same way."""
    return lambda handler: handler.answer(status, body, content_type, **headers)


def _begin_json(handler: Handler, length: int) -> None:
    handler.send_response_only(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(length))
    handler.end_headers()


def drip(handler: Handler) -> bool:
    """Send one byte a second, for up to a minute."""
    _begin_json(handler, 1000)
    for _ in range(60):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(1)
    return True


def flood(handler: Handler) -> bool:
    """Send fifty megabytes of JSON."""
    _begin_json(handler, 50 << 20)
    for _ in range(50):
        handler.wfile.write(b'"' + b"x" * ((1 << 20) - 2) + b",")
    return True


def hang_up(handler: Handler) -> bool:
    """Close the connection without an answer."""
    handler.close_connection = True
    handler.connection.close()
    return True


def stall(handler: Handler) -> bool:
    """Send nothing until the client hangs up, or a minute has passed."""
    handler.connection.settimeout(60)
    handler.rfile.read(int(handler.headers.get("Content-Length") or 0) + 1)
    return hang_up(handler)


class NeverRefuses:
    """Accepts any credential: repeats the first good answer of an endpoint."""

    def __init__(self) -> None:
        self._good: dict[tuple[str, str], tuple[int, bytes, str]] = {}

    def __call__(self, handler: Handler) -> bool:
        """Relay what is accepted, and replace a refusal with the first good answer of the same endpoint."""
        endpoint = (handler.command, urlsplit(handler.path).path)
        status, body, headers = handler.ask()
        now = (status, body, headers["Content-Type"])
        answer = self._good.setdefault(endpoint, now) if status not in (401, 403) else self._good.get(endpoint, now)
        return handler.answer(*answer)
