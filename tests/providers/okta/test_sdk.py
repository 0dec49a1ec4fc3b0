"""The referee of the emulator: Okta's own client for Python, unmodified, over verified TLS.

It cannot send a code: its models ``UserFactorActivateRequest`` and ``UserFactorVerifyRequest`` know neither
``passCode`` nor ``answer`` and drop them (okta 3.4.6). So that it completes a login all the same, it is handed models
derived from its own which have the field. A push needs none of that.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable
from typing import Any

import pytest
from okta.models import (
    CreateUserRequest,
    UserFactorActivateRequest,
    UserFactorSecurityQuestion,
    UserFactorTokenSoftwareTOTP,
    UserFactorVerifyRequest,
)
from pydantic import Field

from mfagate.providers.made_up import new_private_key
from mfagate.providers.okta.auth import new_token
from mfagate.providers.totp import Totp
from mfagate.sandbox import Running

from ...support import okta
from ...support.okta import Work

PROVIDER = "okta"


class FirstCode(UserFactorActivateRequest):  # type: ignore[misc]
    pass_code: str = Field(alias="passCode")


class Code(UserFactorVerifyRequest):  # type: ignore[misc]
    pass_code: str = Field(alias="passCode")


def run(running: Running, work: Work, **changed: Any) -> Any:
    """Let a client do some work, with an administrator's token unless told otherwise."""
    return okta.run(running, work, **{"token": running.values["admin_api_token"], **changed})


def with_key(running: Running, **changed: Any) -> dict[str, Any]:
    """The configuration of a service app."""
    app = {
        "token": None,
        "authorizationMode": "PrivateKey",
        "clientId": running.values["client_id"],
        "scopes": ["okta.users.read", "okta.users.manage"],
        "privateKey": running.values["private_key"],
    }
    return {**app, **changed}


async def good(answer: Awaitable[Any]) -> Any:
    """What a call returned, and no error with a status below 300, which it takes for one."""
    value, response, error = await answer
    assert error is None, error
    assert response.status_code < 300
    return value


async def new_user(client: Any) -> Any:
    login = f"sdk-{uuid.uuid4().hex}@example.com"
    body = {
        "profile": {"firstName": "Some", "lastName": "Body", "email": login, "login": login},
        "credentials": {"password": {"value": "correct horse battery"}},
    }
    return await good(client.create_user(CreateUserRequest.from_dict(body)))


async def login_with_a_code(client: Any) -> None:
    user = await new_user(client)
    assert await good(client.list_factors(user.id)) == []
    wanted = UserFactorTokenSoftwareTOTP(factorType="token:software:totp", provider="OKTA")
    factor = await good(client.enroll_factor(user.id, wanted))
    assert factor.status.value == "PENDING_ACTIVATION"
    phone = Totp(factor.embedded["activation"]["sharedSecret"])
    await good(client.activate_factor(user.id, factor.id, FirstCode(passCode=phone.code_for_enrolment())))
    (listed,) = await good(client.list_factors(user.id))
    assert (listed.id, listed.status.value) == (factor.id, "ACTIVE")
    assert listed.profile.credential_id == user.profile.login
    code = Code(passCode=phone.code())
    answer = await good(client.verify_factor(user.id, factor.id, body=code))
    assert answer.factor_result.value == "SUCCESS"
    _, response, error = await client.verify_factor(user.id, factor.id, body=code)
    assert (response.status, error.error_code) == (403, "E0000082")
    _, _, error = await client.verify_factor(user.id, factor.id, body=Code(passCode=phone.wrong_code()))
    assert (error.status, error.error_code) == (403, "E0000068")
    await good(client.unenroll_factor(user.id, factor.id))
    await good(client.deactivate_user(user.id))
    await good(client.delete_user(user.id))
    _, _, error = await client.get_user(user.id)
    assert (error.status, error.error_code) == (404, "E0000007")


def test_login_with_a_code(running: Running) -> None:
    run(running, login_with_a_code)


def test_login_with_a_code_by_a_service_app(running: Running) -> None:
    run(running, login_with_a_code, **with_key(running))
    run(running, login_with_a_code, **with_key(running, kid=running.values["key_id"]))


def test_login_with_a_code_by_an_app_that_demands_proofs(running: Running) -> None:
    app = with_key(running, clientId=running.values["dpop_client_id"], dpopEnabled=True)
    run(running, login_with_a_code, **app)


