"""Servers that demand a client certificate: one is shown, the right one is taken, and no proxy sees it."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Phase
from mfagate.transport import Transport
from mfagate.transport.identity import ClientIdentity
from tests.transport.helpers import PATIENCE, answered, failed, prepared, server_tls
from tests.transport.servers import Server, ok, proxy

Serve = Callable[..., Server]

VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])


def identity(ca: trustme.CA) -> ClientIdentity:
    """A certificate of the authority for the login service, with its key."""
    issued = ca.issue_cert("login@example.com", common_name="login")
    chain = "".join(blob.bytes().decode() for blob in issued.cert_chain_pems)
    return ClientIdentity(chain + issued.private_key_pem.bytes().decode(), {"client certificate": "CN=login"})


def demanding(ca: trustme.CA, version: ssl.TLSVersion) -> ssl.SSLContext:
    context = server_tls(ca.issue_cert("localhost", "127.0.0.1"))
    context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    ca.configure_trust(context)
    return context


def get(url: str, bundle: Path, shown: ClientIdentity | None) -> Exchange:
    return Transport(timeout_seconds=PATIENCE, ca_bundle=bundle, identity=shown).send(prepared(url))


@VERSIONS
def test_the_certificate_is_shown_and_taken(
    serve: Serve, ca: trustme.CA, bundle: Path, version: ssl.TLSVersion
) -> None:
    server = serve(ok(), demanding(ca, version))
    assert answered(get(server.url(host="localhost"), bundle, identity(ca))).body == b"hello"


@VERSIONS
def test_a_certificate_of_another_authority_is_refused_with_the_reason(
    serve: Serve, ca: trustme.CA, bundle: Path, version: ssl.TLSVersion
) -> None:
    server = serve(ok(), demanding(ca, version))
    phase = Phase.TLS if version is ssl.TLSVersion.TLSv1_2 else Phase.PROCESSING
    exchange = get(server.url(host="localhost"), bundle, identity(trustme.CA()))
    failure = failed(exchange, CauseId.NETWORK_TLS_CLIENT_CERTIFICATE, phase)
    assert failure.message == "localhost refuses the client certificate: it does not trust the issuer"


def test_a_server_that_asks_for_nothing_is_not_disturbed(
    serve: Serve, ca: trustme.CA, bundle: Path, good_tls: ssl.SSLContext
) -> None:
    assert answered(get(serve(ok(), good_tls).url(host="localhost"), bundle, identity(ca))).status == 200


def test_a_proxy_that_asks_for_a_certificate_is_not_shown_the_servers(
    serve: Serve, ca: trustme.CA, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = server_tls(ca.issue_cert("localhost"))
    context.verify_mode = ssl.CERT_OPTIONAL
    ca.configure_trust(context)
    shown: list[object] = []
    tunnel = proxy()

    def watched(connection: ssl.SSLSocket, server: Server) -> None:
        shown.append(connection.getpeercert())
        tunnel(connection, server)

    server = serve(ok(), demanding(ca, ssl.TLSVersion.TLSv1_3))
    monkeypatch.setenv("HTTPS_PROXY", serve(watched, context).url(host="localhost"))
    assert answered(get(server.url(host="localhost"), bundle, identity(ca))).status == 200
    assert shown
    assert not any(shown)


def test_the_key_is_not_in_the_representation_of_the_identity(ca: trustme.CA) -> None:
    assert "PRIVATE KEY" not in repr(identity(ca))
