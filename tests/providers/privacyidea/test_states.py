"""Every state, arranged on a real server and shown by the answer that it leads to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from mfagate.contract import ProviderState
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Failure, Headers, Phase, Request, Response
from mfagate.leftovers.marks import Mark
from mfagate.providers.privacyidea.provider import PROVIDER
from mfagate.providers.privacyidea.settings import PrivacyIDEASettings
from mfagate.providers.privacyidea.states import PrivacyIDEAStates
from mfagate.providers.probes import Send
from mfagate.providers.states import AskedTooSoon, StateName, StateNotConfigured, StateUnavailable, StateValues
from mfagate.sandbox import Running

Answer = tuple[int, Any, Any]
Check = Callable[..., Answer]


@pytest.fixture
def send(server: Running) -> Send[Any]:
    """What the engine hands to the states: sends, and signs with the admin key."""

    def send(request: requests.Request, settings: Any = None) -> Exchange:
        signed = {"Authorization": server.values["admin_key"], **request.headers}
        answer = requests.request(
            request.method,
            server.endpoint + request.url,
            headers=signed,
            params=request.params,
            data=request.data,
            json=request.json,
            timeout=30,
        )
        return exchange(answer.status_code, answer.content)

    return send


def exchange(status: int, body: bytes) -> Exchange:
    response = Response(status, headers=Headers((("Content-Type", "application/json"),)), body=body)
    return Exchange(Request("GET", "http://127.0.0.1"), datetime.now(UTC), response)


@pytest.fixture
def settings(server: Running) -> PrivacyIDEASettings:
    names = ("url", "realm", "validate_key", "admin_key")
    return PrivacyIDEASettings.model_validate({name: server.values[name] for name in names})


@pytest.fixture
def data(server: Running) -> dict[str, str]:
    return {name: server.values[name] for name in ("user", "expired_validate_key")}


@pytest.fixture
def states(
    send: Send[Any],
    settings: PrivacyIDEASettings,
    data: dict[str, str],
    tokens: Callable[[], list[str]],
) -> Iterator[PrivacyIDEAStates]:
    before = tokens()
    states = PrivacyIDEAStates(PROVIDER, send, settings, data)
    yield states
    states.close()
    assert set(tokens()) <= set(before)


@pytest.fixture
def admin(server: Running) -> Callable[..., Any]:
    """An administrator's request; the ``result.value`` answered."""

    def admin(method: str, path: str, **parameters: Any) -> Any:
        headers = {"Authorization": server.values["admin_key"], "Accept": "application/json"}
        url = server.endpoint + path
        answer = requests.request(method, url, headers=headers, json=parameters or None, timeout=30)
        return answer.json()["result"]["value"]

    return admin


@pytest.fixture
def tokens(admin: Callable[..., Any]) -> Callable[[], list[str]]:
    """The serials of all tokens on the server."""
    return lambda: [token["serial"] for token in admin("GET", "/token/")["tokens"]]


@pytest.fixture(autouse=True)
def nobody_else(admin: Callable[..., Any], tokens: Callable[[], list[str]]) -> None:
    """Remove what a gate that another test cut off has left: it looks like another run that is under way."""
    for serial in tokens():
        if serial.startswith("MFAGATE-"):
            admin("DELETE", f"/token/{serial}")


@pytest.fixture
def check(server: Running) -> Check:
    """``/validate/check`` as a consumer: status, decision or error code, message."""

    def check(arranged: StateValues, password: str = "pass") -> Answer:
        taken = ("user", "realm", "transaction_id")
        body = {name: arranged.values[name] for name in taken if name in arranged.values}
        body["pass"] = arranged.values[password]
        key = arranged.credential.get("validate_key", server.values["validate_key"])
        headers = {"Accept": "application/json"} | ({"Authorization": key} if key else {})
        url = f"{server.endpoint}/validate/check"
        answer = requests.post(url, headers=headers, json=body, timeout=30)
        result, detail = answer.json()["result"], answer.json()["detail"]
        if error := result.get("error"):
            return answer.status_code, error["code"], error["message"]
        assert result["value"] is (result["authentication"] == "ACCEPT")
        return answer.status_code, result["authentication"], detail["message"]

    return check


def arrange(states: PrivacyIDEAStates, state: StateName) -> StateValues:
    return states.arrange(ProviderState(state.value, {}))


ACCEPTED = (200, "ACCEPT", "matching 1 tokens")
WRONG_OTP = (200, "REJECT", "wrong otp value")
WRONG_PIN = (200, "REJECT", "wrong otp pin")
USED = (200, "REJECT", "wrong otp value. previous otp used again")
NO_KEY = (403, 303, "No valid API key was passed.")


