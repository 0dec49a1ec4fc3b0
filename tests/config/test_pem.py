"""Private keys as they are pasted, stored and mistaken."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from mfagate.causes import CauseId
from mfagate.config.pem import PrivateKey

RSA = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # its strength does not matter here
Format = serialization.PrivateFormat


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, form: Format, password: bytes | None = None) -> str:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        encryption = serialization.BestAvailableEncryption(password)
    return key.private_bytes(serialization.Encoding.PEM, form, encryption).decode()


PKCS8 = pem(RSA, Format.PKCS8)
PKCS1 = pem(RSA, Format.TraditionalOpenSSL)
PUBLIC = (
    RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
)


@pytest.mark.parametrize("value", [PKCS8, PKCS1, pem(ec.generate_private_key(ec.SECP256R1()), Format.PKCS8)])
def test_a_key_fits(value: str) -> None:
    assert PrivateKey().misfit(value) is None
    assert PrivateKey().misfit(value.replace("\n", "\r\n")) is None


@pytest.mark.parametrize(
    ("value", "part"),
    [
        (PKCS8.replace("\n", "\\n"), "line breaks"),
        (PKCS8.replace("\n", ""), "line breaks"),
        (PKCS8[:-30], "last line"),
        (PKCS8[:200] + PKCS8[264:], "damaged"),
        (pem(RSA, Format.PKCS8, b"pass"), "passphrase"),
        (pem(RSA, Format.TraditionalOpenSSL, b"pass"), "passphrase"),
        (PKCS8.strip().replace("\n", " "), "line breaks"),
        (f"KEY={PKCS8}", "something stands on the line"),
        (f"{PKCS8.strip()},", "something stands on the line"),
        (f"{PKCS8.strip()} # rotated", "something stands on the line"),
        ("/etc/keys/app.pem", "no line -----BEGIN"),
        (pem(RSA, Format.OpenSSH), "OpenSSH"),
    ],
)
def test_a_damaged_key(value: str, part: str) -> None:
    misfit = PrivateKey().misfit(value)
    assert misfit is not None
    assert part in misfit.reason
    assert misfit.cause is CauseId.CONFIG_MALFORMED_VALUE


def test_text_on_lines_of_its_own_around_a_key_means_nothing() -> None:
    assert PrivateKey().misfit(f"Bag Attributes\n    friendlyName: app\n{PKCS8}# rotated\n") is None


def test_the_other_half_is_of_another_kind() -> None:
    misfit = PrivateKey().misfit(PUBLIC)
    assert misfit is not None
    assert misfit.cause is CauseId.CONFIG_WRONG_KIND


def test_the_older_form_where_only_the_newer_is_taken() -> None:
    misfit = PrivateKey(pkcs8_only=True).misfit(PKCS1)
    assert misfit is not None
    assert "openssl pkcs8" in misfit.reason
    assert PrivateKey(pkcs8_only=True).misfit(PKCS8) is None
