"""The public metadata of a tenant: its endpoints and its keys.

The fields follow recordings of tenants; https://openid.net/specs/openid-connect-discovery-1_0.html
explains them.
"""

from __future__ import annotations

from mfagate.providers.auth0.dialect import DISCOVERY_PATH
from mfagate.providers.auth0.probes import KEYS_PATH
from mfagate.sandbox.emulator import Emulator, IncomingRequest, Reply, route
from mfagate_sandbox.auth0.tenant import CUSTOM_DOMAIN, DOMAIN, Auth0Tenant

_ENDPOINTS = {
    "authorization_endpoint": "authorize",
    "token_endpoint": "oauth/token",
    "device_authorization_endpoint": "oauth/device/code",
    "userinfo_endpoint": "userinfo",
    "mfa_challenge_endpoint": "mfa/challenge",
    "jwks_uri": KEYS_PATH.removeprefix("/"),
    "registration_endpoint": "oidc/register",
    "revocation_endpoint": "oauth/revoke",
}

_SUPPORTED = {
    "scopes_supported": [
        "openid", "profile", "offline_access", "name", "given_name", "family_name", "nickname", "email",
        "email_verified", "picture", "created_at", "identities", "phone", "address",
    ],
    "response_types_supported": [
        "code", "token", "id_token", "code token", "code id_token", "token id_token", "code token id_token",
    ],
    "code_challenge_methods_supported": ["S256", "plain"],
    "response_modes_supported": ["query", "fragment", "form_post"],
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": ["HS256", "RS256", "PS256"],
    "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
    "token_endpoint_auth_signing_alg_values_supported": ["RS256", "RS384", "PS256"],
    "claims_supported": [
        "aud", "auth_time", "created_at", "email", "email_verified", "exp", "family_name", "given_name", "iat",
        "identities", "iss", "name", "nickname", "phone_number", "picture", "sub",
    ],
    "request_uri_parameter_supported": False,
    "request_parameter_supported": False,
}  # fmt: skip


class Discovery(Emulator):
    """The routes that need no credential."""

    tenant: Auth0Tenant

    def issuer(self, request: IncomingRequest) -> str:
        """Return the issuer of tokens, which is the host that the client asks."""
        name = request.headers.get("host", "").lower().partition(":")[0]
        return f"https://{CUSTOM_DOMAIN if name == CUSTOM_DOMAIN else DOMAIN}/"

    @route("GET", DISCOVERY_PATH)
    def discover(self, request: IncomingRequest) -> Reply:
        """Return the endpoints."""
        issuer = self.issuer(request)
        endpoints = {name: issuer + path for name, path in _ENDPOINTS.items()}
        return Reply(200, {"issuer": issuer, **endpoints, **_SUPPORTED})

    @route("GET", KEYS_PATH)
    def publish_keys(self, request: IncomingRequest) -> Reply:
        """Return the key that verifies tokens."""
        return Reply(200, self.tenant.signer.keys())
