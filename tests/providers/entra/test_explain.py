"""The errors of the login host and of Graph lead to causes."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.diagnosis import diagnose
from mfagate.core.exchange import Exchange, Headers, Request, Response
from mfagate.core.finding import Finding
from mfagate.providers.entra.probes import made_up_secret
from mfagate.providers.entra.provider import PROVIDER
from mfagate.providers.entra.settings import EntraSettings
from mfagate.providers.errors import ApiError, ProviderDialect
from mfagate.testing import explained

SETTINGS = EntraSettings(
    tenant_id="3f2504e0-4f89-41d3-9a0c-0305e82c3301",
    client_id="7c9e6679-7425-40de-944b-e07fc1f90ae7",
    client_secret=SecretStr(made_up_secret()),
)
BY_CERTIFICATE = SETTINGS.model_copy(update={"client_secret": None, "private_key": SecretStr("a key")})


def login_error(number: int | None, error: str, text: str = "a sentence", **more: Any) -> dict[str, Any]:
    described = f"AADSTS{number}: {text}" if number else text
    ids = {"trace_id": "11111111-0000-4000-8000-000000000000", "correlation_id": "22222222-0000-4000-8000-000000000000"}
    tail = f" Trace ID: {ids['trace_id']} Correlation ID: {ids['correlation_id']} Timestamp: 2026-05-06 06:03:00Z"
    return {"error": error, "error_description": described + tail, "error_codes": [number], **ids, **more}


def of_login(status: int, number: int | None, error: str, text: str = "a sentence") -> Finding:
    return explained(PROVIDER, SETTINGS, status, login_error(number, error, text))


def of_graph(status: int, code: str, message: str = "a sentence", settings: EntraSettings = SETTINGS) -> Finding:
    inner = {"date": "2026-05-06T06:03:00", "request-id": "33333333-0000-4000-8000-000000000000"}
    return explained(PROVIDER, settings, status, {"error": {"code": code, "message": message, "innerError": inner}})


@pytest.mark.parametrize(
    ("status", "number", "error", "cause", "setting"),
    [
        (401, 7000215, "invalid_client", CauseId.CREDENTIAL_REJECTED, None),
        (401, 7000222, "invalid_client", CauseId.CREDENTIAL_EXPIRED, None),
        (401, 7000218, "invalid_client", CauseId.CREDENTIAL_REJECTED, None),
        (400, 700016, "unauthorized_client", CauseId.CREDENTIAL_UNKNOWN_KEY, "client_id"),
        (401, 7000229, "invalid_client", CauseId.ACCOUNT_RESOURCE_MISSING, "client_id"),
        (400, 7000112, "unauthorized_client", CauseId.CREDENTIAL_REVOKED, "client_id"),
        (401, 7000112, "invalid_client", CauseId.CREDENTIAL_REVOKED, "client_id"),
        (401, 700025, "invalid_client", CauseId.CREDENTIAL_WRONG_KIND, "client_id"),
        (400, 90002, "invalid_tenant", CauseId.CREDENTIAL_UNKNOWN_KEY, "tenant_id"),
        (400, 90002, "invalid_request", CauseId.CREDENTIAL_UNKNOWN_KEY, "tenant_id"),
        (400, 900023, "invalid_request", CauseId.CREDENTIAL_UNKNOWN_KEY, "tenant_id"),
        (400, 5000225, "invalid_request", CauseId.ACCOUNT_SUSPENDED, "tenant_id"),
        (400, 90038, "invalid_request", CauseId.CREDENTIAL_WRONG_REGION, "tenant_id"),
        (400, 90043, "invalid_request", CauseId.CREDENTIAL_WRONG_REGION, "tenant_id"),
        (400, 900382, "invalid_request", CauseId.CREDENTIAL_WRONG_REGION, "tenant_id"),
        (400, 900432, "invalid_request", CauseId.CREDENTIAL_WRONG_REGION, "tenant_id"),
        (400, 500011, "invalid_resource", CauseId.CREDENTIAL_WRONG_REGION, "tenant_id"),
        (400, 9001023, "invalid_request", CauseId.CONFIG_WRONG_KIND, "tenant_id"),
        (400, 50059, "invalid_request", CauseId.CONFIG_WRONG_KIND, "tenant_id"),
        (400, 50194, "invalid_request", CauseId.CONFIG_WRONG_KIND, "tenant_id"),
        (400, 90130, "invalid_request", CauseId.CONFIG_WRONG_KIND, "tenant_id"),
        (400, 90133, "invalid_request", CauseId.CONFIG_WRONG_KIND, "tenant_id"),
        (400, 53003, "interaction_required", CauseId.CREDENTIAL_NETWORK_RESTRICTED, "client_id"),
        (400, 53003, "access_denied", CauseId.CREDENTIAL_NETWORK_RESTRICTED, "client_id"),
        (401, 700027, "invalid_client", CauseId.CREDENTIAL_REJECTED, "certificate_thumbprint"),
        (401, 700024, "invalid_client", CauseId.CLOCK_SKEW, None),
        (401, 700021, "invalid_client", CauseId.CREDENTIAL_REJECTED, None),
        (401, 700023, "invalid_client", CauseId.CREDENTIAL_REJECTED, None),
        (401, 50012, "invalid_client", CauseId.CREDENTIAL_REJECTED, None),
        (401, 50027, "invalid_client", CauseId.CREDENTIAL_REJECTED, None),
        (401, 1000502, "invalid_client", CauseId.CREDENTIAL_EXPIRED, "certificate_thumbprint"),
        (401, 7000214, "invalid_client", CauseId.CREDENTIAL_REVOKED, "certificate_thumbprint"),
        (401, 7000232, "invalid_client", CauseId.CREDENTIAL_WRONG_KIND, "client_id"),
        (400, 700213, "invalid_client", CauseId.CREDENTIAL_UNKNOWN_KEY, None),
        (400, 70021, "invalid_request", CauseId.CREDENTIAL_UNKNOWN_KEY, None),
        (400, 700211, "invalid_client", CauseId.CREDENTIAL_UNKNOWN_KEY, None),
        (401, 7002138, "invalid_client", CauseId.CREDENTIAL_UNKNOWN_KEY, None),
        (401, 700222, "invalid_client", CauseId.CREDENTIAL_WRONG_KIND, None),
        (401, 7000216, "invalid_client", CauseId.CREDENTIAL_REJECTED, None),
        (400, 7000216, "invalid_request", CauseId.CREDENTIAL_REJECTED, None),
        (400, 50001, "invalid_resource", CauseId.CREDENTIAL_WRONG_REGION, "tenant_id"),
        (400, 1000104, "invalid_request", CauseId.CREDENTIAL_WRONG_REGION, "tenant_id"),
        (401, 700229, "invalid_client", CauseId.CREDENTIAL_WRONG_KIND, None),
        (401, 700030, "invalid_client", CauseId.CREDENTIAL_REJECTED, "certificate_thumbprint"),
        (400, 700011, "unauthorized_client", CauseId.CREDENTIAL_UNKNOWN_KEY, "client_id"),
        (400, 70001, "unauthorized_client", CauseId.CREDENTIAL_UNKNOWN_KEY, "client_id"),
        (401, 70002, "invalid_client", CauseId.CREDENTIAL_REJECTED, None),
        (400, 650059, "unauthorized_client", CauseId.CREDENTIAL_UNKNOWN_KEY, "tenant_id"),
        (400, 1000031, "unauthorized_client", CauseId.CREDENTIAL_REVOKED, "client_id"),
        (400, 90019, "invalid_request", CauseId.CONFIG_WRONG_KIND, "tenant_id"),
        (400, 50049, "invalid_instance", CauseId.CREDENTIAL_WRONG_REGION, "tenant_id"),
        (400, 500014, "invalid_resource", CauseId.ACCOUNT_FEATURE_DISABLED, None),
        (400, 650052, "access_denied", CauseId.ACCOUNT_FEATURE_DISABLED, None),
        (400, 530035, "access_denied", CauseId.CREDENTIAL_NETWORK_RESTRICTED, "client_id"),
        (400, 500021, "access_denied", CauseId.CREDENTIAL_NETWORK_RESTRICTED, "tenant_id"),
        (400, 5000224, "invalid_request", CauseId.ACCOUNT_SUSPENDED, "tenant_id"),
        (400, 50088, "interaction_required", CauseId.PROVIDER_RATE_LIMITED, None),
        (400, 90012, "invalid_request", CauseId.PROVIDER_OUTAGE, None),
        (400, 50076, "interaction_required", CauseId.CONTRACT_STATUS_CHANGED, None),
        (400, 500121, "invalid_grant", CauseId.CONTRACT_STATUS_CHANGED, None),
        (401, 50126, "invalid_grant", CauseId.CONTRACT_STATUS_CHANGED, None),
        (400, 65001, "invalid_grant", CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION, "client_id"),
        (400, 501051, "invalid_grant", CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION, "client_id"),
        (400, 50105, "access_denied", CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION, "client_id"),
        (400, 50034, "invalid_grant", CauseId.ACCOUNT_RESOURCE_MISSING, None),
        (400, 70003, "unsupported_grant_type", CauseId.ACCOUNT_FEATURE_DISABLED, None),
        (400, 50196, "invalid_grant", CauseId.PROVIDER_RATE_LIMITED, None),
        (400, 90055, "temporarily_unavailable", CauseId.PROVIDER_RATE_LIMITED, None),
        (429, 90055, "temporarily_unavailable", CauseId.PROVIDER_RATE_LIMITED, None),
        (503, 90033, "temporarily_unavailable", CauseId.PROVIDER_OUTAGE, None),
        (400, 90006, "invalid_request", CauseId.PROVIDER_OUTAGE, None),
        (400, 90024, "invalid_request", CauseId.PROVIDER_OUTAGE, None),
        (400, 50033, "invalid_request", CauseId.PROVIDER_OUTAGE, None),
        # What only a wrong request of our own or of a contract could cause.
        (400, 70011, "invalid_scope", CauseId.CONTRACT_STATUS_CHANGED, None),
        (400, 1002012, "invalid_scope", CauseId.CONTRACT_STATUS_CHANGED, None),
        (400, 28002, "invalid_scope", CauseId.CONTRACT_STATUS_CHANGED, None),
        (400, 700022, "invalid_scope", CauseId.CONTRACT_STATUS_CHANGED, None),
        (400, 90013, "invalid_request", CauseId.CONTRACT_STATUS_CHANGED, None),
        (400, 90014, "invalid_request", CauseId.CONTRACT_STATUS_CHANGED, None),
        (400, 900144, "invalid_request", CauseId.CONTRACT_STATUS_CHANGED, None),
        (400, 900561, "invalid_request", CauseId.CONTRACT_STATUS_CHANGED, None),
        (400, 9002313, "invalid_request", CauseId.CONTRACT_STATUS_CHANGED, None),
    ],
)
def test_numbers(status: int, number: int, error: str, cause: CauseId, setting: str | None) -> None:
    found = of_login(status, number, error)
    assert (found.cause, found.setting) == (cause, setting)
    assert found.evidence["provider code"] == f"AADSTS{number}"
    assert found.evidence["provider message"] == f"{error}: a sentence"
    assert found.evidence["provider reference"].startswith("trace 11111111-")


@pytest.mark.parametrize("number", [50001, 500011, 1000104, 90038])
def test_another_cloud_is_set_by_cloud(number: int) -> None:
    """The step pointed at tenant_id, which is right (https://github.com/Azure/migAz/issues/68)."""
    assert "Set cloud in the settings" in str(of_login(400, number, "invalid_resource").next_step)


@pytest.mark.parametrize("number", [7000216, 7000218])
def test_a_credential_that_did_not_arrive_stays_as_it_is(number: int) -> None:
    assert "Do not change the credential" in str(of_login(401, number, "invalid_client").next_step)


def test_a_licence_that_may_only_be_unreadable() -> None:
    """Directory.Read.All was the answer: https://github.com/microsoftgraph/microsoft-graph-docs/issues/12537."""
    found = of_graph(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant")
    assert found.cause is CauseId.ACCOUNT_FEATURE_DISABLED
    assert "Directory.Read.All" in str(found.next_step)


GRAPHS_ERRORS = "https://learn.microsoft.com/graph/errors"


@pytest.mark.parametrize("status", [401, 403])
def test_an_unknown_refusal_of_graph_is_looked_up_in_graphs_list(status: int) -> None:
    found = of_graph(status, "Directory_QuotaExceeded")
    assert found.cause is CauseId.PROVIDER_REFUSAL_UNRECOGNISED
    assert found.evidence["provider's errors"] == GRAPHS_ERRORS
    assert GRAPHS_ERRORS in str(found.next_step)
    assert str(found.next_step).startswith("Do not rotate")


@pytest.mark.parametrize(
    "code", ["Authentication_ApplicationHasNoDirectoryReadAccess", "Authentication_MSGraphPermissionMissing"]
)
def test_a_permission_that_only_graphs_message_names(code: str) -> None:
    """https://github.com/microsoftgraph/microsoft-graph-docs/issues/9172"""
    found = of_graph(403, code)
    assert (found.cause, found.setting) == (CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION, "client_id")
    assert "admin consent" in str(found.next_step)


@pytest.mark.parametrize(
    ("status", "error", "cause"),
    [
        (401, "invalid_client", CauseId.CREDENTIAL_REJECTED),
        (400, "invalid_client", CauseId.CREDENTIAL_REJECTED),
        (400, "unauthorized_client", CauseId.CREDENTIAL_UNKNOWN_KEY),
        (400, "invalid_tenant", CauseId.CREDENTIAL_UNKNOWN_KEY),
        (400, "invalid_resource", CauseId.ACCOUNT_RESOURCE_MISSING),
        (400, "access_denied", CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION),
        (400, "interaction_required", CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION),
        (400, "unsupported_grant_type", CauseId.ACCOUNT_FEATURE_DISABLED),
        (400, "temporarily_unavailable", CauseId.PROVIDER_OUTAGE),
        (400, "server_error", CauseId.PROVIDER_OUTAGE),
        (400, "invalid_request", CauseId.CONTRACT_STATUS_CHANGED),
        (400, "an_error_nobody_has_seen", CauseId.CONTRACT_STATUS_CHANGED),
        (401, "an_error_nobody_has_seen", CauseId.PROVIDER_REFUSAL_UNRECOGNISED),
    ],
)
@pytest.mark.parametrize("number", [None, 7999999], ids=["without a number", "unknown number"])
def test_a_number_nobody_knows_leaves_the_error(status: int, error: str, cause: CauseId, number: int | None) -> None:
    """Numbers may change; the ``error`` is the contract."""
    found = of_login(status, number, error)
    vague = number is not None and error in ("invalid_client", "unauthorized_client")
    assert found.cause is (CauseId.PROVIDER_REFUSAL_UNRECOGNISED if vague else cause)
    assert found.effective_outcome is not Outcome.PASS
    assert found.evidence["provider code"] == (error if number is None else "AADSTS7999999")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("The provided value for the input parameter scope isn't valid.", CauseId.CONTRACT_STATUS_CHANGED),
        ("Client assertion audience claim does not match Realm issuer.", CauseId.CREDENTIAL_REJECTED),
    ],
)
def test_one_number_with_two_meanings(text: str, cause: CauseId) -> None:
    """700023: the scope on Microsoft's page of numbers, the audience of the assertion in its libraries."""
    assert of_login(401, 700023, "invalid_client", text).cause is cause


