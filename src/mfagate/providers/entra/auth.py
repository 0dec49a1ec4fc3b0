"""Sign for Entra: the application's secret or assertion at the login host, a token for Graph.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow and
https://learn.microsoft.com/entra/identity-platform/certificate-credentials. A token of another identity provider is
sent in the same fields; it is read again for each request
(https://learn.microsoft.com/entra/workload-id/workload-identity-federation).
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from mfagate.config.pem import load_private_key
from mfagate.providers.entra.settings import EntraSettings, token_fields, token_path
from mfagate.providers.oauth import ASSERTION_TYPE, ClientCredentials, Tokens, assertion_claims

if TYPE_CHECKING:
    from collections.abc import Mapping

SIGN_IN_SCOPE = "openid profile"
"""Scope of a user's sign-in: an id token with the object id, and no access to any resource."""


def device_code_path(settings: EntraSettings) -> str:
    """Return the path where the tenant issues device codes, which requires no authentication."""
    return f"/{settings.tenant_id}/oauth2/v2.0/devicecode"


class EntraAuth(ClientCredentials):
    """Sends the application's authentication to the token endpoint, and a token to Graph."""

    def __init__(self, settings: EntraSettings, tokens: Tokens) -> None:
        self._settings = settings
        secret, key = settings.secret("client_secret"), settings.secret("private_key")
        federated = settings.secret("client_assertion")
        self._has_credential = bool(secret or key or federated)
        super().__init__(
            tokens,
            (
                *(settings.cloud, settings.tenant_id, settings.client_id),
                *(secret, key, settings.certificate_thumbprint, federated),
            ),
            authenticated=lambda path: path == token_path(settings),
            fields=self._authentication,
            request=self._token_request,
        )

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign the request; without a credential, return it unsigned."""
        url = urlsplit(str(request.url))
        at_graph = url.hostname == self._settings.hosts.graph
        if url.path == token_path(self._settings) or (at_graph and self._has_credential):
            return super().__call__(request)
        return request

    def _token_request(self) -> requests.Request:
        url = f"https://{self._settings.hosts.login}{token_path(self._settings)}"
        return requests.Request("POST", url, data=dict(token_fields(self._settings)))

    def _authentication(self, url: str) -> Mapping[str, str | None]:
        settings = self._settings
        fields: dict[str, str | None] = {
            "client_id": settings.client_id,
            "client_secret": settings.secret("client_secret"),
            "client_assertion_type": None,
            "client_assertion": None,
        }
        if settings.private_key is not None or settings.client_assertion is not None:
            made = assertion(settings, url) if settings.private_key else settings.current("client_assertion")
            fields |= {"client_secret": None, "client_assertion_type": ASSERTION_TYPE, "client_assertion": made}
        return fields


def assertion(settings: EntraSettings, audience: str) -> str:
    """Return a token that proves possession of the key to the token endpoint ``audience``.

    A SHA-256 thumbprint requires PS256. With a SHA-1 thumbprint, which the admin center shows, RS256 is used, as in
    Microsoft's own libraries.
    """
    import jwt

    thumbprint = bytes.fromhex(settings.certificate_thumbprint or "")
    algorithm, header = ("PS256", "x5t#S256") if len(thumbprint) == 32 else ("RS256", "x5t")
    claims = assertion_claims(settings.client_id, audience)
    encoded = base64.urlsafe_b64encode(thumbprint).rstrip(b"=").decode()
    key = load_private_key(settings.secret("private_key") or "")
    return jwt.encode({**claims, "nbf": claims["iat"]}, key, algorithm, {header: encoded})
