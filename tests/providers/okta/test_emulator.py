"""What the emulated org refuses, and that its answers are whole."""

from __future__ import annotations

import base64
import hashlib
import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import jwt.algorithms
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from mfagate.config.pem import load_private_key
from mfagate.providers.made_up import new_private_key
from mfagate.providers.okta.settings import TOKEN_PATH
from mfagate.providers.totp import Totp

from .conftest import Org

PROVIDER = "okta"

WHOLE = {"profile": {"login": "nobody@example.com", "email": "nobody@example.com"}}

NOBODY = "00umfagatenosuchuser"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, (403, "E0000005")),
        ("Basic dXNlcjpwYXNz", (403, "E0000005")),
        ("Token x", (403, "E0000005")),
        ("SSWS 00" + "k" * 40, (401, "E0000011")),
        ("SSWS ", (401, "E0000011")),
        ("SSWS eyJhbGciOiJSUzI1NiJ9.e30.c2ln", (401, "E0000011")),
        ("Bearer 00" + "k" * 40, (401, "E0000011")),
        ("Bearer eyJhbGciOiJub25lIn0.e30.", (401, "E0000011")),
    ],
)
def test_credentials_that_are_none(org: Org, header: str | None, expected: tuple[int, str]) -> None:
    headers = {"Authorization": header} if header else {}
    assert org.code("GET", "/api/v1/users/me", token=None, headers=headers) == expected


@pytest.mark.parametrize("kind", ["revoked", "expired", "orphaned"])
def test_tokens_that_ended(org: Org, kind: str) -> None:
    assert org.code("GET", "/api/v1/users/me", token=f"{kind}_api_token") == (401, "E0000011")


def test_the_scheme_may_be_written_without_a_space(org: Org) -> None:
    """As Okta's own client for Python sends it."""
    headers = {"Authorization": f"SSWS{org.values['api_token']}"}
    assert org.ask("GET", "/api/v1/users/me", token=None, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("token", "method", "path"),
    [
        ("unprivileged_api_token", "GET", f"/api/v1/users/{NOBODY}/factors"),
        ("unprivileged_api_token", "GET", "/api/v1/org"),
        ("read_only_api_token", "POST", f"/api/v1/users/{NOBODY}/factors/ost/verify"),
        ("read_only_api_token", "POST", "/api/v1/users"),
        ("read_only_api_token", "DELETE", f"/api/v1/users/{NOBODY}"),
        ("read_only_api_token", "GET", "/api/v1/api-tokens"),
    ],
)
def test_what_a_role_forbids(org: Org, token: str, method: str, path: str) -> None:
    assert org.code(method, path, token=token) == (403, "E0000006")


