"""Microsoft Entra ID: tokens of its login host, and users' authentication methods in Microsoft Graph."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import SecretStr

from mfagate.cassettes.scrub import Scrubbing
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Response
from mfagate.core.finding import Finding
from mfagate.providers.base import ApiError, ErrorMeaning, ExpiryProbe, Probe, Provider, Send
from mfagate.providers.entra import claims, cross_checks, discovery, expiry
from mfagate.providers.entra.clouds import CLOUDS
from mfagate.providers.entra.errors import (
    ABOUT_A_USER,
    GRAPHS_PAGE,
    INVALID_TOKEN,
    MEANINGS,
    PAGE,
    error_name,
    error_of,
)
from mfagate.providers.entra.narrowing import refined
from mfagate.providers.entra.settings import EntraSettings, token_fields, token_path

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from mfagate.providers.oauth import Tokens
    from mfagate.providers.states import States
    from mfagate.sandbox import Sandbox

NOBODY = "6d666167-6174-4e6f-8e6f-626f64790000"
"""An object id that no user has: asking about it proves a permission without reading anybody's methods."""

_NO_ID = "00000000-0000-0000-0000-000000000000"
_LOGIN = f"https://login.microsoftonline.com/{_NO_ID}"


def methods_path(user: str) -> str:
    """Where Graph lists a user's authentication methods; ``user`` is an object id."""
    return f"/v1.0/users/{user}/authentication/methods"


class Entra(Provider):
    """Knowledge about Entra's v2.0 endpoints and Graph v1.0."""

    name: ClassVar[str] = "entra"
    title: ClassVar[str] = "Microsoft Entra ID"
    errors_page: ClassVar[str] = PAGE
    settings: ClassVar[type[EntraSettings]] = EntraSettings
    expectations: ClassVar[Mapping[str, str]] = {
        "tenant_id": "the id (a GUID) of the tenant that issues the token",
        "application_id": "the Application (client) ID in the token",
    }
    test_data: ClassVar[Mapping[str, str]] = {
        "user": "object id of a user with a second factor, such as the Authenticator app",
        "weak_user": "object id of a user with a password alone",
        "expired_client_secret": "a secret of the same application that has expired",
        "disabled_client_id": "id of an application that is disabled in the tenant",
        "disabled_client_secret": "its secret",
        "roleless_client_id": "id of an application without any permission of Microsoft Graph",
        "roleless_client_secret": "its secret",
        "public_client_id": "id of an application that allows public client flows",
        "accepted_device_code": "a device code that its user has accepted and nobody has redeemed",
        "declined_device_code": "a device code that its user has declined",
        "expired_device_code": "a device code of more than 15 minutes ago that nobody has used",
        "redeemed_device_code": "a device code that was redeemed for tokens",
    }
    test_secrets: ClassVar[frozenset[str]] = frozenset(
        name for name in test_data if name.endswith(("_secret", "_code"))
    )
    about_a_user: ClassVar[frozenset[str | int]] = ABOUT_A_USER
    meanings: ClassVar[Mapping[str | int, ErrorMeaning]] = MEANINGS
    # Entra looks at the clock for assertions alone, and does not publish its window; five minutes are usual.
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
    sandbox_is_emulator: ClassVar[bool] = True

    def base_url(self, settings: EntraSettings) -> str:
        """Microsoft Graph of the cloud."""
        return f"https://{settings.hosts.graph}"

    def url(self, settings: EntraSettings, path: str) -> str:
        """Graph's paths begin with its version; all others are the login host's."""
        return self.base_url(settings) + path if path.startswith("/v1.0/") else f"https://{settings.hosts.login}{path}"

    def hosts(self, settings: EntraSettings) -> Sequence[str]:
        """Graph and the login host of the cloud."""
        return [f"https://{settings.hosts.graph}", f"https://{settings.hosts.login}"]

    def public_hosts(self, settings: EntraSettings) -> Sequence[str]:
        """The login hosts of all clouds, which tell anybody where a tenant is."""
        return [f"https://{cloud.login}" for cloud in CLOUDS.values()]

    def signer(self, settings: EntraSettings, tokens: Tokens) -> AuthBase:
        """The application's authentication at the login host, a token at Graph."""
        from mfagate.providers.entra.auth import EntraAuth

        return EntraAuth(settings, tokens)

    def pings(self, settings: EntraSettings) -> Sequence[Probe]:
        """The tenant's public metadata; and Graph, which refuses every request without a token."""
        return [
            Probe("login", "GET", discovery.path(settings), discovery.login_answers),
            Probe("graph", "GET", "/v1.0/organization", _wants_a_token, shape=_GRAPH_ERROR),
        ]

    def credentials(self, settings: EntraSettings) -> Sequence[Probe]:
        """A token, asked for as the login service does.

        https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow.
        """
        return [Probe(_credential(settings), "POST", token_path(settings), _has_token, data=token_fields(settings))]

    def with_bad_credential(self, settings: EntraSettings, subject: str) -> EntraSettings:
        """The same application with a secret, a key or a token that nobody has."""
        made_up = MADE_UP[subject]()
        return settings.model_copy(update={subject: SecretStr(made_up)})

    def identity(self, response: Response, settings: EntraSettings, expected: Mapping[str, str]) -> Mapping[str, str]:
        """Tenant and application, as the token names them (version 1 and 2 name the application differently)."""
        held = claims.issued(response)
        named = {"tenant_id": held.get("tid"), "application_id": held.get("appid") or held.get("azp")}
        return {
            name: _spelt_as(expected.get(name, ""), value) for name, value in named.items() if isinstance(value, str)
        }

    def permissions(self, settings: EntraSettings) -> Sequence[Probe]:
        """A token is not yet a permission: Entra issues one to an application that may do nothing.

        It is looked at here, and not where the credential is, because the token of another tenant's
        application lacks roles as well, and that it is another tenant's is to be said first.
        """
        fields = token_fields(settings)
        return [
            Probe("roles", "POST", token_path(settings), _has_token, data=fields, review=claims.without_roles),
            Probe(claims.READS_METHODS, "GET", methods_path(NOBODY), _knows_nobody, shape=_GRAPH_ERROR),
        ]

    def expiries(self, settings: EntraSettings) -> Sequence[ExpiryProbe]:
        """The application's own registration; a federated credential has no end."""
        return [] if settings.client_assertion is not None else [expiry.probe(settings)]

    def inspect(self, settings: EntraSettings) -> Sequence[tuple[str, Finding]]:
        """One credential and not two, ids that differ, the tenant's cloud, the kind of key."""
        return list(cross_checks.inspect(settings))

    def error_of(self, response: Response) -> ApiError | None:
        """The error of either host."""
        return error_of(response)

    def is_about_a_user(self, error: ApiError, exchange: Exchange) -> bool:
        """By the ``error`` that is the contract, where its number says nothing else."""
        if error.code in self.meanings:
            return super().is_about_a_user(error, exchange)
        return error_name(exchange.response) in self.about_a_user

    def meaning(self, error: ApiError, exchange: Exchange, settings: EntraSettings) -> ErrorMeaning | None:
        """By number where it is known, else by the ``error`` that is the contract."""
        return refined(error, exchange, settings)

    def errors_page_of(self, exchange: Exchange) -> str:
        """Return Graph's page for Graph's own form of errors: it has codes of its own."""
        graph = exchange.response is not None and error_of(exchange.response) and not error_name(exchange.response)
        return GRAPHS_PAGE if graph else PAGE

    def refine(self, finding: Finding, settings: EntraSettings, send: Send) -> Finding:
        """Where the tenant is in doubt, ask the login hosts of all clouds for its public metadata."""
        unknown = finding.cause is CauseId.CREDENTIAL_UNKNOWN_KEY and finding.setting == "tenant_id"
        if unknown or finding.cause is CauseId.CREDENTIAL_WRONG_REGION:
            return discovery.in_another_cloud(finding, settings, send)
        return finding

    def sends_message(self, method: str, path: str, fields: Mapping[str, Any]) -> bool:
        """Whoever begins a sign-in shows its code to the user: Microsoft sends nothing."""
        return False

    def states(self, send: Send, settings: EntraSettings, test_data: Mapping[str, str]) -> States:
        """Arranges states with users, applications and device codes that somebody prepared."""
        from mfagate.providers.entra.states import EntraStates

        return EntraStates(self, send, settings, test_data)

    def sandbox(self) -> Sandbox:
        """An emulator of both hosts on one port."""
        from mfagate.sandbox.emulator import EmulatorSandbox
        from mfagate_sandbox.entra.fault_kinds import FAULTS

        return EmulatorSandbox(
            self.title, Path(__file__).parents[3] / "mfagate_sandbox" / "entra" / "__main__.py", FAULTS
        )

    def sandbox_settings(self, values: Mapping[str, str]) -> Sequence[str]:
        """With the secret; the sandbox hands out a certificate as well."""
        return ["tenant_id", "client_id", "client_secret"]


