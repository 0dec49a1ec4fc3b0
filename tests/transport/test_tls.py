"""Certificates and handshakes."""

from __future__ import annotations

import socket
import ssl
import tempfile
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Phase
from mfagate.transport import Transport
from mfagate.transport.certificates import EXPIRED, HOSTNAME_MISMATCH, NOT_YET_VALID, describe, refused
from tests.transport.conftest import Serve
from tests.transport.helpers import IMPATIENCE, PATIENCE, answered, failed, prepared, server_tls
from tests.transport.servers import Server, answer, hang_up, ok, reset, retort, say, silent

Get = Callable[..., Exchange]
NOW = datetime.now(UTC).replace(microsecond=0)


def https(port: int, host: str = "localhost") -> str:
    return f"https://{host}:{port}/"


def test_success_names_the_certificate(serve: Serve, get: Get, good_tls: ssl.SSLContext) -> None:
    exchange = get(serve(ok(b"secret"), good_tls).url(host="localhost"))
    assert answered(exchange).body == b"secret"
    assert set(exchange.phases) == set(Phase)
    certificate = exchange.certificate
    assert certificate is not None
    assert certificate.subject.quoted().startswith("CN=the server,")
    assert ",O=trustme v" in certificate.issuer
    assert certificate.not_after > NOW


def test_the_name_is_checked_without_the_root_dot(
    serve: Serve, get: Get, good_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(ok(), good_tls)
    here = socket.getaddrinfo("127.0.0.1", server.port, type=socket.SOCK_STREAM)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: here)
    answered(get(server.url(host="localhost.")))


def test_an_ip_address_may_be_certified(serve: Serve, get: Get, good_tls: ssl.SSLContext) -> None:
    answered(get(serve(ok(), good_tls).url()))


def test_a_large_body_and_answer(serve: Serve, bundle: Path, good_tls: ssl.SSLContext) -> None:
    server = serve(ok(bytes(1 << 20)), good_tls)
    wire = Transport(timeout_seconds=PATIENCE, ca_bundle=bundle)
    response = answered(wire.send(prepared(server.url(), "POST", data=b"x" * (1 << 20))))
    assert (len(response.body), response.truncated) == (1 << 20, False)
    assert server.requests[0].endswith(b"\r\n\r\n" + b"x" * (1 << 20))


# Certificates that are refused


def test_unknown_authority(serve: Serve, get: Get, bundle: Path) -> None:
    certificate = trustme.CA().issue_cert("localhost")
    server = serve(ok(), server_tls(certificate))
    exchange = get(server.url(host="localhost"), headers={"Authorization": "canary"})
    failure = failed(exchange, CauseId.NETWORK_TLS_UNTRUSTED, Phase.TLS)
    assert failure.evidence["issuer"] in failure.message
    assert failure.evidence["names"] == ["localhost"]
    assert failure.evidence["ca_bundle"] == str(bundle)
    assert len(failure.evidence["sha256"]) == 64
    assert datetime.fromisoformat(failure.evidence["not_before"]) < NOW
    assert datetime.fromisoformat(failure.evidence["not_after"]) > NOW
    assert server.accepted == 2
    assert not any(server.requests), "the look at the certificate sends nothing"


