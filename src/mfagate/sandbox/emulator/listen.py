"""Listen on one port of 127.0.0.1: TLS, and plain HTTP for clients that cannot be given a certificate."""

from __future__ import annotations

import logging
import socket
import ssl
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from mfagate.sandbox import EMULATOR

_TLS_HANDSHAKE = b"\x16"
"""The first byte of every TLS connection (RFC 8446 section 5.1); no HTTP method begins with it."""

_IDLE_SECONDS = 30.0


class _Handler(WSGIRequestHandler):
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
