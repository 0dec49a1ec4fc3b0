"""What is particular about the reference client; that it fails closed is proved in ../test_fail_closed.py."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import certifi
import pytest
import requests
from pydantic import SecretStr

from mfagate.providers.entra.client import DeviceChallenge, EntraClient
from mfagate.providers.entra.settings import EntraSettings
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
from mfagate.sandbox import Running
from mfagate.sandbox.faulty_proxy import FaultyProxy, faulty_proxy

from ...support.answers import Answer, Answers, Asked, mutations

PROVIDER = "entra"

TENANT = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
CLIENT = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
ALICE = "550e8400-e29b-41d4-a716-446655440000"
SETTINGS = EntraSettings(tenant_id=TENANT, client_id=CLIENT, client_secret=SecretStr("canary-client-secret"))
CLAIMS: dict[str, Any] = {
    "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0",
    "aud": CLIENT,
    "tid": TENANT,
    "oid": ALICE,
    "exp": int(time.time()) + 3600,
}
SIGN_IN = DeviceChallenge(ALICE, Factor.PUSH, "a-device-code")
BEGUN = {
    "device_code": "a-device-code",
    "user_code": "FRWQDE7YL",
    "verification_uri": "https://microsoft.com/devicelogin",
    "interval": 5,
}


def part(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def id_token(held: Any) -> str:
    return f"{part({'alg': 'RS256'})}.{part(held)}.{'A' * 342}"


def accepted(**changed: Any) -> dict[str, Any]:
    return {"id_token": id_token(CLAIMS | changed)}


def method(name: str) -> dict[str, str]:
    return {"@odata.type": f"#microsoft.graph.{name}AuthenticationMethod"}


class Entra(Answers):
    """Gives tokens for Graph to everybody, and begins sign-ins with ``begun``."""

    begun: Any = BEGUN

    def choose(self, asked: Asked) -> Answer:
        if asked.form.get("grant_type") == ["client_credentials"]:
            return Answer({"access_token": "token", "token_type": "Bearer", "expires_in": 3599})
        if asked.path.endswith("/devicecode"):
            return Answer(self.begun)
        return super().choose(asked)


@pytest.fixture(scope="module")
def answers() -> Entra:
    return Entra()


@pytest.fixture(scope="module")
def provider(answers: Entra) -> Iterator[FaultyProxy]:
    with faulty_proxy("http://127.0.0.1:9", answers) as server:
        yield server


@pytest.fixture(scope="module")
def client(provider: FaultyProxy) -> EntraClient:
    return EntraClient(SETTINGS, endpoint=provider.url, timeout_seconds=2)


def allows(client: EntraClient, challenge: Challenge = SIGN_IN) -> bool:
    try:
        return client.verify(challenge) is Decision.ALLOW
    except SecondFactorError:
        return False


def test_no_mutated_claim_lets_a_user_in(client: EntraClient, answers: Entra) -> None:
    tried = 0
    for mutated in mutations(CLAIMS):
        answers.say({"id_token": id_token(mutated)})
        assert not allows(client), mutated
        tried += 1
    assert tried > 60


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"tid": "b5a3c1d2-0f4e-4a6b-8c7d-9e1f2a3b4c5d"}, "tid"),
        ({"aud": "b5a3c1d2-0f4e-4a6b-8c7d-9e1f2a3b4c5d"}, "aud"),
        ({"aud": [CLIENT]}, "aud"),
        ({"iss": f"https://login.microsoftonline.us/{TENANT}/v2.0"}, "iss"),
        ({"iss": f"https://sts.windows.net/{TENANT}/"}, "iss"),
        ({"exp": int(time.time()) - 3600}, "exp"),
        ({"exp": str(int(time.time()) + 3600)}, "exp"),
        ({"oid": None}, "oid"),
    ],
)
def test_a_token_for_somebody_else_is_a_violation(
    client: EntraClient, answers: Entra, changed: dict[str, Any], named: str
) -> None:
    answers.say(accepted(**changed))
    with pytest.raises(ContractViolation, match=named):
        client.verify(SIGN_IN)


def test_another_users_sign_in_lets_nobody_in(client: EntraClient, answers: Entra) -> None:
    """Whoever holds the code may enter it; the name that a guest's own tenant gave the guest counts for nothing."""
    answers.say(accepted(oid="11111111-2222-4333-8444-555555555555", preferred_username=ALICE, sub=ALICE))
    assert client.verify(SIGN_IN) is Decision.DENY


@pytest.mark.parametrize(
    ("error", "decision"),
    [
        ("authorization_pending", Decision.PENDING),
        ("slow_down", Decision.PENDING),
        ("authorization_declined", Decision.DENY),
        ("access_denied", Decision.DENY),
        ("expired_token", Decision.DENY),
    ],
)
def test_what_became_of_a_sign_in(client: EntraClient, answers: Entra, error: str, decision: Decision) -> None:
    answers.say({"error": error}, 400)
    assert client.verify(SIGN_IN) is decision
    assert answers.asked[-1].form["device_code"] == ["a-device-code"]
    assert answers.asked[-1].form["client_secret"] == ["canary-client-secret"]