def _credential(settings: EntraSettings) -> str:
    """The setting that the application authenticates with."""
    names = ("private_key", "client_assertion")
    return next((name for name in names if getattr(settings, name) is not None), "client_secret")


def _spelt_as(wanted: str, seen: str) -> str:
    """Ids are the same in capitals."""
    return wanted if wanted.lower() == seen.lower() else seen


def _has_token(response: Response) -> bool:
    from mfagate.providers.oauth import token_in

    return token_in(response) is not None


_GRAPH_ERROR = {"error": {"code": "", "message": ""}}


def _wants_a_token(response: Response) -> bool:
    error = error_of(response)
    return response.status == 401 and error is not None and error.code == INVALID_TOKEN


def _knows_nobody(response: Response) -> bool:
    # Its code is not documented; what matters is that Graph went on to look for the user.
    return response.status == 404 and error_of(response) is not None


def made_up_secret() -> str:
    """A secret in the shape of today's."""
    alphabet = string.ascii_letters + string.digits + "~.-_"
    start, rest = (("".join(secrets.choice(alphabet) for _ in range(length))) for length in (3, 34))
    return f"{start}8Q~{rest}"


def made_up_key() -> str:
    """An RSA key in PEM."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def made_up_assertion() -> str:
    """A token of an identity provider that does not exist (RFC 2606, section 2)."""
    import time

    import jwt

    now = int(time.time())
    claims = {"iss": "https://issuer.invalid", "sub": "mfagate", "aud": "api://AzureADTokenExchange", "iat": now}
    return jwt.encode({**claims, "exp": now + 300}, made_up_key(), "RS256", {"kid": "made-up"})


MADE_UP = {"private_key": made_up_key, "client_assertion": made_up_assertion, "client_secret": made_up_secret}

PROVIDER = Entra()
