"""What the login service expects of Okta: its client, driven against Pact's mock server.

Each test adds one interaction to the pact. Only what the client reads stands
in an answer, so that Okta may change the rest.
"""

from __future__ import annotations

from typing import Any

import pytest
from pact import match
from pydantic import SecretStr

from mfagate.contract.consumer import FORM, JSON, ConsumerPact, any_number_of, fill, only_objects, positive, text
from mfagate.contract_strength import Prove
from mfagate.providers.made_up import new_private_key
from mfagate.providers.oauth import ASSERTION_TYPE, token_in
from mfagate.providers.okta.client import OktaClient
from mfagate.providers.okta.settings import TOKEN_PATH, OktaSettings, token_form
from mfagate.providers.second_factor import (
    Challenge,
    ContractViolation,
    CredentialRejected,
    Decision,
    Factor,
    NotEnrolled,
)
from mfagate.providers.states import StateName

PROVIDER = "okta"

ORG = "https://acme.okta.com"
SETTINGS = OktaSettings(org_url=ORG, api_token=SecretStr("00" + "k" * 40))
APP = OktaSettings(org_url=ORG, client_id="0oaabcdefg1234567890", private_key=SecretStr(new_private_key()))
SIGNED = match.regex("SSWS 00abc", regex=r"^(SSWS|Bearer) [A-Za-z0-9._-]+$")

USER = "00uabcdefg1234567890"
TOTP, PUSHED = "ostabcdefg1234567890", "opfabcdefg1234567890"
FACTORS = f"/api/v1/users/{USER}/factors"
POLL = f"{FACTORS}/{PUSHED}/transactions/v2mst.GldKV5VxTrifyeZmWSQguA"
OTP = Challenge(USER, Factor.OTP, TOTP)
PUSH = Challenge(USER, Factor.PUSH, POLL)

LINK = r"^https://[^/\s]+/api/v1/users/[^/\s]+/factors/[^/\s]+/transactions/[^/\s]+$"

STRICT = {
    "*: status status": "The readers decide by the code. Another status is a change of the API: review it.",
    "*: content-type content-type": "Okta answers in JSON; another content type comes from a proxy.",
    "*: $.errorSummary *": "Okta documents a summary in every error; reports quote it, and no decision depends on it.",
    "*: $.errorCode other-value": "Each code is one refusal. These have one cause, so the readers treat them alike.",
    "push *: $.factorResult other-value": "The state determines the word; the client denies on both.",
    "factor that was never activated: $*": "The state enrolled this factor: a list without it belongs to another user.",
    "user without a factor: $*": "Only the e-mail factor needs no enrollment; another factor is another state.",
    "access token granted: $.expires_in *": "Okta documents a whole number of seconds; an expired token is useless.",
    "access token granted: $.scope *": "Okta documents the scopes that it granted; without this one every login fails.",
}
"""Strict findings that were reviewed, and why the contract keeps what it demands."""


def client(url: str, *, signed: bool = True) -> OktaClient:
    settings = SETTINGS if signed else SETTINGS.model_copy(update={"api_token": None})
    return OktaClient(settings, endpoint=url)


def ask(
    pact: ConsumerPact,
    description: str,
    state: StateName,
    method: str,
    path: str,
    filled: str,
    *,
    signed: bool = True,
    kind: str | None = None,
    **about: Any,
) -> Any:
    """A request; ``filled`` makes its path of values of the state, ``kind`` is a parameter of the state."""
    interaction = pact.interaction(description, **about).given(str(state), {"kind": kind} if kind else None)
    interaction.with_request(method, path)
    if signed:
        interaction.with_header("Authorization", SIGNED)
    return fill(interaction, "path", {"": filled})


def list_factors(pact: ConsumerPact, description: str, state: StateName, **about: Any) -> Any:
    return ask(pact, description, state, "GET", FACTORS, "/api/v1/users/${user_id}/factors", **about)


def verify(
    pact: ConsumerPact, description: str, state: StateName, body: dict[str, str], factor: str = TOTP, **about: Any
) -> Any:
    filled = "/api/v1/users/${user_id}/factors/${factor_id}/verify"
    interaction = ask(pact, description, state, "POST", f"{FACTORS}/{factor}/verify", filled, **about)
    return interaction.with_body(body, JSON)


def poll(pact: ConsumerPact, description: str, state: StateName, **about: Any) -> Any:
    return ask(pact, description, state, "GET", POLL, "${poll_path}", **about)


