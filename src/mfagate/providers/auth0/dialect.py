"""How Auth0 reports errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar
from urllib.parse import urlsplit

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Response
from mfagate.core.finding import Finding
from mfagate.providers.auth0.errors import (
    BAD_CLIENT,
    KNOWN_CODES,
    MEANINGS,
    denied_by_others,
    error_of,
    is_about_a_user,
    lacking,
    meaning_of,
)
from mfagate.providers.auth0.settings import TOKEN_PATH, Auth0Settings, is_canonical, is_management
from mfagate.providers.errors import ApiError, ErrorDialect, ErrorMeaning

DISCOVERY_PATH = "/.well-known/openid-configuration"


class Auth0Dialect(ErrorDialect[Auth0Settings]):
    """Read the errors of Auth0."""

    errors_page: ClassVar[str] = "https://auth0.com/docs/api/authentication"
    meanings: ClassVar[Mapping[str | int, ErrorMeaning]] = MEANINGS
    known_codes: ClassVar[frozenset[str | int]] = KNOWN_CODES

    def error_of(self, response: Response) -> ApiError | None:
        """Read the error of either API."""
        return error_of(response)

    def is_about_a_user(self, error: ApiError, exchange: Exchange) -> bool:
        """Decide by the message if the code does not decide."""
        return is_about_a_user(error)

    def meaning(self, error: ApiError, exchange: Exchange, settings: Auth0Settings) -> ErrorMeaning | None:
        """Decide by the message if the code does not decide."""
        found = denied_by_others(error, exchange) or meaning_of(error)
        if found is None:
            return None
        evidence = {"possible causes": _candidates(settings)} if found is BAD_CLIENT else found.evidence
        scopes = " or ".join(scope.quoted(80) for scope in lacking(error.message))
        text = f"{found.text} {scopes}".rstrip()
        return replace(found, text=text, evidence=evidence, setting=_setting(found, exchange, settings))

    def explain(self, exchange: Exchange, settings: Auth0Settings) -> Finding | None:
        """Explain also the answer of a host without a tenant: every name under auth0.com exists."""
        return super().explain(exchange, settings) or _no_tenant(exchange, settings)

    def too_soon(self, error: ApiError, exchange: Exchange) -> float | None:
        """Return how long Auth0 blocks a user after too many wrong codes or messages, which its answer does not say.

        One more code is allowed every six minutes, and ten text messages are sent an hour:
        https://auth0.com/docs/secure/multi-factor-authentication/authenticate-using-ropg-flow-with-mfa and
        https://auth0.com/docs/troubleshoot/customer-support/operational-policies/rate-limit-policy
        """
        path = urlsplit(exchange.request.url).path
        if error.code != "too_many_attempts":
            return None
        return {TOKEN_PATH: 360.0, "/mfa/challenge": 3600.0}.get(path)


def _candidates(settings: Auth0Settings) -> list[str]:
    """Return why a client may be refused, the likeliest cause first."""
    region = is_canonical(settings.domain) and settings.domain.count(".") == 2
    missing = [f"{settings.domain} contains no region: only old tenants in the US have none"] if region else []
    return [
        "client_secret belongs to another application or another tenant (dev, staging, production), or is out of date",
        "client_id is unknown to this tenant: it belongs to another tenant or region, or the application was deleted",
        *missing,
        "the application's authentication method is None, Private Key JWT or mTLS, which do not use a secret",
    ]


def _setting(found: ErrorMeaning, exchange: Exchange, settings: Auth0Settings) -> str | None:
    """Return the setting to change, among the configured ones."""
    static = settings.management_token is not None
    if found.setting and static and is_management(urlsplit(exchange.request.url).path):
        return "management_token"
    if found.setting == "management_token":
        return found.setting if static else None
    if found.setting == "audience" and settings.audience is None:
        return "domain"
    return found.setting


def _no_tenant(exchange: Exchange, settings: Auth0Settings) -> Finding | None:
    response, url = exchange.response, urlsplit(exchange.request.url)
    if response is None or response.status != 404 or url.hostname != settings.domain.lower():
        return None
    if url.path not in (DISCOVERY_PATH, TOKEN_PATH) or not is_canonical(settings.domain):
        return None
    return Finding(
        CauseId.CREDENTIAL_UNKNOWN_KEY,
        "the tenant does not exist: its name or its region is wrong",
        next_step="Copy the domain from Auth0 Dashboard > Applications > the login service's application > Settings.",
        setting="domain",
    )
