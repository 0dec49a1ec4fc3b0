"""The tokens that the emulator issues: access tokens for Graph, and id tokens.

The claims follow tokens that users published, and
https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference and
https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from mfagate.providers.entra.clouds import CLOUDS, GLOBAL
from mfagate.sandbox.emulator import base64url
from mfagate_sandbox.entra.directory import Application, DeviceCode, EntraTenant, EntraUser

_HOSTS = CLOUDS[GLOBAL]

_LIFETIME = 3599

_BACKDATED = 300
"""A token is valid from five minutes before it is issued."""


class Issuer:
    """Signs all tokens with one key."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(65537, 2048)
        jwk = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        digest = hashlib.sha1(jwk["n"].encode(), usedforsecurity=False).digest()
        kid = base64url(digest)
        self.public_jwk: dict[str, Any] = {
            "kty": "RSA",
            "use": "sig",
            "kid": kid,
            "x5t": kid,
            "n": jwk["n"],
            "e": jwk["e"],
            "issuer": f"https://{_HOSTS.login}/{{tenantid}}/v2.0",
        }

    def claims_of(self, token: str) -> dict[str, Any]:
        """Return the claims of a token of this issuer.

        Raises:
            jwt.InvalidTokenError: The token is from another issuer, damaged, or expired.
        """
        options: Any = {"verify_aud": False}
        claims: dict[str, Any] = jwt.decode(token, self._key.public_key(), algorithms=["RS256"], options=options)
        return claims

    def for_application(
        self, tenant: EntraTenant, application: Application, resource: str, *, by_certificate: bool, age: float = 0
    ) -> dict[str, Any]:
        """Return the answer with a token issued ``age`` seconds ago; without granted roles it has no ``roles``."""
        held = {
            **self._common(tenant, resource, age),
            "app_displayname": application.name,
            "appid": application.client_id,
            "appidacr": "2" if by_certificate else "1",
            "idtyp": "app",
            "oid": application.principal,
            "sub": application.principal,
            "wids": ["0997a1d0-0d1d-4acb-b408-d5ca73121e90"],
            **({"roles": list(application.roles)} if application.roles else {}),
        }
        return _answer(self._signed(held))

    def for_user(self, code: DeviceCode, user: EntraUser, *, client_info: bool) -> dict[str, Any]:
        """Return the answer to a redeemed device code, with the tokens that its scope requests."""
        wanted = code.scope.split()
        held = {
            **self._common(code.tenant, f"https://{_HOSTS.graph}", 0),
            "appid": code.client_id,
            "appidacr": "0",
            "idtyp": "user",
            "name": user.name,
            "oid": user.object_id,
            "scp": " ".join(scope for scope in wanted if scope != "offline_access"),
            "sub": secrets.token_urlsafe(32),
            "upn": code.tenant.principal_name(user),
            "unique_name": code.tenant.principal_name(user),
        }
        answer = _answer(self._signed(held)) | {"scope": held["scp"]}
        if "offline_access" in wanted:
            answer["refresh_token"] = f"1.{secrets.token_urlsafe(200)}"
        if "openid" in wanted:
            answer["id_token"] = self._signed(self._id_token(code, user, wanted), nonce=False)
        if client_info:
            known = json.dumps({"uid": user.object_id, "utid": code.tenant.tenant_id}).encode()
            answer["client_info"] = base64url(known)
        return answer

    def _id_token(self, code: DeviceCode, user: EntraUser, wanted: list[str]) -> dict[str, Any]:
        now = int(time.time())
        profile = {
            "name": user.name,
            "oid": user.object_id,
            "preferred_username": code.tenant.principal_name(user),
        }
        return {
            "aud": code.client_id,
            "iss": f"https://{_HOSTS.login}/{code.tenant.tenant_id}/v2.0",
            "iat": now - _BACKDATED,
            "nbf": now - _BACKDATED,
            "exp": now + _LIFETIME + 1,
            **(profile if "profile" in wanted else {}),
            "rh": f"1.A{secrets.token_urlsafe(30)}.",
            "sub": secrets.token_urlsafe(32),
            "tid": code.tenant.tenant_id,
            "uti": secrets.token_urlsafe(16),
            "ver": "2.0",
            **({"acrs": code.contexts} if code.contexts else {}),
        }

    def _common(self, tenant: EntraTenant, resource: str, age: float) -> dict[str, Any]:
        now = int(time.time() - age)
        issuer = f"https://sts.windows.net/{tenant.tenant_id}/"
        return {
            "aud": resource,
            "iss": issuer,
            "iat": now - _BACKDATED,
            "nbf": now - _BACKDATED,
            "exp": now + _LIFETIME + 1,
            "aio": f"E2Ng{secrets.token_urlsafe(40)}",
            "idp": issuer,
            "rh": f"0.A{secrets.token_urlsafe(30)}.",
            "tenant_region_scope": "EU",
            "tid": tenant.tenant_id,
            "uti": secrets.token_urlsafe(16),
            "ver": "1.0",
            "xms_tcdt": 1717004002,
            "xms_tdbr": "EU",
        }

    def _signed(self, held: dict[str, Any], *, nonce: bool = True) -> str:
        kid = self.public_jwk["kid"]
        header = {"kid": kid, **({"nonce": secrets.token_urlsafe(32), "x5t": kid} if nonce else {})}
        return jwt.encode(held, self._key, "RS256", header)


def _answer(token: str) -> dict[str, Any]:
    return {"token_type": "Bearer", "expires_in": _LIFETIME, "ext_expires_in": _LIFETIME, "access_token": token}
