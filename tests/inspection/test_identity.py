"""Client certificates, judged offline: the pair, the dates, the usage, and where it is read from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mfagate.app.session import Session, prepared
from mfagate.checks import configuration
from mfagate.checks.context import CheckContext
from mfagate.config.load import ConfigError, load
from mfagate.core.result import Check
from mfagate.transport.identity import ClientIdentity

TOML = """\
[integrations.a]
provider = "duo"
environment = "production"
{more}
[integrations.a.settings]
host = "api-1a2b3c4d.duosecurity.com"
integration_key = "DIABCDEFGH1234567890"
secret_key = "env:SKEY"
"""

KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH


def pem(key: ec.EllipticCurvePrivateKey, password: bytes | None = None) -> str:
    hidden: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        hidden = serialization.BestAvailableEncryption(password)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, hidden).decode()


def certificate(
    key: ec.EllipticCurvePrivateKey = KEY,
    *,
    start: int = -10,
    end: int = 400,
    usage: tuple[x509.ObjectIdentifier, ...] = (CLIENT,),
) -> str:
    """A certificate from so many days from now to so many days from now."""
    now, name = datetime.now(UTC), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "login")])
    dates = now + timedelta(days=start), now + timedelta(days=end)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, *dates)
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SKEY", "Ab3dEf6hIj9lMn2pQr5tUv8xYz1bCd4fGh7jKl0n")
    return tmp_path


def identity_of(context: CheckContext) -> ClientIdentity | None:
    assert context.tables.typed is not None
    return context.tables.typed.identity


def examine(folder: Path, more: str, *, without_secrets: bool = False) -> tuple[list[Check], CheckContext, Session]:
    path = folder / "integrations.toml"
    path.write_text(TOML.format(more=more))
    settings = load(path, ["duo"])
    (integration,) = settings.select()
    session = Session(settings, without_secrets=without_secrets)
    with prepared(session, integration, live=False) as context:
        return list(configuration.run(context)), context, session


BOTH = 'client_certificate = "tls/cert.pem"\nclient_key = "tls/key.pem"'


def put(folder: Path, cert: str, key: str = "") -> None:
    (folder / "tls").mkdir()
    (folder / "tls/cert.pem").write_text(cert)
    (folder / "tls/key.pem").write_text(key)


def test_a_pair_is_shown_and_its_key_is_known_to_the_redactor(folder: Path) -> None:
    put(folder, certificate(), pem(KEY))
    (check,), context, session = examine(folder, BOTH)
    assert check.outcome == "pass"
    identity = identity_of(context)
    assert identity is not None
    assert identity.shown["client certificate"] == "CN=login"
    body = "".join(pem(KEY).splitlines()[1:-1])
    assert body[60:100] not in session.redactor.redact(f"key {body}")
    assert "CERTIFICATE" in session.redactor.redact(certificate())


def test_one_file_may_hold_both_and_either_may_come_from_a_store(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, pem(KEY) + certificate() + certificate(OTHER))
    assert identity_of(examine(folder, 'client_certificate = "file:tls/cert.pem"')[1]) is not None
    monkeypatch.setenv("TLS_KEY", pem(KEY))
    more = 'client_certificate = "tls/cert.pem"\nclient_key = "env:TLS_KEY"'
    assert identity_of(examine(folder, more)[1]) is not None


@pytest.mark.parametrize(
    ("cert", "key", "cause", "message"),
    [
        (certificate(), pem(OTHER), "config.malformed-value", "client_key is not the key of client_certificate"),
        (certificate(OTHER) + certificate(), pem(KEY), "config.malformed-value", "but not as the first one"),
        (certificate(end=-1), pem(KEY), "config.expired", "client_certificate expired on"),
        (certificate(end=10), pem(KEY), "config.expiring-soon", "client_certificate expires on"),
        (certificate(start=1), pem(KEY), "config.malformed-value", "client_certificate is not valid before"),
        (certificate(usage=(SERVER,)), pem(KEY), "config.wrong-kind", "is for servers only"),
        (certificate(), pem(KEY, b"secret"), "config.malformed-value", "it is encrypted with a passphrase"),
        (certificate(), certificate(), "config.wrong-kind", "it is a certificate, not the key"),
        (certificate(), '{"kty": "EC"}', "config.wrong-kind", "is a JWK, and TLS needs PEM"),
        (pem(KEY), pem(KEY), "config.wrong-kind", "contains no readable certificate, only: PRIVATE KEY"),
        ("nothing", pem(KEY), "config.malformed-value", "contains no readable certificate: a PEM file"),
    ],
)
def test_what_is_wrong_with_a_pair(folder: Path, cert: str, key: str, cause: str, message: str) -> None:
    put(folder, cert, key)
    first = examine(folder, BOTH)[0][0]
    assert first.cause == cause
    assert message in first.message
    assert first.location is not None
    assert "tls" in first.location.file


def test_a_usage_for_servers_alone_is_a_warning(folder: Path) -> None:
    put(folder, certificate(usage=(SERVER,)), pem(KEY))
    checks, context, _ = examine(folder, BOTH)
    assert [check.outcome for check in checks] == ["warn", "pass"]
    assert identity_of(context) is not None


@pytest.mark.parametrize("usage", [(), (SERVER, CLIENT), (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)])
def test_a_usage_that_includes_clients_is_none(folder: Path, usage: tuple[x509.ObjectIdentifier, ...]) -> None:
    put(folder, certificate(usage=usage), pem(KEY))
    (check,), _, _ = examine(folder, BOTH)
    assert check.outcome == "pass"


@pytest.mark.parametrize(
    ("more", "cause", "message"),
    [
        ('client_key = "tls/key.pem"', "config.setting-missing", "client_certificate is not set, and client_key is"),
        ('client_certificate = "tls/cert.pem"', "config.setting-missing", "client_key is not set"),
        ('client_certificate = "tls/none.pem"', "config.reference-unresolved", "file:tls/none.pem"),
        ('client_certificate = "env:NOT_THERE"', "config.reference-unresolved", "NOT_THERE is not set"),
        ('client_certificate = "tls"', "config.reference-unresolved", "Is a directory"),
    ],
)
def test_half_a_pair_and_files_that_are_not_there(folder: Path, more: str, cause: str, message: str) -> None:
    put(folder, certificate(), pem(KEY))
    first = examine(folder, more)[0][0]
    assert first.cause == cause
    assert message in first.message


@pytest.mark.parametrize("value", ["", " ", r"a\u0000b", r"-----BEGIN PRIVATE KEY-----\nMAMCAQE="])
def test_what_is_neither_a_path_nor_a_reference_is_an_error_of_the_file(folder: Path, value: str) -> None:
    with pytest.raises(ConfigError, match="should be the path of a PEM file, or a reference"):
        examine(folder, f'client_key = "{value}"')


def test_a_machine_without_secrets_does_not_judge_the_pair(folder: Path) -> None:
    (check,), context, _ = examine(folder, BOTH, without_secrets=True)
    assert check.outcome == "pass"
    assert identity_of(context) is None