@pytest.mark.parametrize(
    ("who", "result"), [("accepting_user", "SUCCESS"), ("declining_user", "REJECTED"), ("ignoring_user", "TIMEOUT")]
)
def test_login_with_a_push(running: Running, who: str, result: str) -> None:
    async def work(client: Any) -> None:
        user = await good(client.get_user(running.values[who]))
        (factor,) = await good(client.list_factors(user.id))
        assert factor.profile.device_type
        sent = await good(client.verify_factor(user.id, factor.id))
        assert sent.factor_result.value == "WAITING"
        transaction = sent.links.poll.href.rpartition("/")[2]
        told = await good(client.get_factor_transaction_status(user.id, factor.id, transaction))
        assert told.factor_result == result

    run(running, work)


def test_a_push_that_waits(running: Running) -> None:
    async def work(client: Any) -> None:
        user = await good(client.get_user(running.values["user"]))
        (factor,) = await good(client.list_factors(user.id))
        numbered = UserFactorVerifyRequest(useNumberMatchingChallenge=True)
        sent = await good(client.verify_factor(user.id, factor.id, body=numbered))
        assert sent.expires_at is not None
        transaction = sent.links.poll.href.rpartition("/")[2]
        told = await good(client.get_factor_transaction_status(user.id, factor.id, transaction))
        assert told.factor_result == "WAITING"

    run(running, work)


def test_what_the_org_holds(running: Running) -> None:
    async def work(client: Any) -> None:
        org = await good(client.get_wellknown_org_metadata())
        assert (org.id, org.links.organization.href) == (running.values["org_id"], running.values["org_url"])
        setting = await good(client.get_org_settings())
        assert (setting.id, setting.subdomain, setting.status) == (org.id, running.values["subdomain"], "ACTIVE")
        tokens = await good(client.list_api_tokens())
        ours = await good(client.get_api_token(running.values["token_id"]))
        assert ours.id in [token.id for token in tokens]
        assert (ours.token_window, ours.network.connection) == ("P30D", "ANYWHERE")
        assert (ours.expires_at - ours.last_updated).days == 30
        owner = await good(client.get_user("me"))
        assert owner.id == ours.user_id
        questions = await good(client.list_supported_security_questions(owner.id))
        profile = {"question": questions[0].question, "answer": "mayonnaise"}
        asked = UserFactorSecurityQuestion(factorType="question", provider="OKTA", profile=profile)
        assert (await good(client.enroll_factor(owner.id, asked))).status.value == "ACTIVE"
        assert {one.factor_type.value for one in await good(client.list_supported_factors(owner.id))} >= {"push", "sms"}
        users = await good(client.list_users(filter='status eq "LOCKED_OUT"'))
        assert running.values["locked_user"] in [user.profile.login for user in users]

    run(running, work)


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        ("made up", 401, "E0000011"),
        ("revoked_api_token", 401, "E0000011"),
        ("expired_api_token", 401, "E0000011"),
        ("orphaned_api_token", 401, "E0000011"),
        ("unprivileged_api_token", 403, "E0000006"),
    ],
)
def test_refused_tokens(running: Running, token: str, status: int, code: str) -> None:
    async def work(client: Any) -> None:
        value, response, error = await client.list_factors("00umfagatenosuchuser")
        assert value is None
        assert (response.status, error.status, error.error_code) == (status, status, code)
        assert error.error_id.startswith("oae")

    run(running, work, token=running.values.get(token) or new_token())


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"privateKey": new_private_key()}, "invalid_client"),
        ({"clientId": "0oaabcdefg1234567890"}, "invalid_client"),
        ({"kid": "another"}, "invalid_client"),
        ({"scopes": ["okta.logs.read"]}, "consent_required"),
        ({"clientId": "web"}, "invalid_client"),
        ({"clientId": "dpop"}, "invalid_dpop_proof"),
        ({"clientId": "restricted"}, "access_denied"),
    ],
)
def test_refused_apps(running: Running, changed: dict[str, Any], code: str) -> None:
    client_id = running.values.get(f"{changed.get('clientId')}_client_id")
    changed = {**changed, **({"clientId": client_id} if client_id else {})}

    async def work(client: Any) -> None:
        value, _, error = await client.list_factors("00umfagatenosuchuser")
        assert value is None
        assert error.error_code == code

    run(running, work, **with_key(running, **changed))


def test_a_missing_scope_looks_like_success_to_it(running: Running) -> None:
    """It takes a refusal without a body for an empty answer: the status has to be looked at as well."""

    async def work(client: Any) -> None:
        value, response, error = await client.list_api_tokens()
        assert (value, error) == (None, None)
        assert response.status_code == 403
        assert "insufficient_scope" in response.headers["WWW-Authenticate"]

    run(running, work, **with_key(running))
