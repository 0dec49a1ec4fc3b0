"""Settings of a login service's Auth0 application.

Hosts are from https://auth0.com/docs/deploy-monitor/deploy-to-cloud/public-cloud-service-endpoints, the grammar of
tenant names is from https://auth0.com/docs/get-started/auth0-overview/create-tenants, the audience from
https://auth0.com/docs/secure/tokens/access-tokens/management-api-access-tokens/get-management-api-access-tokens-for-production.
Auth0 does not document the form of client IDs and secrets. Those that it creates match
https://github.com/trufflesecurity/trufflehog/blob/main/pkg/detectors/auth0oauth/auth0oauth.go looks for; client IDs of
third parties begin with ``tpc_`` (recordings of https://github.com/auth0/go-auth0), and AWS names 20 to 64 characters.

A fixed Management API token can be configured, because people deploy one: it works for a day and then fails
(https://github.com/raster-foundry/raster-foundry/pull/1140,
https://github.com/auth0/node-auth0/issues/164).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar

from pydantic import SecretStr

from mfagate.config.jwt import Jwt, claims
from mfagate.config.settings import OtherNames, ProviderSettings, Setting
from mfagate.config.shapes import EnvironmentMark, Host, Lookalike, Misfit
from mfagate.core.causes import CauseId
from mfagate.core.finding import Finding
from mfagate.providers.auth0.names import OTHER_NAMES, PREFIXES
from mfagate.providers.lookalikes import placeholder, wrong_kind

DEFAULT_CONNECTION = "Username-Password-Authentication"
"""The database connection that every new tenant has."""

_DASHBOARD = "Auth0 Dashboard > Applications > Applications > the login service's application"
_TOKEN_PAGE = "Auth0 Dashboard > Applications > APIs > Auth0 Management API > API Explorer"

REGIONS = ("us", "eu", "au", "ca", "jp", "uk")

_TENANT = r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]"
CANONICAL = re.compile(
    rf"({_TENANT})(?:\.({'|'.join(REGIONS)}))?\.auth0\.com|{_TENANT}(?:\.[a-z0-9-]+)*\.auth0app\.com"
)
"""A tenant's own host, in the public cloud (without a region if created in the US before 2020) or a private one."""

_CUSTOM = r"(?!.*\.auth0\.com$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"

MANAGEMENT_PATH = "/api/v2/"

TOKEN_PATH = "/oauth/token"

NEEDED_SCOPES = ("read:authentication_methods",)
"""Scopes of the Management API that the login service needs, to read a user's second factors."""


def is_canonical(host: str) -> bool:
    """Return whether a host is a tenant's own host, not a custom domain."""
    return CANONICAL.fullmatch(host.lower()) is not None


def audience_of(host: str) -> str:
    """Return the identifier of a tenant's Management API."""
    return f"https://{host.lower()}{MANAGEMENT_PATH}"


def host_of(audience: object) -> str | None:
    """Return the tenant's host in the identifier of its Management API; None for any other identifier."""
    found = re.fullmatch(r"https://([^/]+)/api/v2/", audience) if isinstance(audience, str) else None
    return found[1].lower() if found else None


def as_list(value: object) -> list[object]:
    """Return the audiences in ``aud``, which is one value or a list (RFC 7519 section 4.1.3)."""
    return value if isinstance(value, list) else [value]


@dataclass(frozen=True, slots=True)
class _Id:
    """A client ID."""

    expected: str = "a client ID: 20 to 64 characters, usually 32 letters and digits"

    def misfit(self, value: str) -> Misfit | None:
        if re.fullmatch(r"[A-Za-z0-9_-]{20,63}", value):
            return None
        if re.fullmatch(r"[A-Za-z0-9_-]{64,}", value):
            return Misfit("it is as long as a client secret", CauseId.CONFIG_WRONG_KIND, documented=False)
        if not 20 <= len(value) <= 64:
            slip = "truncated" if len(value) < 20 else "too long"
            return Misfit(f"it has {len(value)} characters; client IDs have 20 to 64 ({slip})", documented=False)
        return Misfit("it contains characters that Auth0 does not use in client IDs", documented=False)

    def recognises(self, value: str) -> bool:
        """Recognise IDs of the two common forms, but not other letters and digits, such as an encoded ID."""
        return re.fullmatch(r"[A-Za-z0-9]{32}|tpc_[A-Za-z0-9]+", value) is not None


