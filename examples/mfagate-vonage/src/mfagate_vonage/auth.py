"""Sign for Vonage: a JWT of the application for Verify, or else key and secret as Basic.

https://developer.vonage.com/en/getting-started/concepts/authentication. Verify accepts either.
"""

from __future__ import annotations

import time
import uuid
from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.auth import AuthBase, _basic_auth_str

from mfagate_vonage.settings import VonageSettings

_LIFETIME_SECONDS = 900


class VonageAuth(AuthBase):
    """Sets only the Authorization header."""

    def __init__(self, settings: VonageSettings) -> None:
        self._settings = settings

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign with a credential that the endpoint accepts and the settings contain, if there is one."""
        settings = self._settings
        private_key, api_secret = settings.secret("private_key"), settings.secret("api_secret")
        if private_key and settings.application_id and urlsplit(str(request.url)).path.startswith("/v2/verify"):
            request.headers["Authorization"] = f"Bearer {application_token(settings.application_id, private_key)}"
        elif settings.api_key and api_secret:
            request.headers["Authorization"] = _basic_auth_str(settings.api_key, api_secret)
        return request


def application_token(application_id: str, private_key: str) -> str:
    """Return a JWT of the application, valid for 15 minutes."""
    import jwt

    now = int(time.time())
    claims = {"application_id": application_id, "iat": now, "exp": now + _LIFETIME_SECONDS, "jti": str(uuid.uuid4())}
    return jwt.encode(claims, private_key, algorithm="RS256")


def new_private_key() -> str:
    """Return a private key in PEM (PKCS #8) that belongs to no application."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    return (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )
