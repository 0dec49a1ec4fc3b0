"""What the emulator refuses, and in whose words."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import jwt
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mfagate.providers.entra.probes import NOBODY
from mfagate.providers.made_up import new_private_key
from mfagate.sandbox import Running

PROVIDER = "entra"

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SCOPE = "https://graph.microsoft.com/.default"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
DEEP = f"{base64.urlsafe_b64encode(b'[' * 99_999).decode()}.e30.e30"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


def ask(running: Running, method: str, path: str, **request: Any) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.request(
            method, running.endpoint + path, timeout=30, verify=running.ca_bundle, allow_redirects=False, **request
        )


def good_form(running: Running) -> dict[str, str]:
    names = ("client_id", "client_secret")
    return {"grant_type": "client_credentials", "scope": SCOPE, **{name: running.values[name] for name in names}}


def token_form(running: Running, changed: Mapping[str, str | None], tenant: str = "tenant_id", **request: Any) -> Any:
    """The answer of the token endpoint to a good request with some fields changed; None takes one away."""
    form = {name: value for name, value in {**good_form(running), **changed}.items() if value is not None}
    return ask(running, "POST", f"/{running.values.get(tenant, tenant)}/oauth2/v2.0/token", data=form, **request)


def assert_refused(answer: requests.Response, number: int, error: str | None = None) -> None:
    """An error in the login host's envelope."""
    body = answer.json()
    assert body["error_codes"] == [number], body
    assert error is None or body["error"] == error
    assert body["error_description"].startswith(f"AADSTS{number}: ")
    assert body.keys() == {
        *("error", "error_description", "error_codes", "timestamp", "trace_id", "correlation_id", "error_uri"),
    }
    assert answer.headers["x-ms-request-id"] == body["trace_id"]
    assert answer.headers["Cache-Control"] == "no-store, no-cache"
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize(
    ("changed", "status", "number"),
    [
        ({"grant_type": None}, 400, 900144),
        ({"grant_type": ""}, 400, 900144),
        ({"grant_type": "password"}, 400, 70003),
        ({"grant_type": "refresh_token"}, 400, 70000),
        ({"client_id": None}, 400, 900144),
        ({"client_id": "no-id"}, 400, 700016),
        ({"scope": None}, 400, 90014),
        ({"scope": "https://graph.microsoft.com/User.Read"}, 400, 1002012),
        ({"scope": f"{SCOPE} https://graph.microsoft.us/.default"}, 400, 70011),
        ({"scope": "https://graph.microsoft.us/.default"}, 400, 500011),
        ({"client_secret": None}, 401, 7000218),
        ({"client_secret": ""}, 401, 7000218),
        ({"client_secret": "wrong"}, 401, 7000215),
        ({"client_secret": None, "client_assertion": "a.b.c"}, 401, 7000218),
        ({"client_secret": None, "client_assertion": "a.b.c", "client_assertion_type": "x"}, 401, 7000218),
        ({"client_secret": None, "client_assertion": "a.b.c", "client_assertion_type": ASSERTION}, 401, 50027),
        ({"client_secret": None, "client_assertion": "", "client_assertion_type": ASSERTION}, 401, 50027),
        ({"client_secret": None, "client_assertion": DEEP, "client_assertion_type": ASSERTION}, 401, 50027),
    ],
)
def test_requests_for_a_token(running: Running, changed: dict[str, str | None], status: int, number: int) -> None:
    answer = token_form(running, changed)
    assert answer.status_code == status
    assert_refused(answer, number)


@pytest.mark.parametrize(
    ("tenant", "number"),
    [
        ("common", 9001023),
        ("consumers", 9001023),
        ("organizations", 50059),
        ("undefined", 900023),
        ("nowhere.example.com", 90002),
        ("6d666167-6174-4e6f-8e6f-776865726500", 90002),
        ("other_tenant_id", 700016),
    ],
)
def test_tenants(running: Running, tenant: str, number: int) -> None:
    assert_refused(token_form(running, {}, tenant), number)


def test_the_error_of_an_unknown_tenant_depends_on_the_endpoint(running: Running) -> None:
    tenant = "6d666167-6174-4e6f-8e6f-776865726500"
    assert_refused(token_form(running, {}, tenant), 90002, "invalid_request")
    assert_refused(ask(running, "GET", f"/{tenant}/v2.0/.well-known/openid-configuration"), 90002, "invalid_tenant")


