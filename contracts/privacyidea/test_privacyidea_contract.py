"""What the login service expects of privacyIDEA: its client, driven against Pact's mock server.

Each test adds one interaction to the pact. Only what the client reads stands
in an answer, so that the provider may change the rest.
"""

from __future__ import annotations

from typing import Any

import pytest
from pact import match
from pydantic import SecretStr

from mfagate.contract.consumer import FORM, JSON, ConsumerPact, fill, positive, text
from mfagate.contract_strength import Prove
from mfagate.providers.privacyidea.client import PrivacyIDEAClient
from mfagate.providers.privacyidea.settings import PrivacyIDEASettings
from mfagate.providers.second_factor import (
    Challenge,
    CredentialRejected,
    Decision,
    Factor,
    NotEnrolled,
    ProviderUnavailable,
)
from mfagate.providers.states import StateName

PROVIDER = "privacyidea"

# Tokens that say nothing: three base64url parts, as the API keys are.
KEY = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoidmFsaWRhdGUifQ.c2lnbmF0dXJl"
ADMIN_KEY = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYWRtaW4ifQ.c2lnbmF0dXJl"
JWT = r"^[\w-]+\.[\w-]+\.[\w-]+$"
SETTINGS = PrivacyIDEASettings(
    url="https://mfa.example.com", validate_key=SecretStr(KEY), admin_key=SecretStr(ADMIN_KEY)
)
TRANSACTION = "02659936574063359702"

STRICT = {
    "*: content-type content-type": "privacyIDEA answers in JSON; another type comes from a proxy.",
    "*: status status": "The readers decide by the code. Another status is a change of the API: review it.",
    "*: $.result.error.message *": "privacyIDEA puts a message into every error; reports quote it, and no decision "
    "depends on it.",
    "*: $.result.status *": "privacyIDEA puts false into every error; the readers go by the code.",
    "*key*: $.result.error.code other-value": "Each code is one refusal. These have the same cause.",
    "challenge triggered by the service: $.result.value *": "The number of challenges; the client needs no more than "
    "that it is not 0, and the transaction.",
}
"""Strict findings that were reviewed, and why the contract keeps what it demands."""

ACCEPT = {"result": {"status": True, "value": True, "authentication": "ACCEPT"}}
REJECT = {"result": {"status": True, "value": False, "authentication": "REJECT"}}
CHALLENGE = {
    "result": {"status": True, "value": False, "authentication": "CHALLENGE"},
    "detail": {"transaction_id": text(TRANSACTION)},
}


def error(code: int) -> dict[str, Any]:
    """The body of an error answer; the message is for people and may change."""
    return {"result": {"status": False, "error": {"code": code, "message": match.str("a sentence")}}}


def check(
    pact: ConsumerPact,
    description: str,
    state: StateName,
    fields: dict[str, tuple[str, str]],
    *,
    key: str | None = KEY,
    safe_in_production: bool = False,
) -> Any:
    """``POST /validate/check``; ``fields`` maps a form field to its example and the state's value."""
    interaction = pact.interaction(description, given=state, safe_in_production=safe_in_production)
    interaction.with_request("POST", "/validate/check").with_header("Accept", JSON)
    if key is not None:
        interaction.with_header("Authorization", match.regex(key, regex=JWT))
    interaction.with_body("&".join(f"{name}={example}" for name, (example, _) in fields.items()), FORM)
    fill(interaction, "body", {name: value for name, (_, value) in fields.items()})
    return interaction


def otp(user: str = "alice", code: str = "755224", code_value: str = "pass") -> dict[str, tuple[str, str]]:
    return {"user": (user, "user"), "pass": (code, code_value)}


