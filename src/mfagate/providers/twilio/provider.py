"""Twilio Verify, version 2 (https://www.twilio.com/docs/verify/api)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from mfagate.cassettes.scrub import Scrubbing
from mfagate.core.finding import Finding
from mfagate.providers.api import ProviderApi
from mfagate.providers.probes import Send
from mfagate.providers.provider import Provider
from mfagate.providers.twilio.dialect import TwilioDialect
from mfagate.providers.twilio.inspection import another_region, half_a_key
from mfagate.providers.twilio.probes import TwilioProbes
from mfagate.providers.twilio.settings import TwilioSettings, is_about_accounts

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from mfagate.providers.oauth import Tokens
    from mfagate.providers.states import States

_ANY_SID = "XX" + "0" * 32

_ANY_MOMENT = "2026-01-01T00:00:00Z"


class TwilioApi(ProviderApi[TwilioSettings]):
    """The addresses of Twilio Verify's API, and the signer of requests."""

    def base_url(self, settings: TwilioSettings) -> str:
        """Return Verify's host, in the region and edge of the settings."""
        return f"https://{settings.host('verify')}"

    def account(self, settings: TwilioSettings) -> str:
        """Return the account, or else the API key, which belongs to one account."""
        return settings.account_sid or settings.api_key_sid or settings.service_sid

    def url(self, settings: TwilioSettings, path: str) -> str:
        """Return the URL; accounts and keys have their own host."""

        return f"https://{settings.host('api')}{path}" if is_about_accounts(path) else super().url(settings, path)

    def hosts(self, settings: TwilioSettings) -> Sequence[str]:
        """Return Verify's host, and the host of accounts and keys."""
        return [f"https://{settings.host('verify')}", f"https://{settings.host('api')}"]

    def signer(self, settings: TwilioSettings, tokens: Tokens) -> AuthBase:
        """Sign with HTTP Basic."""
        from mfagate.providers.twilio.auth import TwilioAuth

        return TwilioAuth(settings)

    def sends_message(self, method: str, path: str, fields: Mapping[str, Any]) -> bool:
        """Return whether the request starts a verification or a challenge, unless it already contains the answer.

        https://www.twilio.com/docs/verify/api/verification and https://www.twilio.com/docs/verify/api/challenge
        """
        if method != "POST":
            return False
        asks = path.endswith("/Challenges") and "AuthPayload" not in fields
        return asks or path.endswith(("/Verifications", "/Notifications"))


class Twilio(Provider[TwilioSettings]):
    """Knowledge about Verify, and about its accounts and keys."""

    name: ClassVar[str] = "twilio"
    title: ClassVar[str] = "Twilio Verify"
    settings = TwilioSettings
    dialect = TwilioDialect()
    probes = TwilioProbes()
    api = TwilioApi()
    expectations: ClassVar[Mapping[str, str]] = {
        "account_sid": "SID of the account that owns the service; without it, settings.account_sid is compared",
        "service_name": "friendly name of the service, which appears in each message",
        "code_length": "number of digits in the codes that the service sends",
    }
    not_identifying: ClassVar[frozenset[str]] = frozenset({"service_name", "code_length"})
    test_data: ClassVar[Mapping[str, str]] = {
        "phone": "one of your own mobile numbers in E.164 form; it receives text messages that nobody has to read",
        "blocked_phone": "another mobile number; each run tries five wrong codes, which may block it for ten minutes",
        "push_identity": "identity of an entity with a verified push factor whose pushes are never answered",
        "accepting_identity": "an entity whose device's owner approves every push within seconds",
        "declining_identity": "an entity whose device's owner denies every push within seconds",
        "test_account_sid": "Account SID of your test credentials",
        "test_auth_token": "auth token of your test credentials",
        "restricted_api_key_sid": "SID of a restricted API key without any Verify permission",
        "restricted_api_key_secret": "its secret",
        "revoked_api_key_sid": "SID of an API key that was deleted",
        "revoked_api_key_secret": "its secret",
    }
    test_secrets: ClassVar[frozenset[str]] = frozenset(
        {"test_auth_token", "restricted_api_key_secret", "revoked_api_key_secret"}
    )
    scrubbing: ClassVar[Scrubbing] = Scrubbing(
        secret_fields=frozenset({"AuthPayload", "CustomCode", "auth_token", "binding", "notification_token"}),
        volatile_fields={
            "sid": _ANY_SID,
            "account_sid": _ANY_SID,
            "service_sid": _ANY_SID,
            "entity_sid": _ANY_SID,
            "factor_sid": _ANY_SID,
            "date": _ANY_MOMENT,
            "date_created": _ANY_MOMENT,
            "date_updated": _ANY_MOMENT,
            "date_responded": _ANY_MOMENT,
            "expiration_date": _ANY_MOMENT,
            "friendly_name": "a name",
            "identity": "mfagate-000000000000",
            "links": {},
            "lookup": {},
            "message": "a sentence",
            "meta": {},
            "send_code_attempts": [],
            "to": "+12015550100",
            "url": "https://verify.twilio.com/",
        },
    )

    def inspect(self, settings: TwilioSettings) -> Sequence[tuple[str, Finding]]:
        """Find half a credential, and another region."""
        return [*half_a_key(settings), *another_region(settings)]

    def states(self, send: Send[TwilioSettings], settings: TwilioSettings, test_data: Mapping[str, str]) -> States:
        """Return the states of a service, set up through the API: test factors, and verifications without a phone."""
        from mfagate.providers.twilio.states import TwilioStates

        return TwilioStates(self, send, settings, test_data)


PROVIDER = Twilio()
