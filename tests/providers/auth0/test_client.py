"""What is particular about the reference client; that it fails closed is proved in ../test_fail_closed.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from pydantic import SecretStr

from mfagate.providers.auth0.client import Auth0Client
from mfagate.providers.auth0.settings import Auth0Settings
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
from mfagate.providers.totp import Totp
from mfagate.sandbox import Running
from mfagate.sandbox.faulty_proxy import FaultyProxy, faulty_proxy

from ...support.answers import JSON, Answer, Answers

PROVIDER = "auth0"

CANARY = "c4n4ry-" + "s" * 57
SETTINGS = Auth0Settings(
    domain="acme.eu.auth0.com", client_id="Kx3Vq0ZpT7mB1cWn9Yd5RhG2sLf8JuAe", client_secret=SecretStr(CANARY)
)
TOKENS: dict[str, Any] = {"access_token": "opaque", "token_type": "Bearer", "expires_in": 86400}
USER = "alice@example.com"
OTP = Challenge(USER, Factor.OTP, "login")
PUSH = Challenge(USER, Factor.PUSH, "login oob")
SMS = Challenge(USER, Factor.SMS, "login oob")


@pytest.fixture(scope="module")
def said() -> Answers:
    return Answers()


@pytest.fixture(scope="module")
def provider(said: Answers) -> Iterator[FaultyProxy]:
    with faulty_proxy("http://127.0.0.1:9", said) as server:
        yield server


@pytest.fixture(scope="module")
def client(provider: FaultyProxy) -> Auth0Client:
    return Auth0Client(SETTINGS, lambda user: "c4n4ry-password", endpoint=provider.url, timeout_seconds=2)


@pytest.fixture
def answers(said: Answers) -> Answers:
    said.by_path = {"*": said.by_path["*"]}
    return said


def allows(client: Auth0Client, challenge: Challenge, code: str | None) -> bool:
    try:
        return client.verify(challenge, code) is Decision.ALLOW
    except SecondFactorError as error:
        assert "c4n4ry" not in repr(error)
        return False


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (403, {"error": "invalid_grant", "error_description": "Invalid otp_code."}, Decision.DENY),
        (401, {"error": "invalid_grant", "error_description": "Invalid otp_code."}, Decision.DENY),
        (403, {"error": "invalid_grant"}, Decision.DENY),
        (403, {"error": "invalid_grant", "error_description": "x", "errorCode": "Bearer"}, Decision.DENY),
        (400, {"error": "authorization_pending", "error_description": "x", "message": "Malformed"}, Decision.PENDING),
        (403, {"error": "expired_token", "error_description": "mfa_token is expired"}, Decision.DENY),
        (400, {"error": "access_denied", "error_description": "MFA Authorization rejected."}, Decision.DENY),
        (400, {"error": "authorization_pending"}, Decision.PENDING),
        (400, {"error": "slow_down"}, Decision.PENDING),
        (403, {"error": "invalid_grant", "error_description": "Malformed mfa_token"}, ContractViolation),
        (400, {"error": "invalid_request", "error_description": "a sentence"}, ContractViolation),
        (401, {"error": "access_denied", "error_description": "Unauthorized"}, CredentialRejected),
        (401, {"error": "invalid_client"}, CredentialRejected),
        (403, {"error": "unauthorized_client", "error_description": "Grant type 'x' not allowed"}, CredentialRejected),
        (404, {"error": "invalid_grant"}, ContractViolation),
        (500, {"error": "access_denied", "error_description": "Global limit has been reached"}, RateLimited),
        (429, {"error": "too_many_attempts"}, RateLimited),
        (503, {"error": "invalid_grant"}, SecondFactorError),
        (500, b"<html>", ProviderUnavailable),
        (200, b"<html>", ContractViolation),
    ],
)
def test_refusals(client: Auth0Client, answers: Answers, status: int, body: Any, expected: Any) -> None:
    answers.say(body, status, "text/html" if isinstance(body, bytes) else JSON)
    if isinstance(expected, Decision):
        assert client.verify(PUSH) is expected
    else:
        with pytest.raises(expected):
            client.verify(PUSH)


def id_token(**claims: Any) -> str:
    return jwt.encode({"sub": "auth0|1", **claims}, "k" * 32)


@pytest.mark.parametrize(
    ("token", "lets_in"),
    [
        (id_token(email=USER), True),
        (id_token(email=USER.upper()), True),
        (id_token(), True),
        (None, True),
        (id_token(email="mallory@example.com"), False),
        ("nonsense", False),
        (5, False),
        ([], False),
    ],
)
def test_the_login_of_another_user_is_not_taken(
    client: Auth0Client, answers: Answers, token: Any, lets_in: bool
) -> None:
    answers.say(TOKENS | {"id_token": token})
    assert allows(client, OTP, "123456") is lets_in


@pytest.mark.parametrize(
    ("challenge", "code"),
    [
        (Challenge(USER, Factor.OTP), "123456"),
        (Challenge(USER, Factor.OTP, "login oob"), "123456"),
        (Challenge(USER, Factor.PUSH, "login"), None),
        (OTP, None),
        (SMS, None),
    ],
)
def test_what_was_not_started_cannot_be_verified(client: Auth0Client, challenge: Challenge, code: str | None) -> None:
    with pytest.raises(ValueError, match=r"can be verified|is required"):
        client.verify(challenge, code)


REQUIRED = {"error": "mfa_required", "mfa_token": "login"}
ONE = {"id": "totp|dev_1", "authenticator_type": "otp", "active": True}


def started(answers: Answers, **changed: Answer) -> None:
    """A login that goes well; ``changed`` answers are token, authenticators, challenge."""
    paths = {"token": "/oauth/token", "authenticators": "/mfa/authenticators", "challenge": "/mfa/challenge"}
    good: dict[str, Answer] = {
        "token": Answer(REQUIRED, 403),
        "authenticators": Answer([ONE]),
        "challenge": Answer({"challenge_type": "otp"}),
    }
    answers.by_path |= {paths[name]: answer for name, answer in (good | changed).items()}


@pytest.mark.parametrize("status", [401, 403])
def test_a_challenge_is_started(client: Auth0Client, answers: Answers, status: int) -> None:
    started(answers, token=Answer(REQUIRED, status))
    assert client.start(USER, Factor.OTP) == OTP


@pytest.mark.parametrize(
    "items",
    [
        [{name: value for name, value in ONE.items() if name != "id"}, ONE],
        [ONE | {"id": None}, ONE],
        [ONE | {"oob_channel": ""}],
    ],
)
def test_the_authenticator_that_can_be_used_is_taken(client: Auth0Client, answers: Answers, items: Any) -> None:
    started(answers, authenticators=Answer(items))
    assert client.start(USER, Factor.OTP) == OTP


@pytest.mark.parametrize(
    ("changed", "raised"),
    [
        ({"token": Answer(TOKENS)}, NotEnrolled),
        ({"token": Answer(REQUIRED)}, ContractViolation),
        ({"token": Answer({"error": "mfa_required"}, 403)}, ContractViolation),
        ({"token": Answer({"error": "mfa_required", "mfa_token": "a b"}, 403)}, ContractViolation),
        ({"token": Answer(REQUIRED, 403, "text/html")}, SecondFactorError),
        ({"token": Answer({"error": "access_denied", "error_description": "Unauthorized"}, 401)}, CredentialRejected),
        ({"token": Answer({"error": "too_many_attempts"}, 429)}, RateLimited),
        ({"authenticators": Answer([])}, NotEnrolled),
        ({"authenticators": Answer([ONE | {"active": False}])}, NotEnrolled),
        ({"authenticators": Answer([ONE | {"active": "true"}])}, NotEnrolled),
        ({"authenticators": Answer([ONE | {"authenticator_type": "oob"}])}, NotEnrolled),
        ({"authenticators": Answer([ONE | {"id": 5}])}, ContractViolation),
        ({"authenticators": Answer({"authenticators": [ONE]})}, ContractViolation),
        ({"authenticators": Answer(["otp"])}, ContractViolation),
        ({"authenticators": Answer([ONE], 200, "text/html")}, ContractViolation),
        ({"authenticators": Answer(b"[{")}, ContractViolation),
        ({"authenticators": Answer({"error": "expired_token"}, 401)}, ContractViolation),
        ({"challenge": Answer({"challenge_type": "oob", "oob_code": "x"})}, ContractViolation),
        ({"challenge": Answer({"challenge_type": "otp", "binding_method": "prompt"})}, ContractViolation),
        ({"challenge": Answer({})}, ContractViolation),
        ({"challenge": Answer([])}, ContractViolation),
        ({"challenge": Answer({"error": "unsupported_challenge_type"}, 401)}, NotEnrolled),
        ({"challenge": Answer({"error": "invalid_grant"}, 401)}, ContractViolation),
        ({"challenge": Answer({}, 500)}, ProviderUnavailable),
    ],
)
def test_a_challenge_is_not_started(
    client: Auth0Client, answers: Answers, changed: dict[str, Answer], raised: type[SecondFactorError]
) -> None:
    started(answers, **changed)
    with pytest.raises(raised) as seen:
        client.start(USER, Factor.OTP)
    assert "c4n4ry" not in repr(seen.value)


@pytest.mark.parametrize("factor", [Factor.PUSH, Factor.SMS])
def test_a_push_and_an_sms_are_not_mistaken_for_each_other(
    client: Auth0Client, answers: Answers, factor: Factor
) -> None:
    channel = {Factor.PUSH: "auth0", Factor.SMS: "sms"}
    devices = [
        {"id": name, "authenticator_type": "oob", "oob_channel": name, "active": True} for name in channel.values()
    ]
    prompt = {"binding_method": "prompt"}
    good = {"challenge_type": "oob", "oob_code": "oob", **(prompt if factor is Factor.SMS else {})}
    bad = {"challenge_type": "oob", "oob_code": "oob", **(prompt if factor is Factor.PUSH else {})}
    started(answers, authenticators=Answer(devices), challenge=Answer(good))
    assert client.start(USER, factor) == Challenge(USER, factor, "login oob")
    started(answers, authenticators=Answer(devices), challenge=Answer(bad))
    with pytest.raises(ContractViolation):
        client.start(USER, factor)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (
            200,
            [{"type": "totp", "confirmed": True}, {"type": "push"}, {"type": "phone", "confirmed": False}],
            "otp push",
        ),
        (200, [{"type": "totp", "confirmed": "yes"}, {"type": "recovery-code", "confirmed": True}], ""),
        (200, [{"type": []}, {"type": {}}, {"type": "totp"}], "otp"),
        (200, [], ""),
        (200, {"authenticators": []}, ContractViolation),
        (404, {"statusCode": 404, "error": "Not Found", "errorCode": "inexistent_user"}, NotEnrolled),
        (404, {"statusCode": 404, "error": "Not Found", "message": "Not Found"}, ContractViolation),
        (403, {"statusCode": 403, "error": "Forbidden", "errorCode": "insufficient_scope"}, CredentialRejected),
        (429, {"statusCode": 429, "error": "Too Many Requests", "errorCode": "too_many_requests"}, RateLimited),
    ],
)
def test_factors_of_a_user(client: Auth0Client, answers: Answers, status: int, body: Any, expected: Any) -> None:
    answers.say(TOKENS, path="/oauth/token")
    answers.say(body, status)
    if isinstance(expected, str):
        assert client.enrolled("auth0|1") == {Factor(name) for name in expected.split()}
    else:
        with pytest.raises(expected):
            client.enrolled("auth0|1")


def test_one_token_is_fetched(answers: Answers, provider: FaultyProxy) -> None:
    answers.say(TOKENS, path="/oauth/token")
    answers.say([])
    fresh = Auth0Client(SETTINGS, lambda user: "", endpoint=provider.url)
    provider.requests.clear()
    for _ in range(3):
        fresh.enrolled("auth0|1")
    assert [path for _, path in provider.requests].count("/oauth/token") == 1


def test_no_answer_is_unavailable_and_shows_nothing() -> None:
    gone = Auth0Client(SETTINGS, lambda user: "c4n4ry-password", endpoint="http://127.0.0.1:9", timeout_seconds=1)
    for call in (lambda: gone.start(USER, Factor.OTP), lambda: gone.verify(OTP, "c4n4ry-code")):
        with pytest.raises(ProviderUnavailable) as raised:
            call()
        assert "c4n4ry" not in repr(raised.value)
        assert raised.value.__cause__ is None


class TestAgainstTheSandbox:
    """Whole logins."""

    @pytest.fixture(scope="class")
    @classmethod
    def auth0(cls, running: Running) -> Auth0Client:
        values = running.values
        settings = Auth0Settings.model_validate(
            {name: values[name] for name in ("domain", "client_id", "client_secret", "audience")}
        )
        return Auth0Client(
            settings,
            lambda user: values["password"],
            endpoint=running.endpoint,
            ca_bundle=Path(str(running.ca_bundle)),
        )

    def test_a_code(self, auth0: Auth0Client, running: Running) -> None:
        totp = Totp(running.values["otp_secret"])
        challenge = auth0.start(running.values["otp_user"], Factor.OTP)
        assert auth0.verify(challenge, totp.wrong_code()) is Decision.DENY
        assert auth0.verify(challenge, totp.code()) is Decision.ALLOW
        with pytest.raises(ContractViolation):
            auth0.verify(challenge, totp.code())

    @pytest.mark.parametrize(
        ("who", "decision"),
        [("accepting_user", Decision.ALLOW), ("declining_user", Decision.DENY), ("user", Decision.PENDING)],
    )
    def test_a_push(self, auth0: Auth0Client, running: Running, who: str, decision: Decision) -> None:
        assert auth0.verify(auth0.start(running.values[who], Factor.PUSH)) is decision

    def test_an_sms(self, auth0: Auth0Client, running: Running) -> None:
        challenge = auth0.start(running.values["sms_user"], Factor.SMS)
        assert auth0.verify(challenge, "x") is Decision.DENY
        assert auth0.verify(challenge, running.values["sms_code"]) is Decision.ALLOW

    def test_who_is_not_let_in(self, auth0: Auth0Client, running: Running) -> None:
        assert auth0.start("nobody@example.com", Factor.OTP).decided is Decision.DENY
        with pytest.raises(NotEnrolled):
            auth0.start(running.values["exempt_user"], Factor.OTP)
        with pytest.raises(NotEnrolled):
            auth0.start(running.values["otp_user"], Factor.PUSH)
