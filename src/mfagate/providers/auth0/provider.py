"""Auth0, through its Authentication API with the MFA API, and its Management API v2.

https://auth0.com/docs/secure/multi-factor-authentication/authenticate-using-ropg-flow-with-mfa.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from mfagate.cassettes.scrub import Scrubbing
from mfagate.core.finding import Finding
from mfagate.providers.api import ProviderApi
from mfagate.providers.auth0.dialect import Auth0Dialect
from mfagate.providers.auth0.probes import Auth0Probes
from mfagate.providers.auth0.settings import DEFAULT_CONNECTION, Auth0Settings, cross_checks
from mfagate.providers.limits import PAID, PublishedLimit
from mfagate.providers.probes import Send
from mfagate.providers.provider import Provider

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from mfagate.providers.oauth import Tokens
    from mfagate.providers.states import States


_LIMITS = (
    "https://auth0.com/docs/troubleshoot/customer-support/operational-policies/rate-limit-policy/"
    "rate-limit-configurations"
)


class Auth0Api(ProviderApi[Auth0Settings]):
    """The addresses of Auth0's API, and the signer of requests."""

    limits: ClassVar[Mapping[str, Sequence[PublishedLimit]]] = {
        PAID: (
            PublishedLimit(f"{_LIMITS}/enterprise-public", per_second=16, burst=50, path="/api/v2/"),
            PublishedLimit(f"{_LIMITS}/enterprise-public", per_second=100, burst=100),
        ),
        "enterprise-development": (
            PublishedLimit(f"{_LIMITS}/enterprise-public", per_second=2, burst=10, path="/api/v2/"),
            PublishedLimit(f"{_LIMITS}/enterprise-public", per_second=100, burst=100),
        ),
        "self-service": (
            # Reads and writes of users have higher limits of their own.
            PublishedLimit(f"{_LIMITS}/self-service-public", per_second=2.5, burst=10, path="/api/v2/"),
            PublishedLimit(f"{_LIMITS}/self-service-public", per_second=25, burst=25),
        ),
        "free": (
            PublishedLimit(f"{_LIMITS}/free-public", per_second=2, burst=2, path="/api/v2/"),
            PublishedLimit(f"{_LIMITS}/free-public", per_second=30, burst=30, path="/oauth/token"),
            PublishedLimit(f"{_LIMITS}/free-public", per_second=5, burst=300),
        ),
    }

    def base_url(self, settings: Auth0Settings) -> str:
        """Return the tenant's domain, which serves both APIs."""
        return f"https://{settings.domain}"

    def signer(self, settings: Auth0Settings, tokens: Tokens) -> AuthBase:
        """Put the client's authentication into the body, or a token into the header."""
        from mfagate.providers.auth0.auth import Auth0Auth

        return Auth0Auth(settings, tokens)

    def sends_message(self, method: str, path: str, fields: Mapping[str, Any]) -> bool:
        """Return whether a challenge or an enrolment goes to a phone; one with a one-time password does not.

        https://auth0.com/docs/secure/multi-factor-authentication/authenticate-using-ropg-flow-with-mfa
        """
        if method != "POST":
            return False
        return path == "/mfa/associate" or (path == "/mfa/challenge" and fields.get("challenge_type") != "otp")


class Auth0(Provider[Auth0Settings]):
    """Knowledge about Auth0's APIs."""

    name: ClassVar[str] = "auth0"
    title: ClassVar[str] = "Auth0"
    settings = Auth0Settings
    dialect = Auth0Dialect()
    probes = Auth0Probes()
    api = Auth0Api()
    expectations: ClassVar[Mapping[str, str]] = {
        "tenant": "the tenant's own host, or the beginning of it: acme.eu.auth0.com. mfagate reads it from the "
        "issuer of a token, or with a custom domain from the audience"
    }
    test_data: ClassVar[Mapping[str, str]] = {
        "connection": f"the database connection in which users are created; {DEFAULT_CONNECTION} by default",
        "admin_client_id": "client ID of an application that may create users (create:users, read:users, "
        "delete:users, create:authentication_methods)",
        "admin_client_secret": "its client secret",
        "password": "the password of all users below",
        "user": "a user with a phone for pushes who is used for nothing else and whose pushes are never answered",
        "accepting_user": "a user whose phone's owner approves every push within seconds",
        "declining_user": "a user whose phone's owner denies every push within seconds",
        "answer_seconds": "seconds that the owners of the phones have to answer a push; default: 0",
        "phone": "a phone number that can receive SMS: each run creates a user with this number and sends one SMS",
        "restricted_client_id": "client ID of an application that is authorized for the Management API, but not "
        "with the scope read:authentication_methods",
        "restricted_client_secret": "its client secret",
        "ungranted_client_id": "client ID of an application that is not authorized for the Management API",
        "ungranted_client_secret": "its client secret",
        "expired_management_token": "a token of this tenant's Management API that has expired",
    }
    test_secrets: ClassVar[frozenset[str]] = frozenset(
        {
            "admin_client_secret",
            "expired_management_token",
            "password",
            "restricted_client_secret",
            "ungranted_client_secret",
        }
    )
    scrubbing: ClassVar[Scrubbing] = Scrubbing(
        secret_fields=frozenset({"barcode_uri", "mfa_token", "oob_code", "recovery_code", "recovery_codes"}),
        volatile_fields={
            "created_at": "2026-01-01T00:00:00.000Z",
            "enrolled_at": "2026-01-01T00:00:00.000Z",
            "id": "totp|dev_0000000000000000",
            "last_auth_at": "2026-01-01T00:00:00.000Z",
            "name": "",
        },
    )

    def inspect(self, settings: Auth0Settings) -> Sequence[tuple[str, Finding]]:
        """Compare audience and static token with the domain."""
        return list(cross_checks(settings))

    def states(self, send: Send[Auth0Settings], settings: Auth0Settings, test_data: Mapping[str, str]) -> States:
        """Return the states of a tenant, set up with test users, and with prepared users for their phones."""
        from mfagate.providers.auth0.states import Auth0States

        return Auth0States(self, send, settings, test_data)


PROVIDER = Auth0()
