"""The tokens of a tenant.

The claims follow tokens that users published. The form of an ``mfa_token`` follows the recordings in
https://github.com/auth0/go-auth0: a string sealed by https://github.com/hapijs/iron, whose sixth part
is its expiry time.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from jwt.algorithms import RSAAlgorithm

from mfagate.sandbox.certificates import self_signed
from mfagate.sandbox.emulator import base64url, characters

TOKEN_SECONDS = 86400


def sealed(seconds: float) -> str:
    """Return an opaque string that is valid for some time."""
    end = int((time.time() + seconds) * 1000)
    text = [secrets.token_urlsafe(size) for size in (16, 384, 32)]
    salts = secrets.token_hex(32), secrets.token_hex(32)
    return f"Fe26.2*SERVER_1694679013*{salts[0]}*{text[0]}*{text[1]}*{end}*{salts[1]}*{text[2]}"


class Signer:
    """The signing key of one tenant, with the tenant's host in its certificate."""

    def __init__(self, host: str) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        now = datetime.now(UTC)
        self._certificate = self_signed(self._key, host, now - timedelta(days=1), now + timedelta(days=5000))
        self.key_id = characters(21)

    def keys(self) -> dict[str, Any]:
        """Return the key set that the tenant publishes (RFC 7517)."""
        der = self._certificate.public_bytes(Encoding.DER)
        thumbprint = hashlib.sha1(der, usedforsecurity=False).digest()
        key = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        public = {name: key[name] for name in ("kty", "n", "e")}
        named = {"use": "sig", "alg": "RS256", "kid": self.key_id}
        return {"keys": [{**public, **named, "x5t": base64url(thumbprint), "x5c": [base64.b64encode(der).decode()]}]}

    def sign(self, claims: Mapping[str, Any], *, seconds: float = TOKEN_SECONDS) -> str:
        """Return a token (RS256) with these claims, ``iat`` and ``exp``."""
        now = int(time.time())
        end = now + int(seconds)
        # An expired token was issued one day before its expiry.
        times = {"iat": min(now, end - 1) if seconds > 0 else end - TOKEN_SECONDS, "exp": end}
        return jwt.encode({**claims, **times}, self._key, algorithm="RS256", headers={"kid": self.key_id})

    def read(self, token: str) -> dict[str, Any]:
        """Return the claims of a token of this tenant, for any audience.

        Raises:
            jwt.ExpiredSignatureError: The token has expired.
            jwt.InvalidTokenError: The token is not from this tenant.
        """
        options: Any = {"verify_aud": False}
        claims: dict[str, Any] = jwt.decode(token, self._key.public_key(), algorithms=["RS256"], options=options)
        return claims