def fail(interaction: Any, status: int, code: Any) -> None:
    body = {"errorCode": code, "errorSummary": match.str("a sentence")}
    interaction.will_respond_with(status).with_body(body, JSON)


def holding(interaction: Any, **factor: Any) -> None:
    """Answer with a list that has this TOTP factor in it; the user may have other factors."""
    some = match.array_containing([{"factorType": "token:software:totp", **factor}])
    only_objects(interaction.will_respond_with(200).with_body(some, JSON))


def test_user_with_a_totp_factor(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = list_factors(pact, "user with a TOTP factor", StateName.WORKING_OTP)
    holding(interaction, id=text(TOTP), status="ACTIVE")
    contract_strength(lambda url: client(url).start(USER, Factor.OTP), expect=OTP)


def test_factor_that_was_never_activated(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = list_factors(pact, "factor that was never activated", StateName.DISABLED_FACTOR)
    holding(interaction, status="PENDING_ACTIVATION")
    contract_strength(lambda url: client(url).start(USER, Factor.OTP), expect=NotEnrolled)


BY_ITSELF = (
    "Okta enrols the address of a new user as an e-mail factor where the policy requires e-mail: "
    "https://help.okta.com/oie/en-us/content/topics/identity-engine/authenticators/make-email-optional.htm"
)


def test_user_without_a_factor(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = list_factors(pact, "user without a factor", StateName.NO_FACTOR, note=BY_ITSELF)
    emails = any_number_of({"factorType": match.regex("email", regex="^email$")})
    interaction.will_respond_with(200).with_body(emails, JSON)
    contract_strength(lambda url: client(url).start(USER, Factor.OTP), expect=NotEnrolled)


def test_unknown_user(pact: ConsumerPact, contract_strength: Prove) -> None:
    fail(list_factors(pact, "unknown user", StateName.UNKNOWN_USER, safe_in_production=True), 404, "E0000007")
    contract_strength(lambda url: client(url).start(USER, Factor.OTP), expect=NotEnrolled)


def test_unknown_factor(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = verify(
        pact, "unknown factor", StateName.RESOURCE_MISSING, {"passCode": "000000"}, safe_in_production=True
    )
    fail(interaction, 404, "E0000007")
    contract_strength(lambda url: client(url).verify(OTP, "000000"), expect=NotEnrolled)


def test_code_accepted(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = verify(pact, "code accepted", StateName.WORKING_OTP, {"passCode": "000000"})
    fill(interaction, "body", {"passCode": "passcode"})
    interaction.will_respond_with(200).with_body({"factorResult": "SUCCESS"}, JSON)
    contract_strength(lambda url: client(url).verify(OTP, "000000"), expect=Decision.ALLOW)


USED = "Okta documents three codes for it, and also a 200 with PASSCODE_REPLAYED, which would be a breach here."


@pytest.mark.parametrize(
    ("description", "state", "value", "code", "note"),
    [
        ("wrong code", StateName.WORKING_OTP, "wrong_passcode", "E0000068", None),
        ("used code", StateName.USED_OTP, "passcode", match.regex("E0000082", regex="^E00000(68|82|83)$"), USED),
        ("locked user", StateName.LOCKED_FACTOR, None, "E0000069", None),
    ],
)
def test_code_refused(
    pact: ConsumerPact,
    contract_strength: Prove,
    description: str,
    state: StateName,
    value: str | None,
    code: Any,
    note: str | None,
) -> None:
    interaction = verify(pact, description, state, {"passCode": "000000"}, note=note)
    if value is not None:
        fill(interaction, "body", {"passCode": value})
    fail(interaction, 403, code)
    contract_strength(lambda url: client(url).verify(OTP, "000000"), expect=Decision.DENY)


def test_push_sent(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = verify(pact, "push sent", StateName.CHALLENGE_FACTOR, {}, PUSHED, kind="push")
    link = {"href": match.regex(f"{ORG}{POLL}", regex=LINK)}
    interaction.will_respond_with(201).with_body({"factorResult": "WAITING", "_links": {"poll": link}}, JSON)
    contract_strength(lambda url: client(url)._push(USER, PUSHED), expect=POLL)


@pytest.mark.parametrize(
    ("description", "state", "result", "decision"),
    [
        ("push pending", StateName.PUSH_PENDING, "WAITING", Decision.PENDING),
        ("push accepted", StateName.PUSH_ACCEPTED, "SUCCESS", Decision.ALLOW),
        ("push declined", StateName.PUSH_DECLINED, "REJECTED", Decision.DENY),
        ("push timed out", StateName.PUSH_TIMED_OUT, "TIMEOUT", Decision.DENY),
    ],
)
def test_push_polled(
    pact: ConsumerPact, contract_strength: Prove, description: str, state: StateName, result: str, decision: Decision
) -> None:
    """A denial and a timeout are answered with 200 as well."""
    poll(pact, description, state).will_respond_with(200).with_body({"factorResult": result}, JSON)
    contract_strength(lambda url: client(url).verify(PUSH), expect=decision)


def test_unknown_push(pact: ConsumerPact, contract_strength: Prove) -> None:
    fail(poll(pact, "unknown push", StateName.CHALLENGE_UNKNOWN, safe_in_production=True), 404, "E0000007")
    contract_strength(lambda url: client(url).verify(PUSH), expect=ContractViolation)


def test_message_sent(pact: ConsumerPact, contract_strength: Prove) -> None:
    """The same request with a code would check it."""
    interaction = verify(pact, "message sent", StateName.CHALLENGE_FACTOR, {}, "smsabcdefg1234567890", kind="sms")
    interaction.will_respond_with(200).with_body({"factorResult": "CHALLENGE"}, JSON)
    contract_strength(lambda url: client(url)._send_message(USER, "smsabcdefg1234567890"), expect=None)


FORBIDDEN = "Which of the two Okta looks at first, permission or user, is not documented: 404 would be a breach here."


@pytest.mark.parametrize(
    ("description", "state", "status", "code", "signed", "note"),
    [
        ("missing credential", StateName.CREDENTIAL_MISSING, 403, "E0000005", False, None),
        ("wrong token", StateName.CREDENTIAL_WRONG, 401, "E0000011", True, None),
        ("revoked token", StateName.CREDENTIAL_REVOKED, 401, "E0000011", True, None),
        ("id of a token in place of the token", StateName.CREDENTIAL_WRONG_KIND, 401, "E0000011", True, None),
        ("token without the permission", StateName.PERMISSION_MISSING, 403, "E0000006", True, FORBIDDEN),
    ],
)
def test_refused_credential(
    pact: ConsumerPact,
    contract_strength: Prove,
    description: str,
    state: StateName,
    status: int,
    code: str,
    signed: bool,
    note: str | None,
) -> None:
    fail(list_factors(pact, description, state, signed=signed, note=note), status, code)
    contract_strength(lambda url: client(url, signed=signed).start(USER, Factor.OTP), expect=CredentialRejected)


def ask_for_token(pact: ConsumerPact, description: str, state: StateName) -> Any:
    interaction = pact.interaction(description).given(str(state), {"kind": "app"}).with_request("POST", TOKEN_PATH)
    form = {
        **token_form(APP),
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": match.regex("e30.e30.e30", regex=r"^[\w-]+\.[\w-]+\.[\w-]+$"),
    }
    return interaction.with_body(form, FORM)


def test_access_token_granted(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = ask_for_token(pact, "access token granted", StateName.CREDENTIAL_ACCEPTED)
    body = {
        "token_type": text("Bearer", "^(?i:bearer)$"),
        "expires_in": positive(3600),
        "access_token": text("e30.e30.e30"),
        "scope": match.regex(APP.requested_scopes, regex=r"^(\S+ )*okta\.users\.manage( \S+)*$"),
    }
    interaction.will_respond_with(200).with_body(body, JSON)

    def issued(url: str) -> Any:
        return token_in(OktaClient(APP, endpoint=url)._api.ask("POST", TOKEN_PATH, data=token_form(APP)))

    contract_strength(issued, expect=("e30.e30.e30", 3600.0))


@pytest.mark.parametrize(
    ("description", "state"),
    [("unknown client", StateName.CREDENTIAL_UNKNOWN), ("assertion of another key", StateName.CREDENTIAL_WRONG)],
)
def test_refused_app(pact: ConsumerPact, contract_strength: Prove, description: str, state: StateName) -> None:
    ask_for_token(pact, description, state).will_respond_with(401).with_body({"error": "invalid_client"}, JSON)
    contract_strength(lambda url: OktaClient(APP, endpoint=url).start(USER, Factor.OTP), expect=CredentialRejected)
