"""Okta's error codes lead to causes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import Exchange, Request
from mfagate.core.finding import Finding
from mfagate.providers.errors import ApiError
from mfagate.providers.made_up import new_private_key
from mfagate.providers.okta.provider import PROVIDER
from mfagate.providers.okta.settings import ORGANIZATION_PATH, OktaSettings
from mfagate.testing import explained

ORG = "https://acme.okta.com"
TOKEN = OktaSettings(org_url=ORG, api_token=SecretStr("00" + "k" * 40), token_id="00Tabcdefg1234567890")
APP = OktaSettings(org_url=ORG, client_id="0oaabcdefg1234567890", private_key=SecretStr(new_private_key()))


def finding(
    status: int, code: str, summary: str = "a sentence", *, settings: OktaSettings = TOKEN, **headers: str
) -> Finding:
    body = {"errorCode": code, "errorSummary": summary, "errorLink": code, "errorId": "oae1", "errorCauses": []}
    return explained(PROVIDER, settings, status, body, {name.replace("_", "-"): text for name, text in headers.items()})


def refused_token(status: int, error: str, description: str = "a sentence") -> Finding:
    return explained(PROVIDER, APP, status, {"error": error, "error_description": description})


@pytest.mark.parametrize(
    ("status", "code", "cause"),
    [
        (400, "E0000001", CauseId.CONTRACT_STATUS_CHANGED),
        (400, "E0000002", CauseId.CONTRACT_STATUS_CHANGED),
        (400, "E0000003", CauseId.CONTRACT_STATUS_CHANGED),
        (401, "E0000004", CauseId.CREDENTIAL_WRONG_KIND),
        (403, "E0000005", CauseId.CREDENTIAL_REJECTED),
        (403, "E0000006", CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION),
        (404, "E0000007", CauseId.ACCOUNT_RESOURCE_MISSING),
        (404, "E0000008", CauseId.CONTRACT_ENDPOINT_RETIRED),
        (500, "E0000009", CauseId.PROVIDER_OUTAGE),
        (503, "E0000010", CauseId.PROVIDER_MAINTENANCE),
        (401, "E0000011", CauseId.CREDENTIAL_REJECTED),
        (404, "E0000012", CauseId.CONTRACT_STATUS_CHANGED),
        (403, "E0000014", CauseId.CONTRACT_STATUS_CHANGED),
        (401, "E0000015", CauseId.ACCOUNT_FEATURE_DISABLED),
        (403, "E0000016", CauseId.CONTRACT_STATUS_CHANGED),
        (400, "E0000018", CauseId.CONTRACT_STATUS_CHANGED),
        (400, "E0000019", CauseId.CONTRACT_STATUS_CHANGED),
        (400, "E0000020", CauseId.CONTRACT_STATUS_CHANGED),
        (400, "E0000021", CauseId.CONTRACT_STATUS_CHANGED),
        (405, "E0000022", CauseId.CONTRACT_ENDPOINT_RETIRED),
        (400, "E0000028", CauseId.CONTRACT_STATUS_CHANGED),
        (403, "E0000038", CauseId.CONTRACT_STATE_UNAVAILABLE),
        (429, "E0000047", CauseId.PROVIDER_RATE_LIMITED),
        (501, "E0000060", CauseId.CONTRACT_STATUS_CHANGED),
        (504, "E0000067", CauseId.PROVIDER_OUTAGE),
        (403, "E0000068", CauseId.CONTRACT_STATUS_CHANGED),
        (403, "E0000069", CauseId.CONTRACT_STATE_UNAVAILABLE),
        (202, "E0000070", CauseId.CONTRACT_STATUS_CHANGED),
        (403, "E0000073", CauseId.CONTRACT_STATUS_CHANGED),
        (400, "E0000074", CauseId.PROVIDER_OUTAGE),
        (403, "E0000079", CauseId.CONTRACT_STATUS_CHANGED),
        (403, "E0000082", CauseId.CONTRACT_STATUS_CHANGED),
        (403, "E0000083", CauseId.CONTRACT_STATUS_CHANGED),
        (400, "E0000093", CauseId.CONTRACT_STATUS_CHANGED),
        (403, "E0000097", CauseId.CONTRACT_STATE_UNAVAILABLE),
        (400, "E0000098", CauseId.CONTRACT_STATUS_CHANGED),
        (403, "E0000099", CauseId.ACCOUNT_FEATURE_DISABLED),
        (403, "E0000107", CauseId.CONTRACT_STATE_UNAVAILABLE),
        (429, "E0000109", CauseId.CONTRACT_STATE_UNAVAILABLE),
        (409, "E0000112", CauseId.CONTRACT_STATE_UNAVAILABLE),
        (409, "E0000113", CauseId.CONTRACT_STATUS_CHANGED),
        (429, "E0000118", CauseId.CONTRACT_STATE_UNAVAILABLE),
        (403, "E0000119", CauseId.CONTRACT_STATE_UNAVAILABLE),
        (400, "E0000121", CauseId.CONTRACT_STATUS_CHANGED),
        (406, "E0000122", CauseId.CONTRACT_STATUS_CHANGED),
        (400, "E0000124", CauseId.CONTRACT_STATUS_CHANGED),
        (400, "E0000125", CauseId.CONTRACT_STATUS_CHANGED),
        (429, "E0000133", CauseId.CONTRACT_STATE_UNAVAILABLE),
        (500, "E0000138", CauseId.PROVIDER_OUTAGE),
        (503, "E0000139", CauseId.PROVIDER_OUTAGE),
        (400, "E0000140", CauseId.CONTRACT_STATE_UNAVAILABLE),
        (429, "E0000146", CauseId.ACCOUNT_QUOTA_EXHAUSTED),
        (429, "E0000147", CauseId.ACCOUNT_QUOTA_EXHAUSTED),
        (406, "E0000149", CauseId.CONTRACT_STATUS_CHANGED),
        (404, "E0000026", CauseId.CONTRACT_ENDPOINT_RETIRED),
        (403, "E0000058", CauseId.CONTRACT_STATE_UNAVAILABLE),
        (401, "E0000064", CauseId.CONTRACT_STATE_UNAVAILABLE),
        (403, "E0000085", CauseId.CONTRACT_STATE_UNAVAILABLE),
        (502, "E0000134", CauseId.PROVIDER_OUTAGE),
        (403, "E0000150", CauseId.PROVIDER_RATE_LIMITED),
        (403, "E0000151", CauseId.PROVIDER_RATE_LIMITED),
        (410, "E0000154", CauseId.CONTRACT_STATE_UNAVAILABLE),
        (423, "E0000155", CauseId.CONTRACT_STATE_UNAVAILABLE),
        (410, "E0000156", CauseId.CONTRACT_STATE_UNAVAILABLE),
        (400, "E0000159", CauseId.CONTRACT_STATE_UNAVAILABLE),
        (423, "E0000180", CauseId.CONTRACT_STATE_UNAVAILABLE),
        (429, "E0000186", CauseId.ACCOUNT_QUOTA_EXHAUSTED),
        (404, "E0000191", CauseId.CONTRACT_STATE_UNAVAILABLE),
        (429, "E0000204", CauseId.PROVIDER_RATE_LIMITED),
        (401, "E0000207", CauseId.CREDENTIAL_WRONG_KIND),
        (403, "E0000212", CauseId.CONTRACT_STATUS_CHANGED),
        (410, "E0000215", CauseId.CONTRACT_ENDPOINT_RETIRED),
        (403, "E0000233", CauseId.ACCOUNT_FEATURE_DISABLED),
        (504, "E0000241", CauseId.PROVIDER_OUTAGE),
        (403, "E0000247", CauseId.ACCOUNT_FEATURE_DISABLED),
        (403, "E0000259", CauseId.CONTRACT_STATE_UNAVAILABLE),
        (403, "E0000260", CauseId.ACCOUNT_SUSPENDED),
        (400, "E0000264", CauseId.ACCOUNT_FEATURE_DISABLED),
        (503, "E0009999", CauseId.PROVIDER_OUTAGE),
        (401, "E0009999", CauseId.PROVIDER_REFUSAL_UNRECOGNISED),
        (403, "E0009999", CauseId.PROVIDER_REFUSAL_UNRECOGNISED),
        (400, "E0009999", CauseId.CONTRACT_STATUS_CHANGED),
    ],
)
def test_codes(status: int, code: str, cause: CauseId) -> None:
    found = finding(status, code)
    assert found.cause is cause
    assert (found.evidence["provider code"], found.evidence["provider reference"]) == (code, "oae1")


@pytest.mark.parametrize(
    ("status", "error", "description", "cause", "setting"),
    [
        (401, "invalid_client", ("Client authentication failed. Either the client or the client credentials are "
         "invalid."), CauseId.CREDENTIAL_REJECTED, "client_id"),
        (401, "invalid_client", "No client credentials found.", CauseId.CREDENTIAL_REJECTED, None),
        (401, "invalid_client", "Invalid value for 'client_id' parameter.", CauseId.CREDENTIAL_UNKNOWN_KEY,
         "client_id"),
        (401, "invalid_client", "The issuer claim for client_assertion is not a valid client_id.",
         CauseId.CREDENTIAL_UNKNOWN_KEY, "client_id"),
        (401, "invalid_client", "The subject claim for client_assertion is not a valid client_id.",
         CauseId.CREDENTIAL_UNKNOWN_KEY, "client_id"),
        (401, "invalid_client", ("Client Credentials requests to the Org Authorization Server must use the "
         "private_key_jwt token_endpoint_auth_method."), CauseId.CREDENTIAL_WRONG_KIND, "private_key"),
        (401, "invalid_client", ("Only clients with 'application_type' of 'service' may use the client_credentials "
         "'grant_type' with the Org Authorization Server."), CauseId.CREDENTIAL_WRONG_KIND, "client_id"),
        (401, "invalid_client", ("The audience claim for client_assertion must be the endpoint invoked for the "
         "request."), CauseId.CONFIG_MALFORMED_URL, "org_url"),
        (401, "invalid_client", "The client_assertion token is expired.", CauseId.CLOCK_SKEW, None),
        (401, "invalid_client", "The client_assertion token has an expiration too far into the future.",
         CauseId.CLOCK_SKEW, None),
        (401, "invalid_client", "The client_assertion token must be issued before the current time.",
         CauseId.CLOCK_SKEW, None),
        (401, "invalid_client", "The client_assertion token has already been used.", CauseId.CREDENTIAL_REJECTED,
         "org_url"),
        (401, "invalid_client", "The client_assertion signature is invalid.", CauseId.CREDENTIAL_REJECTED,
         "private_key"),
        (401, "invalid_client", "The client_assertion JWT kid is invalid.", CauseId.CREDENTIAL_REJECTED, None),
        (401, "invalid_client", "The parsing of the client_assertion failed.", CauseId.CREDENTIAL_REJECTED,
         "private_key"),
        (401, "invalid_client", ("The client does not have a JWKSet configured, but the client_assertion requires "
         "one."), CauseId.CREDENTIAL_REJECTED, "client_id"),
        (401, "invalid_request", "Cannot supply multiple client credentials.", CauseId.CONTRACT_STATUS_CHANGED, None),
        (400, "invalid_request", "The request contained multiple parameters with the same name.",
         CauseId.CONTRACT_STATUS_CHANGED, None),
        (400, "invalid_scope", "No scopes were requested.", CauseId.CONFIG_MALFORMED_VALUE, "scopes"),
        (400, "invalid_scope", "One or more scopes are not configured for the authorization server resource.",
         CauseId.CONFIG_MALFORMED_VALUE, "scopes"),
        (400, "invalid_scope", "Cannot request 'openid' scopes using client credentials.", CauseId.CONFIG_WRONG_KIND,
         "scopes"),
        (400, "client_credentials_self_scope_requested", "…", CauseId.CONFIG_WRONG_KIND, "scopes"),
        (400, "consent_required", "You are not allowed any of the requested scopes.",
         CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION, "client_id"),
        (403, "access_denied", "The request is made from outside the client's permitted network zones.",
         CauseId.CREDENTIAL_NETWORK_RESTRICTED, "client_id"),
        (401, "access_denied", "Policy evaluation failed for this request, please check the policy configurations.",
         CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION, "client_id"),
        (400, "unauthorized_client", "This client cannot use a custom authorization server.",
         CauseId.CREDENTIAL_WRONG_KIND, "client_id"),
        (400, "unsupported_grant_type", "…", CauseId.ACCOUNT_FEATURE_DISABLED, "org_url"),
        (400, "invalid_dpop_proof", "The DPoP proof JWT header is missing.", CauseId.CREDENTIAL_WRONG_KIND,
         "client_id"),
        (400, "use_dpop_nonce", "Authorization server requires nonce in DPoP proof.", CauseId.CREDENTIAL_WRONG_KIND,
         "client_id"),
        (400, "temporarily_unavailable", "…", CauseId.PROVIDER_OUTAGE, None),
        (500, "server_error", "…", CauseId.PROVIDER_OUTAGE, None),
        (429, "invalid_grant", "API call exceeded rate limit due to too many requests.",
         CauseId.PROVIDER_RATE_LIMITED, None),
        (400, "invalid_grant", "…", CauseId.CONTRACT_STATUS_CHANGED, None),
        (403, "mfa_required", "…", CauseId.CONTRACT_STATUS_CHANGED, None),
        (401, "insufficient_user_authentication", "…", CauseId.CONTRACT_STATUS_CHANGED, None),
        (400, "slow_down", "…", CauseId.PROVIDER_RATE_LIMITED, None),
        (429, "too_many_user_codes", "…", CauseId.PROVIDER_RATE_LIMITED, None),
        (403, "server_error", "The requested feature is not enabled in this environment.",
         CauseId.ACCOUNT_FEATURE_DISABLED, None),
        (400, "access_denied", "The requested feature is not enabled in this environment.",
         CauseId.ACCOUNT_FEATURE_DISABLED, None),
        (403, "access_denied", "Authenticator enrollment has reached it's limit.", CauseId.ACCOUNT_QUOTA_EXHAUSTED,
         None),
        (400, "invalid_request", "The resource request requires a DPoP proof.", CauseId.CREDENTIAL_WRONG_KIND,
         "client_id"),
        (401, "invalid_token", "The presented access_token is not DPoP bound.", CauseId.CREDENTIAL_WRONG_KIND,
         "client_id"),
        (400, "invalid_scope", "The following scopes cannot be requested together.", CauseId.CONFIG_MALFORMED_VALUE,
         "scopes"),
        (401, "invalid_client", "Error retrieving the client JWKSet from jwks_uri.", CauseId.CREDENTIAL_REJECTED,
         "client_id"),
        (401, "something_new", "…", CauseId.PROVIDER_REFUSAL_UNRECOGNISED, None),
    ],
)  # fmt: skip
def test_errors_of_the_token_endpoint(
    status: int, error: str, description: str, cause: CauseId, setting: str | None
) -> None:
    found = refused_token(status, error, description)
    assert (found.cause, found.setting) == (cause, setting)
    assert found.evidence["provider code"] == error


@pytest.mark.parametrize("code", ["E0000154", "E0000156", "E0000180", "E0000259", "E0000085", "E0000064"])
def test_what_is_about_one_user_is_no_trouble_of_the_integration(code: str) -> None:
    exchange = Exchange(Request("POST", f"{ORG}/api/v1/users/u/factors/f/verify"), datetime.now(UTC), None)
    assert PROVIDER.dialect.is_about_a_user(ApiError(code), exchange)


def test_an_error_of_the_token_endpoint_in_the_other_envelope() -> None:
    text = "The client_assertion signature is invalid."
    assert finding(401, "invalid_client", text, settings=APP).setting == "private_key"


CHALLENGE = (
    'Bearer authorization_uri="http://acme.okta.com/oauth2/v1/authorize", realm="http://acme.okta.com", '
    'scope="okta.users.manage", error="insufficient_scope", error_description="The access token provided does not '
    'contain the required scopes.", resource="/api/v1/users"'
)


@pytest.mark.parametrize("body", [b"", {"errorCode": "E0000006", "errorSummary": "You do not have permission"}])
@pytest.mark.parametrize("header", [CHALLENGE, CHALLENGE.replace("Bearer", 'DPoP algs="RS256 ES256",')])
def test_only_the_header_names_a_missing_scope(body: Any, header: str) -> None:
    found = explained(PROVIDER, APP, 403, body, {"WWW-Authenticate": header, "X-Okta-Request-Id": "aa11"})
    assert found.cause is CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION
    assert "lacks the scope okta.users.manage" in found.message
    assert found.evidence["provider reference"] == "aa11"
    assert "Okta API Scopes" in (found.next_step or "")


def test_an_access_token_that_is_refused() -> None:
    header = 'Bearer realm="http://acme.okta.com", error="invalid_token", error_description="The token has expired."'
    found = explained(PROVIDER, APP, 401, b"", {"WWW-Authenticate": header})
    assert (found.cause, found.setting) == (CauseId.CREDENTIAL_REJECTED, "org_url")


def test_one_code_for_an_app_is_another_matter() -> None:
    found = finding(401, "E0000011", settings=APP)
    assert (found.cause, found.setting) == (CauseId.CREDENTIAL_REJECTED, "org_url")
    assert "possible causes" not in found.evidence


@pytest.mark.parametrize(("host", "other"), [(".okta.com", "preview"), (".oktapreview.com", "production")])
def test_what_a_refused_token_may_be(host: str, other: str) -> None:
    found = finding(401, "E0000011", settings=TOKEN.model_copy(update={"org_url": f"https://acme{host}"}))
    assert found.evidence["possible causes"][0].endswith(f"such as the {other} org")
    assert found.setting == "api_token"


@pytest.mark.parametrize(("settings", "word"), [(TOKEN, "the user who created it"), (APP, "administrator role")])
def test_a_missing_permission(settings: OktaSettings, word: str) -> None:
    found = finding(403, "E0000006", settings=settings)
    assert word in found.message
    assert found.setting == ("api_token" if settings is TOKEN else "client_id")


def test_an_unknown_token_id_is_no_missing_user() -> None:
    found = finding(404, "E0000007", "Not found: Resource not found: 00Tabcdefg1234567890 (Token)")
    assert (found.cause, found.setting) == (CauseId.CONFIG_MALFORMED_VALUE, "token_id")


def test_a_rate_limit_tells_when_it_resets() -> None:
    found = finding(
        429, "E0000047", X_Rate_Limit_Limit="10", X_Rate_Limit_Remaining="0", X_Rate_Limit_Reset="1893456000"
    )
    assert "2030-01-01 00:00:00 UTC" in found.message
    assert found.effective_outcome is Outcome.INCONCLUSIVE


def test_a_limit_of_concurrent_requests_has_no_reset() -> None:
    found = finding(
        429, "E0000047", X_Rate_Limit_Limit="0", X_Rate_Limit_Remaining="0", X_Rate_Limit_Reset="1893456000"
    )
    assert found.cause is CauseId.PROVIDER_RATE_LIMITED
    assert "concurrent requests" in found.message


def test_the_causes_of_a_failed_validation_are_reported() -> None:
    body = {
        "errorCode": "E0000001",
        "errorSummary": "Api validation failed: factorEnrollRequest",
        "errorCauses": [{"errorSummary": "A factor of this type is already set up."}],
    }
    words = explained(PROVIDER, TOKEN, 400, body).evidence["provider message"]
    assert words == "Api validation failed: factorEnrollRequest: A factor of this type is already set up."


@pytest.mark.parametrize(
    "body",
    [{"errorCode": 11}, {"errorCauses": {"errorSummary": "x"}}, {"error": {"code": 1}}, [], "x", None, b"<html>", b""],
)
def test_what_is_no_error_of_okta(body: Any) -> None:
    assert "provider code" not in explained(PROVIDER, TOKEN, 401, body).evidence


def test_causes_that_are_no_list_do_no_harm() -> None:
    body = {"errorCode": "E0000047", "errorSummary": "x", "errorCauses": {"errorSummary": "x"}}
    assert explained(PROVIDER, TOKEN, 429, body).evidence["provider message"] == "x"


@pytest.mark.parametrize(
    ("path", "cause"),
    [(ORGANIZATION_PATH, CauseId.CONFIG_MALFORMED_URL), ("/api/v1/users/me", CauseId.CONTRACT_ENDPOINT_RETIRED)],
)
def test_a_page_in_place_of_an_org(path: str, cause: CauseId) -> None:
    page = b"<html><title>Page not found</title>"
    found = explained(PROVIDER, TOKEN, 404, page, {"Content-Type": "text/html"}, url=f"{ORG}{path}")
    assert found.cause is cause
