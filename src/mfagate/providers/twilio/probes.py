"""The requests of mfagate to Twilio Verify, all safe in production."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from functools import partial

from pydantic import SecretStr

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Response
from mfagate.core.finding import Finding
from mfagate.core.foreign import quoted
from mfagate.providers.answers import object_of
from mfagate.providers.made_up import random_text
from mfagate.providers.probes import Probe, ProviderProbes, Send
from mfagate.providers.twilio.errors import PERMISSION_DENIED, error_of
from mfagate.providers.twilio.settings import ACCOUNTS, TwilioSettings

_ERROR = {"code": 20003, "message": "", "status": 401}


class TwilioProbes(ProviderProbes[TwilioSettings]):
    """Probes of Twilio Verify that are safe in production."""

    def pings(self, settings: TwilioSettings) -> Sequence[Probe]:
        """Request without a credential, which Twilio refuses in its own format; no endpoint is public."""
        pings = [Probe("verify", "GET", "/v2/Services", _asks_for_a_credential, shape=_ERROR)]
        if settings.key and settings.token:
            pings.append(Probe("accounts", "GET", _account_path(settings), _asks_for_a_credential, shape=_ERROR))
        return pings

    def credentials(self, settings: TwilioSettings) -> Sequence[Probe]:
        """Read the service with the credential of Verify; an auth token next to an API key reads its account.

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
        """Return the settings with a well-formed secret that Twilio has never issued."""
        made_up = secrets.token_hex(16) if subject == "auth_token" else random_text(32)
        return settings.model_copy(update={subject: SecretStr(made_up)})

    def identity(self, response: Response, settings: TwilioSettings, expected: Mapping[str, str]) -> Mapping[str, str]:
        """Read owner, name and code length from the service."""
        if not _is_a_service(response):
            return {}
        service = response.json()
        seen = {
            "account_sid": service.get("account_sid"),
            "service_name": service.get("friendly_name"),
            "code_length": service.get("code_length"),
        }
        return {name: str(value) for name, value in seen.items() if value is not None}

    def refine(self, finding: Finding, settings: TwilioSettings, send: Send[TwilioSettings]) -> Finding:
        """Refine a refusal by a second request, if this credential allows one."""
        from mfagate.providers.twilio.refine import refine

        return refine(finding, settings, send)


def _account_path(settings: TwilioSettings) -> str:

    return f"{ACCOUNTS}{settings.account_sid}.json"


def _code(response: Response) -> str | int | None:
    error = error_of(response)
    return error.code if error else None


def _asks_for_a_credential(response: Response) -> bool:
    return response.status == 401 and _code(response) == PERMISSION_DENIED


def _is_a_service(response: Response) -> bool:
    return response.status == 200 and str(object_of(response).get("sid")).startswith("VA")


def _is_an_account(response: Response) -> bool:
    return response.status == 200 and str(object_of(response).get("sid")).startswith("AC")


def _of_this_account(settings: TwilioSettings, response: Response) -> Finding | None:
    """Check the account that owns the service: no request ties an API key to account_sid."""
    answered = object_of(response).get("account_sid")
    if answered in (None, settings.account_sid):
        return None
    account = quoted(answered, 80)
    message = f"the credential and the service belong to the account {account}, but account_sid is a different account"
    return Finding(CauseId.CREDENTIAL_WRONG_ACCOUNT, message, {"answered": account}, setting="account_sid")


def _of_an_active_account(response: Response) -> Finding | None:
    status = object_of(response).get("status")
    if status in (None, "active"):
        return None
    return Finding(CauseId.ACCOUNT_SUSPENDED, f"the account is {quoted(status, 80)}", setting="account_sid")