@pytest.mark.parametrize(
    ("method", "path", "request_", "expected"),
    [
        ("GET", "/api/v1/nothing", {}, (404, "E0000008")),
        ("GET", "/api/v1/users/", {}, (404, "E0000008")),
        ("PUT", "/api/v1/users", {}, (405, "E0000022")),
        ("GET", f"/api/v1/users/{NOBODY}", {}, (404, "E0000007")),
        ("GET", f"/api/v1/users/{NOBODY}/factors/x", {}, (404, "E0000007")),
        ("GET", "/api/v1/api-tokens/00T", {}, (404, "E0000007")),
        ("POST", "/api/v1/users", {"json": {}}, (400, "E0000001")),
        ("POST", "/api/v1/users", {"json": []}, (400, "E0000003")),
        ("POST", "/api/v1/users", {"json": {"profile": "x"}}, (400, "E0000003")),
        ("POST", "/api/v1/users", {"json": {"profile": {"login": 1, "email": "a@b.c"}}}, (400, "E0000003")),
        ("POST", "/api/v1/users", {"json": {"profile": {"login": "somebody", "email": "a@b.c"}}}, (400, "E0000001")),
        ("POST", "/api/v1/users", {"json": {"profile": {"login": "a@b.c", "email": "@"}}}, (400, "E0000001")),
        ("POST", "/api/v1/users?activate=perhaps", {"json": {}}, (400, "E0000001")),
        ("POST", "/api/v1/users", {"data": b"{", "headers": {"Content-Type": "application/json"}}, (400, "E0000003")),
        ("POST", "/api/v1/users", {"data": b"<a/>", "headers": {"Content-Type": "text/xml"}}, (400, "E0000021")),
        ("POST", "/api/v1/users?nextLogin=never", {"json": WHOLE}, (400, "E0000001")),
        ("POST", "/api/v1/users?nextLogin=changePassword", {"json": WHOLE}, (400, "E0000124")),
        ("POST", "/api/v1/users", {"json": {**WHOLE, "realmId": 1}}, (400, "E0000003")),
        ("GET", "/api/v1/users?limit=0", {}, (400, "E0000001")),
        ("GET", "/api/v1/users?limit=many", {}, (400, "E0000001")),
        ("GET", "/api/v1/users?filter=status", {}, (400, "E0000031")),
        ("GET", "/api/v1/org", {"headers": {"Accept": "text/html"}}, (406, "E0000122")),
    ],
)
def test_bad_requests(org: Org, method: str, path: str, request_: dict[str, Any], expected: tuple[int, str]) -> None:
    assert org.code(method, path, **request_) == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"groupIds": ["00g"] * 21}, (400, "E0000093")),
        ({"groupIds": [1]}, (400, "E0000003")),
        ({"credentials": {"password": {"value": "short"}}}, (400, "E0000001")),
        ({"credentials": {"password": "correct horse"}}, (400, "E0000003")),
        ({"profile": {"login": "twice@example.com", "email": "x" * 96 + "@b.co"}}, (400, "E0000001")),
    ],
)
def test_users_that_cannot_be(org: Org, changed: dict[str, Any], expected: tuple[int, str]) -> None:
    body = {"profile": {"login": "twice@example.com", "email": "twice@example.com"}, **changed}
    assert org.code("POST", "/api/v1/users", json=body) == expected


def test_a_login_is_given_once(org: Org) -> None:
    user = org.user()
    profile = {**user["profile"], "login": user["profile"]["login"].upper()}
    assert org.code("POST", "/api/v1/users", json={"profile": profile}) == (400, "E0000001")


@pytest.mark.parametrize(
    ("query", "credentials", "status"),
    [
        ("", {"password": {"value": "correct horse"}}, "ACTIVE"),
        ("", {}, "PROVISIONED"),
        ("?activate=false", {"password": {"value": "correct horse"}}, "STAGED"),
        ("?nextLogin=changePassword", {"password": {"value": "correct horse"}}, "PASSWORD_EXPIRED"),
    ],
)
def test_statuses_of_new_users(org: Org, query: str, credentials: dict[str, Any], status: str) -> None:
    login = f"{uuid.uuid4().hex}@example.com"
    body = {"profile": {"login": login, "email": login}, "credentials": credentials}
    answer = org.ask("POST", f"/api/v1/users{query}", json=body)
    assert (answer.status_code, answer.json()["status"]) == (200, status)


def test_a_user_is_deleted_by_the_second_delete(org: Org) -> None:
    path = f"/api/v1/users/{org.user()['id']}"
    assert org.ask("DELETE", path).status_code == 204
    assert org.ask("GET", path).json()["status"] == "DEPROVISIONED"
    assert org.code("POST", f"{path}/lifecycle/deactivate") == (404, "E0000007")
    assert org.ask("DELETE", path).status_code == 204
    assert org.code("GET", path) == (404, "E0000007")


def test_a_user_goes_and_comes_back(org: Org) -> None:
    user = org.user()
    path = f"/api/v1/users/{user['id']}"
    assert org.ask("POST", f"{path}/lifecycle/deactivate").json() == {}
    assert org.code("POST", f"{path}/factors", json={"factorType": "push"}) == (403, "E0000038")
    assert set(org.ask("POST", f"{path}/lifecycle/activate").json()) == {"activationUrl", "activationToken"}
    assert org.code("POST", f"{path}/lifecycle/activate") == (403, "E0000016")
    by_login = org.ask("GET", f"/api/v1/users/{user['profile']['login']}").json()
    assert (by_login["id"], by_login["status"]) == (user["id"], "ACTIVE")


