"""What the login service expects of Duo: its client, driven against Pact's mock server.

Each test adds one interaction to the pact. Only what the client reads stands
in an answer, so that Duo may change the rest.
"""

from __future__ import annotations

from typing import Any

import pytest
from pact import match
from pydantic import SecretStr

from mfagate.contract.consumer import JSON, ConsumerPact, fill, text
from mfagate.contract_strength import Prove
from mfagate.providers.duo.client import DuoClient
from mfagate.providers.duo.settings import DuoSettings
from mfagate.providers.second_factor import (
    Challenge,
    ContractViolation,
    CredentialRejected,
    Decision,
    Factor,
    NotEnrolled,
)
from mfagate.providers.states import StateName

PROVIDER = "duo"

SETTINGS = DuoSettings(
    host="api-0a1b2c3d.duosecurity.com", integration_key="DIABCDEFGHIJ01234567", secret_key=SecretStr("k" * 40)
)
SIGNED = match.regex("Basic RElBQkNERUZHSElKMDEyMzQ1Njc6MDA=", regex=r"^Basic [A-Za-z0-9+/=]+$")
DATE = match.regex("Tue, 21 Aug 2012 17:29:18 -0000", regex=r"^\w{3}, \d{2} \w{3} \d{4} [\d:]{8} [+-]\d{4}$")
TRANSACTION = "45f7c92b-f45f-4862-8545-e0f58e78075a"
PUSH = Challenge("alice", Factor.PUSH, TRANSACTION)

STRICT = {
    "*: status status": "The first three digits of Duo's code are the status; another status is not Duo's.",
    "*: content-type content-type": "Duo answers in JSON; another content type comes from a proxy.",
    "*: $.message *": "Duo documents a message in every error; reports quote it, and no decision depends on it.",
    "*: $.code other-value": "Each code is one refusal. These have one cause, so the readers treat them alike.",
    "* passcode: $.response.status *": "Duo documents deny here. The client denies on all words but allow and bypass.",
    "push *: $.response.status *": "The state decides. The client denies on all words but allow and bypass.",
}
"""Strict findings that were reviewed, and why the contract keeps what it demands."""

DECLINED = match.regex("deny", regex="^(deny|fraud)$")
"""Whoever declines a push may report it as fraud at once."""

PHONE = {"capabilities": match.array_containing(["push"])}
"""One of the devices; a hardware token has no ``capabilities``."""


def client(url: str, *, signed: bool = True) -> DuoClient:
    settings = SETTINGS if signed else SETTINGS.model_copy(update={"secret_key": None})
    return DuoClient(settings, endpoint=url)


def ask(
    pact: ConsumerPact,
    description: str,
    state: StateName,
    path: str,
    body: dict[str, str],
    filled: dict[str, str],
    *,
    signed: bool = True,
    **about: Any,
) -> Any:
    """``POST`` of a JSON body; ``filled`` maps its fields to values of the state."""
    interaction = pact.interaction(description, given=state, **about).with_request("POST", path)
    if signed:
        interaction.with_header("Authorization", SIGNED).with_header("Date", DATE)
    interaction.with_body(body, JSON)
    return fill(interaction, "body", filled)


def ended(name: str) -> Any:
    """How a login came to its end; one that is allowed may say that it was bypassed."""
    return match.regex("allow", regex="^(allow|bypass)$") if name == "allow" else name


def ok(interaction: Any, response: Any) -> None:
    interaction.will_respond_with(200).with_body({"stat": "OK", "response": response}, JSON)


