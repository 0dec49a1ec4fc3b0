"""What is particular about the reference client; that it fails closed is proved in ../test_fail_closed.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import certifi
import pytest
from pydantic import SecretStr

from mfagate.providers.second_factor import (
    Challenge,
    ContractViolation,
    CredentialRejected,
    Decision,
    Factor,
    NotEnrolled,
    ProviderUnavailable,
    RateLimited,
)
from mfagate.providers.totp import Totp
from mfagate.providers.twilio.client import TwilioClient
from mfagate.providers.twilio.settings import TwilioSettings
from mfagate.sandbox import Running
from mfagate.sandbox.faulty_proxy import FaultyProxy, faulty_proxy

from ...support.answers import Answers

PROVIDER = "twilio"

HEX = "0123456789abcdef" * 2
SETTINGS = TwilioSettings(
    account_sid=f"AC{HEX}",
    service_sid=f"VA{HEX}",
    api_key_sid=f"SK{HEX}",
    api_key_secret=SecretStr("canary-key-secret"),
)
PHONE, USER = "+12015550100", "mfagate-000000000000"
VERIFICATION, FACTOR, ASKED = f"VE{HEX}", f"YF{HEX}", f"YC{HEX}"
CODE = "135790"

CHECKED = {"sid": VERIFICATION, "to": PHONE, "status": "approved", "valid": True}
ANSWERED = {"sid": ASKED, "factor_sid": FACTOR, "identity": USER, "status": "approved"}

SMS = Challenge(PHONE, Factor.SMS, VERIFICATION)
TOTP = Challenge(USER, Factor.OTP, FACTOR)
PUSH = Challenge(USER, Factor.PUSH, ASKED)


def refuse(answers: Answers, status: int, code: int, **headers: str) -> None:
    answers.say({"code": code, "message": "a sentence", "more_info": "", "status": status}, status, **headers)


@pytest.fixture(scope="module")
def answers() -> Answers:
    return Answers()


@pytest.fixture(scope="module")
def twilio(answers: Answers) -> Iterator[FaultyProxy]:
    with faulty_proxy("http://127.0.0.1:9", answers) as server:
        yield server


@pytest.fixture(scope="module")
def client(twilio: FaultyProxy) -> TwilioClient:
    return TwilioClient(SETTINGS, endpoint=twilio.url, timeout_seconds=2)


def test_a_check_may_be_created(client: TwilioClient, answers: Answers) -> None:
    """Twilio's specification has two statuses for it."""
    answers.say(CHECKED, 201)
    assert client.verify(SMS, CODE) is Decision.ALLOW


@pytest.mark.parametrize(
    ("challenge", "good", "status", "changed"),
    [
        (SMS, CHECKED, 200, {"to": "+12015550101"}),
        (SMS, CHECKED, 200, {"sid": "VE" + "0" * 32}),
        (TOTP, ANSWERED, 201, {"identity": "somebody-else"}),
        (TOTP, ANSWERED, 201, {"factor_sid": "YF" + "0" * 32}),
        (PUSH, ANSWERED, 200, {"identity": "somebody-else"}),
        (PUSH, ANSWERED, 200, {"sid": "YC" + "0" * 32}),
    ],
)
def test_an_answer_about_somebody_else_is_a_violation(
    client: TwilioClient, answers: Answers, challenge: Challenge, good: Any, status: int, changed: dict[str, str]
) -> None:
    answers.say({**good, **changed}, status)
    with pytest.raises(ContractViolation, match="another"):
        client.verify(challenge, CODE)


def test_an_identity_is_the_same_in_capitals(client: TwilioClient, answers: Answers) -> None:
    answers.say({**ANSWERED, "identity": USER.upper()}, 201)
    assert client.verify(TOTP, CODE) is Decision.ALLOW


@pytest.mark.parametrize(
    ("status", "valid"),
    [("approved", False), ("pending", True), ("expired", True), ("approved", "true"), ("unheard of", False)],
)
def test_a_check_that_contradicts_itself_is_a_violation(
    client: TwilioClient, answers: Answers, status: str, valid: Any
) -> None:
    answers.say({**CHECKED, "status": status, "valid": valid}, 200)
    with pytest.raises(ContractViolation):
        client.verify(SMS, CODE)