def test_users_are_listed_with_one_link(org: Org) -> None:
    user = org.user()
    query = {"filter": f'profile.login eq "{user["profile"]["login"]}"', "limit": "1"}
    answer = org.ask("GET", "/api/v1/users", params=query)
    (listed,) = answer.json()
    assert (listed["id"], set(listed["_links"])) == (user["id"], {"self"})
    assert 'rel="self"' in answer.headers["Link"]
    assert org.ask("GET", "/api/v1/users", params={"q": "mfagate", "limit": "2"}).json().__len__() == 2


def test_a_code_is_good_for_once(org: Org) -> None:
    path, phone = org.phone()
    assert org.code("POST", f"{path}/verify", json={"passCode": phone.code(-1)}) == (403, "E0000082")
    assert org.code("POST", f"{path}/verify", json={"passCode": phone.code(-5)}) == (403, "E0000083")
    code = phone.code()
    assert org.ask("POST", f"{path}/verify", json={"passCode": code}).json() == {"factorResult": "SUCCESS"}
    assert org.code("POST", f"{path}/verify", json={"passCode": code}) == (403, "E0000082")


def test_a_code_is_good_for_once_at_the_same_time_too(org: Org) -> None:
    path, phone = org.phone()
    code = phone.code()

    def login(_: int) -> int:
        return org.ask("POST", f"{path}/verify", json={"passCode": code}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(login, range(8))) == [200] + [403] * 7


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, "E0000001")),
        ({"passCode": ""}, (400, "E0000001")),
        ({"passCode": None}, (400, "E0000001")),
        ({"passCode": 123456}, (400, "E0000003")),
        ({"answer": "123456"}, (400, "E0000001")),
    ],
)
def test_codes_that_are_none(org: Org, body: dict[str, Any], expected: tuple[int, str]) -> None:
    path, _ = org.phone()
    assert org.code("POST", f"{path}/verify", json=body) == expected


def test_ten_wrong_codes_lock_a_user(org: Org) -> None:
    path, phone = org.phone()
    for _ in range(10):
        assert org.code("POST", f"{path}/verify", json={"passCode": phone.wrong_code()}) == (403, "E0000068")
    assert org.code("POST", f"{path}/verify", json={"passCode": phone.code()}) == (403, "E0000069")


def test_a_factor_that_was_not_activated(org: Org) -> None:
    user = org.user()
    factor = org.enrolled(user)
    phone = Totp(factor["_embedded"]["activation"]["sharedSecret"])
    path = f"/api/v1/users/{user['id']}/factors/{factor['id']}"
    assert org.code("POST", f"{path}/verify", json={"passCode": phone.code()}) == (403, "E0000038")
    assert org.code("POST", f"{path}/lifecycle/activate", json={"passCode": phone.wrong_code()}) == (403, "E0000068")
    listed = org.ask("GET", path).json()
    assert (listed["status"], "_embedded" in listed) == ("PENDING_ACTIVATION", False)
    assert phone.secret not in org.ask("GET", f"/api/v1/users/{user['id']}/factors").text


def test_a_factor_is_enrolled_once(org: Org) -> None:
    path, _ = org.phone()
    factors = path.rpartition("/")[0]
    body = {"factorType": "token:software:totp", "provider": "OKTA"}
    assert org.code("POST", factors, json=body) == (400, "E0000001")
    assert org.ask("DELETE", path).status_code == 204
    assert org.ask("POST", factors, json=body).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"factorType": "carrier:pigeon"},
        {"factorType": "token:software:totp", "provider": "YUBICO"},
        {"factorType": "sms", "provider": "OKTA"},
        {"factorType": "sms", "provider": "OKTA", "profile": {"phoneNumber": "911"}},
        {"factorType": "question", "provider": "OKTA", "profile": {"question": "disliked_food", "answer": "pea"}},
        {"factorType": "question", "provider": "OKTA", "profile": {"question": "of life", "answer": "forty-two"}},
    ],
)
def test_factors_that_cannot_be(org: Org, body: dict[str, Any]) -> None:
    assert org.code("POST", f"/api/v1/users/{org.user()['id']}/factors", json=body) == (400, "E0000001")