def fail(interaction: Any, code: int) -> None:
    body = {"stat": "FAIL", "code": code, "message": match.str("a sentence")}
    interaction.will_respond_with(code // 100).with_body(body, JSON)


def preauth(pact: ConsumerPact, description: str, state: StateName, **about: Any) -> Any:
    return ask(pact, description, state, "/auth/v2/preauth", {"username": "alice"}, {"username": "username"}, **about)


def get(pact: ConsumerPact, description: str, state: StateName, path: str, **about: Any) -> Any:
    interaction = pact.interaction(description, given=state, **about).with_request("GET", path)
    return interaction.with_header("Authorization", SIGNED).with_header("Date", DATE)


def test_user_may_choose_a_factor(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = preauth(pact, "user may choose a factor", StateName.CHALLENGE_FACTOR)
    ok(interaction, {"result": "auth", "devices": match.array_containing([PHONE])})
    contract_strength(
        lambda url: client(url).start("alice", Factor.OTP),
        expect=Challenge("alice", Factor.OTP),
        further={"client, for a push": lambda url: client(url).start("alice", Factor.PUSH)},
        given=["push sent"],
    )


@pytest.mark.parametrize(
    ("description", "state", "result", "decision"),
    [
        ("user in bypass", StateName.BYPASSED_USER, "allow", Decision.ALLOW),
        ("disabled user", StateName.DISABLED_USER, "deny", Decision.DENY),
        ("locked user", StateName.LOCKED_FACTOR, "deny", Decision.DENY),
    ],
)
def test_user_is_decided_at_once(
    pact: ConsumerPact, contract_strength: Prove, description: str, state: StateName, result: str, decision: Decision
) -> None:
    ok(preauth(pact, description, state), {"result": result})
    contract_strength(lambda url: let_in(client(url)), expect=decision)


def let_in(duo: DuoClient) -> Decision:
    return duo.verify(duo.start("alice", Factor.PUSH))


def test_user_without_a_device(pact: ConsumerPact, contract_strength: Prove) -> None:
    ok(preauth(pact, "user without a device", StateName.NO_FACTOR), {"result": "enroll"})
    contract_strength(lambda url: client(url).start("alice", Factor.PUSH), expect=NotEnrolled)


def test_unknown_user(pact: ConsumerPact, contract_strength: Prove) -> None:
    note = "The new user policy of the account decides between enroll and deny; allow would let anybody in."
    interaction = preauth(pact, "unknown user", StateName.UNKNOWN_USER, safe_in_production=True, note=note)
    ok(interaction, {"result": match.regex("enroll", regex="^(enroll|deny)$")})
    decided = "Both keep the user out: the client raises NotEnrolled for enroll, and decides DENY for deny."
    contract_strength(
        lambda url: client(url).start("alice", Factor.OTP),
        expect=NotEnrolled,
        blind={"$.response.result other-value": decided},
    )


@pytest.mark.parametrize(
    ("description", "state", "value", "result", "decision"),
    [
        ("passcode accepted", StateName.WORKING_OTP, "passcode", "allow", Decision.ALLOW),
        ("wrong passcode", StateName.WORKING_OTP, "wrong_passcode", "deny", Decision.DENY),
        ("used passcode", StateName.USED_OTP, "passcode", "deny", Decision.DENY),
    ],
)
def test_passcode(
    pact: ConsumerPact,
    contract_strength: Prove,
    description: str,
    state: StateName,
    value: str,
    result: str,
    decision: Decision,
) -> None:
    """A wrong one is answered with 200 as well."""
    body = {"username": "alice", "factor": "passcode", "passcode": "000000000"}
    interaction = ask(pact, description, state, "/auth/v2/auth", body, {"username": "username", "passcode": value})
    ok(interaction, {"result": result, "status": ended(result)})
    contract_strength(lambda url: client(url).verify(Challenge("alice", Factor.OTP), "000000000"), expect=decision)


def test_push_sent(pact: ConsumerPact, contract_strength: Prove) -> None:
    body = {"username": "alice", "factor": "push", "device": "auto", "async": "1"}
    interaction = ask(pact, "push sent", StateName.CHALLENGE_FACTOR, "/auth/v2/auth", body, {"username": "username"})
    ok(interaction, {"txid": text(TRANSACTION)})
    contract_strength(lambda url: client(url)._push("alice"), expect=TRANSACTION)


def poll(pact: ConsumerPact, description: str, state: StateName) -> Any:
    interaction = get(pact, description, state, "/auth/v2/auth_status").with_query_parameter("txid", TRANSACTION)
    return fill(interaction, "query", {"txid": "txid"})


@pytest.mark.parametrize(
    ("description", "state", "result", "status", "decision"),
    [
        ("push pending", StateName.PUSH_PENDING, "waiting", {}, Decision.PENDING),
        ("push accepted", StateName.PUSH_ACCEPTED, "allow", {"status": ended("allow")}, Decision.ALLOW),
        ("push declined", StateName.PUSH_DECLINED, "deny", {"status": DECLINED}, Decision.DENY),
        ("push timed out", StateName.PUSH_TIMED_OUT, "deny", {"status": "timeout"}, Decision.DENY),
    ],
)
def test_push_polled(
    pact: ConsumerPact,
    contract_strength: Prove,
    description: str,
    state: StateName,
    result: str,
    status: dict[str, Any],
    decision: Decision,
) -> None:
    """A denial and a timeout are answered with 200 as well."""
    interaction = poll(pact, description, state)
    ok(interaction, {"result": result, **status})
    contract_strength(lambda url: client(url).verify(PUSH), expect=decision)


def test_unknown_push(pact: ConsumerPact, contract_strength: Prove) -> None:
    fail(poll(pact, "unknown push", StateName.CHALLENGE_UNKNOWN), 40002)
    contract_strength(lambda url: client(url).verify(PUSH), expect=ContractViolation)


def test_key_accepted(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = get(pact, "key accepted", StateName.CREDENTIAL_ACCEPTED, "/auth/v2/check", safe_in_production=True)
    ok(interaction, {"time": match.int(1357020061)})
    contract_strength(lambda url: client(url)._api.ask("GET", "/auth/v2/check").status, expect=200)


@pytest.mark.parametrize(
    ("description", "state", "code", "signed"),
    [
        ("missing credentials", StateName.CREDENTIAL_MISSING, 40101, False),
        ("unknown integration key", StateName.CREDENTIAL_UNKNOWN, 40102, True),
        ("wrong secret key", StateName.CREDENTIAL_WRONG, 40103, True),
        ("keys of the Admin API", StateName.CREDENTIAL_WRONG_KIND, 40301, True),
    ],
)
def test_refused_keys(
    pact: ConsumerPact, contract_strength: Prove, description: str, state: StateName, code: int, signed: bool
) -> None:
    body = {"username": "mfagate-no-such-user"}
    fail(ask(pact, description, state, "/auth/v2/preauth", body, {}, signed=signed), code)
    contract_strength(
        lambda url: client(url, signed=signed).start("mfagate-no-such-user", Factor.OTP), expect=CredentialRejected
    )
