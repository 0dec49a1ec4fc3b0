"""What is particular about the reference client; that it fails closed is proved in ../test_fail_closed.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mfagate.providers.privacyidea.client import PrivacyIDEAClient
from mfagate.providers.second_factor import (
    Challenge,
    ContractViolation,
    Decision,
    Factor,
    ProviderUnavailable,
    RateLimited,
    SecondFactorError,
)
from mfagate.sandbox.faulty_proxy import FaultyProxy, faulty_proxy

from ...support.answers import Answers

ACCEPT: dict[str, Any] = {"result": {"status": True, "value": True, "authentication": "ACCEPT"}}
OTP = Challenge("alice", Factor.OTP)
PUSH = Challenge("alice", Factor.PUSH, "1")


@pytest.fixture(scope="module")
def answers() -> Answers:
    return Answers()


@pytest.fixture(scope="module")
def provider(answers: Answers) -> Iterator[FaultyProxy]:
    with faulty_proxy("http://127.0.0.1:9", answers) as server:
        yield server


@pytest.fixture(scope="module")
def client(provider: FaultyProxy) -> PrivacyIDEAClient:
    return PrivacyIDEAClient(provider.url, "key", "admin", timeout_seconds=2)


def allows(client: PrivacyIDEAClient, challenge: Challenge, code: str | None) -> bool:
    try:
        return client.verify(challenge, code) is Decision.ALLOW
    except SecondFactorError:
        return False


@pytest.mark.parametrize(
    ("value", "status"),
    [(True, "pending"), (False, "accept"), (True, "declined"), (1, "accept"), (True, "ACCEPT"), (True, None)],
)
def test_a_poll_that_contradicts_itself_is_a_violation(
    client: PrivacyIDEAClient, answers: Answers, value: Any, status: str | None
) -> None:
    answers.say({"result": {"status": True, "value": value}, "detail": {"challenge_status": status}})
    with pytest.raises(ContractViolation):
        client.verify(PUSH)


def test_a_poll_alone_lets_nobody_in(client: PrivacyIDEAClient, answers: Answers) -> None:
    """The poll says accept to everything, and so does the redeeming check, in the poll's words."""
    answers.say({"result": {"status": True, "value": True}, "detail": {"challenge_status": "accept"}})
    assert not allows(client, PUSH, None)


def test_rate_limit_tells_how_long(client: PrivacyIDEAClient, answers: Answers) -> None:
    answers.say({}, 429, Retry_After="17")
    with pytest.raises(RateLimited) as raised:
        client.verify(OTP, "123456")
    assert raised.value.retry_after == 17


def test_no_answer_is_unavailable_and_shows_nothing(provider: FaultyProxy) -> None:
    gone = PrivacyIDEAClient("http://127.0.0.1:9", "canary-key", timeout_seconds=1)
    with pytest.raises(ProviderUnavailable) as raised:
        gone.verify(OTP, "canary-code")
    assert "canary" not in repr(raised.value)
    assert raised.value.__cause__ is None
