"""Provider states: what they leave behind, and what they say where one cannot be arranged."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from pydantic import SecretStr
from werkzeug.test import Client

from mfagate.contract import ProviderState
from mfagate.core.diagnosis import diagnose
from mfagate.core.exchange import Exchange, Headers, Request, Response
from mfagate.providers.errors import ProviderDialect
from mfagate.providers.states import AskedTooSoon, StateName, StateNotConfigured, StateUnavailable, StateValues
from mfagate.providers.twilio.auth import TwilioAuth
from mfagate.providers.twilio.provider import PROVIDER
from mfagate.providers.twilio.settings import TwilioSettings
from mfagate.providers.twilio.states import TwilioStates
from mfagate_sandbox.twilio.emulator import TwilioEmulator

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Bench:
    """The states of one service, and the emulator behind them."""

    def __init__(self, *, with_token: bool = False) -> None:
        self.emulator = TwilioEmulator()
        values = self.values = self.emulator.values
        key = {"api_key_sid": values["api_key_sid"], "api_key_secret": SecretStr(values["api_key_secret"])}
        token = {"auth_token": SecretStr(values["auth_token"])}
        self.settings = TwilioSettings.model_validate(
            {name: values[name] for name in ("account_sid", "service_sid")} | (token if with_token else key)
        )
        account = self.emulator.accounts[values["account_sid"]]
        self.service = account.services[values["service_sid"]]
        self.test_data = {name: values[name] for name in PROVIDER.test_data}
        self.requests: list[str] = []
        self.states = TwilioStates(PROVIDER, self.send, self.settings, self.test_data)
        self._client = Client(self.emulator)

    def send(self, request: requests.Request, settings: Any = None) -> Exchange:
        """Sign and send, without a network."""
        request.url = f"https://verify.twilio.com{request.url}"
        request.auth = TwilioAuth(settings or self.settings)
        prepared = request.prepare()
        self.requests.append(f"{prepared.method} {prepared.path_url}")
        answer = self._client.open(
            prepared.path_url, method=prepared.method, data=prepared.body, headers=dict(prepared.headers)
        )
        response = Response(answer.status_code, headers=Headers(tuple(answer.headers)), body=answer.data)
        return Exchange(Request(str(prepared.method), str(prepared.url)), _NOW, response)

    def arrange(self, state: StateName) -> StateValues:
        return self.states.arrange(ProviderState(state.value))

    def without(self, *names: str) -> TwilioStates:
        """States without some of the test data."""
        data = {name: value for name, value in self.test_data.items() if name not in names}
        return TwilioStates(PROVIDER, self.send, self.settings, data)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_nothing_is_left_behind(bench: Bench) -> None:
    before = set(bench.service.entities)
    for state in (
        StateName.WORKING_OTP,
        StateName.NO_FACTOR,
        StateName.DISABLED_FACTOR,
        StateName.CHALLENGE_STARTED,
        StateName.CODE_KNOWN,
        StateName.CHALLENGE_EXHAUSTED,
        StateName.CHALLENGE_FACTOR,
    ):
        bench.arrange(state)
    # What the interaction of the last state would start.
    start = {"To": bench.test_data["phone"], "Channel": "sms"}
    bench.send(requests.Request("POST", f"/v2/Services/{bench.settings.service_sid}/Verifications", data=start))
    assert len(bench.service.entities) > len(before)
    bench.states.close()
    assert set(bench.service.entities) == before
    assert {one.status for one in bench.service.verifications.values()} == {"canceled"}


def test_one_totp_factor_serves_all(bench: Bench) -> None:
    first, second = bench.arrange(StateName.WORKING_OTP), bench.arrange(StateName.WORKING_OTP)
    assert first.values["factor_sid"] == second.values["factor_sid"]
    assert first.secrets == {"code"}
    assert first.values["code"] != first.values["wrong_code"]


def test_the_code_of_a_verification_is_known(bench: Bench) -> None:
    arranged = bench.arrange(StateName.CODE_KNOWN)
    assert arranged.secrets == {"code"}
    assert arranged.values["code"] != arranged.values["wrong_code"]
    (verification,) = bench.service.verifications.values()
    assert verification.code == arranged.values["code"]


def test_a_service_without_custom_codes(bench: Bench) -> None:
    bench.service.flags["CustomCodeEnabled"] = False
    with pytest.raises(StateNotConfigured) as raised:
        bench.arrange(StateName.CODE_KNOWN)
    assert raised.value.setting == "Enable Custom Verification Code"
    assert not bench.service.verifications, "no message for nothing"
    assert "code" not in bench.arrange(StateName.CHALLENGE_STARTED).values


@pytest.mark.parametrize("state", [StateName.CODE_KNOWN, StateName.CHALLENGE_STARTED, StateName.CHALLENGE_FACTOR])
def test_a_verification_of_another_run_is_left_alone(bench: Bench, state: StateName) -> None:
    start = {"To": bench.test_data["phone"], "Channel": "sms"}
    bench.send(requests.Request("POST", f"/v2/Services/{bench.settings.service_sid}/Verifications", data=start))
    (left,) = bench.service.verifications
    with pytest.raises(AskedTooSoon, match=r"test_data\.phone is in progress") as raised:
        bench.arrange(state)
    assert raised.value.seconds == 600
    bench.states.close()
    ((sid, verification),) = bench.service.verifications.items()
    assert (sid, verification.status, len(verification.sends)) == (left, "pending", 1)


@pytest.mark.parametrize(
    ("state", "name"),
    [
        (StateName.CHALLENGE_FACTOR, "phone"),
        (StateName.CHALLENGE_STARTED, "phone"),
        (StateName.CODE_KNOWN, "phone"),
        (StateName.CHALLENGE_ANSWERED, "phone"),
        (StateName.CHALLENGE_EXHAUSTED, "blocked_phone"),
        (StateName.PUSH_PENDING, "push_identity"),
        (StateName.PUSH_TIMED_OUT, "push_identity"),
        (StateName.PUSH_ACCEPTED, "accepting_identity"),
        (StateName.PUSH_DECLINED, "declining_identity"),
        (StateName.CREDENTIAL_WRONG_KIND, "test_auth_token"),
        (StateName.PERMISSION_MISSING, "restricted_api_key_secret"),
        (StateName.CREDENTIAL_REVOKED, "revoked_api_key_sid"),
    ],
)
def test_what_is_missing_is_named(bench: Bench, state: StateName, name: str) -> None:
    with pytest.raises(StateNotConfigured) as raised:
        bench.without(name).arrange(ProviderState(state.value))
    assert raised.value.setting == f"test_data.{name}"
    assert bench.requests == []


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (StateName.CREDENTIAL_MISSING, 20003),
        (StateName.CREDENTIAL_MALFORMED, 20003),
        (StateName.CREDENTIAL_UNKNOWN, 20003),
        (StateName.CREDENTIAL_WRONG, 20003),
        (StateName.CREDENTIAL_REVOKED, 20003),
        (StateName.CREDENTIAL_WRONG_KIND, 20008),
        (StateName.PERMISSION_MISSING, 70051),
    ],
)
@pytest.mark.parametrize("with_token", [False, True])
def test_bad_credentials_of_either_kind(state: StateName, code: int, with_token: bool) -> None:
    bench = Bench(with_token=with_token)
    credential = bench.arrange(state).credential
    secret = bench.settings.secrets()
    update = {name: SecretStr(value) if name in secret and value else value for name, value in credential.items()}
    bad = bench.settings.model_copy(update=update)
    exchange = bench.send(requests.Request("GET", f"/v2/Services/{bad.service_sid}"), bad)
    assert diagnose(exchange, ProviderDialect(PROVIDER.dialect, bad)).evidence["provider code"] == code


def test_an_entity_without_a_device(bench: Bench) -> None:
    bench.service.entities["mfagate-away"].factors.clear()
    with pytest.raises(StateUnavailable, match="no verified push factor"):
        bench.arrange(StateName.PUSH_PENDING)


def test_a_push_with_another_answer(bench: Bench) -> None:
    bench.service.entities["mfagate-accepts"].owner = "declines"
    with pytest.raises(StateUnavailable, match="approved"):
        bench.arrange(StateName.PUSH_ACCEPTED)


def test_a_push_that_nobody_answers_is_not_waited_for_for_ever(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    bench.service.entities["mfagate-accepts"].owner = "is away"
    with pytest.raises(StateUnavailable, match="approved"):
        bench.arrange(StateName.PUSH_ACCEPTED)
    assert sum(waited) == 20


def test_a_refusal_of_twilio_is_reported(bench: Bench) -> None:
    bench.test_data["phone"] = "5550100"
    with pytest.raises(StateUnavailable, match="/Verifications: error 60200"):
        bench.arrange(StateName.CHALLENGE_STARTED)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"sid": "VE1"}', b'{"status": null}'])
def test_another_answer_than_twilios(bench: Bench, body: bytes) -> None:
    def send(request: requests.Request, settings: Any = None) -> Exchange:
        return Exchange(Request("POST", "https://verify.twilio.com/"), _NOW, Response(201, body=body))

    states = TwilioStates(PROVIDER, send, bench.settings, bench.test_data)
    for state in (StateName.CHALLENGE_STARTED, StateName.WORKING_OTP, StateName.PUSH_PENDING):
        with pytest.raises(StateUnavailable):
            states.arrange(ProviderState(state.value))
    states.close()


def test_a_state_that_verify_does_not_have(bench: Bench) -> None:
    with pytest.raises(StateUnavailable, match="PIN"):
        bench.arrange(StateName.PIN_AND_OTP)
