"""Private keys as they are pasted, stored and mistaken."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from mfagate.config.pem import PrivateKey, load_private_key
from mfagate.core.causes import CauseId

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
        (f"KEY={PKCS8}", "there is other text on the line"),
        (f"{PKCS8.strip()},", "there is other text on the line"),
        (f"{PKCS8.strip()} # rotated", "there is other text on the line"),
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


def certificate(key: rsa.RSAPrivateKey) -> str:
    """A certificate of the key, in PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "login")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + timedelta(days=9000))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


CERTIFICATE = certificate(RSA)
BAG = "Bag Attributes\n    localKeyID: 01 00 00 00 \n    friendlyName: login\nKey Attributes: <No Attributes>\n"
PARAMETERS = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
EC = ec.generate_private_key(ec.SECP256R1())
EC_PEM = pem(EC, Format.TraditionalOpenSSL)


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (CERTIFICATE + PKCS8, RSA),
        (PKCS8 + CERTIFICATE, RSA),
        (BAG + CERTIFICATE + BAG + PKCS8, RSA),
        ((CERTIFICATE + CERTIFICATE + PKCS1).replace("\n", "\r\n"), RSA),
        (PARAMETERS + EC_PEM, EC),
        (PKCS8 + PKCS8, RSA),
        (f"\n\n{PKCS8}\n\n", RSA),
    ],
)
def test_the_key_is_found_among_other_blocks(value: str, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    assert PrivateKey().misfit(value) is None
    assert load_private_key(value).public_key() == key.public_key()


@given(st.permutations([CERTIFICATE, BAG, PARAMETERS, PKCS8, "subject=CN = login\n", "\n"]))
def test_the_order_of_the_blocks_does_not_matter(parts: list[str]) -> None:
    assert PrivateKey().misfit("".join(parts)) is None
    assert load_private_key("".join(parts)).public_key() == RSA.public_key()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (CERTIFICATE + CERTIFICATE, "it holds no private key, only: CERTIFICATE"),
        (PARAMETERS, "it holds the parameters of a curve without the key"),
        (PARAMETERS + CERTIFICATE, "it holds no private key, only: EC PARAMETERS, CERTIFICATE"),
        (CERTIFICATE + pem(RSA, Format.PKCS8, b"pass"), "it is encrypted with a passphrase"),
        (PARAMETERS + pem(EC, Format.TraditionalOpenSSL, b"pass"), "it is encrypted with a passphrase"),
        (PKCS8 + EC_PEM, "it holds 2 different private keys, and programs use the first"),
        (base64.b64encode(PKCS8.encode()).decode(), "it is a PEM file that was encoded in base64 once more"),
        ("".join(PKCS8.splitlines()[1:-1]), "it is base64 without the lines -----BEGIN …-----"),
        (
            base64.b64encode(
                pkcs12.serialize_key_and_certificates(b"a", RSA, None, None, serialization.NoEncryption())
            ).decode(),
            "it is a PKCS #12 archive (.pfx) in base64",
        ),
    ],
)  # fmt: skip
def test_a_file_without_a_key_that_can_be_used_is_named(value: str, reason: str) -> None:
    misfit = PrivateKey().misfit(value)
    assert misfit is not None
    assert misfit.reason.startswith(reason)


RSA_JWK = RSAAlgorithm.to_jwk(RSA, as_dict=True)
EC_JWK = ECAlgorithm.to_jwk(EC, as_dict=True)


@pytest.mark.parametrize(("jwk", "key"), [({**RSA_JWK, "kid": "a"}, RSA), (EC_JWK, EC)])
@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_a_jwk_is_a_key(
    jwk: dict[str, str], key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, indent: int | str | None
) -> None:
    value = json.dumps(jwk, indent=indent) + "\n"
    assert PrivateKey().misfit(value) is None
    assert load_private_key(value).public_key() == key.public_key()


@pytest.mark.parametrize(
    ("value", "reason", "cause"),
    [
        ({"keys": [RSA_JWK]}, "it is a set of keys (JWKS)", CauseId.CONFIG_MALFORMED_VALUE),
        ({"a": 1}, "it begins like JSON but is not a JSON Web Key", CauseId.CONFIG_MALFORMED_VALUE),
        ({"kty": "oct", "k": "AAAA"}, "it is a JWK of a type other than RSA and EC", CauseId.CONFIG_WRONG_KIND),
        ({**RSA_JWK, "n": "+/"}, "the member n of the JWK is not base64url", CauseId.CONFIG_MALFORMED_VALUE),
        ({k: v for k, v in RSA_JWK.items() if k != "e"}, "the JWK has no member e", CauseId.CONFIG_MALFORMED_VALUE),
        ({k: RSA_JWK[k] for k in ("kty", "n", "e")}, "it is the public half of a key", CauseId.CONFIG_WRONG_KIND),
    ],
)
def test_what_is_wrong_with_a_jwk(value: object, reason: str, cause: CauseId) -> None:
    misfit = PrivateKey().misfit(json.dumps(value))
    assert misfit is not None
    assert misfit.reason.startswith(reason)
    assert misfit.cause is cause


@pytest.mark.parametrize("change", [{"d": "AQAB"}, {"kty": "EC"}, {"n": "0vx7agoebG"}, {"kty": "OKP"}, {"n": 5}])
def test_members_that_do_not_make_a_key_are_an_error_of_one_kind(change: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        load_private_key(json.dumps({**RSA_JWK, **change}))


def test_where_only_pem_is_taken_a_jwk_is_named() -> None:
    misfit = PrivateKey(pkcs8_only=True).misfit(json.dumps(RSA_JWK))
    assert misfit is not None
    assert "JWK" in misfit.reason
