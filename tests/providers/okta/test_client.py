"""What is particular about the reference client; that it fails closed is proved in ../test_fail_closed.py."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from mfagate.providers.made_up import new_private_key
from mfagate.providers.okta.client import OktaClient
from mfagate.providers.okta.settings import OktaSettings
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
from mfagate.sandbox.faulty_proxy import FaultyProxy, faulty_proxy

from ...support.answers import Answers, Asked, mutations

ORG = "https://acme.okta.com"
USER, OTHER = "00uabcdefg1234567890", "00uzzzzzzz1234567890"
TOTP, PUSHED, TEXTED = "ostabcdefg1234567890", "opfabcdefg1234567890", "smsabcdefg1234567890"
POLL = f"/api/v1/users/{USER}/factors/{PUSHED}/transactions/v2mst.GldKV5VxTrifyeZmWSQguA"
OTP, PUSH = Challenge(USER, Factor.OTP, TOTP), Challenge(USER, Factor.PUSH, POLL)

TOKENS = "/oauth2/v1/token"

SUCCESS = {"factorResult": "SUCCESS"}
CANARY = "00" + "Canary" * 6 + "4444"


@pytest.fixture(scope="module")
def answers() -> Answers:
    answers = Answers()
    answers.say({"token_type": "Bearer", "access_token": "e30.e30.e30", "expires_in": 3600}, path=TOKENS)
    return answers


@pytest.fixture(scope="module")
def provider(answers: Answers) -> Iterator[FaultyProxy]:
    with faulty_proxy("http://127.0.0.1:9", answers) as server:
        yield server


@pytest.fixture(scope="module")
def client(provider: FaultyProxy) -> OktaClient:
    settings = OktaSettings(org_url=ORG, api_token=SecretStr(CANARY))
    return OktaClient(settings, endpoint=provider.url, timeout_seconds=2)


def error(code: str) -> dict[str, Any]:
    return {"errorCode": code, "errorSummary": "a sentence", "errorLink": code, "errorId": "oae1", "errorCauses": []}


@pytest.mark.parametrize(
    ("result", "decision"),
    [
        ("WAITING", Decision.PENDING),
        *((denied, Decision.DENY) for denied in ("REJECTED", "TIMEOUT", "EXPIRED", "FAILED")),
        ("CHALLENGE", None),
        ("ERROR", None),
        ("CANCELLED", None),
    ],
)
def test_results_of_a_push(client: OktaClient, answers: Answers, result: str, decision: Decision | None) -> None:
    answers.say({"factorResult": result})
    if decision is None:
        with pytest.raises(ContractViolation):
            client.verify(PUSH)
    else:
        assert client.verify(PUSH) is decision


@pytest.mark.parametrize("result", ["WAITING", "CHALLENGE", "ERROR"])
def test_a_code_is_never_pending(client: OktaClient, answers: Answers, result: str) -> None:
    answers.say({"factorResult": result})
    with pytest.raises(ContractViolation):
        client.verify(OTP, "123456")


@pytest.mark.parametrize("result", ["PASSCODE_REPLAYED", "TIME_WINDOW_EXCEEDED", "FAILED"])
def test_a_code_refused_with_200(client: OktaClient, answers: Answers, result: str) -> None:
    answers.say({"factorResult": result})
    assert client.verify(OTP, "123456") is Decision.DENY


@pytest.mark.parametrize("code", ["E0000068", "E0000069", "E0000073", "E0000082", "E0000083"])
def test_what_is_about_the_user_denies(client: OktaClient, answers: Answers, code: str) -> None:
    answers.say(error(code), 403)
    assert client.verify(OTP, "123456") is Decision.DENY
    answers.say(error(code), 400)
    with pytest.raises(ContractViolation):
        client.verify(OTP, "123456")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "E0000011", CredentialRejected),
        (403, "E0000005", CredentialRejected),
        (403, "E0000006", CredentialRejected),
        (404, "E0000007", NotEnrolled),
        (429, "E0000047", RateLimited),
        (500, "E0000009", ProviderUnavailable),
        (503, "E0000010", ProviderUnavailable),
        (400, "E0000003", ContractViolation),
    ],
)
def test_errors_have_types(client: OktaClient, answers: Answers, status: int, code: str, kind: type[Exception]) -> None:
    answers.say(error(code), status)
    asks: list[Callable[[], object]] = [
        lambda: client.start(USER, Factor.OTP),
        lambda: client.verify(OTP, "123456"),
    ]
    for ask in asks:
        with pytest.raises(kind):
            ask()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X_Rate_Limit_Reset": "1757607758"}, 0),
        ({"Retry_After": "7"}, 7),
        ({"Retry_After": "Tue, 24 Nov 2015 12:00:00 GMT"}, 0),
        ({"Retry_After": "some day"}, None),
        ({}, None),
    ],
)
def test_a_rate_limit_says_how_long(
    client: OktaClient, answers: Answers, headers: dict[str, str], seconds: float | None
) -> None:
    """Okta tells the moment at which the limit begins anew."""
    answers.say(error("E0000047"), 429, **headers)
    with pytest.raises(RateLimited) as raised:
        client.verify(OTP, "123456")
    assert raised.value.retry_after == seconds


def test_a_rate_limit_says_when_it_ends(client: OktaClient, answers: Answers) -> None:
    answers.say(error("E0000047"), 429, X_Rate_Limit_Reset=str(int(time.time()) + 600))
    with pytest.raises(RateLimited) as raised:
        client.verify(OTP, "123456")
    assert raised.value.retry_after == pytest.approx(600, abs=30)


def test_an_empty_refusal_for_a_missing_scope(client: OktaClient, answers: Answers) -> None:
    answers.say(b"", 403, None, WWW_Authenticate='Bearer scope="okta.users.manage", error="insufficient_scope"')
    with pytest.raises(CredentialRejected, match=r"okta\.users\.manage"):
        client.verify(OTP, "123456")


@pytest.mark.parametrize("code", [None, ""])
def test_nothing_is_sent_without_a_code(client: OktaClient, answers: Answers, code: str | None) -> None:
    """Okta would take it for the wish for a message."""
    before = len(answers.asked)
    with pytest.raises(ValueError, match="code"):
        client.verify(OTP, code)
    assert len(answers.asked) == before


def factor(kind: str, factor_id: Any, status: str = "ACTIVE") -> dict[str, Any]:
    return {"id": factor_id, "factorType": kind, "status": status}


def test_the_active_factor_of_the_type_is_taken(client: OktaClient, answers: Answers) -> None:
    answers.say(
        [
            {"factorType": "of the future", "status": 7},
            factor("signed_nonce", "crpabcdefg1234567890"),
            factor("token:software:totp", "ostpending1234567890", "PENDING_ACTIVATION"),
            factor("token:software:totp", None),
            factor("token:software:totp", TOTP),
        ]
    )
    assert client.start("alice/bob@example.com", Factor.OTP) == Challenge("alice/bob@example.com", Factor.OTP, TOTP)
    assert answers.asked[-1] == Asked("GET", "/api/v1/users/alice%2Fbob%40example.com/factors", b"")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ([], NotEnrolled),
        ([factor("token:software:totp", TOTP, "EXPIRED")], NotEnrolled),
        ([factor("push", PUSHED)], NotEnrolled),
        ({"factors": []}, ContractViolation),
        (["ACTIVE"], ContractViolation),
        ([factor("token:software:totp", None)], ContractViolation),
        ([factor("token:software:totp", "")], ContractViolation),
        ([factor("token:software:totp", 7)], ContractViolation),
        (None, ContractViolation),
        (b"[", ContractViolation),
    ],
)
def test_lists_without_a_factor(client: OktaClient, answers: Answers, body: Any, kind: type[Exception]) -> None:
    answers.say(body)
    with pytest.raises(kind):
        client.start(USER, Factor.OTP)


def sent(href: Any, result: Any = "WAITING") -> dict[str, Any]:
    return {"factorResult": result, "_links": {"poll": {"href": href}}}


def test_the_link_is_followed_on_our_own_org(client: OktaClient, answers: Answers) -> None:
    """Whatever host it names: the next request carries our credential."""
    answers.say(sent(f"https://elsewhere.example{POLL}"), 201)
    assert client._push(USER, PUSHED) == POLL
    answers.say(SUCCESS)
    assert client.verify(PUSH) is Decision.ALLOW
    assert answers.asked[-1].path == urlsplit(POLL).path


@pytest.mark.parametrize(
    "body",
    [
        *mutations(sent(f"{ORG}{POLL}")),
        sent(f"{ORG}{POLL.replace(USER, OTHER)}"),
        sent(f"{ORG}{POLL.replace(PUSHED, 'opfzzzzzzz1234567890')}"),
        sent(f"{ORG}/api/v1/users/{USER}/factors/{PUSHED}"),
        sent(f"{ORG}/api/v1/api-tokens/current"),
        sent("https://[org"),
        sent(f"{ORG}{POLL}", "SUCCESS"),
    ],
)
def test_a_push_without_its_own_link(client: OktaClient, answers: Answers, body: Any) -> None:
    answers.say(body, 201)
    with pytest.raises(ContractViolation):
        client._push(USER, PUSHED)


def test_a_push_that_is_answered_200(client: OktaClient, answers: Answers) -> None:
    answers.say(sent(f"{ORG}{POLL}"))
    with pytest.raises(ContractViolation):
        client._push(USER, PUSHED)


@pytest.mark.parametrize("path", [POLL.replace(USER, OTHER), "/api/v1/users/me", TOTP])
def test_the_push_of_another_user_lets_nobody_in(client: OktaClient, answers: Answers, path: str) -> None:
    answers.say(SUCCESS)
    before = len(answers.asked)
    with pytest.raises(ContractViolation):
        client.verify(Challenge(USER, Factor.PUSH, path))
    assert len(answers.asked) == before


def test_an_unknown_push(client: OktaClient, answers: Answers) -> None:
    answers.say(error("E0000007"), 404)
    with pytest.raises(ContractViolation):
        client.verify(PUSH)


@pytest.mark.parametrize("factor_kind", [Factor.OTP, Factor.PUSH, Factor.SMS])
def test_a_challenge_that_was_never_started(client: OktaClient, factor_kind: Factor) -> None:
    with pytest.raises(ValueError, match="transaction"):
        client.verify(Challenge(USER, factor_kind), "123456")


def test_a_message(client: OktaClient, answers: Answers) -> None:
    answers.say({"factorResult": "CHALLENGE"})
    client._send_message(USER, TEXTED)
    assert answers.asked[-1] == Asked("POST", f"/api/v1/users/{USER}/factors/{TEXTED}/verify", b"{}")
    answers.say(SUCCESS)
    assert client.verify(Challenge(USER, Factor.SMS, TEXTED), "123456") is Decision.ALLOW
    answers.say(error("E0000109"), 429)
    with pytest.raises(RateLimited) as raised:
        client._send_message(USER, TEXTED)
    assert raised.value.retry_after == 30
    answers.say({"factorResult": "SUCCESS"})
    with pytest.raises(ContractViolation):
        client._send_message(USER, TEXTED)


def test_a_refused_access_token_is_a_refused_credential(provider: FaultyProxy, answers: Answers) -> None:
    pem = new_private_key()
    settings = OktaSettings(org_url=ORG, client_id="0oaabcdefg1234567890", private_key=SecretStr(pem))
    answers.say(SUCCESS)
    answers.say(
        {"error": "invalid_client", "error_description": "The client_assertion signature is invalid."}, 401, path=TOKENS
    )
    with pytest.raises(CredentialRejected) as raised:
        OktaClient(settings, endpoint=provider.url).verify(OTP, "123456")
    assert "public half" in str(raised.value)
    assert pem.splitlines()[1] not in str(raised.value)


def test_an_access_token_bound_to_a_key_is_not_used_as_another(provider: FaultyProxy, answers: Answers) -> None:
    settings = OktaSettings(org_url=ORG, client_id="0oaabcdefg1234567890", private_key=SecretStr(new_private_key()))
    answers.say(SUCCESS)
    answers.say({"token_type": "DPoP", "access_token": "e30.e30.e30", "expires_in": 3600}, path=TOKENS)
    with pytest.raises(SecondFactorError):
        OktaClient(settings, endpoint=provider.url).verify(OTP, "123456")
