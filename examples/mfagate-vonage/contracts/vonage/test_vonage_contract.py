"""What a login service expects of Vonage Verify v2: the client, driven against Pact's mock server.

Write the pact with: pytest contracts --mfagate-update-pacts
"""

from __future__ import annotations

from typing import Any

import pytest
from mfagate_vonage.client import VonageClient
from mfagate_vonage.settings import VonageSettings
from pact import match
from pydantic import SecretStr

from mfagate.contract.consumer import JSON, ConsumerPact, fill, text
from mfagate.contract_strength import Prove
from mfagate.providers.second_factor import Challenge, ContractViolation, CredentialRejected, Decision, Factor
from mfagate.providers.states import StateName

PROVIDER = "vonage"

SETTINGS = VonageSettings(api_key="0a1b2c3d", api_secret=SecretStr("Aa0Aa0Aa0Aa0"))
SIGNED = match.regex("Basic MGExYjJjM2Q6QWEwQWEwQWEwQWEw", regex=r"^(Basic|Bearer) \S+$")
STRICT = {
    "*: content-type content-type": "Vonage answers in JSON; another content type comes from a proxy.",
    "*: status status": "The title decides for the readers. Another status is a change of the API: review it.",
    "*: $.detail *": "Vonage documents a detail in every problem; reports quote it, and no decision depends on it.",
    "a number that is none: $.title other-value": "Vonage documents this title; another one may mean something else.",
    "*verification*: $.title other-value": "Another title is another problem, which the client refuses likewise.",
    "secrets listed: $._embedded*": "Vonage documents the list, and one secret at least: the one that was used. "
    "The probe asks for no more than the list's place.",
}
"""Strict findings that were reviewed, and why the contract keeps what it demands."""

REQUEST_ID = "c11236f4-00bf-4b89-84ba-88b25df97315"
STARTED = Challenge("447700900000", Factor.SMS, REQUEST_ID)


def client(url: str, *, signed: bool = True) -> VonageClient:
    return VonageClient(SETTINGS if signed else VonageSettings(), endpoint=url)


def problem(title: str) -> dict[str, Any]:
    return {"title": title, "detail": match.str("a sentence")}


def start(pact: ConsumerPact, description: str, state: StateName, filled: dict[str, str]) -> Any:
    interaction = pact.interaction(description, given=state).with_request("POST", "/v2/verify")
    interaction.with_header("Authorization", SIGNED)
    interaction.with_body({"brand": "mfagate", "workflow": [{"channel": "sms", "to": "447700900000"}]}, JSON)
    return fill(interaction, "body", filled)


def check(
    pact: ConsumerPact, description: str, state: StateName, code: str = "code", *, signed: bool = True, **about: Any
) -> Any:
    interaction = pact.interaction(description, given=state, **about)
    interaction.with_request("POST", match.regex(f"/v2/verify/{REQUEST_ID}", regex=r"^/v2/verify/[0-9a-f-]{36}$"))
    if signed:
        interaction.with_header("Authorization", SIGNED)
    interaction.with_body({"code": "1234"}, JSON)
    fill(interaction, "body", {"code": code})
    return fill(interaction, "path", {"": "/v2/verify/${request_id}"})