def sends(leaf: trustme.LeafCert, *above: trustme.Blob) -> ssl.SSLContext:
    """A server that sends the leaf and these certificates alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pem = b"".join(one.bytes() for one in (leaf.private_key_pem, leaf.cert_chain_pems[0], *above))
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def test_the_issuer_that_the_server_did_not_send_is_named(serve: Serve, get: Get, ca: trustme.CA, bundle: Path) -> None:
    """Browsers fetch it and people believe that the server is in order."""
    intermediate = ca.create_child_ca()
    leaf = intermediate.issue_cert("localhost")
    failure = failed(get(serve(ok(), sends(leaf)).url(host="localhost")), CauseId.NETWORK_TLS_UNTRUSTED, Phase.TLS)
    subject = x509.load_pem_x509_certificate(intermediate.cert_pem.bytes()).subject.rfc4514_string()
    assert failure.evidence["issuer not sent"] == subject
    assert failure.evidence["certificates sent"] == 1
    assert subject in failure.message
    step = str(failure.next_step)
    assert subject in step
    assert "full chain" in step
    assert str(bundle) in step
    answered(get(serve(ok(), sends(leaf, intermediate.cert_pem)).url(host="localhost")))


def test_a_chain_in_another_order_is_followed(serve: Serve, get: Get) -> None:
    """The end of the chain is what is missing, not what stands last."""
    first = trustme.CA().create_child_ca()
    second = first.create_child_ca()
    third = second.create_child_ca()
    leaf = third.issue_cert("localhost")
    server = serve(ok(), sends(leaf, second.cert_pem, third.cert_pem))
    failure = failed(get(server.url(host="localhost")), CauseId.NETWORK_TLS_UNTRUSTED, Phase.TLS)
    subject = x509.load_pem_x509_certificate(first.cert_pem.bytes()).subject.rfc4514_string()
    assert failure.evidence["issuer not sent"] == subject


def test_a_root_that_was_sent_is_not_missing(serve: Serve, get: Get) -> None:
    root = trustme.CA()
    server = serve(ok(), sends(root.issue_cert("localhost"), root.cert_pem))
    failure = failed(get(server.url(host="localhost")), CauseId.NETWORK_TLS_UNTRUSTED, Phase.TLS)
    assert "issuer not sent" not in failure.evidence
    assert failure.evidence["issuer"] in failure.message
    assert failure.next_step is None


def test_expired(serve: Serve, get: Get, ca: trustme.CA) -> None:
    since = NOW - timedelta(days=1)
    certificate = ca.issue_cert("localhost", not_before=NOW - timedelta(days=9), not_after=since)
    exchange = get(serve(ok(), server_tls(certificate)).url(host="localhost"))
    failure = failed(exchange, CauseId.NETWORK_TLS_EXPIRED, Phase.TLS)
    assert datetime.fromisoformat(failure.evidence["not_after"]) == since
    assert f"expired at {since.isoformat()}" in failure.message
    assert "our_clock" in failure.evidence
    assert "This machine's clock says" in failure.message


def test_not_yet_valid(serve: Serve, get: Get, ca: trustme.CA) -> None:
    start = NOW + timedelta(days=1)
    certificate = ca.issue_cert("localhost", not_before=start)
    exchange = get(serve(ok(), server_tls(certificate)).url(host="localhost"))
    failure = failed(exchange, CauseId.NETWORK_TLS_EXPIRED, Phase.TLS)
    assert f"not valid before {start.isoformat()}" in failure.message


@pytest.mark.parametrize(
    ("host", "names", "shown"),
    [
        ("localhost", ["other.example", "10.0.0.1"], "other.example, 10.0.0.1"),
        ("127.0.0.1", ["a", "b", "c", "d", "e", "f", "g"], "a, b, c, d, e and 2 more"),
    ],
)
def test_another_name(serve: Serve, get: Get, ca: trustme.CA, host: str, names: list[str], shown: str) -> None:
    exchange = get(serve(ok(), server_tls(ca.issue_cert(*names))).url(host=host))
    failure = failed(exchange, CauseId.NETWORK_TLS_HOSTNAME_MISMATCH, Phase.TLS)
    assert failure.evidence["names"] == names
    assert failure.message.endswith(f" is for {shown}")


def test_evidence_may_be_missing(serve: Serve, get: Get) -> None:
    """The server breaks down before the second look; the verdict stands."""
    context = server_tls(trustme.CA().issue_cert("localhost"))

    def once(connection: socket.socket, server: Server) -> None:
        if server.accepted == 1:
            context.wrap_socket(connection, server_side=True)

    server = serve(once)
    failure = failed(get(https(server.port)), CauseId.NETWORK_TLS_UNTRUSTED, Phase.TLS)
    assert server.accepted == 2
    assert "sha256" not in failure.evidence


def refusal(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError()
    error.verify_code, error.verify_message = code, "as OpenSSL says"
    return error


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (EXPIRED, "a certificate in the chain of host has expired"),
        (NOT_YET_VALID, "a certificate in the chain of host is not valid yet"),
    ],
)
def test_another_certificate_of_the_chain_is_out_of_date(code: int, message: str) -> None:
    good = {
        "not_before": (NOW - timedelta(days=1)).isoformat(),
        "not_after": (NOW + timedelta(days=1)).isoformat(),
    }
    assert refused(refusal(code), "host", Path("bundle"), good).message.startswith(message)
    assert refused(refusal(code), "host", Path("bundle"), {}).message.startswith(message)


def test_a_certificate_without_alternative_names() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "old style")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )
    evidence = describe(certificate)
    assert (evidence["subject"], evidence["names"]) == ("CN=old style", [])
    error = refused(refusal(HOSTNAME_MISMATCH), "host", Path("bundle"), evidence)
    assert error.message == "the certificate presented for host is for CN=old style"


# Handshakes that fail


def old_tls(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = server_tls(certificate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def rsa_key_exchange_only(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = server_tls(certificate)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-SHA")
    return context


def unknown_host(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = server_tls(certificate)
    context.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    return context


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (old_tls, "no TLS version in common"),
        (rsa_key_exchange_only, "no cipher suite in common"),
        (unknown_host, "does not know this host name"),
    ],
)
def test_nothing_in_common(
    serve: Serve,
    get: Get,
    ca: trustme.CA,
    make: Callable[[trustme.LeafCert], ssl.SSLContext],
    message: str,
) -> None:
    server = serve(ok(), make(ca.issue_cert("localhost")))
    failure = failed(get(server.url(host="localhost")), CauseId.NETWORK_TLS_HANDSHAKE, Phase.TLS)
    assert message in failure.message
    assert failure.evidence["openssl"]


@pytest.mark.parametrize(
    ("greeting", "message", "received"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "speaks plain HTTP", "HTTP/1.1 400 Bad Request"),
        (b"220 mail.example ESMTP\r\n", "something other than TLS", "220 mail.example ESMTP"),
        (b"hi", "something other than TLS", "hi"),
    ],
)
def test_not_tls(serve: Serve, get: Get, greeting: bytes, message: str, received: str) -> None:
    for handler, timeout in ((say(greeting), IMPATIENCE), (retort(greeting), PATIENCE)):
        exchange = get(https(serve(handler).port), timeout=timeout)
        failure = failed(exchange, CauseId.NETWORK_TLS_HANDSHAKE, Phase.TLS)
        assert message in failure.message
        assert failure.evidence["received"] == received


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_is_demanded(serve: Serve, get: Get, ca: trustme.CA, version: ssl.TLSVersion) -> None:
    context = server_tls(ca.issue_cert("localhost"))
    context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    ca.configure_trust(context)
    # With TLS 1.3 the handshake is over on our side when the server finds out.
    phase = Phase.TLS if version is ssl.TLSVersion.TLSv1_2 else Phase.PROCESSING
    for _ in range(5):
        exchange = get(serve(ok(), context).url(host="localhost"))
        failed(exchange, CauseId.NETWORK_TLS_CLIENT_CERTIFICATE, phase)


@pytest.mark.parametrize("handler", [hang_up, retort(b""), retort(b"\x16\x03\x03"), reset(until=b"\x16")])
def test_the_connection_is_lost_in_the_handshake(serve: Serve, get: Get, handler: object) -> None:
    failure = failed(get(https(serve(handler).port)), CauseId.NETWORK_CONNECTION_RESET, Phase.TLS)
    assert "TLS" in failure.message


@pytest.mark.parametrize(("handler", "received"), [(silent, 0), (say(b"\x16\x03\x03\x40\x00\x02"), 6)])
def test_a_handshake_that_never_ends(serve: Serve, get: Get, handler: object, received: int) -> None:
    exchange = get(https(serve(handler).port), timeout=IMPATIENCE)
    failure = failed(exchange, CauseId.NETWORK_READ_TIMEOUT, Phase.TLS)
    assert failure.evidence["bytes_received"] == received
    assert exchange.seconds < PATIENCE


def test_a_body_cut_off_within_tls(serve: Serve, get: Get, good_tls: ssl.SSLContext) -> None:
    server = serve(answer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), good_tls)
    failed(get(server.url()), CauseId.NETWORK_CONNECTION_RESET, Phase.TRANSFER)


def test_garbage_after_the_handshake(serve: Serve, get: Get, good_tls: ssl.SSLContext) -> None:
    server = serve(say(b"\x00\x01 not HTTP\r\n"), good_tls)
    failed(get(server.url()), CauseId.NETWORK_NOT_HTTP, Phase.PROCESSING)