def test_a_question(org: Org) -> None:
    user = org.user()
    profile = {"question": "disliked_food", "answer": "mayonnaise"}
    factor = org.enrolled(user, "question", profile=profile)
    assert (factor["status"], "answer" in factor["profile"]) == ("ACTIVE", False)
    path = f"/api/v1/users/{user['id']}/factors/{factor['id']}/verify"
    assert org.code("POST", path, json={"answer": "ketchup"}) == (403, "E0000068")
    assert org.ask("POST", path, json={"answer": "mayonnaise"}).json() == {"factorResult": "SUCCESS"}
    questions = org.ask("GET", f"/api/v1/users/{user['id']}/factors/questions").json()
    assert profile["question"] in [one["question"] for one in questions]


def test_a_phone_number_is_normalised_and_waits_for_its_code(org: Org) -> None:
    user = org.user()
    factor = org.enrolled(user, "sms", profile={"phoneNumber": "+1-555-555-0100"})
    assert (factor["profile"], factor["status"]) == ({"phoneNumber": "+15555550100"}, "PENDING_ACTIVATION")
    path = f"/api/v1/users/{user['id']}/factors/{factor['id']}"
    assert org.code("POST", f"{path}/lifecycle/activate", json={"passCode": "0"}) == (403, "E0000068")


def test_a_message_is_sent_by_an_empty_request(org: Org) -> None:
    """The trap: it is answered 200, as a login is."""
    user = org.user()
    body = {"factorType": "sms", "provider": "OKTA", "profile": {"phoneNumber": "+15555550100"}}
    factor = org.ask("POST", f"/api/v1/users/{user['id']}/factors?activate=true", json=body).json()
    path = f"/api/v1/users/{user['id']}/factors/{factor['id']}/verify"
    sent = org.ask("POST", path)
    assert (sent.status_code, sent.json()["factorResult"]) == (200, "CHALLENGE")
    assert org.code("POST", path, json={}) == (429, "E0000109")
    assert org.code("POST", path, json={"passCode": "0"}) == (403, "E0000068")


def factor_of(org: Org, name: str) -> str:
    user = org.ask("GET", f"/api/v1/users/{org.values[name]}").json()["id"]
    (factor,) = org.ask("GET", f"/api/v1/users/{user}/factors").json()
    return f"/api/v1/users/{user}/factors/{factor['id']}"


@pytest.mark.parametrize(
    ("name", "result"),
    [("user", "WAITING"), ("accepting_user", "SUCCESS"), ("declining_user", "REJECTED"), ("ignoring_user", "TIMEOUT")],
)
def test_pushes(org: Org, name: str, result: str) -> None:
    path = factor_of(org, name)
    sent = org.ask("POST", f"{path}/verify")
    assert (sent.status_code, sent.json()["factorResult"]) == (201, "WAITING")
    poll = sent.json()["_links"]["poll"]["href"].removeprefix(org.values["org_url"])
    assert poll.startswith(f"{path}/transactions/v2mst.")
    answer = org.ask("GET", poll)
    assert (answer.status_code, answer.json()["factorResult"]) == (200, result)
    if result == "SUCCESS":
        assert answer.json() == {"factorResult": "SUCCESS"}
    else:
        assert answer.json()["profile"]["credentialId"] == org.values[name]


def test_a_push_belongs_to_its_user(org: Org) -> None:
    sent = org.ask("POST", f"{factor_of(org, 'accepting_user')}/verify").json()
    transaction = sent["_links"]["poll"]["href"].rpartition("/")[2]
    assert org.code("GET", f"{factor_of(org, 'user')}/transactions/{transaction}") == (404, "E0000007")


def test_a_push_with_number_matching_has_a_number_of_two_digits(org: Org) -> None:
    sent = org.ask("POST", f"{factor_of(org, 'user')}/verify", json={"useNumberMatchingChallenge": True}).json()
    assert 10 <= sent["_embedded"]["challenge"]["correctAnswer"] <= 99


def test_a_push_waits_for_its_owner_to_enrol(org: Org) -> None:
    user = org.user()
    factor = org.enrolled(user, "push")
    assert factor["_embedded"]["activation"]["factorResult"] == "WAITING"
    poll = factor["_links"]["poll"]["href"].removeprefix(org.values["org_url"])
    assert org.ask("POST", poll).json()["factorResult"] == "WAITING"


