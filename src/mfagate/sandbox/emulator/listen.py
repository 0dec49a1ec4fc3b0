"""Listen on one port of 127.0.0.1: TLS, and plain HTTP for clients that cannot be given a certificate."""

from __future__ import annotations

import logging
import socket
import ssl
from io import BytesIO
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from mfagate.sandbox import EMULATOR

_TLS_HANDSHAKE = b"\x16"
"""The first byte of every TLS connection (RFC 8446 section 5.1); no HTTP method begins with it."""

_IDLE_SECONDS = 30.0


_MOST_READ = 1 << 24


class KeepAliveHandler(WSGIRequestHandler):
    """Keeps connections open, as hosted providers do.

    Werkzeug closes each connection, because it cannot know what is left of a request's body, and waits for 10 ms for
    more of it. Here the whole body is read before the application runs.
    """

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    # Head and body are written one after the other; Nagle's algorithm would delay the body by 40 ms.
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        """Answer one request."""
        may_keep = not self.close_connection
        self.close_connection = True
        environ = self.make_environ()
        length = self.headers.get("Content-Length") or "0"
        if length.isdecimal() and int(length) <= _MOST_READ and "Transfer-Encoding" not in self.headers:
            environ["wsgi.input"] = BytesIO(self.rfile.read(int(length)))
        else:
            may_keep = False
        heads: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            heads.append((status, headers))

        chunks = self.server.app(environ, start_response)
        content = b"".join(chunks)
        if hasattr(chunks, "close"):
            chunks.close()
        status, headers = heads[-1]
        self._send(status, headers, content, may_keep=may_keep)

    def _send(self, status: str, headers: list[tuple[str, str]], content: bytes, *, may_keep: bool) -> None:
        code, _, phrase = status.partition(" ")
        self.send_response(int(code), phrase)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Content-Length", str(len(content)))
        if not may_keep:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = not may_keep


class _Handler(KeepAliveHandler):
    server: Listener

    def setup(self) -> None:
        """Detect whether the client speaks TLS."""
        self.request.settimeout(_IDLE_SECONDS)
        if self.request.recv(1, socket.MSG_PEEK) == _TLS_HANDSHAKE:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        """Close the TLS socket; the server knows only the socket beneath it."""
        super().finish()
        self.request.close()

    def handle(self) -> None:
        """Serve the request, and end quietly when the client hangs up."""
        try:
            super().handle()
        except (TimeoutError, ConnectionError, ssl.SSLError):
            self.close_connection = True

    def log_error(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
        """Log nothing when a client hangs up or sends garbage."""

    def version_string(self) -> str:
        """Return the Server header that identifies an emulator."""
        return EMULATOR


class Listener(ThreadedWSGIServer):
    """A running emulator on a free ``port``."""

    def __init__(self, application: Any, tls: ssl.SSLContext) -> None:
        self.tls = tls
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        super().__init__("127.0.0.1", 0, application, handler=_Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that hang up during the handshake."""