@dataclass(frozen=True, slots=True)
class _Secret:
    """A client secret, as Auth0 creates it."""

    expected: str = "a client secret: 64 or more letters, digits, - and _"

    def misfit(self, value: str) -> Misfit | None:
        if re.fullmatch(r"[A-Za-z0-9_-]{64,}", value):
            return None
        if re.fullmatch(r"[A-Za-z0-9]{32}", value):
            return Misfit("it is as long as a client ID", CauseId.CONFIG_SECRET_ID_NOT_SECRET, documented=False)
        if len(value) < 64:
            reason = f"it has {len(value)} characters; Auth0's secrets have at least 64 (truncated)"
            return Misfit(reason, documented=False)
        return Misfit("it contains characters that Auth0 does not use in secrets", documented=False)

    def recognises(self, value: str) -> bool:
        """Recognise only secrets of the length that Auth0 creates."""
        return len(value) == 64 and self.misfit(value) is None


@dataclass(frozen=True, slots=True)
class _Audience:
    """The identifier of a Management API; it is compared character by character and never requested."""

    expected: str = "the identifier of the tenant's Management API, such as https://acme.eu.auth0.com/api/v2/"

    def misfit(self, value: str) -> Misfit | None:
        reason = self._reason(value)
        return Misfit(reason) if reason else None

    def _reason(self, value: str) -> str | None:
        scheme, separator, rest = value.partition("://")
        host, _, path = rest.partition("/")
        if not separator:
            return "it does not begin with https://"
        if scheme != "https":
            return f"it begins with {scheme}:// instead of https://"
        if f"/{path}/" == MANAGEMENT_PATH:
            return "it lacks the trailing slash, which is part of the identifier"
        if f"/{path}" != MANAGEMENT_PATH:
            return "it is the identifier of another API than the Management API"
        if not is_canonical(host):
            return (
                "its host is a custom domain or does not belong to Auth0; the identifier contains the tenant's own "
                "auth0.com host"
            )
        return None if host == host.lower() else "it contains upper-case letters, which the identifier does not"


def _kind(held: Mapping[str, Any]) -> Misfit | None:
    """Return why the claims of a token exclude use on the Management API."""
    wrong_kind = CauseId.CONFIG_WRONG_KIND
    if not any(host_of(audience) for audience in as_list(held.get("aud"))):
        return Misfit(
            "its audience (aud) is not the Management API: it is a token for another API, or an ID token", wrong_kind
        )
    if "@clients" not in str(held.get("sub")):
        return Misfit("it is a user's token, which gives access only to that user's data", wrong_kind)
    missing = [scope for scope in NEEDED_SCOPES if scope not in str(held.get("scope", "")).split()]
    return Misfit(f"it lacks the scope {' '.join(missing)}", wrong_kind) if missing else None


_JWT = r"eyJ[\w-]*\.eyJ[\w-]*\.[\w-]*"


