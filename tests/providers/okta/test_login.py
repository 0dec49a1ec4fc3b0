"""The reference client logs users in, against the emulated org and over verified TLS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from mfagate.providers.okta.client import OktaClient
from mfagate.providers.okta.settings import OktaSettings
from mfagate.providers.second_factor import Challenge, CredentialRejected, Decision, Factor, NotEnrolled, RateLimited

from .conftest import Org

PROVIDER = "okta"


@pytest.fixture(params=["api_token", "private_key"])
def client(org: Org, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> OktaClient:
    """A client with either kind of credential."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    app = {"client_id": org.values["client_id"]} if request.param == "private_key" else {}
    return connected(org, **{request.param: SecretStr(org.values[request.param])}, **app)


def connected(org: Org, **credential: Any) -> OktaClient:
    settings = OktaSettings(org_url=org.values["org_url"], **credential)
    return OktaClient(settings, endpoint=org.running.endpoint, ca_bundle=Path(str(org.running.ca_bundle)))


def test_a_code(org: Org, client: OktaClient) -> None:
    path, phone = org.phone()
    user = path.split("/")[4]
    challenge = client.start(user, Factor.OTP)
    assert challenge == Challenge(user, Factor.OTP, path.rpartition("/")[2])
    assert client.verify(challenge, phone.wrong_code()) is Decision.DENY
    code = phone.code()
    assert client.verify(challenge, code) is Decision.ALLOW
    assert client.verify(challenge, code) is Decision.DENY


@pytest.mark.parametrize(
    ("name", "decision"),
    [
        ("user", Decision.PENDING),
        ("accepting_user", Decision.ALLOW),
        ("declining_user", Decision.DENY),
        ("ignoring_user", Decision.DENY),
    ],
)
def test_a_push(org: Org, client: OktaClient, name: str, decision: Decision) -> None:
    by_login = org.values[name]
    by_id = org.ask("GET", f"/api/v1/users/{by_login}").json()["id"]
    for user in (by_login, by_id):
        assert client.verify(client.start(user, Factor.PUSH)) is decision


def test_a_message(org: Org, client: OktaClient) -> None:
    user = org.user()
    body = {"factorType": "sms", "provider": "OKTA", "profile": {"phoneNumber": "+15555550100"}}
    factor = org.ask("POST", f"/api/v1/users/{user['id']}/factors?activate=true", json=body).json()
    challenge = client.start(user["id"], Factor.SMS)
    assert challenge == Challenge(user["id"], Factor.SMS, factor["id"])
    assert client.verify(challenge, "none") is Decision.DENY
    with pytest.raises(RateLimited):
        client.start(user["id"], Factor.SMS)


def test_who_cannot_log_in(org: Org, client: OktaClient) -> None:
    with pytest.raises(NotEnrolled):
        client.start("mfagate-no-such-user@example.com", Factor.OTP)
    with pytest.raises(NotEnrolled):
        client.start(org.values["user"], Factor.OTP)
    locked = client.start(org.values["locked_user"], Factor.OTP)
    assert client.verify(locked, "000000") is Decision.DENY


@pytest.mark.parametrize("kind", ["revoked", "expired", "unprivileged"])
def test_tokens_that_are_refused(org: Org, client: OktaClient, kind: str) -> None:
    with pytest.raises(CredentialRejected):
        connected(org, api_token=SecretStr(org.values[f"{kind}_api_token"])).start(org.values["user"], Factor.PUSH)
