"""What the emulator refuses, and in which words; what it answers is complete."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import jwt
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mfagate.providers.auth0.dialect import DISCOVERY_PATH
from mfagate.providers.auth0.probes import GRANT, KEYS_PATH, METHODS_OF_NOBODY, UNKNOWN_USER_ID
from mfagate.sandbox import Running

PROVIDER = "auth0"

MFA_OTP = f"{GRANT}mfa-otp"
REALM = f"{GRANT}password-realm"
NOBODY = "/api/v2/users/" + quote(UNKNOWN_USER_ID, safe="")


def ask(running: Running, method: str, path: str, **request: Any) -> requests.Response:
    return requests.request(method, running.endpoint + path, timeout=30, verify=running.ca_bundle, **request)


def client(running: Running, name: str = "") -> dict[str, str]:
    return {field: running.values[f"{name}{field}"] for field in ("client_id", "client_secret")}


def grant(running: Running, grant_type: str, name: str = "", **fields: Any) -> requests.Response:
    return ask(running, "POST", "/oauth/token", data={"grant_type": grant_type, **client(running, name), **fields})


def machine_token(running: Running, name: str = "admin_") -> str:
    answer = grant(running, "client_credentials", name, audience=running.values["audience"])
    token: str = answer.json()["access_token"]
    return token


def login(running: Running, who: str = "otp_user") -> str:
    values = running.values
    fields = {"username": values[who], "password": values["password"], "realm": values["connection"]}
    token: str = grant(running, REALM, **fields).json()["mfa_token"]
    return token


@pytest.fixture(scope="module")
def bearer(running: Running) -> dict[str, str]:
    return {"Authorization": f"Bearer {machine_token(running)}"}


@pytest.mark.parametrize(
    ("fields", "status", "error", "words"),
    [
        ({}, 400, "invalid_request", "grant_type"),
        ({"grant_type": "magic"}, 400, "unsupported_grant_type", "Grant type not supported"),
        ({"grant_type": "client_credentials", "client_id": None}, 400, "invalid_request", "client_id"),
        ({"grant_type": "client_credentials", "client_secret": None}, 401, "access_denied", "Unauthorized"),
        ({"grant_type": "client_credentials"}, 403, "access_denied", "No audience"),
        ({"grant_type": "client_credentials", "audience": "x"}, 403, "access_denied", "Service not found: x"),
        ({"grant_type": "authorization_code"}, 400, "invalid_request", "code"),
        ({"grant_type": "authorization_code", "code": "x"}, 403, "invalid_grant", "Invalid authorization code"),
        ({"grant_type": "password", "username": "a"}, 400, "invalid_request", "password"),
        ({"grant_type": REALM, "username": "a", "password": "b"}, 400, "invalid_request", "realm"),
        ({"grant_type": REALM, "username": "a", "password": "b", "realm": "c"}, 400, "invalid_request", "connection"),
        (
            {"grant_type": "password", "username": "a", "password": "b"},
            403,
            "invalid_grant",
            "Wrong email or password.",
        ),
        ({"grant_type": MFA_OTP, "otp": "1"}, 400, "invalid_request", "mfa_token"),
        ({"grant_type": MFA_OTP, "mfa_token": "x", "otp": "1"}, 403, "invalid_grant", "Malformed mfa_token"),
        ({"grant_type": MFA_OTP, "mfa_token": 5}, 400, "invalid_request", "must be a string"),
        (
            {"grant_type": "client_credentials", "scope": 5, "audience": "audience"},
            400,
            "invalid_scope",
            "Scope must be",
        ),
        (
            {"grant_type": "client_credentials", "scope": ["delete:users"], "audience": "audience"},
            403,
            "access_denied",
            "Client has not been granted scopes: delete:users",
        ),
    ],
)
def test_bad_requests_for_tokens(running: Running, fields: dict[str, Any], status: int, error: str, words: str) -> None:
    """As JSON, in which null is as good as absent."""
    if fields.get("audience") == "audience":
        fields = {**fields, "audience": running.values["audience"]}
    answer = ask(running, "POST", "/oauth/token", json={**client(running), "organization": None, **fields})
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert words in answer.json()["error_description"]


def test_a_client_may_use_a_basic_header(running: Running) -> None:
    form = {"grant_type": "client_credentials", "audience": running.values["audience"]}
    pair = running.values["client_id"], running.values["client_secret"]
    assert ask(running, "POST", "/oauth/token", data=form, auth=pair).json()["token_type"] == "Bearer"
    assert ask(running, "POST", "/oauth/token", data=form, auth=(pair[0], "x")).status_code == 401


def test_claims_of_a_machine_token(running: Running) -> None:
    (key,) = ask(running, "GET", KEYS_PATH).json()["keys"]
    token = machine_token(running, "")
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "typ": "JWT", "kid": key["kid"]}
    told = jwt.decode(token, jwt.PyJWK(key).key, algorithms=["RS256"], audience=running.values["audience"])
    assert told["exp"] - told["iat"] == 86400
    times = {name: told[name] for name in ("iat", "exp")}
    assert told == times | {
        "iss": f"https://{running.values['domain']}/",
        "sub": f"{running.values['client_id']}@clients",
        "aud": running.values["audience"],
        "scope": "read:authentication_methods",
        "gty": "client-credentials",
        "azp": running.values["client_id"],
    }


def test_the_issuer_is_the_host_that_was_asked(running: Running) -> None:
    """And a token is good through that host alone."""
    custom = {"Host": running.values["custom_domain"]}
    assert ask(running, "GET", DISCOVERY_PATH, headers=custom).json()["issuer"] == "https://login.mfagate.example/"
    form = {"grant_type": "client_credentials", "audience": running.values["audience"], **client(running)}
    token = ask(running, "POST", "/oauth/token", data=form, headers=custom).json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert ask(running, "GET", METHODS_OF_NOBODY, headers={**custom, **bearer}).status_code == 404
    answer = ask(running, "GET", METHODS_OF_NOBODY, headers=bearer)
    assert (answer.status_code, answer.json()["message"]) == (401, "Invalid token")
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="Invalid token"'


@pytest.mark.parametrize(
    ("header", "status", "code"),
    [
        (None, 401, None),
        ("Basic YTpi", 401, None),
        ("Bearer", 400, "Bearer"),
        ("Bearer a b", 400, "Bearer"),
        ("Bearer opaque", 400, "Bearer"),
        ("Bearer a.b.c", 401, None),
        ("eyJ.eyJ.c", 400, "Bearer"),
    ],
)
def test_damaged_authorization(running: Running, header: str | None, status: int, code: str | None) -> None:
    answer = ask(running, "GET", METHODS_OF_NOBODY, headers={"Authorization": header} if header else {})
    assert (answer.status_code, answer.json().get("errorCode")) == (status, code)
    assert answer.json()["statusCode"] == status


@pytest.mark.parametrize(
    ("method", "path", "request_", "status", "code"),
    [
        ("GET", "/api/v2/nothing", {}, 404, None),
        ("PUT", "/api/v2/users", {}, 404, None),
        ("GET", f"{NOBODY}?page=1", {}, 400, "invalid_query_string"),
        ("GET", f"{NOBODY}?include_fields=perhaps", {}, 400, "invalid_query_string"),
        ("GET", NOBODY, {}, 404, "inexistent_user"),
        ("GET", f"{METHODS_OF_NOBODY}?per_page=101", {}, 400, "invalid_query_string"),
        ("GET", f"{METHODS_OF_NOBODY}?page=-1", {}, 400, "invalid_query_string"),
        ("GET", f"{METHODS_OF_NOBODY}/x", {}, 404, "inexistent_user"),
        ("DELETE", METHODS_OF_NOBODY, {}, 204, None),
        ("DELETE", NOBODY, {}, 204, None),
        ("POST", METHODS_OF_NOBODY, {"json": {"type": "totp", "totp_secret": "ABCDEFGH"}}, 404, "inexistent_user"),
        ("POST", METHODS_OF_NOBODY, {"json": {"type": "totp", "totp_secret": "!"}}, 400, "invalid_body"),
        ("POST", METHODS_OF_NOBODY, {"json": {"type": "totp"}}, 400, "invalid_body"),
        ("POST", METHODS_OF_NOBODY, {"json": {"type": "carrier pigeon"}}, 400, "invalid_body"),
        (
            "POST",
            METHODS_OF_NOBODY,
            {"json": {"type": "phone", "phone_number": "1", "preferred_authentication_method": "fax"}},
            400,
            "invalid_body",
        ),
        ("POST", "/api/v2/users", {"json": {}}, 400, "invalid_body"),
        ("POST", "/api/v2/users", {"json": {"connection": 5}}, 400, "invalid_body"),
        ("POST", "/api/v2/users", {"json": {"connection": "x", "pet": "cat"}}, 400, "invalid_body"),
        ("POST", "/api/v2/users", {"json": {"connection": "x"}}, 400, "inexistent_connection"),
        ("POST", "/api/v2/users", {"json": {"connection": "Username-Password-Authentication"}}, 400, "invalid_body"),
        ("POST", "/api/v2/users", {"data": b"{", "headers": {"Content-Type": "application/json"}}, 400, None),
        ("POST", "/api/v2/users", {"data": b"x", "headers": {"Content-Type": "text/plain"}}, 415, None),
        ("POST", "/api/v2/users", {"json": {"x": "y" * (1 << 20)}}, 413, None),
    ],
)
def test_bad_requests_to_the_management_api(
    running: Running,
    bearer: dict[str, str],
    method: str,
    path: str,
    request_: dict[str, Any],
    status: int,
    code: str | None,
) -> None:
    headers = {**bearer, **request_.get("headers", {})}
    answer = ask(running, method, path, **{**request_, "headers": headers})
    assert answer.status_code == status, answer.text
    assert int(answer.headers["x-ratelimit-reset"]) > 1_700_000_000
    if status != 204:
        assert answer.json()["statusCode"] == status
        assert answer.json().get("errorCode") == code


@pytest.mark.parametrize(
    ("password", "email", "more"),
    [
        ("short", "a@example.com", {}),
        ("Aa1-long-enough", "nonsense", {}),
        ("Aa1-long-enough", "a@b.de", {"username": "a"}),
    ],
)
def test_users_that_cannot_be(
    running: Running, bearer: dict[str, str], password: str, email: str, more: dict[str, str]
) -> None:
    body = {"connection": running.values["connection"], "password": password, "email": email, **more}
    assert ask(running, "POST", "/api/v2/users", json=body, headers=bearer).status_code == 400


def test_a_user_by_form_and_by_fields(running: Running, bearer: dict[str, str]) -> None:
    form = {"connection": running.values["connection"], "password": "Aa1-long-enough", "email": "Form@example.com",
            "blocked": "true", "user_id": "by-form"}  # fmt: skip
    made = ask(running, "POST", "/api/v2/users", data=form, headers=bearer)
    assert (made.status_code, made.json()["user_id"]) == (201, "auth0|by-form")
    assert "password" not in made.json()
    path = "/api/v2/users/auth0%7Cby-form"
    assert ask(running, "GET", path, headers=bearer).json() == made.json()
    some = ask(running, "GET", f"{path}?fields=email,blocked", headers=bearer).json()
    assert some == {"email": "form@example.com", "blocked": True}
    others = ask(running, "GET", f"{path}?fields=email,blocked&include_fields=false", headers=bearer).json()
    assert others.keys() == made.json().keys() - some.keys()
    refused = grant(running, "password", username="form@example.com", password="Aa1-long-enough")
    assert (refused.status_code, refused.json()["error"]) == (403, "unauthorized")


def test_methods_come_in_pages(running: Running, bearer: dict[str, str]) -> None:
    form = {"connection": running.values["connection"], "password": "Aa1-long-enough", "email": "p@example.com"}
    user_id = ask(running, "POST", "/api/v2/users", json=form, headers=bearer).json()["user_id"]
    path = f"/api/v2/users/{quote(user_id, safe='')}/authentication-methods"
    method = {"type": "phone", "phone_number": "+15555550100", "preferred_authentication_method": "sms"}
    made = [ask(running, "POST", path, json=method, headers=bearer).json()["id"] for _ in range(3)]
    page = ask(running, "GET", f"{path}?per_page=2&page=1&include_totals=true", headers=bearer).json()
    assert (page["start"], page["limit"], page["total"]) == (2, 2, 3)
    assert [one["id"] for one in page["authenticators"]] == made[2:]
    assert len(ask(running, "GET", path, headers=bearer).json()) == 3
    twice = {"type": "totp", "totp_secret": "ABCDEFGH"}
    assert [ask(running, "POST", path, json=twice, headers=bearer).status_code for _ in range(2)] == [201, 409]


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"mfa_token": "x"}, 401, "invalid_grant"),
        ({"mfa_token": None}, 400, "invalid_request"),
        ({"client_secret": "x"}, 401, "access_denied"),
        ({"challenge_type": "smoke"}, 400, "invalid_request"),
        ({"challenge_type": ["otp"]}, 400, "invalid_request"),
        ({"challenge_type": "oob"}, 401, "unsupported_challenge_type"),
        ({"oob_channel": "smoke"}, 400, "invalid_request"),
        ({"authenticator_id": "totp|dev_x"}, 400, "invalid_request"),
    ],
)
def test_bad_challenges(running: Running, changed: dict[str, Any], status: int, error: str) -> None:
    body = {**client(running), "mfa_token": login(running), "challenge_type": "otp", **changed}
    answer = ask(running, "POST", "/mfa/challenge", json=body)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_challenge_of_any_type(running: Running) -> None:
    body = {**client(running), "mfa_token": login(running)}
    assert ask(running, "POST", "/mfa/challenge", json=body).json() == {"challenge_type": "otp"}
    assert ask(running, "POST", "/mfa/challenge", data=body).status_code == 400


def test_a_login_belongs_to_one_client_and_one_transaction(running: Running) -> None:
    mine, other = login(running, "user"), login(running, "user")
    body = {**client(running), "mfa_token": mine, "challenge_type": "oob"}
    code = ask(running, "POST", "/mfa/challenge", json=body).json()["oob_code"]
    answer = grant(running, f"{GRANT}mfa-oob", mfa_token=other, oob_code=code)
    assert (answer.status_code, answer.json()["error_description"]) == (400, "The oob_code doesn't match the mfa_token")
    answer = grant(running, f"{GRANT}mfa-oob", "web_", mfa_token=mine, oob_code=code)
    assert answer.json()["error_description"] == "mfa_token not issued to this client"
    assert grant(running, f"{GRANT}mfa-oob", mfa_token=mine, oob_code="x").json()["error"] == "invalid_grant"
    assert grant(running, f"{GRANT}mfa-recovery-code", mfa_token=mine, recovery_code="x").status_code == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"authenticator_types": []}, 400),
        ({"authenticator_types": "otp"}, 400),
        ({"authenticator_types": ["oob"]}, 400),
        ({"authenticator_types": ["oob"], "oob_channels": ["smoke"]}, 400),
        ({"authenticator_types": ["oob"], "oob_channels": ["sms"]}, 400),
        ({"authenticator_types": ["otp"]}, 400),
    ],
)
def test_bad_enrolments(running: Running, body: dict[str, Any], status: int) -> None:
    """The last is of a user who is enrolled already."""
    headers = {"Authorization": f"Bearer {login(running)}"}
    answer = ask(running, "POST", "/mfa/associate", json=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (status, "invalid_request")


@pytest.mark.parametrize("header", [None, "Bearer x", "Bearer eyJ.e.e", "expired", "machine"])
def test_whose_authenticators(running: Running, header: str | None) -> None:
    replaced = {"expired": running.values["expired_mfa_token"], "machine": machine_token(running)}
    value = f"Bearer {replaced[header]}" if header in replaced else header
    answer = ask(running, "GET", "/mfa/authenticators", headers={"Authorization": value} if value else {})
    assert (answer.status_code, "error" in answer.json()) == (401, True)


def test_a_token_for_the_mfa_api(running: Running, bearer: dict[str, str]) -> None:
    """With it a user who is enrolled adds authenticators and removes them."""
    audience, values = f"https://{running.values['domain']}/mfa/", running.values
    scope = "openid enroll read:authenticators remove:authenticators"
    fields = {"username": values["exempt_user"], "password": values["password"], "realm": values["connection"]}
    token = grant(running, REALM, audience=audience, scope=scope, **fields).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    enrol = {"authenticator_types": ["oob"], "oob_channels": ["auth0"], **client(running)}
    made = ask(running, "POST", "/mfa/associate", json=enrol, headers=headers).json()
    assert made.keys() == {"authenticator_type", "oob_channel", "oob_code", "barcode_uri", "recovery_codes"}
    confirmed = grant(running, f"{GRANT}mfa-oob", mfa_token=token, oob_code=made["oob_code"])
    assert confirmed.status_code == 200
    push, code = ask(running, "GET", "/mfa/authenticators", headers=headers).json()
    assert (push["oob_channel"], push["active"], code["authenticator_type"]) == ("auth0", True, "recovery-code")
    path = f"/mfa/authenticators/{quote(push['id'], safe='')}"
    assert ask(running, "DELETE", path, headers=headers).status_code == 204
    assert ask(running, "DELETE", path, headers=headers).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "request_", "status"),
    [
        ("GET", "/nothing", {}, 404),
        ("GET", "/oauth/token", {}, 404),
        ("POST", "/oauth/token", {"data": b"{", "headers": {"Content-Type": "application/json"}}, 400),
        ("POST", "/oauth/token", {"json": ["a"]}, 400),
        ("POST", "/oauth/token", {"data": b"<a/>", "headers": {"Content-Type": "text/xml"}}, 400),
        ("POST", "/oauth/token", {}, 400),
        ("POST", "/mfa/challenge", {"data": {"mfa_token": "x"}}, 400),
    ],
)
def test_what_reaches_no_handler(
    running: Running, method: str, path: str, request_: dict[str, Any], status: int
) -> None:
    answer = ask(running, method, path, **request_)
    assert (answer.status_code, isinstance(answer.json()["error"], str)) == (status, True)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
NAMES = st.sampled_from(
    ["grant_type", "audience", "scope", "username", "password", "realm", "mfa_token", "otp", "oob_code", "client_id",
     "challenge_type", "authenticator_id", "oob_channel", "authenticator_types", "oob_channels", "phone_number",
     "connection", "email", "blocked", "type", "totp_secret", "name"]
)  # fmt: skip
GRANTS = st.sampled_from(
    [
        REALM,
        MFA_OTP,
        "client_credentials",
        "authorization_code",
        "password",
        f"{GRANT}mfa-oob",
        f"{GRANT}mfa-recovery-code",
    ]
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.dictionaries(NAMES, VALUES, max_size=6),
    name=GRANTS,
    path=st.sampled_from(["/oauth/token", "/mfa/challenge", "/mfa/associate", "/api/v2/users", METHODS_OF_NOBODY]),
)
def test_nothing_makes_it_fail(
    running: Running, bearer: dict[str, str], body: dict[str, Any], name: str, path: str
) -> None:
    headers = bearer if path.startswith("/api/") else {"Authorization": f"Bearer {login(running)}"}
    usual = {} if path.startswith("/api/") else client(running) | {"grant_type": name}
    answer = ask(
        running,
        "POST",
        path,
        data=json.dumps({**usual, **body}),
        headers={**headers, "Content-Type": "application/json"},
    )
    assert answer.status_code < 500, answer.text
    assert answer.headers["Content-Type"] == "application/json"


def test_plain_http_is_spoken_on_the_same_port(running: Running) -> None:
    plain = running.endpoint.replace("https:", "http:")
    assert (
        requests.get(f"{plain}{DISCOVERY_PATH}", timeout=30).json()["issuer"] == f"https://{running.values['domain']}/"
    )
