"""What is particular about the reference client; that it fails closed is proved in ../test_fail_closed.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from mfagate.providers.duo.client import DuoClient
from mfagate.providers.duo.settings import DuoSettings
from mfagate.providers.second_factor import (
    Challenge,
    ContractViolation,
    CredentialRejected,
    Decision,
    Factor,
    NotEnrolled,
    ProviderUnavailable,
    RateLimited,
    SecondFactorError,
)
from mfagate.sandbox.faulty_proxy import faulty_proxy

from ...support.answers import Answers

CANARY = "c4n4ry" * 6 + "c4n4"
SETTINGS = DuoSettings(
    host="api-0a1b2c3d.duosecurity.com", integration_key="DIABCDEFGHIJ01234567", secret_key=SecretStr(CANARY)
)
ALLOWED: dict[str, Any] = {"stat": "OK", "response": {"result": "allow", "status": "allow"}}
OTP = Challenge("alice", Factor.OTP)
PUSH = Challenge("alice", Factor.PUSH, "45f7c92b-f45f-4862-8545-e0f58e78075a")


@pytest.fixture(scope="module")
def answers() -> Answers:
    return Answers()


@pytest.fixture(scope="module")
def duo(answers: Answers) -> Iterator[DuoClient]:
    with faulty_proxy("http://127.0.0.1:9", answers) as server:
        yield DuoClient(SETTINGS, endpoint=server.url, timeout_seconds=2)


def allows(duo: DuoClient, challenge: Challenge, code: str | None) -> bool:
    try:
        return duo.verify(challenge, code) is Decision.ALLOW
    except SecondFactorError as error:
        assert CANARY not in repr(error)
        return False


def test_the_message_is_for_people(duo: DuoClient, answers: Answers) -> None:
    for message in ("", None, 1, ["x"]):
        answers.say({"stat": "OK", "response": {**ALLOWED["response"], "status_msg": message}})
        assert allows(duo, PUSH, None)


@pytest.mark.parametrize(
    ("result", "status", "decision"),
    [
        ("allow", "bypass", Decision.ALLOW),
        ("deny", "deny", Decision.DENY),
        ("deny", "timeout", Decision.DENY),
        ("deny", "fraud", Decision.DENY),
        ("deny", "locked_out", Decision.DENY),
        ("waiting", "pushed", Decision.PENDING),
        ("waiting", "calling", Decision.PENDING),
    ],
)
def test_decisions(duo: DuoClient, answers: Answers, result: str, status: str, decision: Decision) -> None:
    answers.say({"stat": "OK", "response": {"result": result, "status": status}})
    assert duo.verify(PUSH) is decision


@pytest.mark.parametrize(
    ("result", "status"), [("allow", "deny"), ("deny", "allow"), ("allow", "pushed"), ("allow", 1)]
)
def test_an_answer_that_contradicts_itself_is_a_violation(
    duo: DuoClient, answers: Answers, result: str, status: Any
) -> None:
    answers.say({"stat": "OK", "response": {"result": result, "status": status}})
    with pytest.raises(ContractViolation):
        duo.verify(PUSH)


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        ({"result": "auth"}, ContractViolation),
        ({"result": "auth", "devices": []}, NotEnrolled),
        ({"result": "auth", "devices": [{"capabilities": ["sms"]}]}, NotEnrolled),
        ({"result": "auth", "devices": "push"}, ContractViolation),
        ({"result": "auth", "devices": 5}, ContractViolation),
        ({"result": "auth", "devices": [{"type": "token"}, "phone"]}, NotEnrolled),
        ({"result": "enroll"}, NotEnrolled),
        ({"result": "ALLOW"}, ContractViolation),
        ({"result": ["allow"]}, ContractViolation),
        ({"result": None}, ContractViolation),
        ({}, ContractViolation),
    ],
)
def test_what_duo_says_of_a_user(
    duo: DuoClient, answers: Answers, response: Any, outcome: type[SecondFactorError]
) -> None:
    answers.say({"stat": "OK", "response": response})
    with pytest.raises(outcome):
        duo.start("alice", Factor.PUSH)


@pytest.mark.parametrize("response", [{}, {"txid": ""}, {"txid": 5}, [], "x"])
def test_a_push_without_a_transaction_is_a_violation(duo: DuoClient, answers: Answers, response: Any) -> None:
    answers.say({"stat": "OK", "response": response})
    with pytest.raises(ContractViolation):
        duo._push("alice")


@pytest.mark.parametrize(
    ("code", "status", "raised"),
    [(40103, 401, CredentialRejected), (40301, 403, CredentialRejected), (50001, 500, ProviderUnavailable)],
)
def test_errors_are_typed(
    duo: DuoClient, answers: Answers, code: int, status: int, raised: type[SecondFactorError]
) -> None:
    answers.say({"stat": "FAIL", "code": code, "message": "a sentence"}, status)
    with pytest.raises(raised):
        duo.verify(OTP, "123456")


def test_a_rate_limit_tells_how_long(duo: DuoClient, answers: Answers) -> None:
    answers.say({"stat": "FAIL", "code": 42901, "message": "Too many requests"}, 429, Retry_After="17")
    with pytest.raises(RateLimited) as raised:
        duo.verify(OTP, "123456")
    assert raised.value.retry_after == 17


def test_no_answer_is_unavailable_and_shows_nothing() -> None:
    gone = DuoClient(SETTINGS, endpoint="http://127.0.0.1:9", timeout_seconds=1)
    with pytest.raises(ProviderUnavailable) as raised:
        gone.verify(OTP, "canary-code")
    assert CANARY not in repr(raised.value)
    assert "canary" not in repr(raised.value)
    assert raised.value.__cause__ is None


def test_what_cannot_be_asked_is_a_value_error(duo: DuoClient) -> None:
    with pytest.raises(NotEnrolled):
        duo.start("alice", Factor.SMS)
    with pytest.raises(ValueError, match="a passcode is required"):
        duo.verify(OTP)
    with pytest.raises(ValueError, match="a transaction"):
        duo.verify(Challenge("alice", Factor.PUSH))