@pytest.mark.parametrize("number", [50076, 500121, 50126, 70016, 50053])
def test_a_sign_in_is_no_trouble_of_the_application(number: int) -> None:
    exchange = Exchange(Request("POST", "https://login.microsoftonline.com/x/oauth2/v2.0/token"), datetime.now(UTC))
    assert PROVIDER.dialect.is_about_a_user(ApiError(f"AADSTS{number}"), exchange)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"error": "invalid_client", "error_codes": [7000215]}, "AADSTS7000215"),
        ({"error": "invalid_client", "error_description": "AADSTS7000215: no"}, "AADSTS7000215"),
        # Two numbers: first that authentication failed, then why.
        (
            {
                "error": "invalid_client",
                "error_description": "AADSTS70002: Error validating credentials. AADSTS50012: Invalid client secret is "
                "provided.\r\nTrace ID: x",
                "error_codes": [70002, 50012],
            },
            "AADSTS50012",
        ),
        ({"error": "invalid_client", "error_codes": ["7000215", None, True]}, "invalid_client"),
        ({"error": "invalid_client", "error_description": 5, "error_codes": 5}, "invalid_client"),
    ],
)
def test_where_the_number_stands(body: dict[str, Any], code: str) -> None:
    assert explained(PROVIDER, SETTINGS, 401, body).evidence["provider code"] == code


