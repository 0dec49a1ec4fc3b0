"""Settings of a privacyIDEA server, and the ways to authenticate.

Many servers use no key: /validate/check is open unless a policy requires a key, and challenges are triggered with the
name and password of a service account (https://github.com/privacyidea/keycloak-provider#configuration,
https://privacyidea.readthedocs.io/en/latest/modules/api/auth.html).

API keys are JSON Web Tokens made by ``pi-manage api createtoken``; their role
is ``validate`` or ``admin``
(https://privacyidea.readthedocs.io/en/latest/configuration/system_config.html,
https://privacyidea.readthedocs.io/en/latest/policies/authorization.html, api_key_required).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar

from pydantic import SecretStr

from mfagate.config.jwt import Jwt
from mfagate.config.settings import OtherNames, ProviderSettings, Setting
from mfagate.config.shapes import BaseUrl, Misfit, Pattern
from mfagate.core.causes import CauseId
from mfagate.core.finding import Finding
from mfagate.providers.lookalikes import wrong_kind
from mfagate.providers.privacyidea.names import OTHER_NAMES, PREFIXES

OPEN = "open"

_CLIENT_KEY = wrong_kind(
    r"pi_[A-Za-z0-9]+_.+",
    "an X-API-Key client key, which does not open /validate/check",
    "Create an API key with `pi-manage api createtoken` and use it instead.",
)


def _role(wanted: str, other: str) -> Callable[[Mapping[str, Any]], Misfit | None]:
    """Return a check of the ``role`` claim, which the server compares with the role of the endpoint."""

    def misfit(claims: Mapping[str, Any]) -> Misfit | None:
        role = claims.get("role")
        if role == wanted:
            return None
        if isinstance(role, str) and role not in (wanted, other) and get_close_matches(role, (wanted, other), n=1):
            return Misfit(f"it was damaged: its role closely resembles {wanted} or {other}")
        if "role" not in claims and get_close_matches("role", claims, n=1, cutoff=0.7):
            return Misfit("it was damaged: it has a claim whose name closely resembles role")
        if role == other:
            reason = f"it is a key with the role {other}; expected a key with the role {wanted}"
        else:
            reason = f"it is a token without the role {wanted}, so it is not an API key of this type"
        return Misfit(reason, CauseId.CONFIG_WRONG_KIND)

    return misfit


class PrivacyIDEASettings(ProviderSettings):
    """``[integrations.NAME.settings]`` of a privacyIDEA integration."""

    other_names: ClassVar[tuple[OtherNames, ...]] = OTHER_NAMES
    prefixes: ClassVar[tuple[str, ...]] = PREFIXES

    any_of: ClassVar[tuple[str, ...]] = ("validate_key", "admin_key", "service_account", "validate_access")

    url: Annotated[
        str,
        Setting(
            description="Base URL of the server.",
            where="the address that the login service uses, without an API path",
            example="https://mfa.example.com",
            shape=BaseUrl(api_paths=("/validate", "/validate/check", "/auth", "/token", "/ui", "/app", "/app/v2")),
        ),
    ]
    validate_key: Annotated[
        SecretStr | None,
        Setting(
            description="API key with the role validate, for /validate/check.",
            where="pi-manage api createtoken -r validate -u NAME -d DAYS, run on the server, prints a new one. If "
            'the server accepts requests without a key, set validate_access = "open" instead',
            example="env:PRIVACYIDEA_VALIDATE_KEY",
            shape=Jwt(kind=_role("validate", "admin")),
            lookalikes=(_CLIENT_KEY,),
        ),
    ] = None
    admin_key: Annotated[
        SecretStr | None,
        Setting(
            description="API key with the role admin. It triggers challenges, and sets up test users where that is "
            "allowed. A service account can be used instead.",
            where="pi-manage api createtoken -r admin -u NAME -d DAYS, run on the server, prints a new one",
            example="env:PRIVACYIDEA_ADMIN_KEY",
            shape=Jwt(kind=_role("admin", "validate")),
            lookalikes=(_CLIENT_KEY,),
        ),
    ] = None
    validate_access: Annotated[
        str | None,
        Setting(
            description="Set it to open if the server accepts /validate/check without a key (no policy "
            "api_key_required).",
            where="Config > Policies in the server's web UI, where no policy of the scope authorization has "
            "api_key_required",
            example="open",
            shape=Pattern(OPEN, f"the word {OPEN}; omit the setting if the server requires a key"),
        ),
    ] = None
    service_account: Annotated[
        str | None,
        Setting(
            description="Name of the administrator as which the login service gets a token, used instead of admin_key.",
            where="the configuration of the login service, which often calls it service account",
            example="mfa-trigger",
        ),
    ] = None
    service_password: Annotated[
        SecretStr | None,
        Setting(
            description="Password of the service account.",
            where="the secret store of the login service; an administrator sets it with pi-manage admin change",
            example="env:PRIVACYIDEA_SERVICE_PASSWORD",
        ),
    ] = None
    service_realm: Annotated[
        str | None,
        Setting(
            description="Realm of the service account, if it is not a local administrator.",
            where="SUPERUSER_REALM in the server's pi.cfg",
            example="admins",
        ),
    ] = None
    realm: Annotated[
        str | None,
        Setting(
            description="Realm of the users, if it is not the server's default realm.",
            where="Config > Realms in the server's web UI",
            example="employees",
        ),
    ] = None


def contradictions(settings: PrivacyIDEASettings) -> Iterator[tuple[str, Finding]]:
    """Find half a service account, and two ways to authenticate at one endpoint."""
    for name, other in (("service_account", "service_password"), ("service_password", "service_account")):
        if getattr(settings, name) is not None and getattr(settings, other) is None:
            message = f"settings.{name} is set, but settings.{other} is not: a service account needs both"
            next_step = f"Set {other}, or remove {name}."
            yield name, Finding(CauseId.CONFIG_SETTING_MISSING, message, next_step=next_step)
    for name, other in (("validate_access", "validate_key"), ("service_account", "admin_key")):
        if getattr(settings, name) is not None and getattr(settings, other) is not None:
            message = f"settings.{name} and settings.{other} are two ways to authenticate at the same endpoints"
            next_step = "Keep the one that the login service uses, and remove the other one."
            yield name, Finding(CauseId.CONFIG_MALFORMED_VALUE, message, next_step=next_step)