@pytest.mark.parametrize(
    ("state", "answers"),
    [
        (StateName.WORKING_OTP, {"wrong_pass": WRONG_OTP, "pass": ACCEPTED}),
        (StateName.USED_OTP, {"pass": USED}),
        (
            StateName.PIN_AND_OTP,
            {"wrong_pin_pass": WRONG_PIN, "wrong_pass": WRONG_OTP, "pass": ACCEPTED},
        ),
        (StateName.NO_FACTOR, {"pass": (200, "REJECT", "The user has no tokens assigned")}),
        (StateName.DISABLED_FACTOR, {"pass": (200, "REJECT", "Token is disabled")}),
        (StateName.LOCKED_FACTOR, {"pass": (200, "REJECT", "Failcounter exceeded")}),
        (
            StateName.UNKNOWN_USER,
            {"pass": (400, 904, "ERR904: User <mfagate-no-such-user@lab> does not exist.")},
        ),
        (StateName.CHALLENGE_FACTOR, {"pass": (200, "CHALLENGE", "please enter otp: ")}),
        (
            StateName.CHALLENGE_STARTED,
            {
                "wrong_pass": (200, "REJECT", "Response did not match the challenge."),
                "pass": (200, "ACCEPT", "Found matching challenge"),
            },
        ),
        (StateName.CREDENTIAL_MISSING, {"pass": NO_KEY}),
        (StateName.CREDENTIAL_MALFORMED, {"pass": NO_KEY}),
        (
            StateName.CREDENTIAL_WRONG_KIND,
            {"pass": (403, 303, "A correct JWT was passed, but it was no API key.")},
        ),
    ],
)
def test_state(states: PrivacyIDEAStates, check: Check, state: StateName, answers: dict[str, Answer]) -> None:
    arranged = arrange(states, state)
    assert {password: check(arranged, password) for password in answers} == answers


def test_expired_credential(states: PrivacyIDEAStates, check: Check) -> None:
    status, code, _ = check(arrange(states, StateName.CREDENTIAL_EXPIRED))
    assert (status, code) == (500, -500)


@pytest.fixture
def poll(server: Running) -> Callable[[StateValues], tuple[str, str]]:
    """``/validate/polltransaction``: challenge status and decision."""

    def poll(arranged: StateValues) -> tuple[str, str]:
        url = f"{server.endpoint}/validate/polltransaction/{arranged.values['transaction_id']}"
        headers = {"Authorization": server.values["validate_key"]}
        answer = requests.get(url, headers=headers, timeout=30).json()
        return answer["detail"]["challenge_status"], answer["result"]["authentication"]

    return poll


def test_push_states(states: PrivacyIDEAStates, check: Check, poll: Callable[[StateValues], tuple[str, str]]) -> None:
    pending = arrange(states, StateName.PUSH_PENDING)
    assert poll(pending) == ("pending", "REJECT")
    assert check(pending) == (200, "REJECT", "Response did not match the challenge.")

    declined = arrange(states, StateName.PUSH_DECLINED)
    assert poll(declined) == ("declined", "DECLINED")
    assert check(declined) == (200, "REJECT", "Response did not match the challenge.")
    assert declined.values["serial"] == pending.values["serial"]

    # The push token goes, and the next push state gets another.
    assert check(arrange(states, StateName.WORKING_OTP)) == ACCEPTED
    accepted = arrange(states, StateName.PUSH_ACCEPTED)
    assert poll(accepted) == ("accept", "ACCEPT")
    assert check(accepted) == (200, "ACCEPT", "Found matching challenge")


def test_state_does_not_outlive_the_next_one(states: PrivacyIDEAStates, check: Check) -> None:
    arrange(states, StateName.LOCKED_FACTOR)
    assert check(arrange(states, StateName.WORKING_OTP)) == ACCEPTED
    assert check(arrange(states, StateName.NO_FACTOR))[2] == "The user has no tokens assigned"


def test_passwords_are_secret(states: PrivacyIDEAStates) -> None:
    assert arrange(states, StateName.PIN_AND_OTP).secrets == {"pass", "wrong_pass", "wrong_pin_pass"}
    assert arrange(states, StateName.CHALLENGE_FACTOR).secrets == {"pass"}


def test_default_realm(states: PrivacyIDEAStates, send: Any, settings: Any, data: Any, check: Check) -> None:
    default = PrivacyIDEAStates(PROVIDER, send, settings.model_copy(update={"realm": None}), data)
    arranged = arrange(default, StateName.WORKING_OTP)
    assert "realm" not in arranged.values
    assert check(arranged) == ACCEPTED
    default.close()


def test_the_token_of_another_run_is_not_touched(
    states: PrivacyIDEAStates, send: Any, settings: Any, data: Any, tokens: Callable[[], list[str]]
) -> None:
    other = PrivacyIDEAStates(PROVIDER, send, settings, data)
    theirs = arrange(other, StateName.WORKING_OTP).values["serial"]
    with pytest.raises(AskedTooSoon, match="another run of mfagate uses the test user"):
        arrange(states, StateName.WORKING_OTP)
    assert tokens() == [theirs]
    other.close()
    assert tokens() == []
    arranged = arrange(states, StateName.WORKING_OTP)
    assert tokens() == [arranged.values["serial"]]


