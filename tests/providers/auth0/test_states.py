"""Provider states on a tenant that is not as they need it."""

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
from mfagate.providers.auth0.provider import PROVIDER
from mfagate.providers.auth0.settings import Auth0Settings
from mfagate.providers.auth0.states import Auth0States
from mfagate.providers.states import StateName, StateNotConfigured, StateUnavailable

SETTINGS = Auth0Settings(
    domain="acme.eu.auth0.com", client_id="Kx3Vq0ZpT7mB1cWn9Yd5RhG2sLf8JuAe", client_secret=SecretStr("s" * 64)
)
ADMIN = {"admin_client_id": "a" * 32, "admin_client_secret": "c4n4ry"}
PUSH = {"user": "alice@example.com", "accepting_user": "alice@example.com", "password": "c4n4ry"}
REQUIRED = (403, {"error": "mfa_required", "mfa_token": "login"})
DEVICE = {"id": "push|dev_1", "authenticator_type": "oob", "oob_channel": "auth0", "active": True}
CREATED = (201, {"user_id": "auth0|1"})


class Tenant:
    """Answers by method and path; what it has no answer for fails in transport."""

    def __init__(self, **answers: tuple[int, Any]) -> None:
        self.answers: dict[str, tuple[int, Any]] = {
            "POST /oauth/token": REQUIRED,
            "GET /mfa/authenticators": (200, [DEVICE]),
            "POST /mfa/challenge": (200, {"oob_code": "oob"}),
            "POST /api/v2/users": CREATED,
            "DELETE /api/v2/users/auth0%7C1": (204, None),
        }
        names = {"token": "POST /oauth/token", "authenticators": "GET /mfa/authenticators",
                 "challenge": "POST /mfa/challenge", "users": "POST /api/v2/users"}  # fmt: skip
        self.answers |= {names[name]: answer for name, answer in answers.items()}
        self.asked: list[str] = []
        self.clients: list[str] = []

    def __call__(self, request: requests.Request, settings: Any = None) -> Exchange:
        asked = f"{request.method} {request.url}"
        self.asked.append(asked)
        self.clients.append((settings or SETTINGS).client_id)
        sent, now = Request(str(request.method), str(request.url)), datetime.now(UTC)
        if asked not in self.answers:
            failure = Failure(CauseId.NETWORK_CONNECTION_REFUSED, Phase.CONNECT, "refused")
            return Exchange(sent, now, failure=failure)
        status, body = self.answers[asked]
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return Exchange(
            sent, now, Response(status, headers=Headers((("Content-Type", "application/json"),)), body=content)
        )


def states(tenant: Tenant, **test_data: str) -> Auth0States:
    return Auth0States(PROVIDER, tenant, SETTINGS, test_data)


@pytest.mark.parametrize(
    ("state", "missing"),
    [
        (StateName.WORKING_OTP, "admin_client_id"),
        (StateName.NO_FACTOR, "admin_client_id"),
        (StateName.PUSH_PENDING, "user"),
        (StateName.PUSH_DECLINED, "declining_user"),
        (StateName.CHALLENGE_STARTED, "phone"),
        (StateName.PERMISSION_MISSING, "restricted_client_id"),
        (StateName.CREDENTIAL_WRONG_KIND, "ungranted_client_id"),
        (StateName.CREDENTIAL_EXPIRED, "expired_management_token"),
    ],
)
def test_what_is_missing_is_named(state: StateName, missing: str) -> None:
    tenant = Tenant()
    with pytest.raises(StateNotConfigured) as raised:
        states(tenant).arrange(ProviderState(state))
    assert raised.value.setting == f"test_data.{missing}"
    assert tenant.asked == []


def test_a_push_is_sent() -> None:
    tenant = Tenant()
    arranged = states(tenant, **PUSH).arrange(ProviderState(StateName.PUSH_PENDING))
    assert {name: arranged.values[name] for name in ("mfa_token", "authorization", "oob_code", "authenticator_id")} == {
        "mfa_token": "login",
        "authorization": "Bearer login",
        "oob_code": "oob",
        "authenticator_id": "push|dev_1",
    }
    assert arranged.secrets == {"password", "mfa_token", "authorization", "oob_code"}


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"token": (200, {"access_token": "x"})}, "MFA policy must be Always"),
        ({"token": (403, {"error": "invalid_grant", "error_description": "Wrong"})}, "invalid_grant, Wrong"),
        ({"token": (403, [])}, "lacks a documented field"),
        ({"token": (403, {"error": "mfa_required"})}, "lacks a documented field"),
        ({"token": (200, b"<html>")}, "without Auth0's JSON"),
        ({"token": (500, {"error": "server_error"})}, "error server_error"),
        ({"authenticators": (200, [])}, "no active authenticator of the type auth0"),
        ({"authenticators": (200, [DEVICE | {"active": False}])}, "no active authenticator"),
        ({"authenticators": (200, [5])}, "lacks a documented field"),
        ({"challenge": (200, {})}, "lacks a documented field"),
        ({"challenge": (401, {"error": "unsupported_challenge_type"})}, "unsupported_challenge_type"),
    ],
)
def test_a_push_that_cannot_be_sent(answers: dict[str, tuple[int, Any]], words: str) -> None:
    with pytest.raises(StateUnavailable) as raised:
        states(Tenant(**answers), **PUSH).arrange(ProviderState(StateName.PUSH_PENDING))
    assert words in str(raised.value)
    assert "c4n4ry" not in str(raised.value)


def test_a_wait_that_is_no_number() -> None:
    tenant = Tenant()
    with pytest.raises(StateUnavailable, match="answer_seconds is not a number"):
        states(tenant, **PUSH, answer_seconds="soon").arrange(ProviderState(StateName.PUSH_ACCEPTED))
    assert tenant.asked == []


def test_users_are_created_once_by_the_other_application_and_removed() -> None:
    tenant = Tenant()
    arranged = states(tenant, **ADMIN)
    values = [arranged.arrange(ProviderState(StateName.NO_FACTOR)).values for _ in range(3)][-1]
    assert values["username"].startswith("mfagate-")
    assert values["user_id"] == "auth0|1"
    assert tenant.asked.count("POST /api/v2/users") == 1
    arranged.close()
    assert "DELETE /api/v2/users/auth0%7C1" in tenant.asked
    assert tenant.asked[-1].startswith("DELETE /api/v2/users/auth0%7Cmfagate-")
    assert tenant.clients == [ADMIN["admin_client_id"], *[SETTINGS.client_id] * 3, *[ADMIN["admin_client_id"]] * 2]


def test_a_tenant_that_is_gone_does_not_stop_the_cleaning() -> None:
    tenant = Tenant()
    arranged = states(tenant, **ADMIN)
    arranged.arrange(ProviderState(StateName.DISABLED_USER))
    del tenant.answers["DELETE /api/v2/users/auth0%7C1"]
    arranged.close()
    with pytest.raises(StateUnavailable, match="refused"):
        del tenant.answers["POST /api/v2/users"]
        arranged.arrange(ProviderState(StateName.DISABLED_USER))


def test_a_state_that_auth0_does_not_have() -> None:
    with pytest.raises(StateUnavailable, match="cannot put Auth0 into the state"):
        states(Tenant()).arrange(ProviderState(StateName.PIN_AND_OTP))


def test_the_name_of_a_login_that_never_was_is_no_secret() -> None:
    """It begins as the names of our users do, which are in recordings."""
    assert states(Tenant()).arrange(ProviderState(StateName.CHALLENGE_UNKNOWN)).secrets == frozenset()