@pytest.mark.parametrize("separator", [" ", "\r\n"])
def test_the_ids_are_no_part_of_the_message(separator: str) -> None:
    text = f"AADSTS7000215: Invalid client secret provided.{separator}Trace ID: t{separator}Correlation ID: c"
    found = explained(PROVIDER, SETTINGS, 401, {"error": "invalid_client", "error_description": text})
    assert found.evidence["provider message"].endswith("Invalid client secret provided.")


@pytest.mark.parametrize(
    ("status", "code", "message", "cause"),
    [
        (401, "InvalidAuthenticationToken", "Access token is empty.", CauseId.CREDENTIAL_REJECTED),
        (401, "InvalidAuthenticationToken", "CompactToken parsing failed with …", CauseId.CREDENTIAL_REJECTED),
        (401, "InvalidAuthenticationToken", "Lifetime validation failed, … expired.", CauseId.CREDENTIAL_REJECTED),
        (401, "InvalidAuthenticationToken", "… failure. Invalid audience.", CauseId.CREDENTIAL_WRONG_REGION),
        (403, "InvalidAuthenticationToken", "… failure. Invalid audience.", CauseId.CREDENTIAL_WRONG_REGION),
        (403, "Authorization_RequestDenied", "", CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION),
        (403, "accessDenied", "Request Authorization failed", CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION),
        (401, "accessDenied", "Request Authorization failed", CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION),
        (404, "Request_ResourceNotFound", "", CauseId.ACCOUNT_RESOURCE_MISSING),
        (404, "itemNotFound", "", CauseId.ACCOUNT_RESOURCE_MISSING),
        (404, "somethingNew", "", CauseId.CONTRACT_ENDPOINT_RETIRED),
        (400, "BadRequest", "Resource not found for the segment 'x'.", CauseId.CONTRACT_ENDPOINT_RETIRED),
        (400, "BadRequest", "something else", CauseId.CONTRACT_STATUS_CHANGED),
        (401, "Authorization_IdentityNotFound", "", CauseId.ACCOUNT_RESOURCE_MISSING),
        (403, "Authorization_IdentityDisabled", "", CauseId.CREDENTIAL_REVOKED),
        (
            403,
            "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
            "",
            CauseId.ACCOUNT_FEATURE_DISABLED,
        ),
        (429, "TooManyRequests", "", CauseId.PROVIDER_RATE_LIMITED),
        (429, "activityLimitReached", "", CauseId.PROVIDER_RATE_LIMITED),
        (503, "serviceNotAvailable", "", CauseId.PROVIDER_OUTAGE),
        (500, "UnknownError", "", CauseId.PROVIDER_OUTAGE),
        (401, "somethingNew", "", CauseId.PROVIDER_REFUSAL_UNRECOGNISED),
        (403, "somethingNew", "", CauseId.PROVIDER_REFUSAL_UNRECOGNISED),
    ],
)
def test_codes_of_graph(status: int, code: str, message: str, cause: CauseId) -> None:
    found = of_graph(status, code, message)
    assert found.cause is cause
    assert found.evidence["provider code"] == code
    assert found.evidence["provider reference"] == "33333333-0000-4000-8000-000000000000"