def test_tokens_are_listed_while_they_are_good(org: Org) -> None:
    listed = org.ask("GET", "/api/v1/api-tokens/").json()  # the id is missing: the list, not an error
    names = {token["name"] for token in listed}
    assert "login service" in names
    assert not names & {"old login service", "forgotten", "of somebody who left"}
    for token in listed:
        assert not {"value", "token"} & set(token)
    before = org.ask("GET", f"/api/v1/api-tokens/{org.values['idle_token_id']}").json()
    assert before["expiresAt"] > before["lastUpdated"]


def test_headers(org: Org) -> None:
    answer = org.ask("GET", "/api/v1/org")
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-okta-request-id"])
    assert int(answer.headers["x-rate-limit-remaining"]) < int(answer.headers["x-rate-limit-limit"])
    assert 0 <= int(answer.headers["x-rate-limit-reset"]) - time.time() <= 60
    assert "-admin.okta.com" in answer.headers["content-security-policy"]
    assert org.ask("PUT", "/api/v1/org").headers["Allow"]


def test_what_anybody_may_know(org: Org) -> None:
    body = org.ask("GET", "/.well-known/okta-organization", token=None).json()
    assert (body["id"], body["pipeline"]) == (org.values["org_id"], "idx")
    assert body["_links"]["organization"]["href"] == org.values["org_url"]


def test_an_access_token(org: Org) -> None:
    answer = org.token(form={"scope": "okta.users.read okta.users.manage"})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3600)
    assert body["scope"] == "okta.users.read okta.users.manage"
    assert jwt.get_unverified_header(body["access_token"])["typ"] == "application/okta-internal-at+jwt"
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert claims["iss"] == claims["aud"] == org.values["org_url"]
    assert claims["cid"] == claims["sub"] == org.values["client_id"]
    assert claims["scp"] == ["okta.users.read", "okta.users.manage"]
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    assert org.code("GET", f"/api/v1/users/{NOBODY}/factors", token=None, headers=headers) == (404, "E0000007")
    assert org.code("GET", "/api/v1/users/me", token=None, headers=headers) == (404, "E0000007")
    missing = org.ask("GET", "/api/v1/api-tokens", token=None, headers=headers)
    assert (missing.status_code, missing.content) == (403, b"")
    assert 'error="insufficient_scope"' in missing.headers["WWW-Authenticate"]
    assert 'scope="okta.apiTokens.read"' in missing.headers["WWW-Authenticate"]
    headers = {"Authorization": f"Bearer {body['access_token'][:-4]}AAAA"}
    refused = org.ask("GET", "/api/v1/users/me", token=None, headers=headers)
    assert (refused.status_code, refused.json()["errorCode"]) == (401, "E0000011")
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]


def test_scopes_that_are_not_granted_are_left_out(org: Org) -> None:
    answer = org.token(form={"scope": "okta.users.read okta.apps.manage okta.users.read"})
    assert (answer.status_code, answer.json()["scope"]) == (200, "okta.users.read")


def test_an_assertion_may_lack_what_okta_does_not_demand(org: Org) -> None:
    assert org.token(claims={"jti": None, "iat": int(time.time())}, header={}).status_code == 200


def test_an_assertion_is_good_for_once(org: Org) -> None:
    same = {"jti": uuid.uuid4().hex}
    assert org.token(claims=same, form={"scope": "openid"}).json()["error"] == "invalid_scope"
    again = org.token(claims=same)
    assert (again.status_code, again.json()["error_description"]) == (
        401,
        "The client_assertion token has already been used.",
    )