@pytest.mark.parametrize("status", ["pending", "canceled", "expired", "max_attempts_reached", "deleted", "failed"])
def test_every_other_status_of_a_verification_denies(client: TwilioClient, answers: Answers, status: str) -> None:
    answers.say({**CHECKED, "status": status, "valid": False}, 200)
    assert client.verify(SMS, CODE) is Decision.DENY


@pytest.mark.parametrize("code", ["", "123", "12345678901", "12345６", "abcdef", "123456\n", "1234 5"])
def test_what_is_no_code_is_not_sent(twilio: FaultyProxy, client: TwilioClient, code: str) -> None:
    before = len(twilio.requests)
    assert client.verify(SMS, code) is Decision.DENY
    assert client.verify(TOTP, "12" if code == "123" else code) is Decision.DENY
    assert len(twilio.requests) == before


@pytest.mark.parametrize("transaction", [None, "", "VE", f"{VERIFICATION}/../x", f"{VERIFICATION}\n"])
@pytest.mark.parametrize("factor", Factor)
def test_a_transaction_that_is_none_is_a_mistake_of_the_caller(
    client: TwilioClient, factor: Factor, transaction: str | None
) -> None:
    with pytest.raises(ValueError, match="SID"):
        client.verify(Challenge(USER, factor, transaction), CODE)


def test_a_code_is_needed(client: TwilioClient) -> None:
    for challenge in (SMS, TOTP):
        with pytest.raises(ValueError, match="code"):
            client.verify(challenge)


@pytest.mark.parametrize("identity", ["", "short", "a/../../x", "somebody?", "somebody#", "some body", "x" * 65])
def test_a_name_that_is_no_identity_is_not_asked_about(
    twilio: FaultyProxy, client: TwilioClient, identity: str
) -> None:
    before = len(twilio.requests)
    for factor in (Factor.OTP, Factor.PUSH):
        with pytest.raises(NotEnrolled):
            client.start(identity, factor)
    assert len(twilio.requests) == before


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, 60200, NotEnrolled),
        (403, 60205, NotEnrolled),
        (400, 21211, NotEnrolled),
        (400, 21614, NotEnrolled),
        (401, 20003, CredentialRejected),
        (401, 70051, CredentialRejected),
        (403, 20008, CredentialRejected),
        (403, 20403, CredentialRejected),
        (403, 21608, CredentialRejected),
        (404, 20404, CredentialRejected),
        (429, 20429, RateLimited),
        (429, 60203, RateLimited),
        (429, 60212, RateLimited),
        (400, 20001, ContractViolation),
        (503, 20503, ProviderUnavailable),
        (500, 1, ProviderUnavailable),
    ],
)
def test_why_no_code_was_sent(
    client: TwilioClient, answers: Answers, status: int, code: int, error: type[Exception]
) -> None:
    refuse(answers, status, code)
    with pytest.raises(error) as raised:
        client.start(PHONE, Factor.SMS)
    assert type(raised.value) is error
    assert "canary" not in repr(raised.value)


@pytest.mark.parametrize(
    "started",
    [{}, {"sid": VERIFICATION}, {"sid": "x", "status": "pending"}, {"sid": VERIFICATION, "status": "approved"}],
)
def test_a_verification_that_did_not_start(client: TwilioClient, answers: Answers, started: dict[str, str]) -> None:
    answers.say(started, 201)
    with pytest.raises(ContractViolation):
        client.start(PHONE, Factor.SMS)


@pytest.mark.parametrize(
    ("factors", "error"),
    [
        ([], NotEnrolled),
        ([{"sid": FACTOR, "factor_type": "push", "status": "verified"}], NotEnrolled),
        ([{"sid": FACTOR, "factor_type": "totp", "status": "unverified"}], NotEnrolled),
        ([{"sid": "x", "factor_type": "totp", "status": "verified"}], ContractViolation),
        ([{"factor_type": "totp", "status": "verified"}], ContractViolation),
        (["totp"], ContractViolation),
        ({}, ContractViolation),
        (None, ContractViolation),
    ],
)
def test_factors_that_are_of_no_use(
    client: TwilioClient, answers: Answers, factors: Any, error: type[Exception]
) -> None:
    answers.say({"factors": factors}, 200)
    with pytest.raises(error):
        client.start(USER, Factor.OTP)