@pytest.mark.parametrize(
    ("description", "state", "code", "code_value", "answer", "decision"),
    [
        ("OTP accepted", StateName.WORKING_OTP, "755224", "pass", ACCEPT, Decision.ALLOW),
        ("PIN and OTP accepted", StateName.PIN_AND_OTP, "1234755224", "pass", ACCEPT, Decision.ALLOW),
        ("wrong OTP", StateName.WORKING_OTP, "000000", "wrong_pass", REJECT, Decision.DENY),
        ("replayed OTP", StateName.USED_OTP, "755224", "pass", REJECT, Decision.DENY),
        ("wrong PIN", StateName.PIN_AND_OTP, "4321755224", "wrong_pin_pass", REJECT, Decision.DENY),
        ("user without a token", StateName.NO_FACTOR, "755224", "pass", REJECT, Decision.DENY),
        ("disabled token", StateName.DISABLED_FACTOR, "755224", "pass", REJECT, Decision.DENY),
        ("locked token", StateName.LOCKED_FACTOR, "755224", "pass", REJECT, Decision.DENY),
    ],
)
def test_one_time_password(
    pact: ConsumerPact,
    contract_strength: Prove,
    description: str,
    state: StateName,
    code: str,
    code_value: str,
    answer: dict[str, Any],
    decision: Decision,
) -> None:
    interaction = check(pact, description, state, otp(code=code, code_value=code_value))
    interaction.will_respond_with(200).with_body(answer, JSON)

    def verify(url: str) -> Decision:
        client = PrivacyIDEAClient(url, KEY)
        return client.verify(client.start("alice", Factor.OTP), code)

    contract_strength(verify, expect=decision)


