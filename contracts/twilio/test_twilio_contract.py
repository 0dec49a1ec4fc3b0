"""What the login service expects of Twilio Verify: its client, driven against Pact's mock server.

Each test adds one interaction to the pact. Only what the client reads stands
in an answer, so that Twilio may change the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from pact import match
from pydantic import SecretStr

from mfagate.contract.consumer import FORM, JSON, ConsumerPact, fill, number, only_objects, respond_with_any_of
from mfagate.contract_strength import Prove
from mfagate.providers.second_factor import Challenge, CredentialRejected, Decision, Factor, NotEnrolled
from mfagate.providers.states import StateName
from mfagate.providers.twilio.client import TwilioClient
from mfagate.providers.twilio.settings import TwilioSettings

PROVIDER = "twilio"

SERVICE = "VA0123456789abcdef0123456789abcdef"
SETTINGS = TwilioSettings(
    account_sid="AC0123456789abcdef0123456789abcdef",
    service_sid=SERVICE,
    api_key_sid="SK0123456789abcdef0123456789abcdef",
    api_key_secret=SecretStr("k" * 32),
)
SIGNED = match.regex("Basic U0swOmtr", regex=r"^Basic [A-Za-z0-9+/=]+$")

PHONE = "+12015550100"
USER = "mfagate-000000000000"
VERIFICATION = "VE00000000000000000000000000000001"
FACTOR = "YF00000000000000000000000000000001"
CHALLENGE = "YC00000000000000000000000000000001"

# Recordings keep none of the SIDs, whose kinds the client does not tell apart.
SID = r"^[A-Z]{2}[0-9a-fA-F]{32}$"

SENT = Challenge(PHONE, Factor.SMS, VERIFICATION)
TOTP = Challenge(USER, Factor.OTP, FACTOR)
PUSH = Challenge(USER, Factor.PUSH, CHALLENGE)

TWO_STATUSES = "Twilio's specification declares both 200 and 201 for a check; 200 has been seen."
OUR_CODE = (
    f"{TWO_STATUSES} The code is one of ours, so that nobody has to read a phone; Twilio's page on custom codes tells "
    "how to report the result of one's own check, and not whether it checks such a code itself."
)
NOT_THERE = (
    "Twilio documents 404 with code 20404 for everything, and codes of their own (60390 to 60392) for factors, "
    "challenges and entities: which of them it sends here is not settled."
)

STRICT = {
    "*: status status": "The readers decide by the code. Another status is a change of the API: review it.",
    "*: content-type content-type": "Twilio answers in JSON; another content type comes from a proxy.",
    "service read: $.sid other-value": "A SID has no space at its end; the probe compares without it.",
    "user whose enrolment was not finished: $.factors*": "The state has made this factor: without it, the list is "
    "another user's.",
    "user without a factor: $.factors *": "The state created this entity: a factor belongs to another user.",
    "push sent: $.status other-value": "Nobody has answered a push that was sent this moment.",
    "push *: $.status other-value": "The state determines the word; the client denies on both.",
    "*: $.identity other-value": "Twilio returns the identity as it was given; the client ignores case.",
}
"""Strict findings that were reviewed, and why the contract keeps what it demands."""


def client(url: str, *, signed: bool = True) -> TwilioClient:
    settings = SETTINGS if signed else SETTINGS.model_copy(update={"api_key_secret": None})
    return TwilioClient(settings, endpoint=url)


def ask(
    pact: ConsumerPact,
    description: str,
    state: StateName,
    method: str,
    path: str,
    body: Mapping[str, tuple[str, str | None]] | None = None,
    *,
    signed: bool = True,
    **about: Any,
) -> Any:
    """A request below the service.

    ``path`` names values of the state as ``${name}``; ``body`` maps a field to its
    example and, where the state fills it in, to the state's value.
    """
    example = path.replace("${identity}", USER).replace("${challenge_sid}", CHALLENGE)
    interaction = pact.interaction(description, given=state, **about)
    interaction.with_request(method, f"/v2/Services/{SERVICE}{example}")
    if signed:
        interaction.with_header("Authorization", SIGNED)
    if body is not None:
        interaction.with_body(urlencode({name: value for name, (value, _) in body.items()}), FORM)
        fill(interaction, "body", {name: filled for name, (_, filled) in body.items() if filled is not None})
    return fill(interaction, "path", {"": f"/v2/Services/${{service_sid}}{path}"})


def error(code: Any) -> dict[str, Any]:
    """The body of an error; its message is for people and may change."""
    return {"code": code, "message": match.str("a sentence")}


def refuse(interaction: Any, status: int, code: Any) -> None:
    interaction.will_respond_with(status).with_body(error(code), JSON)


def sid(example: str) -> Any:
    return match.regex(example, regex=SID)


def test_service_read(pact: ConsumerPact, contract_strength: Prove) -> None:
    about: Any = {"safe_in_production": True, "bound": {"$.sid": "service_sid"}}
    interaction = ask(pact, "service read", StateName.CREDENTIAL_ACCEPTED, "GET", "", **about)
    interaction.will_respond_with(200).with_body({"sid": sid(SERVICE)}, JSON)
    contract_strength(lambda url: client(url)._api.ask("GET", f"/v2/Services/{SERVICE}").status, expect=200)


def start(pact: ConsumerPact, description: str, state: StateName, to: str = PHONE, **about: Any) -> Any:
    """Only a number of our own is filled in."""
    filled = "to" if state is StateName.CHALLENGE_FACTOR else None
    body = {"To": (to, filled), "Channel": ("sms", None)}
    return ask(pact, description, state, "POST", "/Verifications", body, **about)


def test_code_sent(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = start(pact, "code sent", StateName.CHALLENGE_FACTOR)
    interaction.will_respond_with(201).with_body({"sid": sid(VERIFICATION), "status": "pending"}, JSON)
    contract_strength(lambda url: client(url).start(PHONE, Factor.SMS), expect=SENT)


def test_number_that_takes_no_message(pact: ConsumerPact, contract_strength: Prove) -> None:
    refuse(start(pact, "number that is none", StateName.CREDENTIAL_ACCEPTED, "5550100"), 400, 60200)
    contract_strength(lambda url: client(url).start("5550100", Factor.SMS), expect=NotEnrolled)


def check(pact: ConsumerPact, description: str, state: StateName, value: str, **about: Any) -> Any:
    body = {"VerificationSid": (VERIFICATION, "verification_sid"), "Code": ("123456", value)}
    return ask(pact, description, state, "POST", "/VerificationCheck", body, **about)


@pytest.mark.parametrize(
    ("description", "state", "value", "status", "decision", "note"),
    [
        (
            "code accepted",
            StateName.CODE_KNOWN,
            "code",
            "approved",
            Decision.ALLOW,
            OUR_CODE,
        ),
        ("wrong code", StateName.CHALLENGE_STARTED, "wrong_code", "pending", Decision.DENY, TWO_STATUSES),
    ],
)
def test_code_checked(
    pact: ConsumerPact,
    contract_strength: Prove,
    description: str,
    state: StateName,
    value: str,
    status: str,
    decision: Decision,
    note: str,
) -> None:
    """A wrong one is answered with success as well."""
    bound = {"$.sid": "verification_sid", "$.to": "to"}
    interaction = respond_with_any_of(check(pact, description, state, value, note=note, bound=bound), 200, 201)
    answer = {
        "sid": sid(VERIFICATION),
        "to": match.regex(PHONE, regex=r"^\+[1-9]\d{1,14}$"),
        "status": status,
        "valid": status == "approved",
    }
    interaction.with_body(answer, JSON)
    contract_strength(lambda url: client(url).verify(SENT, "123456"), expect=decision)


def test_code_that_was_used(pact: ConsumerPact, contract_strength: Prove) -> None:
    refuse(check(pact, "verification approved before", StateName.CHALLENGE_ANSWERED, "wrong_code"), 404, 20404)
    contract_strength(lambda url: client(url).verify(SENT, "123456"), expect=Decision.DENY)


def test_unknown_verification(pact: ConsumerPact, contract_strength: Prove) -> None:
    refuse(
        check(pact, "unknown verification", StateName.CHALLENGE_UNKNOWN, "code", safe_in_production=True), 404, 20404
    )
    contract_strength(lambda url: client(url).verify(SENT, "123456"), expect=Decision.DENY)


def test_too_many_wrong_codes(pact: ConsumerPact, contract_strength: Prove) -> None:
    note = (
        "The page of the error documents 429 with code 60202, the page of the check 404 with code 20404, because "
        "the verification is deleted."
    )
    interaction = check(pact, "sixth wrong code", StateName.CHALLENGE_EXHAUSTED, "wrong_code", note=note)
    respond_with_any_of(interaction, 429, 404).with_body(error(number(60202, "^(60202|20404)$")), JSON)
    mixed = (
        "Pact has no rule for pairs of status and code. On a pair that is not documented the client raises an error."
    )
    contract_strength(
        lambda url: client(url).verify(SENT, "123456"),
        expect=Decision.DENY,
        blind={"status status": mixed, "$.code other-value": mixed},
    )


def factors(pact: ConsumerPact, description: str, state: StateName, **about: Any) -> Any:
    interaction = ask(pact, description, state, "GET", "/Entities/${identity}/Factors", **about)
    return interaction.with_query_parameter("PageSize", "50")


def holding(interaction: Any, **factor: Any) -> None:
    """Answer with a list that has this factor in it; the user may have others, of other types and devices."""
    interaction.will_respond_with(200).with_body({"factors": match.array_containing([factor])}, JSON)
    only_objects(interaction, "$.factors")


@pytest.mark.parametrize(
    ("description", "state", "kind", "factor"),
    [
        ("user with a TOTP factor", StateName.WORKING_OTP, "totp", Factor.OTP),
        ("user with a device", StateName.PUSH_PENDING, "push", Factor.PUSH),
    ],
)
def test_user_with_a_factor(
    pact: ConsumerPact, contract_strength: Prove, description: str, state: StateName, kind: str, factor: Factor
) -> None:
    holding(factors(pact, description, state), sid=sid(FACTOR), factor_type=kind, status="verified")
    contract_strength(lambda url: client(url)._find_factor(USER, kind), expect=FACTOR)


def test_enrolment_that_was_not_finished(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = factors(pact, "user whose enrolment was not finished", StateName.DISABLED_FACTOR)
    holding(interaction, factor_type="totp", status="unverified")
    contract_strength(lambda url: client(url).start(USER, Factor.OTP), expect=NotEnrolled)


def test_user_without_a_factor(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = factors(pact, "user without a factor", StateName.NO_FACTOR)
    interaction.will_respond_with(200).with_body({"factors": []}, JSON)
    contract_strength(lambda url: client(url).start(USER, Factor.OTP), expect=NotEnrolled)


def test_unknown_user(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = factors(pact, "unknown user", StateName.UNKNOWN_USER, safe_in_production=True, note=NOT_THERE)
    refuse(interaction, 404, number(20404, "^(20404|6039[0-2])$"))
    contract_strength(lambda url: client(url).start(USER, Factor.OTP), expect=NotEnrolled)


def challenge(
    pact: ConsumerPact, description: str, state: StateName, field: str, value: str, filled: str | None
) -> Any:
    body = {"FactorSid": (FACTOR, "factor_sid"), field: (value, filled)}
    bound = {"$.factor_sid": "factor_sid", "$.identity": "identity"}
    return ask(pact, description, state, "POST", "/Entities/${identity}/Challenges", body, bound=bound)


def challenged(interaction: Any, status: str, **more: Any) -> None:
    answer = {"factor_sid": sid(FACTOR), "identity": match.str(USER), "status": status}
    interaction.will_respond_with(201).with_body({**answer, **more}, JSON)


@pytest.mark.parametrize(
    ("description", "value", "status", "decision"),
    [
        ("TOTP code accepted", "code", "approved", Decision.ALLOW),
        ("wrong TOTP code", "wrong_code", "pending", Decision.DENY),
    ],
)
def test_totp(
    pact: ConsumerPact, contract_strength: Prove, description: str, value: str, status: str, decision: Decision
) -> None:
    """A wrong code leaves a challenge that waits, and is answered with success."""
    interaction = challenge(pact, description, StateName.WORKING_OTP, "AuthPayload", "123456", value)
    challenged(interaction, status)
    contract_strength(lambda url: client(url).verify(TOTP, "123456"), expect=decision)


def test_push_sent(pact: ConsumerPact, contract_strength: Prove) -> None:
    message = "Do you want to log in?"
    interaction = challenge(pact, "push sent", StateName.PUSH_PENDING, "Details.Message", message, None)
    challenged(interaction, "pending", sid=sid(CHALLENGE))
    contract_strength(lambda url: client(url)._push(USER, FACTOR), expect=CHALLENGE)


def poll(pact: ConsumerPact, description: str, state: StateName, **about: Any) -> Any:
    return ask(pact, description, state, "GET", "/Entities/${identity}/Challenges/${challenge_sid}", **about)


@pytest.mark.parametrize(
    ("description", "state", "status", "decision"),
    [
        ("push pending", StateName.PUSH_PENDING, "pending", Decision.PENDING),
        ("push accepted", StateName.PUSH_ACCEPTED, "approved", Decision.ALLOW),
        ("push declined", StateName.PUSH_DECLINED, "denied", Decision.DENY),
        ("push timed out", StateName.PUSH_TIMED_OUT, "expired", Decision.DENY),
    ],
)
def test_push_polled(
    pact: ConsumerPact, contract_strength: Prove, description: str, state: StateName, status: str, decision: Decision
) -> None:
    bound = {"$.sid": "challenge_sid", "$.identity": "identity"}
    answer = {"sid": sid(CHALLENGE), "identity": match.str(USER), "status": status}
    poll(pact, description, state, bound=bound).will_respond_with(200).with_body(answer, JSON)
    contract_strength(lambda url: client(url).verify(PUSH), expect=decision)


def test_unknown_push(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = poll(pact, "unknown push", StateName.CHALLENGE_UNKNOWN, safe_in_production=True, note=NOT_THERE)
    refuse(interaction, 404, number(20404, "^(20404|6039[0-2])$"))
    contract_strength(lambda url: client(url).verify(PUSH), expect=Decision.DENY)


@pytest.mark.parametrize(
    ("description", "state", "status", "code", "signed"),
    [
        ("missing credential", StateName.CREDENTIAL_MISSING, 401, 20003, False),
        ("malformed credential", StateName.CREDENTIAL_MALFORMED, 401, 20003, True),
        ("unknown credential", StateName.CREDENTIAL_UNKNOWN, 401, 20003, True),
        ("wrong secret", StateName.CREDENTIAL_WRONG, 401, 20003, True),
        ("deleted API key", StateName.CREDENTIAL_REVOKED, 401, 20003, True),
        ("test credentials", StateName.CREDENTIAL_WRONG_KIND, 403, 20008, True),
        ("API key without the permission", StateName.PERMISSION_MISSING, 401, 70051, True),
    ],
)
def test_refused_credentials(
    pact: ConsumerPact,
    contract_strength: Prove,
    description: str,
    state: StateName,
    status: int,
    code: int,
    signed: bool,
) -> None:
    refuse(start(pact, description, state, signed=signed), status, code)
    contract_strength(lambda url: client(url, signed=signed).start(PHONE, Factor.SMS), expect=CredentialRejected)


def test_service_of_another_account(pact: ConsumerPact, contract_strength: Prove) -> None:
    refuse(start(pact, "unknown service", StateName.RESOURCE_MISSING, safe_in_production=True), 404, 20404)
    contract_strength(lambda url: client(url).start(PHONE, Factor.SMS), expect=CredentialRejected)