@pytest.mark.parametrize("sid", [None, [], "x"])
def test_the_factor_that_can_be_used_is_taken(client: TwilioClient, answers: Answers, sid: Any) -> None:
    verified = {"factor_type": "totp", "status": "verified"}
    answers.say({"factors": [verified | {"sid": sid}, verified | {"sid": FACTOR}]}, 200)
    assert client.start(USER, Factor.OTP) == TOTP


@pytest.mark.parametrize("status", ["lost", None, 1])
def test_a_challenge_of_no_known_status(client: TwilioClient, answers: Answers, status: Any) -> None:
    answers.say({**ANSWERED, "status": status}, 201)
    with pytest.raises(ContractViolation):
        client.verify(TOTP, CODE)
    answers.say({**ANSWERED, "status": status}, 200)
    with pytest.raises(ContractViolation):
        client.verify(PUSH)


@pytest.mark.parametrize("code", [20404, 60390, 60391, 60392])
def test_what_is_gone_lets_nobody_in(client: TwilioClient, answers: Answers, code: int) -> None:
    refuse(answers, 404, code)
    assert client.verify(PUSH) is Decision.DENY
    with pytest.raises(NotEnrolled):
        client.verify(TOTP, CODE)
    with pytest.raises(NotEnrolled):
        client.start(USER, Factor.OTP)


def test_a_404_that_is_not_twilios_is_no_decision(client: TwilioClient, answers: Answers) -> None:
    answers.say(b"<html>", 404, "text/html")
    verify: list[Callable[[], Any]] = [
        lambda: client.verify(SMS, CODE),
        lambda: client.verify(PUSH),
        lambda: client.start(USER, Factor.OTP),
    ]
    for call in verify:
        with pytest.raises(ContractViolation):
            call()


def test_rate_limit_tells_how_long(client: TwilioClient, answers: Answers) -> None:
    refuse(answers, 429, 20429, Retry_After="17")
    with pytest.raises(RateLimited) as raised:
        client.verify(SMS, CODE)
    assert raised.value.retry_after == 17


def test_no_answer_is_unavailable_and_shows_nothing() -> None:
    gone = TwilioClient(SETTINGS, endpoint="http://127.0.0.1:9", timeout_seconds=1)
    with pytest.raises(ProviderUnavailable) as raised:
        gone.verify(SMS, CODE)
    assert "canary" not in repr(raised.value)
    assert CODE not in repr(raised.value)
    assert raised.value.__cause__ is None


def test_logins_with_the_emulator(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start to end, each factor, over TLS; what the caller trusts comes before what the environment does."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    values = running.values
    settings = TwilioSettings(
        account_sid=values["account_sid"], service_sid=values["service_sid"], auth_token=SecretStr(values["auth_token"])
    )
    client = TwilioClient(settings, endpoint=running.endpoint, ca_bundle=Path(str(running.ca_bundle)))
    sent = client.start("+12015550199", Factor.SMS)
    assert client.verify(sent, "0000000000") is Decision.DENY
    with pytest.raises(NotEnrolled):
        client.start("5550100", Factor.SMS)
    for who, decision in (
        ("push_identity", Decision.PENDING),
        ("accepting_identity", Decision.ALLOW),
        ("declining_identity", Decision.DENY),
    ):
        assert client.verify(client.start(values[who], Factor.PUSH)) is decision
    entity = f"/v2/Services/{values['service_sid']}/Entities/somebody-new/Factors"
    made = client._api.ask("POST", entity, data={"FriendlyName": "token", "FactorType": "totp"}).json()
    with pytest.raises(NotEnrolled):
        client.start("somebody-new", Factor.OTP)
    totp = Totp(made["binding"]["secret"])
    client._api.ask("POST", f"{entity}/{made['sid']}", data={"AuthPayload": totp.code()})
    challenge = client.start("somebody-new", Factor.OTP)
    assert client.verify(challenge, totp.wrong_code()) is Decision.DENY
    assert client.verify(challenge, totp.code()) is Decision.ALLOW
    # Somebody else's factor is none of this user's.
    with pytest.raises(NotEnrolled):
        client.verify(Challenge(values["push_identity"], Factor.OTP, made["sid"]), totp.code())