def test_tokens_of_a_run_that_was_killed_are_found_and_removed(
    states: PrivacyIDEAStates, send: Any, settings: Any, data: Any, admin: Callable[..., Any]
) -> None:
    killed = PrivacyIDEAStates(PROVIDER, send, settings, data)
    arrange(killed, StateName.WORKING_OTP)
    ((thing, mark),) = states.marked()
    assert [thing] == killed.ledger.things
    assert mark.name == thing.name
    # One that only looks like it: the serial is right, and the description is somebody's own.
    similar = Mark("0badc0de", 1_700_000_000).name.upper()
    admin("POST", "/token/init", type="hotp", genkey=1, serial=similar, description="of the helpdesk")
    try:
        assert [thing for thing, _ in states.marked()] == [thing]
    finally:
        admin("DELETE", f"/token/{similar}")
    states.remove(thing)
    states.remove(thing)  # What is not there is removed already.
    assert not list(states.marked())


def test_token_of_somebody_else_is_not_touched(
    states: PrivacyIDEAStates, data: Any, admin: Callable[..., Any], tokens: Callable[[], list[str]]
) -> None:
    admin("POST", "/token/init", type="hotp", genkey=1, serial="ALICE1", user=data["user"])
    try:
        with pytest.raises(StateUnavailable, match=r"tokens that mfagate did not enrol \(ALICE1\)"):
            arrange(states, StateName.NO_FACTOR)
        states.close()
        assert tokens() == ["ALICE1"]
    finally:
        admin("DELETE", "/token/ALICE1")


@pytest.mark.parametrize(
    ("state", "left_out", "setting"),
    [
        (StateName.WORKING_OTP, "user", "test_data.user"),
        (StateName.NO_FACTOR, "user", "test_data.user"),
        (StateName.CREDENTIAL_EXPIRED, "expired_validate_key", "test_data.expired_validate_key"),
        (StateName.WORKING_OTP, "admin_key", "settings.admin_key"),
        (StateName.PUSH_PENDING, "admin_key", "settings.admin_key"),
        (StateName.CREDENTIAL_WRONG_KIND, "admin_key", "settings.admin_key"),
        (StateName.CREDENTIAL_MALFORMED, "validate_key", "settings.validate_key"),
    ],
)
def test_not_configured(settings: Any, data: dict[str, str], state: StateName, left_out: str, setting: str) -> None:
    data.pop(left_out, None)
    if left_out in type(settings).model_fields:
        settings = settings.model_copy(update={left_out: None})
    states = PrivacyIDEAStates(PROVIDER, unreachable, settings, data)
    with pytest.raises(StateNotConfigured) as caught:
        arrange(states, state)
    assert caught.value.setting == setting


def unreachable(request: requests.Request, settings: Any = None) -> Exchange:
    failure = Failure(CauseId.NETWORK_CONNECTION_REFUSED, Phase.CONNECT, "connection refused")
    return replace(exchange(200, b""), response=None, failure=failure)


@pytest.mark.parametrize(
    "state", [StateName.UNKNOWN_USER, StateName.CREDENTIAL_MISSING, StateName.CREDENTIAL_MALFORMED]
)
def test_takes_no_test_data_and_no_request(settings: Any, state: StateName) -> None:
    states = PrivacyIDEAStates(PROVIDER, unreachable, settings.model_copy(update={"admin_key": None}), {})
    assert arrange(states, state).values["user"] == "mfagate-no-such-user"


def test_refusal_of_the_server(send: Any, settings: Any) -> None:
    states = PrivacyIDEAStates(PROVIDER, send, settings, {"user": "mallory"})
    with pytest.raises(StateUnavailable, match="GET /token/: error 904, "):
        arrange(states, StateName.WORKING_OTP)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (unreachable, "GET /token/: connection refused"),
        (lambda *_: exchange(502, b"<html>"), "GET /token/: status 502 without privacyIDEA's JSON."),
        (lambda *_: exchange(200, b"{}"), "GET /token/: status 200 without privacyIDEA's JSON."),
        (
            lambda *_: exchange(200, b'{"result": {"status": true, "value": null}}'),
            "privacyIDEA's answer lacks a documented field (TypeError: 'NoneType' object is not subscriptable).",
        ),
    ],
)
def test_unusable_answer(settings: Any, data: Any, answer: Any, message: str) -> None:
    with pytest.raises(StateUnavailable) as caught:
        arrange(PrivacyIDEAStates(PROVIDER, answer, settings, data), StateName.WORKING_OTP)
    assert str(caught.value) == message


def test_a_defect_in_closing_is_not_hidden(states: PrivacyIDEAStates, send: Any, settings: Any, data: Any) -> None:
    def fails_later(request: requests.Request, settings: Any = None) -> Exchange:
        if closing:
            raise OSError("gone")
        return send(request)  # type: ignore[no-any-return]

    closing = False
    failing = PrivacyIDEAStates(PROVIDER, fails_later, settings, data)
    arrange(failing, StateName.WORKING_OTP)
    closing = True
    with pytest.raises(ExceptionGroup) as raised:
        failing.close()
    assert [str(error) for error in raised.value.exceptions] == ["gone"]
    (left,) = failing.ledger.things
    states.remove(left)


def test_unknown_state(states: PrivacyIDEAStates) -> None:
    with pytest.raises(StateUnavailable, match="'a user with a passkey'"):
        states.arrange(ProviderState("a user with a passkey", {}))
