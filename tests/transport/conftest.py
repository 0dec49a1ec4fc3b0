from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trustme

from mfagate.core.exchange import Exchange
from mfagate.transport import Transport
from tests.transport.helpers import PATIENCE, prepared, server_tls
from tests.transport.servers import Handler, Server

Serve = Callable[..., Server]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.lower().endswith("_proxy") or name in (
            "REQUESTS_CA_BUNDLE",
            "CURL_CA_BUNDLE",
            "SSL_CERT_FILE",
        ):
            monkeypatch.delenv(name)


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as running:

        def start(handler: Handler, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Server:
            return running.enter_context(Server(handler, tls, host))

        yield start


@pytest.fixture(scope="session")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def bundle(ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "bundle.pem"
    ca.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(scope="session")
def good_tls(ca: trustme.CA) -> ssl.SSLContext:
    return server_tls(ca.issue_cert("localhost", "127.0.0.1", common_name="the server"))


@pytest.fixture
def get(bundle: Path) -> Callable[..., Exchange]:
    """Send a GET with patience, trusting the test's own CA."""

    def send(url: str, timeout: float = PATIENCE, **options: Any) -> Exchange:
        return Transport(timeout_seconds=timeout, ca_bundle=bundle).send(prepared(url, **options))

    return send
