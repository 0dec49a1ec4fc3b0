"""What a tenant signs and seals.

Claims as in decoded tokens that users publish; the outline of an ``mfa_token`` as in the
recordings of https://github.com/auth0/go-auth0: a string sealed by
https://github.com/hapijs/iron, whose sixth part is the end of its validity.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import string
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from jwt.algorithms import RSAAlgorithm

TOKEN_SECONDS = 86400

_ALPHANUMERIC = string.ascii_letters + string.digits


def characters(number: int, alphabet: str = _ALPHANUMERIC) -> str:
    """Random ones."""
    return "".join(secrets.choice(alphabet) for _ in range(number))


def sealed(seconds: float) -> str:
    """A string that nobody can read, valid for so long."""
    end = int((time.time() + seconds) * 1000)
    text = [secrets.token_urlsafe(size) for size in (16, 384, 32)]
    salts = secrets.token_hex(32), secrets.token_hex(32)
    return f"Fe26.2*SERVER_1694679013*{salts[0]}*{text[0]}*{text[1]}*{end}*{salts[1]}*{text[2]}"


class Signer:
    """The signing key of one tenant, known by the host in its certificate."""

    def __init__(self, host: str) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._certificate = _certificate(self._key, host)
        self.key_id = characters(21, _ALPHANUMERIC + "-_")

    def keys(self) -> dict[str, Any]:
        """The key set that the tenant publishes (RFC 7517)."""
        der = self._certificate.public_bytes(Encoding.DER)
        thumbprint = hashlib.sha1(der, usedforsecurity=False).digest()
        key = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        public = {name: key[name] for name in ("kty", "n", "e")}
        named = {"use": "sig", "alg": "RS256", "kid": self.key_id}
        x5t = base64.urlsafe_b64encode(thumbprint).rstrip(b"=").decode()
        return {"keys": [{**public, **named, "x5t": x5t, "x5c": [base64.b64encode(der).decode()]}]}

    def sign(self, claims: Mapping[str, Any], *, seconds: float = TOKEN_SECONDS) -> str:
        """A token (RS256) with these claims, ``iat`` and ``exp``."""
        now = int(time.time())
        end = now + int(seconds)
        # One that has expired was issued a day before its end.
        times = {"iat": min(now, end - 1) if seconds > 0 else end - TOKEN_SECONDS, "exp": end}
        return jwt.encode({**claims, **times}, self._key, algorithm="RS256", headers={"kid": self.key_id})

    def read(self, token: str) -> dict[str, Any]:
        """The claims of a token of this tenant, whatever its audience.

        Raises:
            jwt.ExpiredSignatureError: It has expired.
            jwt.InvalidTokenError: It is none of this tenant.
        """
        options: Any = {"verify_aud": False}
        claims: dict[str, Any] = jwt.decode(token, self._key.public_key(), algorithms=["RS256"], options=options)
        return claims


def _certificate(key: rsa.RSAPrivateKey, host: str) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
    return builder.not_valid_after(now + timedelta(days=5000)).sign(key, hashes.SHA256())