def test_a_limit_without_json() -> None:
    """The login host says it in plain text; when to try again is told all the same."""
    headers = {"Content-Type": "text/plain", "Retry-After": "60"}
    found = explained(PROVIDER, SETTINGS, 429, b"Too Many Requests", headers)
    assert found.cause is CauseId.PROVIDER_RATE_LIMITED
    assert "60 s" in found.message


def test_a_limit_of_graph_tells_when_to_try_again() -> None:
    body = {"error": {"code": "TooManyRequests", "message": "Too Many Requests"}}
    assert "17 s" in explained(PROVIDER, SETTINGS, 429, body, {"Retry-After": "17"}).message


def causes_of(found: Finding) -> list[str]:
    causes: list[str] = found.evidence["possible causes"]
    return causes


def test_a_wrong_secret_is_judged_by_its_shape() -> None:
    body = login_error(7000215, "invalid_client")
    today = explained(PROVIDER, SETTINGS, 401, body)
    cut = SETTINGS.model_copy(update={"client_secret": SecretStr("an-older-secret-or-a-cut-one")})
    other = explained(PROVIDER, cut, 401, body)
    assert "another application" in causes_of(today)[0]
    assert "truncated or changed" in causes_of(other)[0]
    assert causes_of(other)[1:] == causes_of(today)


