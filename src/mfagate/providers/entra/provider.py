"""Microsoft Entra ID: tokens of its login host, and users' authentication methods in Microsoft Graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from mfagate.cassettes.scrub import Scrubbing
from mfagate.core.finding import Finding
from mfagate.providers.api import ProviderApi
from mfagate.providers.entra import cross_checks
from mfagate.providers.entra.clouds import CLOUDS
from mfagate.providers.entra.dialect import EntraDialect
from mfagate.providers.entra.probes import EntraProbes
from mfagate.providers.entra.settings import EntraSettings
from mfagate.providers.probes import Send
from mfagate.providers.provider import Provider

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from mfagate.providers.oauth import Tokens
    from mfagate.providers.states import States

_NO_ID = "00000000-0000-0000-0000-000000000000"

_LOGIN = f"https://login.microsoftonline.com/{_NO_ID}"


class EntraApi(ProviderApi[EntraSettings]):
    """The addresses of Microsoft Entra ID's API, and the signer of requests."""

    def base_url(self, settings: EntraSettings) -> str:
        """Return Microsoft Graph of the cloud."""
        return f"https://{settings.hosts.graph}"

    def account(self, settings: EntraSettings) -> str:
        """Return the tenant."""
        return settings.tenant_id

    def url(self, settings: EntraSettings, path: str) -> str:
        """Return the URL at Graph if the path begins with Graph's version, or else at the login host."""
        return self.base_url(settings) + path if path.startswith("/v1.0/") else f"https://{settings.hosts.login}{path}"

    def hosts(self, settings: EntraSettings) -> Sequence[str]:
        """Return Graph and the login host of the cloud."""
        return [f"https://{settings.hosts.graph}", f"https://{settings.hosts.login}"]

    def public_hosts(self, settings: EntraSettings) -> Sequence[str]:
        """Return the login hosts of all clouds, which publish the cloud of a tenant."""
        return [f"https://{cloud.login}" for cloud in CLOUDS.values()]

    def signer(self, settings: EntraSettings, tokens: Tokens) -> AuthBase:
        """Sign with the application's authentication at the login host, and with a token at Graph."""
        from mfagate.providers.entra.auth import EntraAuth

        return EntraAuth(settings, tokens)

    def sends_message(self, method: str, path: str, fields: Mapping[str, Any]) -> bool:
        """Return False: the client shows the code of a sign-in to the user, and Microsoft sends nothing."""
        return False


class Entra(Provider[EntraSettings]):
    """Knowledge about Entra's v2.0 endpoints and Graph v1.0."""

    name: ClassVar[str] = "entra"
    title: ClassVar[str] = "Microsoft Entra ID"
    settings = EntraSettings
    dialect = EntraDialect()
    probes = EntraProbes()
    api = EntraApi()
    expectations: ClassVar[Mapping[str, str]] = {
        "tenant_id": "the id (a GUID) of the tenant that issues the token",
        "application_id": "the Application (client) ID in the token",
    }
    test_data: ClassVar[Mapping[str, str]] = {
        "user": "object id of a user with a second factor, such as the Authenticator app",
        "weak_user": "object id of a user who has only a password",
        "expired_client_secret": "a secret of the same application that has expired",
        "disabled_client_id": "client id of an application that is disabled in the tenant",
        "disabled_client_secret": "its secret",
        "roleless_client_id": "client id of an application without any Microsoft Graph permission",
        "roleless_client_secret": "its secret",
        "public_client_id": "client id of an application that allows public client flows",
        "accepted_device_code": "a device code that its user has accepted and nobody has redeemed",
        "declined_device_code": "a device code that its user has declined",
        "expired_device_code": "a device code that is older than 15 minutes and was never used",
        "redeemed_device_code": "a device code that was redeemed for tokens",
    }
    test_secrets: ClassVar[frozenset[str]] = frozenset(
        name for name in test_data if name.endswith(("_secret", "_code"))
    )
    # Entra checks the time only of assertions, and does not publish its tolerance; five minutes are usual.
    clock_tolerance_seconds: ClassVar[float] = 300.0
    scrubbing: ClassVar[Scrubbing] = Scrubbing(
        secret_fields=frozenset({"client_info", "device_code", "user_code"}),
        volatile_fields={
            "@odata.context": "https://graph.microsoft.com/v1.0/$metadata",
            "authorization_endpoint": f"{_LOGIN}/oauth2/v2.0/authorize",
            "client-request-id": _NO_ID,
            "correlation_id": _NO_ID,
            "createdDateTime": "2026-01-01T00:00:00Z",
            "date": "2026-01-01T00:00:00",
            "device_authorization_endpoint": f"{_LOGIN}/oauth2/v2.0/devicecode",
            "displayName": "",
            "emailAddress": "somebody@example.com",
            "end_session_endpoint": f"{_LOGIN}/oauth2/v2.0/logout",
            "error_description": "AADSTS0: a sentence",
            "expires_in": 3599,
            "ext_expires_in": 3599,
            "id": _NO_ID,
            "id_token": "e30.e30.e30",
            "issuer": f"{_LOGIN}/v2.0",
            "jwks_uri": f"{_LOGIN}/discovery/v2.0/keys",
            "kerberos_endpoint": f"{_LOGIN}/kerberos",
            "message": "a sentence",
            "phoneNumber": "+1 5555550100",
            "request-id": _NO_ID,
            "timestamp": "2026-01-01 00:00:00Z",
            "token_endpoint": f"{_LOGIN}/oauth2/v2.0/token",
            "trace_id": _NO_ID,
        },
    )

    def inspect(self, settings: EntraSettings) -> Sequence[tuple[str, Finding]]:
        """Check that there is one credential, that ids differ, and that cloud and key type fit."""
        return list(cross_checks.inspect(settings))

    def states(self, send: Send[EntraSettings], settings: EntraSettings, test_data: Mapping[str, str]) -> States:
        """Return the states of a tenant, set up with prepared users, applications and device codes."""
        from mfagate.providers.entra.states import EntraStates

        return EntraStates(self, send, settings, test_data)


PROVIDER = Entra()