class Auth0Settings(ProviderSettings):
    """``[integrations.NAME.settings]`` of an Auth0 integration."""

    other_names: ClassVar[tuple[OtherNames, ...]] = OTHER_NAMES
    prefixes: ClassVar[tuple[str, ...]] = PREFIXES

    domain: Annotated[
        str,
        Setting(
            description="Domain of the tenant, or its custom domain.",
            where=f"{_DASHBOARD} > Settings > Domain",
            example="acme.eu.auth0.com",
            shape=Host(
                f"{CANONICAL.pattern}|{_CUSTOM}",
                f"a tenant's domain such as acme.eu.auth0.com (regions: {', '.join(REGIONS)}), or a custom domain",
                foreign=(
                    (r"manage(\.\w+)?\.auth0\.com", "the host of the Dashboard, not of a tenant"),
                    (
                        r".+\.guardian(\.\w+)?\.auth0\.com",
                        "the host of the API for the Guardian app, not of the tenant",
                    ),
                    (r"(www\.|cdn\.|accounts\.|community\.|status\.)?auth0\.com", "Auth0's own website"),
                    (rf"({'|'.join(REGIONS)})\.auth0\.com", "a region without the name of the tenant"),
                ),
            ),
            lookalikes=(
                Lookalike(
                    rf"(?i)(https?://)?\{{?(your|my)[-_]?(auth0[-_]?)?(domain|tenant)\}}?(\.({'|'.join(REGIONS)}))?(\.auth0\.com)?/?",
                    CauseId.CONFIG_PLACEHOLDER_LEFT,
                    "the example of a tutorial",
                    "Copy the domain of your own tenant.",
                ),
                placeholder(
                    r"(?i)samples(\.us)?\.auth0\.com",
                    "the tenant of Auth0's samples",
                    "Copy the domain of your own tenant.",
                ),
            ),
            environments=(
                EnvironmentMark(
                    r"(?i)^dev-[a-z0-9]{6,}\.",
                    production=False,
                    message="begins like the names that Auth0 gives to development tenants",
                ),
            ),
        ),
    ]
    client_id: Annotated[
        str,
        Setting(
            description="Client ID of the application; not secret.",
            where=f"{_DASHBOARD} > Settings > Client ID",
            example="Kx3Vq0ZpT7mB1cWn9Yd5RhG2sLf8JuAe",
            shape=_Id(),
            lookalikes=(
                placeholder(
                    r"(?i)\{?(your|my)[-_]?client[-_]?id\}?",
                    "the example of a tutorial",
                    "Copy the client ID of your own application.",
                ),
            ),
        ),
    ]
    client_secret: Annotated[
        SecretStr,
        Setting(
            description="Client secret of the same application.",
            where=f"{_DASHBOARD} > Credentials > Client Secret",
            example="env:AUTH0_CLIENT_SECRET",
            shape=_Secret(),
            recognised_by=r"[A-Za-z0-9_-]{64}",
            lookalikes=(
                wrong_kind(
                    _JWT,
                    "a token (JWT), which expires within about a day, instead of a client secret",
                    "Copy the client secret of the application; mfagate fetches tokens with it. If you really "
                    "deploy a fixed token, move it to management_token.",
                ),
                placeholder(
                    r"(?i)\{?(your|my)[-_]?client[-_]?secret\}?",
                    "the example of a tutorial",
                    "Copy the client secret of your own application.",
                ),
            ),
        ),
    ]
    audience: Annotated[
        str | None,
        Setting(
            description="Identifier of the Management API. Default: derived from domain. Required if domain is a "
            "custom domain.",
            where="Auth0 Dashboard > Applications > APIs > Auth0 Management API > API Audience",
            example="https://acme.eu.auth0.com/api/v2/",
            shape=_Audience(),
            lookalikes=(
                placeholder(
                    r"(?i)https://(\{?your[-_]?(domain|tenant)\}?|[^/{]*\{[^/]*)(\.auth0\.com)?/api/v2/?",
                    "the example of a tutorial",
                    "Copy the API Audience of your own tenant.",
                ),
            ),
        ),
    ] = None
    management_token: Annotated[
        SecretStr | None,
        Setting(
            description="A fixed token for the Management API, created by hand; by default it expires after 24 "
            "hours. Without it, mfagate fetches tokens with the client secret, which is preferable.",
            where=_TOKEN_PAGE,
            example="env:AUTH0_MANAGEMENT_TOKEN",
            shape=Jwt("a token for the Management API: three base64url parts joined by dots", kind=_kind),
        ),
    ] = None

    @property
    def management_audience(self) -> str:
        """The identifier of the Management API for which tokens are requested."""
        return self.audience or audience_of(self.domain)


