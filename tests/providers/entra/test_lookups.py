"""What further requests tell: the cloud of a tenant, the end of a credential, the roles of a token."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from pydantic import SecretStr

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Failure, Headers, Phase, Request, Response
from mfagate.core.finding import Finding
from mfagate.providers.entra import discovery
from mfagate.providers.entra.claims import without_roles
from mfagate.providers.entra.provider import PROVIDER
from mfagate.providers.entra.settings import EntraSettings
from mfagate.providers.probes import Expiry

TENANT = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
SETTINGS = EntraSettings(
    tenant_id=TENANT, client_id="7c9e6679-7425-40de-944b-e07fc1f90ae7", client_secret=SecretStr("abc8Q~" + "d" * 34)
)
UNKNOWN = Finding(CauseId.CREDENTIAL_UNKNOWN_KEY, "this cloud has no such tenant", setting="tenant_id")
GLOBAL, US, CHINA = (
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
)


def answer(status: int, body: Any) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, headers=Headers((("Content-Type", "application/json"),)), body=content)


def metadata(login: str, graph: str = "") -> Response:
    body = {"issuer": f"https://{login}/{TENANT}/v2.0", "token_endpoint": f"https://{login}/{TENANT}/oauth2/v2.0/token"}
    return answer(200, body | ({"msgraph_host": graph} if graph else {}))


def hosts(known: Mapping[str, Response | None]) -> Callable[..., Exchange]:
    """Login hosts: those that are not ``known`` have no such tenant, None does not answer."""

    def send(request: requests.Request, settings: Any = None) -> Exchange:
        url = urlsplit(request.url)
        assert (request.method, url.path) == ("GET", f"/{TENANT}/v2.0/.well-known/openid-configuration")
        response = known.get(url.netloc, answer(400, {"error": "invalid_tenant", "error_codes": [90002]}))
        failure = None if response else Failure(CauseId.NETWORK_CONNECTION_TIMEOUT, Phase.CONNECT, "no answer")
        return Exchange(Request("GET", request.url), datetime.now(UTC), response, failure)

    return send


@pytest.mark.parametrize(
    ("cloud", "known", "found"),
    [
        ("global", {US: metadata(US, "graph.microsoft.us")}, "us-gov"),
        ("global", {US: metadata(US, "dod-graph.microsoft.us")}, "us-gov-dod"),
        ("global", {US: metadata(US)}, "us-gov"),
        ("global", {CHINA: metadata(CHINA)}, "china"),
        ("global", {"login.sovcloud-identity.fr": metadata("login.sovcloud-identity.fr")}, "bleu"),
        ("global", {"login.sovcloud-identity.de": metadata("login.sovcloud-identity.de")}, "delos"),
        ("bleu", {"login.sovcloud-identity.sg": metadata("login.sovcloud-identity.sg")}, "govsg"),
        ("delos", {GLOBAL: metadata(GLOBAL)}, "global"),
        # The global host describes tenants of other clouds, with their endpoints.
        ("global", {GLOBAL: metadata(US, "graph.microsoft.us")}, "us-gov"),
        ("us-gov", {GLOBAL: metadata(GLOBAL)}, "global"),
        ("china", {GLOBAL: metadata(GLOBAL), US: None}, "global"),
    ],
)
def test_the_tenant_is_in_another_cloud(cloud: str, known: Mapping[str, Response | None], found: str) -> None:
    settings = EntraSettings.model_validate({**SETTINGS.model_dump(exclude={"cloud"}), "cloud": cloud})
    finding = PROVIDER.probes.refine(UNKNOWN, settings, hosts(known))
    assert finding.cause is CauseId.CREDENTIAL_WRONG_REGION
    assert finding.message == f"the tenant is in the cloud {found}, but settings.cloud is {cloud}"
    assert f'cloud = "{found}"' in str(finding.next_step)
    assert finding.setting == "cloud"


def test_a_cloud_that_is_not_set_has_no_line_to_point_at() -> None:
    assert PROVIDER.probes.refine(UNKNOWN, SETTINGS, hosts({US: metadata(US)})).setting == "tenant_id"


@pytest.mark.parametrize(
    "known",
    [
        {},
        {GLOBAL: None, US: None, CHINA: None},
        {GLOBAL: metadata(GLOBAL)},
        {US: answer(200, {"token_endpoint": f"https://{US}/"})},
        {US: answer(200, b"<html>")},
        {US: answer(200, {"issuer": "", "token_endpoint": "https://elsewhere.example.com/"})},
    ],
)
def test_nothing_is_known_of_the_tenants_cloud(known: Mapping[str, Response | None]) -> None:
    assert PROVIDER.probes.refine(UNKNOWN, SETTINGS, hosts(known)) == UNKNOWN


@pytest.mark.parametrize(
    "finding",
    [
        Finding(CauseId.CREDENTIAL_REJECTED, "", setting="tenant_id"),
        Finding(CauseId.CREDENTIAL_UNKNOWN_KEY, "", setting="client_id"),
    ],
)
def test_other_refusals_ask_nobody(finding: Finding) -> None:
    def send(request: requests.Request, settings: Any = None) -> Exchange:
        pytest.fail("nothing is to be asked")

    assert PROVIDER.probes.refine(finding, SETTINGS, send) == finding


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"issuer": "i", "token_endpoint": "t"}, True),
        (400, {"error": "invalid_tenant"}, True),
        (400, {"error": "invalid_request", "error_codes": [90002]}, True),
        (400, {"error": "invalid_request", "error_codes": [90006]}, False),
        (400, {"error": "invalid_request"}, False),
        (503, {"error": "invalid_tenant"}, False),
        (200, {"issuer": "i"}, False),
        (200, {}, False),
        (200, b"<html>", False),
        (404, b"", False),
    ],
)
def test_what_shows_that_the_login_host_answers(status: int, body: Any, expected: bool) -> None:
    assert discovery.login_answers(answer(status, body)) is expected


def application(**listed: Any) -> Response:
    return answer(200, {"id": "x", "passwordCredentials": [], "keyCredentials": [], **listed})


def expiries(response: Response, **changed: Any) -> list[Expiry]:
    (probe,) = PROVIDER.probes.expiries(SETTINGS.model_copy(update=changed))
    assert probe.probe.accepted(response)
    return list(probe.read(response))


NEXT_YEAR = datetime.now(UTC).replace(microsecond=0) + timedelta(days=365)
SOON, PAST = NEXT_YEAR - timedelta(days=300), NEXT_YEAR - timedelta(days=400)


def secret(hint: str | None, end: Any) -> dict[str, Any]:
    return {"hint": hint, "endDateTime": end.isoformat() if isinstance(end, datetime) else end, "secretText": None}


def test_ours_is_found_by_the_first_characters() -> None:
    listed = [secret("xyz", SOON), secret("abc", NEXT_YEAR), secret(None, SOON), secret("ABC", SOON)]
    assert expiries(application(passwordCredentials=listed)) == [
        Expiry("client_secret", NEXT_YEAR, "the client secret")
    ]


def test_the_earlier_end_of_two_possible_secrets_is_reported() -> None:
    """What was accepted a moment ago has not ended."""
    listed = [secret("abc", NEXT_YEAR), secret("abc", SOON), secret("abc", PAST)]
    assert [one.when for one in expiries(application(passwordCredentials=listed))] == [SOON]


@pytest.mark.parametrize("end", ["2999-09-09T19:50:29.3086381Z", "2999-09-09T19:50:29Z", "2999-09-09T19:50:29"])
def test_each_spelling_of_a_moment_is_read(end: str) -> None:
    (found,) = expiries(application(passwordCredentials=[secret("abc", end)]))
    assert (found.when.year, found.when.tzinfo) == (2999, UTC)


@pytest.mark.parametrize(
    "listed", [[], ["x", None], [secret("abc", None)], [secret("abc", "never")], [secret("abc", PAST)]]
)
def test_an_answer_without_an_end(listed: list[Any]) -> None:
    assert expiries(application(passwordCredentials=listed)) == []


@pytest.mark.parametrize(
    "identifier", [base64.b64encode(bytes.fromhex("0a" * 20)).decode(), "0A" * 20], ids=["base64", "hexadecimal"]
)
def test_a_certificate_is_found_by_its_thumbprint(identifier: str) -> None:
    listed = [
        {"customKeyIdentifier": None, "endDateTime": SOON.isoformat()},
        {"customKeyIdentifier": "not base64!", "endDateTime": SOON.isoformat()},
        {"customKeyIdentifier": identifier, "endDateTime": NEXT_YEAR.isoformat()},
    ]
    settings = {"client_secret": None, "private_key": SecretStr("key"), "certificate_thumbprint": "0a" * 20}
    assert expiries(application(keyCredentials=listed), **settings) == [
        Expiry("private_key", NEXT_YEAR, "the certificate")
    ]


@pytest.mark.parametrize(
    "response",
    [
        answer(200, b"<html>"),
        answer(200, []),
        answer(200, {"passwordCredentials": [], "keyCredentials": None}),
        answer(403, {"passwordCredentials": [], "keyCredentials": []}),
    ],
)
def test_what_is_no_registration(response: Response) -> None:
    (probe,) = PROVIDER.probes.expiries(SETTINGS)
    assert not probe.probe.accepted(response)


def issued(token: str) -> Response:
    return answer(200, {"token_type": "Bearer", "expires_in": 3599, "access_token": token})


def token(**held: Any) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(held).encode()).rstrip(b"=").decode()
    return f"e30.{payload}.canarysignature"


@pytest.mark.parametrize(
    ("response", "cause"),
    [
        (issued(token(oid="o", roles=["UserAuthenticationMethod.Read.All"])), None),
        # Another role may be enough as well: that is for Graph to say.
        (issued(token(oid="o", roles=["A.Role.Nobody.Knows"])), None),
        (issued("opaque"), None),
        (issued("a.b.c"), None),
        (answer(401, {}), None),
        (issued(token(oid="o")), CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION),
        (issued(token(oid="o", roles=[])), CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION),
        (issued(token(tid="t")), CauseId.ACCOUNT_RESOURCE_MISSING),
    ],
)
def test_a_token_is_not_yet_a_permission(response: Response, cause: CauseId | None) -> None:
    found = without_roles(response)
    assert (found.cause if found else None) is cause
    assert "canary" not in repr(found)


@pytest.mark.parametrize(
    ("held", "seen"),
    [
        ({"tid": TENANT, "appid": "a"}, {"tenant_id": TENANT, "application_id": "a"}),
        ({"tid": "other", "azp": "b"}, {"tenant_id": "other", "application_id": "b"}),
        ({"tid": 5}, {}),
    ],
)
def test_identity(held: dict[str, Any], seen: dict[str, str]) -> None:
    assert PROVIDER.probes.identity(issued(token(**held)), SETTINGS, {"tenant_id": TENANT}) == seen


def test_an_id_is_the_same_in_capitals() -> None:
    expected = {"tenant_id": TENANT.upper()}
    assert PROVIDER.probes.identity(issued(token(tid=TENANT)), SETTINGS, expected) == expected