@pytest.mark.parametrize(
    ("text", "cause", "setting"),
    [
        (
            "… used to sign the client assertion is not registered on application. [Reason - The key was not found.]",
            CauseId.CREDENTIAL_REJECTED,
            "certificate_thumbprint",
        ),
        (
            "… [Reason - The provided signature value did not match the expected signature value.]",
            CauseId.CREDENTIAL_REJECTED,
            "private_key",
        ),
        (
            "Client assertion contains an invalid signature. [Reason - The key used is expired., Found key 'Start=…']",
            CauseId.CREDENTIAL_EXPIRED,
            "certificate_thumbprint",
        ),
    ],
)
def test_a_refused_certificate_tells_why(text: str, cause: CauseId, setting: str) -> None:
    found = of_login(401, 700027, "invalid_client", text)
    assert (found.cause, found.setting) == (cause, setting)


@pytest.mark.parametrize(
    ("text", "settings", "cause"),
    [
        ("Client assertion is not within its valid time range.", BY_CERTIFICATE, CauseId.CLOCK_SKEW),
        ("Client assertion is not within its valid time range.", SETTINGS, CauseId.CREDENTIAL_REJECTED),
        ("… [Reason - The key used is expired.", BY_CERTIFICATE, CauseId.CREDENTIAL_EXPIRED),
        ("Invalid client secret is provided.", SETTINGS, CauseId.CREDENTIAL_REJECTED),
    ],
)
def test_what_older_answers_say_with_one_number(text: str, settings: EntraSettings, cause: CauseId) -> None:
    assert explained(PROVIDER, settings, 401, login_error(50012, "invalid_client", text)).cause is cause