def cross_checks(settings: Auth0Settings) -> Iterator[tuple[str, Finding]]:
    """Find contradictions between settings."""
    domain = settings.domain.lower()
    if settings.audience is None and not is_canonical(domain) and _is_nearly_auth0(domain):
        message = f"settings.domain is {domain}, which closely resembles a tenant's host under auth0.com"
        step = "Correct the spelling of the domain. If it really is a custom domain, set audience."
        yield "domain", Finding(CauseId.CONFIG_MALFORMED_URL, message, next_step=step)
    elif settings.audience is None and not is_canonical(domain):
        message = (
            f"settings.audience is not set, and {domain} is a custom domain: the identifier of the Management API "
            "contains the tenant's own auth0.com host, which cannot be derived from a custom domain"
        )
        step = (
            'Set audience = "https://TENANT.REGION.auth0.com/api/v2/". Copy it from '
            "Auth0 Dashboard > Applications > APIs > Auth0 Management API > API Audience."
        )
        yield "audience", Finding(CauseId.CONFIG_SETTING_MISSING, message, next_step=step)
    elif is_canonical(domain) and settings.management_audience != audience_of(domain):
        difference = _difference(domain, host_of(settings.audience) or "")
        message = f"settings.audience belongs to a different tenant from settings.domain: {difference}"
        step = f"Remove audience, or set it to {audience_of(domain)}; or correct the domain."
        evidence = {"domain": domain, "audience": settings.audience}
        yield "audience", Finding(CauseId.CONFIG_MALFORMED_VALUE, message, evidence, next_step=step)
    if settings.secret("client_secret") == settings.client_id:
        message = "settings.client_secret is the same as settings.client_id, which is not secret"
        yield "client_secret", Finding(CauseId.CONFIG_SECRET_ID_NOT_SECRET, message)
    if token := settings.secret("management_token"):
        yield from _token_checks(settings, claims(token))


def _is_nearly_auth0(domain: str) -> bool:
    return bool(get_close_matches(".".join(domain.split(".")[-2:]), ["auth0.com"], cutoff=0.8))


def _difference(domain: str, other: str) -> str:
    """Describe how the hosts of two tenants differ."""
    own, theirs = CANONICAL.fullmatch(domain), CANONICAL.fullmatch(other)
    if own and theirs and own[1] and own[1] == theirs[1]:
        regions = [found[2] or "none (that is, the US before 2020)" for found in (own, theirs)]
        return f"the region is {regions[0]} in domain and {regions[1]} in audience"
    return f"audience names {other}, and domain is {domain}"


def _token_checks(settings: Auth0Settings, held: Mapping[str, Any]) -> Iterator[tuple[str, Finding]]:
    issuer = f"https://{settings.domain.lower()}/"
    step = f"Create a token for {settings.domain}: {_TOKEN_PAGE}."
    if held.get("iss") != issuer:
        message = (
            f"settings.management_token was issued by {held.get('iss')}, not by {issuer}: it belongs to another "
            "tenant, or was requested through another domain of this tenant"
        )
        yield "management_token", Finding(CauseId.CONFIG_WRONG_ENVIRONMENT, message, next_step=step)
    elif settings.management_audience not in as_list(held.get("aud")):
        message = "settings.management_token is for the Management API of another tenant"
        evidence = {"audience of the token": ", ".join(map(str, as_list(held.get("aud"))))}
        yield "management_token", Finding(CauseId.CONFIG_WRONG_ENVIRONMENT, message, evidence, next_step=step)


def client_credentials(settings: Auth0Settings) -> Mapping[str, str]:
    """Return the fields of a request for a token of the Management API."""
    return {"grant_type": "client_credentials", "audience": settings.management_audience}


def is_management(path: str) -> bool:
    """Return whether a path is one of the Management API; all others are of the Authentication API."""
    return path.startswith(MANAGEMENT_PATH)
