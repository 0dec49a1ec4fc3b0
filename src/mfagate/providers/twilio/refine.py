"""Refine a refusal by a second read-only request, if its answer decides between causes.

The possible requests depend on the credential. The API of accounts and keys accepts the auth token, and rejects valid
API keys (all but main keys: https://www.twilio.com/docs/iam/api-keys/keys-in-console), so it is called only with the
token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import requests

from mfagate.core.causes import CauseId
from mfagate.core.finding import Finding
from mfagate.core.foreign import quoted
from mfagate.providers.answers import object_of
from mfagate.providers.errors import POSSIBLE_CAUSES
from mfagate.providers.probes import Send
from mfagate.providers.twilio.errors import ANOTHER_SECRET, MEANINGS, NOT_FOUND, PERMISSION_DENIED
from mfagate.providers.twilio.settings import ACCOUNTS, TwilioSettings, is_about_accounts

_TELLING = (20005, 20008, 20403)
"""Codes that are more specific than a refusal."""

_SHOWN_SERVICES = 5


def refine(finding: Finding, settings: TwilioSettings, send: Send[TwilioSettings]) -> Finding:
    """Return the same finding, or a more precise one."""
    if finding.cause is CauseId.ACCOUNT_RESOURCE_MISSING:
        return _by_the_services(finding, settings, send)
    if finding.evidence.get("provider code") != PERMISSION_DENIED:
        return finding
    if settings.token is None or is_about_accounts(str(finding.evidence.get("request")).partition(" ")[2]):
        return finding
    return _by_the_key(finding, settings, send) if settings.key else _by_the_account(finding, settings, send)


def _by_the_services(finding: Finding, settings: TwilioSettings, send: Send[TwilioSettings]) -> Finding:
    """Find out which services the credential can see."""
    _, body = _ask(send, "/v2/Services?PageSize=50")
    services = body.get("services")
    if not isinstance(services, list):
        return finding
    listed = [service for service in services if isinstance(service, dict)]
    owners = {str(service.get("account_sid")) for service in listed}
    if listed and settings.account_sid not in owners:
        owner = quoted(owners.pop(), 80)
        message = f"the credential belongs to the account {owner}, but account_sid is {settings.account_sid}"
        setting = "api_key_sid" if settings.key else "account_sid"
        return Finding(CauseId.CREDENTIAL_WRONG_ACCOUNT, message, finding.evidence, setting=setting)
    names = [
        f"{quoted(service.get('sid'), 80)} ({quoted(service.get('friendly_name'), 80)})"
        for service in listed[:_SHOWN_SERVICES]
    ]
    return _with(finding, **{"services of the account": names or "none"})


def _by_the_key(finding: Finding, settings: TwilioSettings, send: Send[TwilioSettings]) -> Finding:
    """Find out with the auth token whether the account still has the API key."""
    path = f"{ACCOUNTS}{settings.account_sid}/Keys/{settings.api_key_sid}.json"
    status, body = _ask(send, path)
    if status == 200 and body.get("sid") == settings.api_key_sid:
        evidence = {
            **finding.evidence,
            POSSIBLE_CAUSES: [ANOTHER_SECRET],
            "the account's keys": "this one is among them",
        }
        return replace(finding, message="the API key exists, but Twilio rejected its secret", evidence=evidence)
    if status == 404 and body.get("code") == NOT_FOUND:
        message = (
            f"the account {settings.account_sid} has no such API key: it was deleted, or belongs to another account"
        )
        evidence = {name: value for name, value in finding.evidence.items() if name != POSSIBLE_CAUSES}
        return Finding(CauseId.CREDENTIAL_UNKNOWN_KEY, message, evidence, setting="api_key_sid")
    return _with(finding, **{"the auth token": "refused too"}) if status == 401 else finding


def _by_the_account(finding: Finding, settings: TwilioSettings, send: Send[TwilioSettings]) -> Finding:
    """Find out the state of the account with its token."""
    status, body = _ask(send, f"{ACCOUNTS}{settings.account_sid}.json")
    if body.get("code") in _TELLING:
        meaning = MEANINGS[body["code"]]
        return Finding(meaning.cause, meaning.text, finding.evidence, next_step=meaning.next_step)
    if status == 200 and body.get("status") in ("suspended", "closed"):
        message = f"the account is {body['status']}"
        return Finding(CauseId.ACCOUNT_SUSPENDED, message, finding.evidence, setting="account_sid")
    if status == 200 and body.get("status") == "active":
        message = "Verify rejected an auth token that Twilio's account API accepts at the same time"
        return Finding(CauseId.PROVIDER_AUTH_OUTAGE, message, finding.evidence)
    return _with(finding, **{"Twilio's account API": "rejected the token too"}) if status == 401 else finding


def _ask(send: Send[TwilioSettings], path: str) -> tuple[int, Mapping[str, Any]]:
    """Return status and JSON object of an answer; 0 and empty if there is none."""
    response = send(requests.Request("GET", path)).response
    return (0 if response is None else response.status), object_of(response)


def _with(finding: Finding, **evidence: Any) -> Finding:
    return replace(finding, evidence={**finding.evidence, **evidence})