def test_both_clocks_stand_in_the_refusal_of_an_assertion() -> None:
    text = (
        "Client assertion is not within its valid time range. Current time: 2024-12-07T12:09:18.3149355Z, assertion "
        "valid from 1970-01-01T00:00:00.0000000Z, expiry time of assertion 2024-12-07T11:14:18.0000000Z. Review …"
    )
    found = of_login(401, 700024, "invalid_client", text)
    assert found.evidence["Entra's time"] == "2024-12-07T12:09:18.3149355Z"
    assert found.evidence["assertion ended"] == "2024-12-07T11:14:18.0000000Z"


def token(**held: Any) -> str:
    def part(content: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'RS256'})}.{part(held)}.canarysignature"


def denied(authorization: str) -> Finding:
    body = json.dumps({"error": {"code": "accessDenied", "message": "Request Authorization failed"}}).encode()
    response = Response(403, headers=Headers((("Content-Type", "application/json"),)), body=body)
    request = Request("GET", "https://graph.microsoft.com/", Headers((("Authorization", authorization),)))
    return diagnose(Exchange(request, datetime.now(UTC), response), ProviderDialect(PROVIDER.dialect, SETTINGS))


@pytest.mark.parametrize(
    ("held", "shown"), [({"roles": ["Mail.Read", "User.Read.All"]}, "Mail.Read, User.Read.All"), ({"tid": "t"}, "none")]
)
def test_a_denial_shows_the_roles_and_not_the_token(held: dict[str, Any], shown: str) -> None:
    found = denied(f"Bearer {token(**held)}")
    assert found.evidence["roles in the token"] == shown
    assert "UserAuthenticationMethod.Read.All" in str(found.next_step)
    assert "canarysignature" not in repr(found)


@pytest.mark.parametrize("authorization", ["", "Bearer opaque", "Bearer a.b.c", "Basic eA=="])
def test_a_token_that_cannot_be_read_is_no_reason_to_fail(authorization: str) -> None:
    assert "roles in the token" not in denied(authorization).evidence


def test_an_outage_is_nobodys_misconfiguration() -> None:
    assert of_login(503, 90033, "temporarily_unavailable").effective_outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("body", [{"error": 5}, {"error": {"code": 5}}, {"error": None}, [], "x", None, {}])
def test_what_is_no_error_of_either_host(body: object) -> None:
    assert "provider code" not in explained(PROVIDER, SETTINGS, 401, body).evidence


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "error_codes", "error_description", "code", "message", "innerError", "trace_id"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(body=JSON, status=st.sampled_from([200, 400, 401, 403, 404, 429, 500, 503]))
def test_no_answer_makes_it_stumble(body: object, status: int) -> None:
    assert isinstance(explained(PROVIDER, SETTINGS, status, body).cause, CauseId)
