"""Keys of certificates: beside their certificate, with its thumbprint and dates, and as JWK."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from jwt.algorithms import RSAAlgorithm
from pydantic import SecretStr

from mfagate.config.pem import load_private_key
from mfagate.core.causes import CauseId
from mfagate.core.finding import Finding
from mfagate.providers.entra import cross_checks
from mfagate.providers.entra.auth import assertion
from mfagate.providers.entra.settings import EntraSettings
from mfagate.providers.made_up import new_private_key

KEY, OTHER = new_private_key(), new_private_key()


def certificate(pem: str, days: int = 300) -> x509.Certificate:
    """A certificate of a key that ends in so many days."""
    key, now = load_private_key(pem), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "login")])
    dates = now - timedelta(days=400), now + timedelta(days=days)
    return x509.CertificateBuilder(name, name, key.public_key(), 1, *dates).sign(key, SHA256())


def text(found: x509.Certificate) -> str:
    return found.public_bytes(Encoding.PEM).decode()


OWN = certificate(KEY)
SHORT, LONG = OWN.fingerprint(SHA1()).hex(), OWN.fingerprint(SHA256()).hex()


def settings_of(key: str, thumbprint: str) -> EntraSettings:
    return EntraSettings(
        tenant_id="3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        client_id="7c9e6679-7425-40de-944b-e07fc1f90ae7",
        private_key=SecretStr(key),
        certificate_thumbprint=thumbprint,
    )


def found(key: str, thumbprint: str = SHORT) -> Sequence[tuple[str, Finding]]:
    return list(cross_checks.inspect(settings_of(key, thumbprint)))


@pytest.mark.parametrize("thumbprint", [SHORT, SHORT.upper(), LONG], ids=["SHA-1", "SHA-1 in capitals", "SHA-256"])
def test_a_key_beside_its_certificate_is_in_order(thumbprint: str) -> None:
    assert found(text(OWN) + KEY, thumbprint) == []
    assert found(text(certificate(OTHER)) + text(OWN) + KEY, thumbprint) == []
    assert found(KEY, thumbprint) == []


def test_a_thumbprint_of_another_certificate_is_named_with_the_right_one() -> None:
    ((setting, finding),) = found(text(OWN) + KEY, "0" * 40)
    assert (setting, finding.cause) == ("certificate_thumbprint", CauseId.CONFIG_MALFORMED_VALUE)
    assert SHORT.upper() in str(finding.next_step)


def test_a_key_of_another_certificate_is_no_pair() -> None:
    ((setting, finding),) = found(text(OWN) + OTHER)
    assert (setting, finding.cause) == ("private_key", CauseId.CONFIG_MALFORMED_VALUE)


def test_a_certificate_that_has_expired() -> None:
    expired = certificate(KEY, days=-1)
    ((setting, finding),) = found(text(expired) + KEY, expired.fingerprint(SHA256()).hex())
    assert (setting, finding.cause) == ("private_key", CauseId.CONFIG_EXPIRED)


def test_a_jwk_signs_as_its_pem_does() -> None:
    key = json.dumps(RSAAlgorithm.to_jwk(load_private_key(KEY), as_dict=True))
    assert found(key) == []
    made = assertion(settings_of(key, LONG), "https://login.microsoftonline.com/t/oauth2/v2.0/token")
    jwt.PyJWS().decode(made, load_private_key(KEY).public_key(), algorithms=["PS256"])
