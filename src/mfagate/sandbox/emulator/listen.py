"""Listen on one port of 127.0.0.1: TLS, and plain HTTP for clients that cannot be given a certificate."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from mfagate.sandbox import EMULATOR

_TLS_HANDSHAKE = b"\x16"
"""The first byte of every TLS connection (RFC 8446 section 5.1); no HTTP method begins with it."""

_IDLE_SECONDS = 30.0


class _Handler(WSGIRequestHandler):
    server: Listener

    def setup(self) -> None:
        """Find out which of the two the client speaks."""
        self.request.settimeout(_IDLE_SECONDS)
        if self.request.recv(1, socket.MSG_PEEK) == _TLS_HANDSHAKE:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        """Close what ``setup`` wrapped; the server knows the bare socket only."""
        super().finish()
        self.request.close()

    def handle(self) -> None:
        """Serve the request, however the client behaves."""
        try:
            super().handle()
        except (TimeoutError, ConnectionError, ssl.SSLError):
            self.close_connection = True

    def log_error(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
        """Say nothing: a client that hangs up or sends nonsense is no news."""

    def version_string(self) -> str:
        """Say that this only imitates the provider."""
        return EMULATOR


class Listener(ThreadedWSGIServer):
    """A running emulator; ``port`` is a free one."""

    def __init__(self, application: Any, tls: ssl.SSLContext) -> None:
        self.tls = tls
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        super().__init__("127.0.0.1", 0, application, handler=_Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up during the handshake is no error."""


def certify(hosts: Sequence[str], folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A context with a certificate for this machine and ``hosts``, and the file of its authority."""
    import trustme

    authority = trustme.CA(organization_name="mfagate sandbox")
    certificate = authority.issue_cert("127.0.0.1", "::1", "localhost", *hosts)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.set_alpn_protocols(["http/1.1"])
    certificate.configure_cert(context)
    bundle = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    return context, bundle
