"""The requests of mfagate to Microsoft Entra ID, all safe in production."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import SecretStr

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Response
from mfagate.core.finding import Finding
from mfagate.providers.entra import claims, discovery, expiry
from mfagate.providers.entra.errors import INVALID_TOKEN, error_of
from mfagate.providers.entra.settings import EntraSettings, token_fields, token_path
from mfagate.providers.made_up import new_private_key, random_text
from mfagate.providers.oauth import token_in
from mfagate.providers.probes import ExpiryProbe, Probe, ProviderProbes, Send

NOBODY = "6d666167-6174-4e6f-8e6f-626f64790000"
"""An object id that no user has, so that a query proves a permission without reading a user's methods."""

_GRAPH_ERROR = {"error": {"code": "", "message": ""}}


class EntraProbes(ProviderProbes[EntraSettings]):
    """Probes of Microsoft Entra ID that are safe in production."""

    def pings(self, settings: EntraSettings) -> Sequence[Probe]:
        """Request the tenant's public metadata, and Graph, which rejects every request without a token."""
        return [
            Probe("login", "GET", discovery.path(settings), discovery.login_answers),
            Probe("graph", "GET", "/v1.0/organization", _wants_a_token, shape=_GRAPH_ERROR),
        ]

    def credentials(self, settings: EntraSettings) -> Sequence[Probe]:
        """Request a token in the same way as the login service.

        https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow.
        """
        return [Probe(_credential(settings), "POST", token_path(settings), _has_token, data=token_fields(settings))]

    def with_bad_credential(self, settings: EntraSettings, subject: str) -> EntraSettings:
        """Return the same application with a made-up secret, key or token."""
        made_up = MADE_UP[subject]()
        return settings.model_copy(update={subject: SecretStr(made_up)})

    def identity(self, response: Response, settings: EntraSettings, expected: Mapping[str, str]) -> Mapping[str, str]:
        """Read tenant and application from the token (versions 1 and 2 name the application differently)."""
        held = claims.issued(response)
        named = {"tenant_id": held.get("tid"), "application_id": held.get("appid") or held.get("azp")}
        return {
            name: _spelt_as(expected.get(name, ""), value) for name, value in named.items() if isinstance(value, str)
        }

    def permissions(self, settings: EntraSettings) -> Sequence[Probe]:
        """Check the roles in a token, and query Graph: Entra issues tokens even to applications without permissions.

        The roles are not checked with the credential, because the token of another tenant's application also lacks
        roles, and the wrong tenant must be reported first.
        """
        fields = token_fields(settings)
        return [
            Probe("roles", "POST", token_path(settings), _has_token, data=fields, review=claims.without_roles),
            Probe(claims.READS_METHODS, "GET", methods_path(NOBODY), _knows_nobody, shape=_GRAPH_ERROR),
        ]

    def expiries(self, settings: EntraSettings) -> Sequence[ExpiryProbe]:
        """Read the application's own registration; a federated credential does not expire."""
        return [] if settings.client_assertion is not None else [expiry.probe(settings)]

    def refine(self, finding: Finding, settings: EntraSettings, send: Send[EntraSettings]) -> Finding:
        """If the tenant is in doubt, request its public metadata from the login hosts of all clouds."""
        unknown = finding.cause is CauseId.CREDENTIAL_UNKNOWN_KEY and finding.setting == "tenant_id"
        if unknown or finding.cause is CauseId.CREDENTIAL_WRONG_REGION:
            return discovery.in_another_cloud(finding, settings, send)
        return finding


def methods_path(user: str) -> str:
    """Return the path of a user's authentication methods in Graph; ``user`` is an object id."""
    return f"/v1.0/users/{user}/authentication/methods"


def _credential(settings: EntraSettings) -> str:
    """Return the setting that contains the application's credential."""
    names = ("private_key", "client_assertion")
    return next((name for name in names if getattr(settings, name) is not None), "client_secret")


def _spelt_as(wanted: str, seen: str) -> str:
    """Return ``wanted`` if both ids differ only in case, or else ``seen``."""
    return wanted if wanted.lower() == seen.lower() else seen


def _has_token(response: Response) -> bool:
    return token_in(response) is not None


def _wants_a_token(response: Response) -> bool:
    error = error_of(response)
    return response.status == 401 and error is not None and error.code == INVALID_TOKEN


def _knows_nobody(response: Response) -> bool:
    # The code is not documented. A 404 proves that Graph looked for the user.
    return response.status == 404 and error_of(response) is not None


def made_up_secret() -> str:
    """Return a secret in the current form."""
    return f"{random_text(3, '~.-_')}8Q~{random_text(34, '~.-_')}"


def made_up_assertion() -> str:
    """Return a token of an identity provider that does not exist (RFC 2606, section 2)."""
    import time

    import jwt

    now = int(time.time())
    claims = {"iss": "https://issuer.invalid", "sub": "mfagate", "aud": "api://AzureADTokenExchange", "iat": now}
    return jwt.encode({**claims, "exp": now + 300}, new_private_key(), "RS256", {"kid": "made-up"})


MADE_UP = {"private_key": new_private_key, "client_assertion": made_up_assertion, "client_secret": made_up_secret}