def test_unknown_user(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = check(pact, "unknown user", StateName.UNKNOWN_USER, otp("mallory"), safe_in_production=True)
    interaction.will_respond_with(400).with_body(error(904), JSON)
    contract_strength(
        lambda url: PrivacyIDEAClient(url, KEY).verify(Challenge("mallory", Factor.OTP), "755224"), expect=Decision.DENY
    )


def test_challenge_triggered_by_pin(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = check(pact, "challenge triggered by the PIN", StateName.CHALLENGE_FACTOR, otp(code="1234"))
    interaction.will_respond_with(200).with_body(CHALLENGE, JSON)
    contract_strength(
        lambda url: PrivacyIDEAClient(url, KEY).challenge_by_pin("alice", "1234"),
        expect=Challenge("alice", Factor.OTP, TRANSACTION),
    )


def trigger(pact: ConsumerPact, description: str, state: StateName, answer: dict[str, Any]) -> None:
    interaction = (
        pact.interaction(description, given=state)
        .with_request("POST", "/validate/triggerchallenge")
        .with_header("Accept", JSON)
        .with_header("Authorization", match.regex(ADMIN_KEY, regex=JWT))
        .with_body("user=alice", FORM)
    )
    fill(interaction, "body", {"user": "user"})
    interaction.will_respond_with(200).with_body(answer, JSON)


def test_challenge_triggered_by_the_service(pact: ConsumerPact, contract_strength: Prove) -> None:
    answer = {"result": {"status": True, "value": positive(1)}, "detail": CHALLENGE["detail"]}
    trigger(pact, "challenge triggered by the service", StateName.CHALLENGE_FACTOR, answer)
    contract_strength(
        lambda url: PrivacyIDEAClient(url, KEY, ADMIN_KEY).start("alice", Factor.PUSH),
        expect=Challenge("alice", Factor.PUSH, TRANSACTION),
    )


def test_no_token_to_challenge(pact: ConsumerPact, contract_strength: Prove) -> None:
    answer = {"result": {"status": True, "value": 0}}
    trigger(pact, "no token to challenge", StateName.NO_FACTOR, answer)
    contract_strength(
        lambda url: PrivacyIDEAClient(url, KEY, ADMIN_KEY).start("alice", Factor.PUSH), expect=NotEnrolled
    )


@pytest.mark.parametrize(
    ("description", "code", "code_value", "answer", "decision"),
    [
        ("challenge answered", "755224", "pass", ACCEPT, Decision.ALLOW),
        ("challenge answered wrongly", "000000", "wrong_pass", REJECT, Decision.DENY),
    ],
)
def test_challenge_answered(
    pact: ConsumerPact,
    contract_strength: Prove,
    description: str,
    code: str,
    code_value: str,
    answer: dict[str, Any],
    decision: Decision,
) -> None:
    fields = otp(code=code, code_value=code_value) | {"transaction_id": (TRANSACTION, "transaction_id")}
    check(pact, description, StateName.CHALLENGE_STARTED, fields).will_respond_with(200).with_body(answer, JSON)
    challenge = Challenge("alice", Factor.OTP, TRANSACTION)
    contract_strength(lambda url: PrivacyIDEAClient(url, KEY).verify(challenge, code), expect=decision)


def poll(pact: ConsumerPact, description: str, state: StateName, value: bool, status: str) -> None:
    interaction = (
        pact.interaction(description, given=state)
        .with_request("GET", "/validate/polltransaction")
        .with_header("Accept", JSON)
        .with_header("Authorization", match.regex(KEY, regex=JWT))
        .with_query_parameter("transaction_id", TRANSACTION)
    )
    fill(interaction, "query", {"transaction_id": "transaction_id"})
    interaction.will_respond_with(200).with_body(
        {"result": {"status": True, "value": value}, "detail": {"challenge_status": status}}, JSON
    )


@pytest.mark.parametrize(
    ("description", "state", "value", "status", "decision"),
    [
        ("push pending", StateName.PUSH_PENDING, False, "pending", Decision.PENDING),
        ("push declined", StateName.PUSH_DECLINED, False, "declined", Decision.DENY),
    ],
)
def test_push_polled(
    pact: ConsumerPact,
    contract_strength: Prove,
    description: str,
    state: StateName,
    value: bool,
    status: str,
    decision: Decision,
) -> None:
    poll(pact, description, state, value, status)
    challenge = Challenge("alice", Factor.PUSH, TRANSACTION)
    contract_strength(lambda url: PrivacyIDEAClient(url, KEY).verify(challenge), expect=decision)


def test_push_accepted(pact: ConsumerPact, contract_strength: Prove) -> None:
    """The poll says that the phone has answered; only the check that follows lets the user in."""
    poll(pact, "push accepted", StateName.PUSH_ACCEPTED, True, "accept")
    contract_strength(
        lambda url: PrivacyIDEAClient(url, KEY).push_answer(Challenge("alice", Factor.PUSH, TRANSACTION)),
        expect="accept",
    )


def test_accepted_push_redeemed(pact: ConsumerPact, contract_strength: Prove) -> None:
    fields = {
        "user": ("alice", "user"),
        "pass": ("", "pass"),
        "transaction_id": (TRANSACTION, "transaction_id"),
    }
    interaction = check(pact, "accepted push redeemed", StateName.PUSH_ACCEPTED, fields)
    interaction.will_respond_with(200).with_body(ACCEPT, JSON)
    challenge = Challenge("alice", Factor.PUSH, TRANSACTION)
    contract_strength(lambda url: PrivacyIDEAClient(url, KEY).verify(challenge, ""), expect=Decision.ALLOW)


@pytest.mark.parametrize(
    ("description", "state", "key", "status", "code", "raised"),
    [
        ("missing key", StateName.CREDENTIAL_MISSING, None, 403, 303, CredentialRejected),
        ("malformed key", StateName.CREDENTIAL_MALFORMED, KEY, 403, 303, CredentialRejected),
        ("key of the wrong role", StateName.CREDENTIAL_WRONG_KIND, ADMIN_KEY, 403, 303, CredentialRejected),
        # The server does not catch the expiry: it fails, and a client must not take that for an answer.
        ("expired key", StateName.CREDENTIAL_EXPIRED, KEY, 500, -500, ProviderUnavailable),
    ],
)
def test_refused_key(
    pact: ConsumerPact,
    contract_strength: Prove,
    description: str,
    state: StateName,
    key: str | None,
    status: int,
    code: int,
    raised: type[Exception],
) -> None:
    interaction = check(pact, description, state, otp(), key=key)
    interaction.will_respond_with(status).with_body(error(code), JSON)
    challenge = Challenge("alice", Factor.OTP)
    contract_strength(lambda url: PrivacyIDEAClient(url, key).verify(challenge, "755224"), expect=raised)
