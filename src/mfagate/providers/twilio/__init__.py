"""Twilio Verify, version 2 (https://www.twilio.com/docs/verify/api)."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import SecretStr

from mfagate.cassettes.scrub import Scrubbing
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Response
from mfagate.core.finding import Finding
from mfagate.core.foreign import quoted
from mfagate.providers.base import ApiError, ErrorMeaning, Probe, Provider, Send
from mfagate.providers.twilio.errors import (
    ABOUT_A_USER,
    MEANINGS,
    NOT_FOUND,
    PERMISSION_DENIED,
    TOO_SOON,
    UNAUTHORIZED,
    error_of,
    limited,
    not_found,
    refused,
    unauthorized,
)
from mfagate.providers.twilio.inspection import another_region, half_a_key
from mfagate.providers.twilio.settings import ACCOUNTS, TwilioSettings, is_about_accounts

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from mfagate.providers.oauth import Tokens
    from mfagate.providers.states import States
    from mfagate.sandbox import Sandbox

_ANY_SID = "XX" + "0" * 32
_ANY_MOMENT = "2026-01-01T00:00:00Z"


class Twilio(Provider):
    """Knowledge about Verify, and about the accounts and keys behind it."""

    name: ClassVar[str] = "twilio"
    title: ClassVar[str] = "Twilio Verify"
    errors_page: ClassVar[str] = "https://www.twilio.com/docs/api/errors"
    settings: ClassVar[type[TwilioSettings]] = TwilioSettings
    expectations: ClassVar[Mapping[str, str]] = {
        "account_sid": "SID of the account that owns the service; without it, settings.account_sid is compared",
        "service_name": "friendly name of the service, which users read in each message",
        "code_length": "number of digits of a code that the service sends",
    }
    not_identifying: ClassVar[frozenset[str]] = frozenset({"service_name", "code_length"})
    test_data: ClassVar[Mapping[str, str]] = {
        "phone": "a mobile number of your own in E.164 form, for text messages that nobody has to read",
        "blocked_phone": "another one, for five wrong codes, which may block it for ten minutes",
        "push_identity": "identity of an entity with a verified push factor whose device nobody looks at",
        "accepting_identity": "one whose device's owner approves each push within seconds",
        "declining_identity": "one whose device's owner denies each push within seconds",
        "test_account_sid": "Account SID of your test credentials",
        "test_auth_token": "auth token of your test credentials",
        "restricted_api_key_sid": "SID of a restricted API key without any permission of Verify",
        "restricted_api_key_secret": "its secret",
        "revoked_api_key_sid": "SID of an API key that was deleted",
        "revoked_api_key_secret": "its secret",
    }
    test_secrets: ClassVar[frozenset[str]] = frozenset(
        {"test_auth_token", "restricted_api_key_secret", "revoked_api_key_secret"}
    )
    about_a_user: ClassVar[frozenset[str | int]] = ABOUT_A_USER
    meanings: ClassVar[Mapping[str | int, ErrorMeaning]] = MEANINGS
    known_codes: ClassVar[frozenset[str | int]] = frozenset({PERMISSION_DENIED, UNAUTHORIZED, NOT_FOUND})
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
    sandbox_is_emulator: ClassVar[bool] = True

    def base_url(self, settings: TwilioSettings) -> str:
        """Verify's host, in the region and edge of the settings."""
        return f"https://{settings.host('verify')}"

    def url(self, settings: TwilioSettings, path: str) -> str:
        """Accounts and keys are on a host of their own."""
        return f"https://{settings.host('api')}{path}" if is_about_accounts(path) else super().url(settings, path)

    def hosts(self, settings: TwilioSettings) -> Sequence[str]:
        """Verify's host, and that of accounts and keys."""
        return [f"https://{settings.host('verify')}", f"https://{settings.host('api')}"]

    def signer(self, settings: TwilioSettings, tokens: Tokens) -> AuthBase:
        """HTTP Basic."""
        from mfagate.providers.twilio.auth import TwilioAuth

        return TwilioAuth(settings)

    def pings(self, settings: TwilioSettings) -> Sequence[Probe]:
        """Twilio has nothing that needs no credential: it is there if it asks for one in its own words."""
        pings = [Probe("verify", "GET", "/v2/Services", _asks_for_a_credential, shape=_ERROR)]
        if settings.key and settings.token:
            pings.append(Probe("accounts", "GET", _account_path(settings), _asks_for_a_credential, shape=_ERROR))
        return pings

    def credentials(self, settings: TwilioSettings) -> Sequence[Probe]:
        """Read the service with what Verify is used with; an auth token beside an API key reads its account.

        https://www.twilio.com/docs/verify/api/service and https://www.twilio.com/docs/iam/api/account.
        """
        subject = "api_key_secret" if settings.key else "auth_token"
        review = partial(_of_this_account, settings)
        probes = [Probe(subject, "GET", f"/v2/Services/{settings.service_sid}", _is_a_service, review=review)]
        if settings.key and settings.token:
            probes.append(
                Probe("auth_token", "GET", _account_path(settings), _is_an_account, review=_of_an_active_account)
            )
        return probes

    def with_bad_credential(self, settings: TwilioSettings, subject: str) -> TwilioSettings:
        """A secret in good shape that Twilio has never issued."""
        alphabet = string.ascii_letters + string.digits
        made_up = secrets.token_hex(16) if subject == "auth_token" else _characters(32, alphabet)
        return settings.model_copy(update={subject: SecretStr(made_up)})

    def identity(self, response: Response, settings: TwilioSettings, expected: Mapping[str, str]) -> Mapping[str, str]:
        """What the service says of itself."""
        if not _is_a_service(response):
            return {}
        service = response.json()
        seen = {
            "account_sid": service.get("account_sid"),
            "service_name": service.get("friendly_name"),
            "code_length": service.get("code_length"),
        }
        return {name: str(value) for name, value in seen.items() if value is not None}

    def inspect(self, settings: TwilioSettings) -> Sequence[tuple[str, Finding]]:
        """Half a credential, and a region."""
        return [*half_a_key(settings), *another_region(settings)]

    def error_of(self, response: Response) -> ApiError | None:
        """Twilio's envelope."""
        return error_of(response)

    def is_about_a_user(self, error: ApiError, exchange: Exchange) -> bool:
        """What is not found may be a verification that is over, or the service itself."""
        of_a_login = error.code == NOT_FOUND and not_found(exchange) is None
        return of_a_login or super().is_about_a_user(error, exchange)

    def meaning(self, error: ApiError, exchange: Exchange, settings: TwilioSettings) -> ErrorMeaning | None:
        """Three codes depend on what was asked, and with which credential."""
        if error.code == PERMISSION_DENIED:
            return refused(error, exchange, settings)
        if error.code == UNAUTHORIZED:
            return unauthorized(exchange, settings)
        if error.code == NOT_FOUND:
            return not_found(exchange)
        meaning = super().meaning(error, exchange, settings)
        return limited(meaning, exchange) if meaning else None

    def refine(self, finding: Finding, settings: TwilioSettings, send: Send) -> Finding:
        """A second question, where Twilio would answer this credential."""
        from mfagate.providers.twilio.narrowing import refine

        return refine(finding, settings, send)

    def too_soon(self, error: ApiError, exchange: Exchange) -> float | None:
        """Limits of one number or factor: https://www.twilio.com/docs/verify/api/rate-limits-and-timeouts."""
        path = urlsplit(exchange.request.url).path
        limit = TOO_SOON.get(int(error.code)) if exchange.request.method == "POST" else None
        return limit[1] if limit is not None and path.endswith(limit[0]) else None

    def sends_message(self, method: str, path: str, fields: Mapping[str, Any]) -> bool:
        """A new verification is sent to its number, and a new challenge to a device, unless it has its answer with it.

        https://www.twilio.com/docs/verify/api/verification and https://www.twilio.com/docs/verify/api/challenge
        """
        if method != "POST":
            return False
        asks = path.endswith("/Challenges") and "AuthPayload" not in fields
        return asks or path.endswith(("/Verifications", "/Notifications"))

    def states(self, send: Send, settings: TwilioSettings, test_data: Mapping[str, str]) -> States:
        """Arranges states through the API: TOTP factors of our own, verifications without a phone."""
        from mfagate.providers.twilio.states import TwilioStates

        return TwilioStates(self, send, settings, test_data)

    def sandbox(self) -> Sandbox:
        """An emulator of Verify and of what a token may ask about its account."""
        from mfagate.sandbox.emulator import EmulatorSandbox
        from mfagate_sandbox.twilio.fault_kinds import FAULTS

        return EmulatorSandbox(
            self.title, Path(__file__).parents[3] / "mfagate_sandbox" / "twilio" / "__main__.py", FAULTS
        )

    def sandbox_settings(self, values: Mapping[str, str]) -> Sequence[str]:
        """With an API key, as Twilio advises for production."""
        return ["account_sid", "service_sid", "api_key_sid", "api_key_secret"]


