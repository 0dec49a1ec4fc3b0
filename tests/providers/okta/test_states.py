"""What is said where a state cannot be arranged, and what is cleaned up."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from mfagate.contract import ProviderState
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Failure, Headers, Phase, Request, Response
from mfagate.providers.okta import states
from mfagate.providers.okta.provider import PROVIDER
from mfagate.providers.okta.settings import OktaSettings
from mfagate.providers.okta.states import OktaStates
from mfagate.providers.states import StateName, StateNotConfigured, StateUnavailable
from mfagate.providers.totp import Totp

TOKEN = "00" + "Own" * 13 + "x"
ADMIN = "00" + "Admin" * 8
SETTINGS = OktaSettings(org_url="https://acme.okta.com", api_token=SecretStr(TOKEN))

USER = {"id": "00uabcdefg1234567890"}
FACTOR = {
    "id": "ostabcdefg1234567890",
    "_embedded": {"activation": {"sharedSecret": Totp.generate().secret}},
}
PUSHED = [{"id": "opfabcdefg1234567890", "factorType": "push", "status": "ACTIVE"}]
POLL = "/api/v1/users/00u/factors/opf/transactions/v2mst"
SENT = {"factorResult": "WAITING", "_links": {"poll": {"href": f"https://acme.okta.com{POLL}"}}}


class Okta:
    """Answers one request after another."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, str | None]] = []

    def __call__(self, request: requests.Request, settings: OktaSettings | None = None) -> Exchange:
        self.asked.append((request.method, request.url, (settings or SETTINGS).secret("api_token")))
        about = Request(request.method, request.url), datetime.now(UTC)
        answer = self.answers.pop(0)
        if isinstance(answer, Failure):
            return Exchange(*about, failure=answer)
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Exchange(
            *about, Response(status, headers=Headers((("Content-Type", "application/json"),)), body=content)
        )


def arranged(okta: Okta, name: StateName, kind: str = "", **test_data: str) -> Any:
    own = OktaStates(PROVIDER, okta, SETTINGS, test_data)
    return own.arrange(ProviderState(name, {"kind": kind} if kind else {}))


@pytest.mark.parametrize(
    ("state", "kind", "missing"),
    [
        (StateName.WORKING_OTP, "", "admin_api_token"),
        (StateName.NO_FACTOR, "", "admin_api_token"),
        (StateName.PUSH_PENDING, "", "user"),
        (StateName.PUSH_ACCEPTED, "", "accepting_user"),
        (StateName.PUSH_DECLINED, "", "declining_user"),
        (StateName.PUSH_TIMED_OUT, "", "ignoring_user"),
        (StateName.CHALLENGE_FACTOR, "push", "user"),
        (StateName.CHALLENGE_FACTOR, "sms", "sms_user"),
        (StateName.LOCKED_FACTOR, "", "locked_user"),
        (StateName.CREDENTIAL_REVOKED, "", "revoked_api_token"),
        (StateName.PERMISSION_MISSING, "", "unprivileged_api_token"),
        (StateName.CREDENTIAL_ACCEPTED, "app", "app_client_id"),
    ],
)
def test_what_is_missing_is_named(state: StateName, kind: str, missing: str) -> None:
    okta = Okta()
    with pytest.raises(StateNotConfigured) as raised:
        arranged(okta, state, kind)
    assert raised.value.setting == f"test_data.{missing}"
    assert not okta.asked


@pytest.mark.parametrize(("state", "kind"), [(StateName.BYPASSED_USER, ""), (StateName.WORKING_OTP, "carrier pigeon")])
def test_states_that_okta_does_not_have(state: StateName, kind: str) -> None:
    with pytest.raises(StateUnavailable):
        arranged(Okta(), state, kind)


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([(403, {"errorCode": "E0000006", "errorSummary": "You do not have permission"})], "error E0000006"),
        ([(200, b"<html>")], "without Okta's JSON"),
        ([(204, b"")], "lacks a documented field"),
        ([{}], "lacks a documented field"),
        ([[]], "lacks a documented field"),
        ([USER, {"id": "ost"}], "lacks a documented field"),
        ([Failure(CauseId.NETWORK_CONNECTION_RESET, Phase.TRANSFER, "the connection was reset")], "was reset"),
    ],
)
def test_answers_that_are_no_help(answers: list[Any], words: str) -> None:
    with pytest.raises(StateUnavailable, match=words) as raised:
        arranged(Okta(*answers), StateName.WORKING_OTP, admin_api_token=ADMIN)
    assert ADMIN not in str(raised.value)