def test_a_secret_in_a_basic_header(running: Running) -> None:
    """Documented beside the form."""
    basic = (running.values["client_id"], running.values["client_secret"])
    changed = {"client_id": None, "client_secret": None}
    assert token_form(running, changed, auth=basic).status_code == 200
    assert_refused(token_form(running, changed, auth=(basic[0], "wrong")), 7000215)


@pytest.mark.parametrize(
    ("request_", "number"),
    [
        ({"json": {"grant_type": "client_credentials"}}, 900144),
        ({"data": b"<a/>", "headers": {"Content-Type": "text/xml"}}, 900144),
        ({"params": {"grant_type": "client_credentials"}}, 900144),
        ({"data": b"\xff=\xfe&%ff=1", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 9002313),
        ({"data": b"a=" + b"x" * (1 << 20), "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 9002313),
    ],
)
def test_what_is_no_form(running: Running, request_: dict[str, Any], number: int) -> None:
    assert_refused(ask(running, "POST", f"/{running.values['tenant_id']}/oauth2/v2.0/token", **request_), number)


@pytest.mark.parametrize("endpoint", ["oauth2/v2.0/token", "oauth2/v2.0/devicecode"])
def test_another_method(running: Running, endpoint: str) -> None:
    answer = ask(running, "GET", f"/{running.values['tenant_id']}/{endpoint}")
    assert_refused(answer, 900561)
    assert "only accepts OPTIONS, POST requests. Received a GET request." in answer.json()["error_description"]


@pytest.mark.parametrize("path", ["/", "/nothing", "/common/oauth2/v2.0/nothing", "/common/oauth2/v2.0/token/"])
def test_unknown_paths_of_the_login_host(running: Running, path: str) -> None:
    answer = ask(running, "POST", path)
    assert (answer.status_code, answer.content) == (404, b"")


@pytest.mark.parametrize("header", ["client-request-id", "x-ms-client-request-id"])
@pytest.mark.parametrize("given", ["fc8d1d37-0000-4000-8000-000000000000", "<script>"])
def test_the_clients_own_id_comes_back(running: Running, header: str, given: str) -> None:
    body = token_form(running, {"client_id": None}, headers={header: given}).json()
    assert (body["correlation_id"] == given) is (given != "<script>")
    assert GUID.fullmatch(body["correlation_id"])


def test_a_good_token(running: Running) -> None:
    answer = token_form(running, {})
    body = answer.json()
    assert body.keys() == {"token_type", "expires_in", "ext_expires_in", "access_token"}
    keys = ask(running, "GET", "/common/discovery/v2.0/keys").json()["keys"]
    (key,) = [jwt.PyJWK.from_dict({**one, "alg": "RS256"}) for one in keys]
    held = jwt.decode(body["access_token"], key, algorithms=["RS256"], audience="https://graph.microsoft.com")
    values = running.values
    assert (held["tid"], held["appid"], held["idtyp"], held["appidacr"]) == (
        values["tenant_id"],
        values["client_id"],
        "app",
        "1",
    )
    assert held["iss"] == f"https://sts.windows.net/{values['tenant_id']}/"
    assert held["exp"] - held["iat"] == 3900
    assert held["sub"] == held["oid"]


def test_without_a_grant_there_are_no_roles(running: Running) -> None:
    names = {name: running.values[f"roleless_{name}"] for name in ("client_id", "client_secret")}
    token = token_form(running, names).json()["access_token"]
    assert "roles" not in jwt.decode(token, options={"verify_signature": False})


@pytest.fixture
def assertion(running: Running) -> Callable[..., requests.Response]:
    """The answer to an assertion that is good but for what is changed in it."""

    def send(
        key: str | None = None, header: dict[str, Any] | None = None, algorithm: str = "RS256", **changed: Any
    ) -> Any:
        values, now = running.values, int(time.time())
        held = {
            "aud": f"{running.endpoint}/{values['tenant_id']}/oauth2/v2.0/token",
            "iss": values["client_id"],
            "sub": values["client_id"],
            "jti": "1",
            "nbf": now,
            "exp": now + 300,
        }
        thumbprint = bytes.fromhex(values["certificate_thumbprint"])
        named = {"x5t": base64.urlsafe_b64encode(thumbprint).rstrip(b"=").decode()} if header is None else header
        wanted = {name: value for name, value in {**held, **changed}.items() if value is not None}
        made = jwt.encode(wanted, key or values["private_key"], algorithm, named)
        return token_form(
            running, {"client_secret": None, "client_assertion_type": ASSERTION, "client_assertion": made}
        )

    return send


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_a_good_assertion(assertion: Callable[..., requests.Response], algorithm: str) -> None:
    token = assertion(algorithm=algorithm).json()["access_token"]
    assert jwt.decode(token, options={"verify_signature": False})["appidacr"] == "2"


def test_the_real_address_is_a_good_audience(assertion: Callable[..., requests.Response], running: Running) -> None:
    named = [running.values[name] for name in ("tenant_id", "tenant_domain")]
    for tenant in named:
        assert assertion(aud=f"https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token").status_code == 200


@pytest.mark.parametrize(
    ("changed", "number"),
    [
        ({"key": new_private_key()}, 700027),
        ({"header": {}}, 700027),
        ({"header": {"x5t": "AAAA"}}, 700027),
        ({"algorithm": "RS384"}, 700027),
        ({"nbf": int(time.time()) - 3600, "exp": int(time.time()) - 3000}, 700024),
        ({"nbf": int(time.time()) + 3600, "exp": int(time.time()) + 7200}, 700024),
        ({"exp": None}, 700024),
        ({"exp": 10**30}, 700024),
        ({"exp": float("inf")}, 700024),
        ({"exp": "soon"}, 700024),
        ({"iss": "another"}, 700021),
        ({"sub": None}, 700021),
        ({"aud": "https://login.microsoftonline.com/common/oauth2/v2.0/token"}, 700023),
        ({"aud": None}, 700023),
    ],
)
def test_bad_assertions(assertion: Callable[..., requests.Response], changed: dict[str, Any], number: int) -> None:
    assert_refused(assertion(**changed), number, "invalid_client")


def test_the_metadata(running: Running) -> None:
    answer = ask(running, "GET", f"/{running.values['tenant_domain']}/v2.0/.well-known/openid-configuration")
    body, tenant = answer.json(), running.values["tenant_id"]
    assert body["issuer"] == f"https://login.microsoftonline.com/{tenant}/v2.0"
    assert body["token_endpoint"] == f"{running.endpoint}/{tenant}/oauth2/v2.0/token"
    assert body["msgraph_host"] == "graph.microsoft.com"
    assert answer.headers["Cache-Control"] == "max-age=86400, private"
    anybodys = ask(running, "GET", "/Common/v2.0/.well-known/openid-configuration").json()
    assert anybodys["issuer"] == "https://login.microsoftonline.com/{tenantid}/v2.0"
    assert "kerberos_endpoint" not in anybodys


def device_code(running: Running, tenant: str = "tenant_id", **changed: str) -> requests.Response:
    form = {"client_id": running.values["client_id"], "scope": "openid profile", **changed}
    return ask(running, "POST", f"/{running.values.get(tenant, tenant)}/oauth2/v2.0/devicecode", data=form)


def test_a_device_code(running: Running) -> None:
    body = device_code(running).json()
    assert body.keys() == {"user_code", "device_code", "verification_uri", "expires_in", "interval", "message"}
    assert re.fullmatch("[A-Z0-9]{9}", body["user_code"])
    assert (body["expires_in"], body["interval"]) == (900, 5)


@pytest.mark.parametrize(
    "claims",
    [
        {"access_token": {"xms_cc": {"values": ["cp1"]}}},
        {"id_token": {"acrs": None}},
        {"id_token": None},
        {"id_token": {"acrs": {"essential": True, "values": "c1"}}},
    ],
)
def test_claims_that_ask_for_nothing_known(running: Running, claims: dict[str, Any]) -> None:
    assert device_code(running, claims=json.dumps(claims)).status_code == 200


@pytest.mark.parametrize(
    ("changed", "number"),
    [
        ({"client_id": ""}, 900144),
        ({"scope": ""}, 900144),
        ({"client_id": "no-id"}, 700016),
        ({"claims": "{"}, 9002313),
        ({"claims": "[]"}, 9002313),
        ({"claims": "[" * 100_000}, 9002313),
        ({"tenant": "common"}, 90133),
        ({"tenant": "organizations"}, 90133),
    ],
)
def test_bad_requests_for_a_device_code(running: Running, changed: dict[str, str], number: int) -> None:
    assert_refused(device_code(running, **changed), number)


@pytest.mark.parametrize(
    ("code", "number", "error"),
    [
        ("declined_device_code", 65004, "authorization_declined"),
        ("expired_device_code", 70020, "expired_token"),
        ("redeemed_device_code", 54005, "invalid_grant"),
        ("nonsense", 70018, "bad_verification_code"),
    ],
)
@pytest.mark.parametrize("grant", [DEVICE, "device_code"])
def test_device_codes(running: Running, code: str, number: int, error: str, grant: str) -> None:
    form: dict[str, str | None] = {"grant_type": grant, "device_code": running.values.get(code, code)}
    assert_refused(token_form(running, form), number, error)


def test_a_prepared_sign_in_can_be_redeemed_again(running: Running) -> None:
    """So that a sandbox that is kept running can be checked more than once."""
    form: dict[str, str | None] = {"grant_type": DEVICE, "device_code": running.values["accepted_device_code"]}
    for _ in range(2):
        body = token_form(running, form).json()
        assert body.keys() == {"token_type", "expires_in", "ext_expires_in", "access_token", "scope", "id_token"}


def test_whose_device_code_it_is(running: Running) -> None:
    """Another application's, a credential that is wrong, a public application's that sends one."""
    code = running.values["accepted_device_code"]
    form: dict[str, str | None] = {"grant_type": DEVICE, "device_code": code}
    public = running.values["public_client_id"]
    assert_refused(token_form(running, {**form, "client_secret": "wrong"}), 7000215)
    assert_refused(token_form(running, {**form, "client_secret": None}), 7000218)
    assert_refused(token_form(running, {**form, "client_id": public}), 700025)
    assert_refused(token_form(running, {**form, "client_id": public, "client_secret": None}), 70018)


@pytest.mark.parametrize("form", [{}, {"user_code": "AAAAAAAAA", "username": "user"}])
def test_a_code_that_nobody_was_given(running: Running, form: dict[str, str]) -> None:
    assert ask(running, "POST", "/common/oauth2/deviceauth", data=form).status_code == 400


def test_a_code_is_entered_once(running: Running) -> None:
    form = {"user_code": device_code(running).json()["user_code"].lower(), "username": running.values["user"]}
    entered = [ask(running, "POST", "/common/oauth2/deviceauth", data=form).status_code for _ in range(2)]
    assert entered == [200, 400]


def graph(running: Running, path: str, token: str | None = None, method: str = "GET", **request: Any) -> Any:
    """The answer of Graph; without a token, to one that may do what the emulator offers."""
    bearer = token_form(running, {}).json()["access_token"] if token is None else token
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    return ask(running, method, path, headers=headers, **request)


def assert_denied(answer: requests.Response, status: int, code: str) -> None:
    """An error in Graph's envelope."""
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code), error
    assert error.keys() == {"code", "message", "innerError"}
    inner = error["innerError"]
    assert inner["request-id"] == answer.headers["request-id"]
    assert inner["client-request-id"] == answer.headers["client-request-id"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", inner["date"])


METHODS = f"/v1.0/users/{NOBODY}/authentication/methods"


@pytest.mark.parametrize("path", [METHODS, "/v1.0/organization", "/v1.0/nothing", "/v1.0", "/beta/me"])
@pytest.mark.parametrize("token", ["", "no-token", "a.b", "a.b.c", f"{DEEP[:40_000]}.e30.e30"])
def test_graph_looks_for_a_token_first(running: Running, path: str, token: str) -> None:
    answer = graph(running, path, token)
    assert_denied(answer, 401, "InvalidAuthenticationToken")
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="", authorization_uri=')


def test_tokens_that_graph_refuses(running: Running) -> None:
    values = running.values
    good = token_form(running, {}).json()["access_token"]
    forged = jwt.encode(jwt.decode(good, options={"verify_signature": False}), new_private_key(), "RS256")
    form: dict[str, str | None] = {"grant_type": DEVICE, "device_code": values["accepted_device_code"]}
    answer = token_form(running, form).json()
    said = {
        "expired": graph(running, METHODS, values["expired_token"]),
        "failure": graph(running, METHODS, forged),
        "Invalid audience": graph(running, METHODS, answer["id_token"]),
    }
    for words, refused in said.items():
        assert_denied(refused, 401, "InvalidAuthenticationToken")
        assert words in refused.json()["error"]["message"]
    # A person's token holds no role of an application.
    assert_denied(graph(running, METHODS, answer["access_token"]), 403, "accessDenied")


@pytest.mark.parametrize(
    ("path", "method", "status", "code"),
    [
        (METHODS, "GET", 404, "Request_ResourceNotFound"),
        ("/v1.0/users/{user}/authentication/methods/nothing", "GET", 404, "resourceNotFound"),
        (METHODS, "POST", 405, "Request_BadRequest"),
        ("/v1.0/nothing", "GET", 400, "BadRequest"),
        (f"{METHODS}/", "GET", 400, "BadRequest"),
        ("/beta/users", "GET", 400, "BadRequest"),
        ("/v1.0/users/{user}/authentication/nothingMethods", "GET", 400, "BadRequest"),
        ("/v1.0/organization", "GET", 403, "Authorization_RequestDenied"),
        ("/v1.0/applications?$filter=startswith(displayName,'a')", "GET", 400, "Request_UnsupportedQuery"),
        ("/v1.0/applications?$select=nothing", "GET", 400, "BadRequest"),
        (f"/v1.0/applications(appId='{NOBODY}')", "GET", 404, "Request_ResourceNotFound"),
        ("/v1.0/applications(appId='{client_id}')?$select=nothing", "GET", 400, "BadRequest"),
    ],
)
def test_what_graph_refuses(running: Running, path: str, method: str, status: int, code: str) -> None:
    assert_denied(graph(running, path.format(**running.values), method=method), status, code)


def test_a_user_of_another_tenant_is_none(running: Running) -> None:
    names = {name: running.values[f"other_{name}"] for name in ("client_id", "client_secret")}
    token = token_form(running, names, "other_tenant_id").json()["access_token"]
    path = f"/v1.0/users/{running.values['user']}/authentication/methods"
    assert_denied(graph(running, path, token), 404, "Request_ResourceNotFound")


@pytest.mark.parametrize("named", ["user", "user_name"])
def test_the_methods_of_a_user(running: Running, named: str) -> None:
    answer = graph(running, f"/v1.0/users/{running.values[named]}/authentication/methods")
    body = answer.json()
    assert answer.headers["OData-Version"] == "4.0"
    assert body["@odata.context"].endswith(f"$metadata#users('{running.values['user']}')/authentication/methods")
    for one in body["value"]:
        assert {"@odata.type", "id", "createdDateTime"} < one.keys()


def test_a_registration(running: Running) -> None:
    values = running.values
    by_id = graph(running, f"/v1.0/applications(appId='{values['client_id']}')").json()
    selected = graph(running, "/v1.0/applications?$select=id,appId").json()
    assert {"id": values["object_id"], "appId": values["client_id"]} in selected["value"]
    assert selected["@odata.context"].endswith("#applications(id,appId)")
    assert values["client_secret"] not in str(by_id)


def test_plain_http_is_spoken_on_the_same_port(running: Running) -> None:
    plain = running.endpoint.replace("https:", "http:")
    assert requests.get(f"{plain}{METHODS}", timeout=30).status_code == 401


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]),
    path=st.sampled_from(
        [
            "/{tenant_id}/oauth2/v2.0/token",
            "/{tenant_id}/oauth2/v2.0/devicecode",
            "/{tenant_id}/v2.0/.well-known/openid-configuration",
            "/common/oauth2/deviceauth",
            "/v1.0/applications",
            "/v1.0/users/%F0%9F%98%80/authentication/methods",
        ]
    ),
    form=st.dictionaries(
        st.sampled_from(["grant_type", "client_id", "scope", "client_secret", "client_assertion", "claims", "$select"]),
        st.text(max_size=20) | st.sampled_from(["client_credentials", DEVICE, SCOPE, "{}", "[]"]),
    ),
    in_query=st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_no_request_makes_it_fail(
    running: Running, method: str, path: str, form: dict[str, str], in_query: bool
) -> None:
    where = {"params": form} if in_query else {"data": form}
    answer = ask(running, method, path.format(**running.values), **where)
    assert answer.status_code < 500
