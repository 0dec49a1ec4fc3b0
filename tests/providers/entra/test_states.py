"""States that cannot be arranged say why, and what would make them possible."""

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
from mfagate.providers.entra.provider import PROVIDER
from mfagate.providers.entra.settings import EntraSettings
from mfagate.providers.states import StateName, StateNotConfigured, StateUnavailable, StateValues

TENANT = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
SETTINGS = EntraSettings(
    tenant_id=TENANT, client_id="7c9e6679-7425-40de-944b-e07fc1f90ae7", client_secret=SecretStr("canary-client-secret")
)


def arrange(state: str, response: Response | None = None, **test_data: str) -> StateValues:
    """The state, where the login host answers a request for a device code like this, or not at all."""

    def send(request: requests.Request, settings: Any = None) -> Exchange:
        assert (request.method, request.url) == ("POST", f"/{TENANT}/oauth2/v2.0/devicecode")
        failure = None if response else Failure(CauseId.NETWORK_CONNECTION_TIMEOUT, Phase.CONNECT, "no answer came")
        return Exchange(Request("POST", request.url), datetime.now(UTC), response, failure)

    states = PROVIDER.states(send, SETTINGS, test_data)
    try:
        return states.arrange(ProviderState(state))
    finally:
        states.close()


def answer(status: int, body: Any) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, headers=Headers((("Content-Type", "application/json"),)), body=content)


def test_a_pending_sign_in_is_begun() -> None:
    arranged = arrange(StateName.PUSH_PENDING, answer(200, {"device_code": "canary-code"}))
    assert arranged.values["device_code"] == "canary-code"
    assert arranged.secrets == {"device_code"}


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (None, "no answer came"),
        (answer(400, {"error": "unauthorized_client", "error_codes": [700016]}), "AADSTS700016, unauthorized_client"),
        (answer(200, {}), "lacks a documented field .KeyError: 'device_code'"),
        (answer(200, []), "lacks a documented field"),
        (answer(503, b"<html>"), "status 503 without Microsoft Entra ID's JSON"),
    ],
)
def test_a_sign_in_that_cannot_be_begun(response: Response | None, said: str) -> None:
    with pytest.raises(StateUnavailable, match=said) as raised:
        arrange(StateName.PUSH_PENDING, response)
    assert "canary" not in repr(raised.value)


@pytest.mark.parametrize(
    ("state", "setting"),
    [
        (StateName.CHALLENGE_FACTOR, "user"),
        (StateName.NO_FACTOR, "weak_user"),
        (StateName.CREDENTIAL_EXPIRED, "expired_client_secret"),
        (StateName.CREDENTIAL_REVOKED, "disabled_client_secret"),
        (StateName.CREDENTIAL_WRONG_KIND, "public_client_id"),
        (StateName.PERMISSION_MISSING, "roleless_client_secret"),
        (StateName.PUSH_ACCEPTED, "accepted_device_code"),
        (StateName.PUSH_DECLINED, "declined_device_code"),
        (StateName.PUSH_TIMED_OUT, "expired_device_code"),
        (StateName.CHALLENGE_ANSWERED, "redeemed_device_code"),
    ],
)
def test_what_somebody_has_to_prepare(state: StateName, setting: str) -> None:
    with pytest.raises(StateNotConfigured) as raised:
        arrange(state)
    assert raised.value.setting == f"test_data.{setting}"
    assert setting in PROVIDER.test_data


def test_a_state_that_entra_has_not() -> None:
    with pytest.raises(StateUnavailable, match="working OTP"):
        arrange(StateName.WORKING_OTP)


def test_each_credential_takes_the_place_of_the_configured_one() -> None:
    """Nothing of the right credential is left beside the wrong one."""
    expired = arrange(StateName.CREDENTIAL_EXPIRED, expired_client_secret="canary-expired")
    assert expired.credential == {
        "client_secret": "canary-expired",
        "private_key": None,
        "certificate_thumbprint": None,
        "client_assertion": None,
    }
    wrong = arrange(StateName.CREDENTIAL_WRONG).credential["client_secret"]
    assert wrong not in (None, SETTINGS.secret("client_secret"))
