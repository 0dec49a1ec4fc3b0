"""Okta, through its Factors API (https://developer.okta.com/docs/api/openapi/okta-management/management/tag/UserFactor/)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from mfagate.cassettes.scrub import Scrubbing
from mfagate.core.finding import Finding
from mfagate.providers.api import ProviderApi
from mfagate.providers.limits import PAID, PublishedLimit
from mfagate.providers.okta.auth import SswsAuth, service_app
from mfagate.providers.okta.dialect import OktaDialect
from mfagate.providers.okta.pairs import contradictions
from mfagate.providers.okta.probes import OktaProbes
from mfagate.providers.okta.settings import OktaSettings
from mfagate.providers.probes import Send
from mfagate.providers.provider import Provider

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from mfagate.providers.oauth import Tokens
    from mfagate.providers.states import States


_LIMITS = "https://developer.okta.com/docs/reference/rl2-concurrency/"


class OktaApi(ProviderApi[OktaSettings]):
    """The addresses of Okta's API, and the signer of requests."""

    limits: ClassVar[Mapping[str, Sequence[PublishedLimit]]] = {
        PAID: (PublishedLimit(_LIMITS, at_once=75),),
        "free": (PublishedLimit(_LIMITS, at_once=35),),
    }

    def base_url(self, settings: OktaSettings) -> str:
        """Return the org's URL."""
        return settings.org_url

    def signer(self, settings: OktaSettings, tokens: Tokens) -> AuthBase:
        """Sign with the API token, or with access tokens fetched by the private key."""
        if settings.private_key is not None:
            return service_app(settings, tokens)
        return SswsAuth(settings.secret("api_token"))

    def sends_message(self, method: str, path: str, fields: Mapping[str, Any]) -> bool:
        """Return whether a verification without an answer, or the enrolment of a phone or an address, is requested.

        https://developer.okta.com/docs/api/openapi/okta-management/management/tag/UserFactor/
        """
        if method != "POST":
            return False
        enrols = path.endswith("/factors") and fields.get("factorType") in ("sms", "call", "email")
        asks = path.endswith("/verify") and not {"passCode", "answer"} & fields.keys()
        return enrols or asks or path.endswith("/resend")


class Okta(Provider[OktaSettings]):
    """Knowledge about Okta's Factors API and its two kinds of credential."""

    name: ClassVar[str] = "okta"
    title: ClassVar[str] = "Okta"
    settings = OktaSettings
    dialect = OktaDialect()
    probes = OktaProbes()
    api = OktaApi()
    expectations: ClassVar[Mapping[str, str]] = {
        "org_id": "the org's id (00o…), as in /.well-known/okta-organization",
        "subdomain": "the org's own name before .okta.com, even if it uses a custom domain",
    }
    test_data: ClassVar[Mapping[str, str]] = {
        "admin_api_token": "an API token of an administrator who may create users: mfagate creates users named "
        "mfagate-…@example.com, enrols a factor for them, and deletes them",
        "user": "login or id of a user with Okta Verify push who is used for nothing else and whose pushes are "
        "never answered",
        "accepting_user": "a user whose phone's owner approves every push within seconds",
        "declining_user": "a user whose phone's owner denies every push within seconds",
        "ignoring_user": "a user whose pushes time out",
        "sms_user": "a user with an active SMS factor; each run sends one message",
        "locked_user": "a user with a TOTP factor who is locked out",
        "revoked_api_token": "an API token that was revoked",
        "unprivileged_api_token": "an API token of an administrator who may not see users' factors",
        "app_client_id": "client id of an API Services app, for the interactions with the token endpoint; not "
        "needed if the settings contain one",
        "app_private_key": "its private key in PEM",
    }
    test_secrets: ClassVar[frozenset[str]] = frozenset(
        {"admin_api_token", "revoked_api_token", "unprivileged_api_token", "app_private_key"}
    )
    scrubbing: ClassVar[Scrubbing] = Scrubbing(
        secret_fields=frozenset({"sharedSecret", "activationToken", "activationUrl"}),
        volatile_fields={
            "created": "2026-01-01T00:00:00.000Z",
            "credentialId": "mfagate@example.com",
            "errorId": "oae0000000000000000000000",
            "expiresAt": "2026-01-01T00:05:00.000Z",
            # The ids of the requests in the contract, so that client and recording match.
            "href": "https://okta.invalid/api/v1/users/00uabcdefg1234567890/factors/opfabcdefg1234567890"
            "/transactions/v2mst.GldKV5VxTrifyeZmWSQguA",
            "id": "ostabcdefg1234567890",
            "lastUpdated": "2026-01-01T00:00:00.000Z",
            "phoneNumber": "+15555550100",
        },
    )

    def inspect(self, settings: OktaSettings) -> Sequence[tuple[str, Finding]]:
        """Find two credentials, incomplete ones, and keys that Okta does not accept."""
        return list(contradictions(settings))

    def states(self, send: Send[OktaSettings], settings: OktaSettings, test_data: Mapping[str, str]) -> States:
        """Return the states of an org, set up with test users and with prepared users."""
        from mfagate.providers.okta.states import OktaStates

        return OktaStates(self, send, settings, test_data)


PROVIDER = Okta()