def test_a_code_that_was_not_taken() -> None:
    okta = Okta(USER, FACTOR, {"status": "ACTIVE"}, {"factorResult": "FAILED"})
    with pytest.raises(StateUnavailable, match="enrolled a moment ago"):
        arranged(okta, StateName.USED_OTP, admin_api_token=ADMIN)


def test_a_user_without_the_factor() -> None:
    listed = [{"id": "ost", "factorType": "token:software:totp", "status": "ACTIVE"}]
    with pytest.raises(StateUnavailable, match=r"test_data\.user has no active factor of the type push"):
        arranged(Okta(listed), StateName.CHALLENGE_FACTOR, "push", user="alice@example.com")


def test_a_push_that_had_another_answer() -> None:
    okta = Okta(PUSHED, (201, SENT), {"factorResult": "REJECTED"})
    with pytest.raises(StateUnavailable, match="REJECTED"):
        arranged(okta, StateName.PUSH_ACCEPTED, accepting_user="alice@example.com")


def test_a_person_has_some_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "_BETWEEN_POLLS", 0)
    waiting = {"factorResult": "WAITING"}
    okta = Okta(PUSHED, (201, SENT), waiting, waiting, {"factorResult": "SUCCESS"})
    arranged_push = arranged(okta, StateName.PUSH_ACCEPTED, accepting_user="alice@example.com")
    assert arranged_push.values["poll_path"] == POLL
    assert okta.asked[0][1] == "/api/v1/users/alice%40example.com/factors"
    with pytest.raises(StateUnavailable, match="WAITING"):
        OktaStates(PROVIDER, Okta(waiting, waiting), SETTINGS, {})._wait_for(POLL, "SUCCESS", -1)


def test_one_user_serves_all_states_and_is_deleted() -> None:
    okta = Okta(USER, FACTOR, {"status": "ACTIVE"}, (204, b""), FACTOR, (204, b""), (204, b""), (204, b""))
    own = OktaStates(PROVIDER, okta, SETTINGS, {"admin_api_token": ADMIN})
    own.arrange(ProviderState(StateName.WORKING_OTP, {}))
    own.arrange(ProviderState(StateName.DISABLED_FACTOR, {}))
    without = own.arrange(ProviderState(StateName.NO_FACTOR, {}))
    assert without.values == {"user_id": USER["id"]}
    own.close()
    assert not okta.answers
    assert [(method, url) for method, url, _ in okta.asked][-2:] == [
        ("DELETE", f"/api/v1/users/{USER['id']}"),
        ("DELETE", f"/api/v1/users/{USER['id']}"),
    ]
    assert {token for _, _, token in okta.asked} == {ADMIN}


def test_an_org_that_fails_is_no_defect_of_ours() -> None:
    okta = Okta(USER, (500, b"oops"))
    own = OktaStates(PROVIDER, okta, SETTINGS, {"admin_api_token": ADMIN})
    own.arrange(ProviderState(StateName.NO_FACTOR, {}))
    own.close()
    assert [method for method, *_ in okta.asked] == ["POST", "DELETE"]
    assert len(own.ledger.things) == 1


def test_codes_are_secret() -> None:
    okta = Okta(USER, FACTOR, {"status": "ACTIVE"})
    made = arranged(okta, StateName.WORKING_OTP, admin_api_token=ADMIN)
    assert made.secrets == {"passcode"}
    assert made.values["passcode"] != made.values["wrong_passcode"]
