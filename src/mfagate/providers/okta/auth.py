"""Sign for Okta: with an API token, or with access tokens that are fetched with a private key.

A service app authenticates with a signed assertion, ``private_key_jwt``
(https://developer.okta.com/docs/guides/implement-oauth-for-okta-serviceapp/main/,
claims: https://developer.okta.com/docs/guides/build-self-signed-jwt/java/main/).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests
from requests import PreparedRequest
from requests.auth import AuthBase

from mfagate.config.pem import load_private_key, read_jwk
from mfagate.providers.made_up import random_text
from mfagate.providers.oauth import ASSERTION_TYPE, ClientCredentials, Tokens, assertion_claims
from mfagate.providers.okta.settings import ORGANIZATION_PATH, TOKEN_PATH, OktaSettings, token_form

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_ALGORITHMS = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


class SswsAuth(AuthBase):
    """Signs with Okta's own scheme SSWS; without a token, requests stay unsigned."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Set the header."""
        if self._token is not None:
            request.headers["Authorization"] = f"SSWS {self._token}"
        return request


def service_app(settings: OktaSettings, tokens: Tokens) -> AuthBase:
    """Return the signer of a service app, which uses access tokens of the org authorization server."""
    key = settings.secret("private_key")
    credential = (settings.org_url, settings.client_id, settings.key_id, settings.requested_scopes, key)
    return ClientCredentials(
        tokens,
        credential,
        authenticated=lambda path: path in (TOKEN_PATH, ORGANIZATION_PATH),
        fields=lambda url: {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion(settings)},
        request=lambda: requests.Request("POST", settings.org_url + TOKEN_PATH, data=token_form(settings)),
    )


def assertion(settings: OktaSettings) -> str:
    """Return a signed assertion for one use.

    It is bound to the host name in ``org_url``, whatever address the request is sent to.
    """
    import jwt

    key = load_private_key(settings.secret("private_key") or "")
    claims = assertion_claims(settings.client_id, settings.org_url + TOKEN_PATH)
    headers = {"kid": kid} if (kid := key_id(settings)) else None
    return jwt.encode(claims, key, algorithm=algorithm_of(key), headers=headers)


def key_id(settings: OktaSettings) -> str | None:
    """Return the id of the key: the setting, or the ``kid`` that Okta writes into a JWK."""
    jwk = read_jwk(settings.secret("private_key") or "") or {}
    return settings.key_id or (str(jwk["kid"]) if "kid" in jwk else None)


def algorithm_of(key: PrivateKeyTypes) -> str | None:
    """Return the signature algorithm for a key; None if Okta accepts none for it."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if isinstance(key, rsa.RSAPrivateKey):
        return "RS256"
    return _ALGORITHMS.get(key.curve.name) if isinstance(key, ec.EllipticCurvePrivateKey) else None


def new_token() -> str:
    """Return a made-up API token."""
    return f"00{random_text(40)}"