NOW = int(time.time())
A_DAY = 86_400  # as long as a run of all tests on a busy machine never takes
EC_KEY = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2
OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r
1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G
-----END PRIVATE KEY-----"""


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"claims": {"iss": "0oaabcdefg1234567890"}}, "issuer claim"),
        ({"claims": {"sub": "0oaabcdefg1234567890"}}, "subject claim"),
        ({"claims": {"aud": "https://acme.okta.com/oauth2/v1/token"}}, "audience"),
        ({"claims": {"aud": None}}, "audience"),
        ({"claims": {"exp": None}}, "'exp' claim"),
        ({"claims": {"exp": NOW - 60}}, "is expired"),
        ({"claims": {"exp": NOW + A_DAY}}, "too far into the future"),
        ({"claims": {"exp": NOW * 1000}}, "too far into the future"),
        ({"claims": {"iat": NOW + A_DAY}}, "before the current time"),
        ({"key": new_private_key()}, "signature is invalid"),
        ({"key": EC_KEY, "algorithm": "ES256"}, "signature is invalid"),
        ({"key": "s" * 64, "algorithm": "HS256"}, "algorithm is invalid"),
        ({"header": {"kid": "another"}}, "kid is invalid"),
        ({"form": {"client_assertion": "e30.e30"}}, "parsing"),
        ({"form": {"client_assertion": None}}, "No client credentials found."),
        ({"form": {"client_assertion_type": "jwt"}}, "Client authentication failed"),
        ({"form": {"client_id": "0oaabcdefg1234567890"}}, "'client_id' parameter"),
        ({"form": {"client_assertion": None, "client_secret": "s" * 40}}, "private_key_jwt"),
        ({"form": {"client_assertion": None}, "auth": ("0oa", "s" * 40)}, "private_key_jwt"),
    ],
)
def test_clients_that_are_refused(org: Org, changed: dict[str, Any], words: str) -> None:
    answer = org.token(**changed)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert words in answer.json()["error_description"]


@pytest.mark.parametrize(
    ("kind", "status", "error"),
    [
        ("web", 401, "invalid_client"),
        ("keyless", 401, "invalid_client"),
        ("restricted", 403, "access_denied"),
        ("dpop", 400, "invalid_dpop_proof"),
        ("ungranted", 400, "consent_required"),
    ],
)
def test_apps_that_get_no_token(org: Org, kind: str, status: int, error: str) -> None:
    client = org.values[f"{kind}_client_id"]
    answer = org.token(claims={"iss": client, "sub": client})
    assert (answer.status_code, answer.json()["error"]) == (status, error)


PROOF_KEY = ec.generate_private_key(ec.SECP256R1())


def proof(org: Org, path: str, method: str = "POST", key: Any = PROOF_KEY, **changed: Any) -> dict[str, str]:
    """The header with a proof for a request; a None takes a claim away."""
    claims = {
        "htm": method,
        "htu": org.values["org_url"] + path,
        "iat": int(time.time()),
        "jti": uuid.uuid4().hex,
        **changed,
    }
    whole = {name: value for name, value in claims.items() if value is not None}
    public = jwt.algorithms.ECAlgorithm.to_jwk(PROOF_KEY.public_key(), as_dict=True)
    return {"DPoP": jwt.encode(whole, key, algorithm="ES256", headers={"typ": "dpop+jwt", "jwk": public})}


def bound_token(org: Org, **changed: Any) -> requests.Response:
    client = org.values["dpop_client_id"]
    return org.token(claims={"iss": client, "sub": client}, headers=proof(org, TOKEN_PATH, **changed))


def test_a_token_bound_to_a_key(org: Org) -> None:
    first = bound_token(org)
    assert (first.status_code, first.json()["error"]) == (400, "use_dpop_nonce")
    answer = bound_token(org, nonce=first.headers["dpop-nonce"])
    assert (answer.status_code, answer.json()["token_type"]) == (200, "DPoP")
    token = answer.json()["access_token"]
    ath = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
    path = f"/api/v1/users/{NOBODY}/factors"
    headers = {"Authorization": f"DPoP {token}", **proof(org, path, "GET", ath=ath)}
    assert org.code("GET", path, token=None, headers=headers) == (404, "E0000007")
    again = org.ask("GET", path, token=None, headers=headers)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_dpop_proof")
    other = {"Authorization": f"DPoP {token}", **proof(org, path, "GET", ath="another")}
    assert org.ask("GET", path, token=None, headers=other).json()["error"] == "invalid_dpop_proof"
    assert org.code("GET", path, token=None, headers={"Authorization": f"Bearer {token}"}) == (401, "E0000011")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"htm": "GET"}, "'htm' claim"),
        ({"htu": "https://acme.okta.com/oauth2/v1/token"}, "'htu' claim"),
        ({"iat": None}, "five minutes"),
        ({"iat": int(time.time()) - 600}, "five minutes"),
        ({"jti": None}, "already been used"),
        ({"key": ec.generate_private_key(ec.SECP256R1())}, "proof JWT is invalid"),
    ],
)
def test_proofs_that_are_refused(org: Org, changed: dict[str, Any], words: str) -> None:
    answer = bound_token(org, **changed)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")
    assert words in answer.json()["error_description"]


@pytest.mark.parametrize("value", ["", "e30.e30.e30", "nonsense", jwt.encode({}, "k" * 32, algorithm="HS256")])
def test_proofs_that_are_none(org: Org, value: str) -> None:
    client = org.values["dpop_client_id"]
    answer = org.token(claims={"iss": client, "sub": client}, headers={"DPoP": value})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")


def test_a_proof_that_nobody_asked_for(org: Org) -> None:
    """Okta's client for Node sends one in any case."""
    assert org.token(headers=proof(org, TOKEN_PATH)).json()["token_type"] == "Bearer"