@pytest.mark.parametrize(
    ("error", "status", "content_type"),
    [
        ("authorization_pending", 200, "application/json"),
        ("authorization_pending", 401, "application/json"),
        ("authorization_pending", 400, "text/html"),
        ("bad_verification_code", 400, "application/json"),
        ("invalid_grant", 400, "application/json"),
        ("AUTHORIZATION_PENDING", 400, "application/json"),
        (None, 400, "application/json"),
        (["authorization_pending"], 400, "application/json"),
    ],
)
def test_other_errors_are_no_decision(
    client: EntraClient, answers: Entra, error: Any, status: int, content_type: str
) -> None:
    answers.say({"error": error}, status, content_type)
    with pytest.raises((ContractViolation, CredentialRejected)):
        client.verify(SIGN_IN)


@pytest.mark.parametrize("number", [7000222, 7000215, 700025])
def test_a_refused_credential_is_no_decision_about_a_user(client: EntraClient, answers: Entra, number: int) -> None:
    answers.say({"error": "invalid_client", "error_codes": [number]}, 401)
    with pytest.raises(CredentialRejected):
        client.verify(SIGN_IN)


class TestAuthenticationContext:
    """A sign-in that has to prove more than that it took place."""

    @pytest.fixture(scope="class")
    @classmethod
    def strict(cls, provider: FaultyProxy) -> EntraClient:
        return EntraClient(SETTINGS, endpoint=provider.url, timeout_seconds=2, authentication_context="c1")

    def test_it_is_asked_for(self, strict: EntraClient, answers: Entra) -> None:
        answers.say({"value": [method("fido2")]})
        strict.start(ALICE, Factor.PUSH)
        (wanted,) = answers.asked[-1].form["claims"]
        assert json.loads(wanted) == {"id_token": {"acrs": {"essential": True, "value": "c1"}}}

    def test_it_lets_the_user_in(self, strict: EntraClient, answers: Entra) -> None:
        answers.say(accepted(acrs=["p1", "c1"]))
        assert strict.verify(SIGN_IN) is Decision.ALLOW

    @pytest.mark.parametrize("acrs", [None, [], ["c2"], "c1", {"c1": True}, ["c10"], 1])
    def test_without_it_nobody_is_let_in(self, strict: EntraClient, answers: Entra, acrs: Any) -> None:
        answers.say(accepted(acrs=acrs))
        with pytest.raises(ContractViolation, match="authentication context c1"):
            strict.verify(SIGN_IN)


def test_a_sign_in_is_begun(client: EntraClient, answers: Entra) -> None:
    answers.say({"value": [method("password"), method("microsoftAuthenticator")]})
    begun = client.start(ALICE, Factor.PUSH)
    assert (begun.user, begun.transaction, begun.user_code) == (ALICE, "a-device-code", "FRWQDE7YL")
    assert begun.verification_uri == "https://microsoft.com/devicelogin"
    assert answers.asked[-1].form == {"client_id": [CLIENT], "scope": ["openid profile"]}


@pytest.mark.parametrize("strong", ["external", "fido2", "phone", "softwareOath", "windowsHelloForBusiness"])
def test_a_second_factor_of_any_kind_will_do(client: EntraClient, answers: Entra, strong: str) -> None:
    answers.say({"value": [method(strong)]})
    assert client.start(ALICE, Factor.PUSH).transaction


@pytest.mark.parametrize(
    "weak", [[], ["password"], ["password", "email"], ["temporaryAccessPass"], ["aKindNobodyKnows"], ["Phone"]]
)
def test_without_a_second_factor_nothing_is_begun(client: EntraClient, answers: Entra, weak: list[str]) -> None:
    answers.say({"value": [method(name) for name in weak]})
    with pytest.raises(NotEnrolled):
        client.start(ALICE, Factor.PUSH)


@pytest.mark.parametrize(
    "listed", [None, 5, "x", {}, [None], [5], [{}], [{"@odata.type": 5}], [method("fido2"), {"@odata.type": None}]]
)
def test_a_list_of_methods_that_is_none(client: EntraClient, answers: Entra, listed: Any) -> None:
    answers.say({"value": listed})
    with pytest.raises(ContractViolation):
        client.start(ALICE, Factor.PUSH)


@pytest.mark.parametrize("changed", list(mutations(BEGUN)))
def test_a_sign_in_that_was_not_begun_well(client: EntraClient, answers: Entra, changed: Any) -> None:
    """The user needs the code and where to enter it; how often to ask has a default."""
    answers.say({"value": [method("fido2")]})
    answers.begun = changed
    try:
        begun = client.start(ALICE, Factor.PUSH)
    except ContractViolation:
        pass
    else:
        texts = (begun.transaction, begun.user_code, begun.verification_uri)
        assert all(isinstance(text, str) and text for text in texts)
        assert type(begun.interval) is float
    finally:
        answers.begun = BEGUN


