"""Settings of a privacyIDEA server.

API keys are JSON Web Tokens made by ``pi-manage api createtoken``; their role
is ``validate`` or ``admin``
(https://privacyidea.readthedocs.io/en/latest/configuration/system_config.html,
https://privacyidea.readthedocs.io/en/latest/policies/authorization.html, api_key_required).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar

from pydantic import SecretStr

from mfagate.causes import CauseId
from mfagate.config.jwt import Jwt
from mfagate.config.settings import OtherNames, ProviderSettings, Setting
from mfagate.config.shapes import BaseUrl, Lookalike, Misfit
from mfagate.providers.privacyidea.names import OTHER_NAMES, PREFIXES

_CLIENT_KEY = Lookalike(
    r"pi_[A-Za-z0-9]+_.+",
    CauseId.CONFIG_WRONG_KIND,
    "an X-API-Key client key, which does not open /validate/check",
    "Issue an API key with `pi-manage api createtoken` and use that.",
)


def _role(wanted: str, other: str) -> Callable[[Mapping[str, Any]], Misfit | None]:
    """A look at the ``role`` claim, which the server compares with what the endpoint needs."""

    def misfit(claims: Mapping[str, Any]) -> Misfit | None:
        role = claims.get("role")
        if role == wanted:
            return None
        if isinstance(role, str) and role not in (wanted, other) and get_close_matches(role, (wanted, other), n=1):
            return Misfit(f"it was damaged on the way: its role reads nearly like {wanted} or {other}")
        if "role" not in claims and get_close_matches("role", claims, n=1, cutoff=0.7):
            return Misfit("it was damaged on the way: it has a claim that reads nearly like role")
        if role == other:
            reason = f"it is a key of the role {other}; a key of the role {wanted} is due"
        else:
            reason = f"it is a token without the role {wanted}, so not an API key of this kind"
        return Misfit(reason, CauseId.CONFIG_WRONG_KIND)

    return misfit


class PrivacyIDEASettings(ProviderSettings):
    """``[integrations.NAME.settings]`` of a privacyIDEA integration."""

    other_names: ClassVar[tuple[OtherNames, ...]] = OTHER_NAMES
    prefixes: ClassVar[tuple[str, ...]] = PREFIXES

    any_of: ClassVar[tuple[str, ...]] = ("validate_key", "admin_key")

    url: Annotated[
        str,
        Setting(
            description="Base URL of the server.",
            where="the address that the login service uses, without any path of the API",
            example="https://mfa.example.com",
            shape=BaseUrl(api_paths=("/validate", "/validate/check", "/auth", "/token", "/ui", "/app", "/app/v2")),
        ),
    ]
    validate_key: Annotated[
        SecretStr | None,
        Setting(
            description="API key of the role validate: opens /validate/check.",
            where="on the server with: pi-manage api createtoken -r validate -u NAME -d DAYS",
            example="env:PRIVACYIDEA_VALIDATE_KEY",
            shape=Jwt(kind=_role("validate", "admin")),
            lookalikes=(_CLIENT_KEY,),
        ),
    ] = None
    admin_key: Annotated[
        SecretStr | None,
        Setting(
            description="API key of the role admin: triggers challenges; arranges test users where that is allowed.",
            where="on the server with: pi-manage api createtoken -r admin -u NAME -d DAYS",
            example="env:PRIVACYIDEA_ADMIN_KEY",
            shape=Jwt(kind=_role("admin", "validate")),
            lookalikes=(_CLIENT_KEY,),
        ),
    ] = None
    realm: Annotated[
        str | None,
        Setting(
            description="Realm of the users, where it is not the server's default realm.",
            where="Config > Realms in the server's web UI",
            example="employees",
        ),
    ] = None