def test_verification_started(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = start(pact, "verification started", StateName.CHALLENGE_FACTOR, {"workflow[0].to": "number"})
    interaction.will_respond_with(202).with_body({"request_id": text(REQUEST_ID)}, JSON)
    contract_strength(lambda url: client(url).start("447700900000", Factor.SMS), expect=STARTED)


def test_one_at_a_time(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = start(
        pact, "another verification is running", StateName.CHALLENGE_STARTED, {"workflow[0].to": "number"}
    )
    interaction.will_respond_with(409).with_body(problem("Conflict"), JSON)
    contract_strength(lambda url: client(url).start("447700900000", Factor.SMS), expect=ContractViolation)


def test_a_number_that_is_none(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = pact.interaction("a number that is none", given=StateName.CREDENTIAL_ACCEPTED)
    interaction.with_request("POST", "/v2/verify").with_header("Authorization", SIGNED)
    interaction.with_body({"brand": "mfagate", "workflow": [{"channel": "sms", "to": "0"}]}, JSON)
    interaction.will_respond_with(422).with_body(problem("Invalid params"), JSON)
    contract_strength(lambda url: client(url).start("0", Factor.SMS), expect=ContractViolation)


def test_code_accepted(pact: ConsumerPact, contract_strength: Prove) -> None:
    answer = {"request_id": text(REQUEST_ID), "status": "completed"}
    """The client looks whether the answer is about the verification that it asked about."""
    interaction = check(pact, "code accepted", StateName.CHALLENGE_STARTED, bound={"$.request_id": "request_id"})
    interaction.will_respond_with(200).with_body(answer, JSON)
    contract_strength(lambda url: client(url).verify(STARTED, "1234"), expect=Decision.ALLOW)


@pytest.mark.parametrize(
    ("description", "state", "status"),
    [("wrong code", StateName.CHALLENGE_STARTED, 400), ("wrong code too often", StateName.CHALLENGE_EXHAUSTED, 410)],
)
def test_wrong_code(
    pact: ConsumerPact, contract_strength: Prove, description: str, state: StateName, status: int
) -> None:
    interaction = check(pact, description, state, "wrong_code")
    interaction.will_respond_with(status).with_body(problem("Invalid Code"), JSON)
    contract_strength(lambda url: client(url).verify(STARTED, "1234"), expect=Decision.DENY)


@pytest.mark.parametrize(
    ("description", "state", "safe"),
    [
        ("unknown verification", StateName.CHALLENGE_UNKNOWN, True),
        ("verification answered already", StateName.CHALLENGE_ANSWERED, False),
    ],
)
def test_no_such_verification(
    pact: ConsumerPact, contract_strength: Prove, description: str, state: StateName, safe: bool
) -> None:
    interaction = check(pact, description, state, safe_in_production=safe)
    interaction.will_respond_with(404).with_body(problem("Not Found"), JSON)
    contract_strength(lambda url: client(url).verify(STARTED, "1234"), expect=ContractViolation)


def test_verification_cancelled(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = pact.interaction("verification cancelled", given=StateName.CHALLENGE_STARTED)
    interaction.with_request("DELETE", match.regex(f"/v2/verify/{REQUEST_ID}", regex=r"^/v2/verify/[0-9a-f-]{36}$"))
    interaction.with_header("Authorization", SIGNED)
    fill(interaction, "path", {"": "/v2/verify/${request_id}"}).will_respond_with(204)
    contract_strength(lambda url: client(url).cancel(STARTED), expect=None)


@pytest.mark.parametrize(
    ("description", "state", "status", "title", "signed"),
    [
        ("missing credentials", StateName.CREDENTIAL_MISSING, 401, "Unauthorized", False),
        ("wrong credentials", StateName.CREDENTIAL_WRONG, 401, "Unauthorized", True),
        ("unknown API key", StateName.CREDENTIAL_UNKNOWN, 401, "Unauthorized", True),
        ("account without Verify", StateName.PERMISSION_MISSING, 403, "Forbidden", True),
    ],
)
def test_refused(
    pact: ConsumerPact,
    contract_strength: Prove,
    description: str,
    state: StateName,
    status: int,
    title: str,
    signed: bool,
) -> None:
    interaction = check(pact, description, state, signed=signed)
    interaction.will_respond_with(status).with_body(problem(title), JSON)
    contract_strength(lambda url: client(url, signed=signed).verify(STARTED, "1234"), expect=CredentialRejected)


def test_secrets_listed(pact: ConsumerPact, contract_strength: Prove) -> None:
    """What the gate asks to prove key and secret."""
    interaction = pact.interaction("secrets listed", given=StateName.CREDENTIAL_ACCEPTED, safe_in_production=True)
    interaction.with_request("GET", match.regex("/accounts/0a1b2c3d/secrets", regex=r"^/accounts/[0-9a-f]{8}/secrets$"))
    interaction.with_header("Authorization", SIGNED)
    fill(interaction, "path", {"": "/accounts/${api_key}/secrets"})
    secret = {"id": match.str("ad6dc56f-07b5-46e1-a527-85530e625800")}
    answer = {"_embedded": {"secrets": match.each_like(secret, min=1)}}
    interaction.will_respond_with(200).with_body(answer, JSON)
    contract_strength(lambda url: client(url)._api.ask("GET", "/accounts/0a1b2c3d/secrets").status, expect=200)