def test_an_unknown_user_is_not_enrolled(client: EntraClient, answers: Entra) -> None:
    answers.say({"error": {"code": "Request_ResourceNotFound", "message": "…"}}, 404)
    with pytest.raises(NotEnrolled):
        client.start(ALICE, Factor.PUSH)


def test_a_404_that_is_not_graphs_is_a_violation(client: EntraClient, answers: Entra) -> None:
    answers.say(b"<html>", 404, "text/html")
    with pytest.raises(ContractViolation):
        client.start(ALICE, Factor.PUSH)


@pytest.mark.parametrize("factor", [Factor.OTP, Factor.SMS])
def test_codes_cannot_be_checked(client: EntraClient, factor: Factor) -> None:
    with pytest.raises(NotEnrolled, match=factor.value):
        client.start(ALICE, factor)


@pytest.mark.parametrize("user", ["alice@contoso.com", "alice", "", ALICE + "/../me", ALICE[:-1]])
def test_users_are_named_by_their_object_id(client: EntraClient, user: str) -> None:
    with pytest.raises(ValueError, match="object id"):
        client.start(user, Factor.PUSH)


@pytest.mark.parametrize(
    ("status", "body", "raised"),
    [
        (200, {"issuer": "https://elsewhere.example.com/", "token_endpoint": "https://x/"}, ContractViolation),
        (200, {}, ContractViolation),
        (400, {"error": "invalid_tenant", "error_codes": [90002]}, CredentialRejected),
        (503, {}, ProviderUnavailable),
    ],
)
def test_a_domain_whose_tenant_is_not_named(
    provider: FaultyProxy, answers: Entra, status: int, body: Any, raised: type[SecondFactorError]
) -> None:
    settings = SETTINGS.model_copy(update={"tenant_id": "login-service.onmicrosoft.com"})
    answers.say(body, status)
    with pytest.raises(raised):
        EntraClient(settings, endpoint=provider.url)._tenant_id()


def test_only_a_sign_in_can_be_polled(client: EntraClient) -> None:
    with pytest.raises(ValueError, match="device code"):
        client.verify(Challenge(ALICE, Factor.PUSH))


def test_a_limit_in_plain_text_tells_how_long(client: EntraClient, answers: Entra) -> None:
    answers.say(b"Too Many Requests", 429, "text/plain", Retry_After="60")
    with pytest.raises(RateLimited) as raised:
        client.verify(SIGN_IN)
    assert raised.value.retry_after == 60


def test_no_answer_is_unavailable_and_shows_nothing() -> None:
    gone = EntraClient(SETTINGS, endpoint="http://127.0.0.1:9", timeout_seconds=1)
    for ask in (lambda: gone.verify(SIGN_IN), lambda: gone.start(ALICE, Factor.PUSH)):
        with pytest.raises(ProviderUnavailable) as raised:
            ask()
        assert "canary" not in repr(raised.value)
        assert raised.value.__cause__ is None


class TestOnTheEmulator:
    """A whole sign-in, over TLS with the sandbox's own authority."""

    @pytest.fixture(params=["tenant_id", "tenant_domain"])
    def client(self, request: pytest.FixtureRequest, running: Running, monkeypatch: pytest.MonkeyPatch) -> EntraClient:
        # What the client was given counts, whatever the environment names.
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
        names = {"tenant_id": request.param, "client_id": "client_id", "client_secret": "client_secret"}
        settings = EntraSettings.model_validate({name: running.values[value] for name, value in names.items()})
        return EntraClient(
            settings, endpoint=running.endpoint, ca_bundle=Path(running.ca_bundle or ""), authentication_context="c1"
        )

    def enter(self, running: Running, code: str, user: str) -> int:
        """What somebody does in a browser."""
        form = {"user_code": code, "username": running.values[user]}
        url = f"{running.endpoint.replace('https:', 'http:')}/common/oauth2/deviceauth"
        return requests.post(url, data=form, timeout=30).status_code

    @pytest.mark.parametrize(
        ("who", "decision"),
        [("user", Decision.ALLOW), ("weak_user", Decision.DENY), ("declining_user", Decision.DENY)],
        ids=["the user", "another user", "one who declines"],
    )
    def test_sign_in(self, client: EntraClient, running: Running, who: str, decision: Decision) -> None:
        begun = client.start(running.values["user"], Factor.PUSH)
        assert client.verify(begun) is Decision.PENDING
        assert self.enter(running, begun.user_code, who) == 200
        assert client.verify(begun) is decision

    def test_a_sign_in_lets_in_once(self, client: EntraClient, running: Running) -> None:
        begun = client.start(running.values["user"], Factor.PUSH)
        self.enter(running, begun.user_code, "user")
        assert client.verify(begun) is Decision.ALLOW
        with pytest.raises(ContractViolation):
            client.verify(begun)

    @pytest.mark.parametrize("who", ["weak_user", "object_id"], ids=["a password alone", "nobody"])
    def test_nothing_to_challenge(self, client: EntraClient, running: Running, who: str) -> None:
        with pytest.raises(NotEnrolled):
            client.start(running.values[who], Factor.PUSH)