def _account_path(settings: TwilioSettings) -> str:
    return f"{ACCOUNTS}{settings.account_sid}.json"


def _characters(number: int, alphabet: str) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(number))


def _body(response: Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _code(response: Response) -> str | int | None:
    error = error_of(response)
    return error.code if error else None


_ERROR = {"code": 20003, "message": "", "status": 401}


def _asks_for_a_credential(response: Response) -> bool:
    return response.status == 401 and _code(response) == PERMISSION_DENIED


def _is_a_service(response: Response) -> bool:
    return response.status == 200 and str(_body(response).get("sid")).startswith("VA")


def _is_an_account(response: Response) -> bool:
    return response.status == 200 and str(_body(response).get("sid")).startswith("AC")


def _of_this_account(settings: TwilioSettings, response: Response) -> Finding | None:
    """An API key is not tied to account_sid by anything that is sent."""
    answered = _body(response).get("account_sid")
    if answered in (None, settings.account_sid):
        return None
    account = quoted(answered, 80)
    message = f"credential and service belong to the account {account}, but account_sid names another"
    return Finding(CauseId.CREDENTIAL_WRONG_ACCOUNT, message, {"answered": account}, setting="account_sid")


def _of_an_active_account(response: Response) -> Finding | None:
    status = _body(response).get("status")
    if status in (None, "active"):
        return None
    return Finding(CauseId.ACCOUNT_SUSPENDED, f"the account is {quoted(status, 80)}", setting="account_sid")


PROVIDER = Twilio()