def test_an_app_without_a_role(org: Org) -> None:
    client = org.values["roleless_client_id"]
    token = org.token(claims={"iss": client, "sub": client}).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert org.code("GET", "/api/v1/users", token=None, headers=headers) == (403, "E0000006")


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"form": {"grant_type": None}}, 400, "unsupported_grant_type"),
        ({"form": {"grant_type": "password"}}, 400, "unauthorized_client"),
        ({"form": {"scope": None}}, 400, "invalid_scope"),
        ({"form": {"scope": "openid"}}, 400, "invalid_scope"),
        ({"form": {"scope": "okta.nothing.read"}}, 400, "invalid_scope"),
        ({"form": {"scope": "okta.users.read.self"}}, 400, "client_credentials_self_scope_requested"),
        ({"form": {"client_secret": "s" * 40}}, 401, "invalid_request"),
        ({"params": {"client_id": "0oa"}}, 400, "invalid_request"),
        ({"data": "scope=a&scope=b", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 400,
         "invalid_request"),
        ({"data": b"a=%ff", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 400, "invalid_request"),
        ({"data": b"{}", "headers": {"Content-Type": "application/json"}}, 400, "invalid_request"),
    ],
)  # fmt: skip
def test_bad_requests_for_a_token(org: Org, changed: dict[str, Any], status: int, error: str) -> None:
    answer = org.token(**changed)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert set(answer.json()) == {"error", "error_description"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KNOWN = st.sampled_from(
    ["profile", "login", "email", "credentials", "password", "value", "factorType", "provider", "passCode", "answer",
     "phoneNumber", "groupIds", "useNumberMatchingChallenge", "recovery_question"]
)  # fmt: skip
BODIES = st.recursive(
    JSON | st.sampled_from(["sms", "push", "OKTA", "token:software:totp", "a@b.co"]),
    lambda inner: st.dictionaries(KNOWN, inner, max_size=4),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def paths(org: Org) -> dict[str, str]:
    """Where bodies may be sent."""
    active, locked = factor_of(org, "sms_user"), factor_of(org, "locked_user")
    return {
        "users": "/api/v1/users?activate=false",
        "enroll": active.rpartition("/")[0],
        "verify": f"{locked}/verify",
        "activate": f"{locked}/lifecycle/activate",
        "token": TOKEN_PATH,
    }


@given(body=BODIES, route=st.sampled_from(["users", "enroll", "verify", "activate", "token"]))
def test_no_body_makes_the_emulator_fail(org: Org, paths: dict[str, str], body: Any, route: str) -> None:
    """Whatever comes, an answer in one of Okta's two envelopes, and never an outage."""
    token = None if route == "token" else "admin_api_token"
    answer = org.ask("POST", paths[route], json=body, token=token)
    assert answer.status_code < 500
    assert isinstance(answer.json(), dict)
    if answer.status_code >= 400:
        assert {"errorCode", "error"} & set(answer.json())


def test_plain_http_is_spoken_on_the_same_port(org: Org) -> None:
    plain = org.running.endpoint.replace("https:", "http:")
    assert requests.get(f"{plain}/.well-known/okta-organization", timeout=30).json()["id"] == org.values["org_id"]


def test_a_client_may_address_its_assertion_to_this_machine(org: Org) -> None:
    """As one does that is pointed at the emulator."""
    assert org.token(claims={"aud": org.running.endpoint + TOKEN_PATH}).status_code == 200
    key = load_private_key(org.values["private_key"]).public_key()
    assert key.key_size == 2048
