"""Auth0's error codes, and the sentences beside them, lead to causes."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.finding import Finding
from mfagate.providers.auth0.dialect import DISCOVERY_PATH
from mfagate.providers.auth0.probes import METHODS_OF_NOBODY
from mfagate.providers.auth0.provider import PROVIDER
from mfagate.providers.auth0.settings import Auth0Settings
from mfagate.testing import explained

DOMAIN = "acme.eu.auth0.com"
SETTINGS = Auth0Settings(domain=DOMAIN, client_id="Kx3Vq0ZpT7mB1cWn9Yd5RhG2sLf8JuAe", client_secret=SecretStr("s" * 64))
WITH_AUDIENCE = SETTINGS.model_copy(update={"audience": f"https://{DOMAIN}/api/v2/"})
STATIC = SETTINGS.model_copy(update={"management_token": SecretStr("e.e.e")})
TOKEN, METHODS = f"https://{DOMAIN}/oauth/token", f"https://{DOMAIN}{METHODS_OF_NOBODY}"

CLIENT_GRANT = (
    'Client is not authorized to access "https://x/". You need to create a "client-grant" associated to this API.'
)
OLD_CLIENT_GRANT = (
    'Client is not authorized to access "x". You might probably want to create a "client-grant" associated'
)


def login(
    status: int, error: str, said: str = "a sentence", settings: Auth0Settings = SETTINGS, **more: Any
) -> Finding:
    """An answer of the Authentication API."""
    return explained(PROVIDER, settings, status, {"error": error, "error_description": said, **more}, url=TOKEN)


def managed(status: int, said: str, code: str | None = None, settings: Auth0Settings = SETTINGS) -> Finding:
    """An answer of the Management API."""
    error = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests"}
    body = {"statusCode": status, "error": error[status], "message": said, **({"errorCode": code} if code else {})}
    return explained(PROVIDER, settings, status, body, url=METHODS)


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ({"x-ratelimit-reset": "4102444800"}, "try again after 2100-01-01 00:00:00 UTC"),
        ({"x-ratelimit-reset": "1506461721"}, None),
        ({"retry-after": "12"}, "try again in 12 s"),
        ({}, None),
    ],
)
def test_a_known_limit_tells_when_it_ends(header: dict[str, str], told: str | None) -> None:
    """https://github.com/auth0/terraform-provider-auth0/issues/1136"""
    body = {"statusCode": 429, "error": "Too Many Requests", "message": "Global limit has been reached"}
    body["errorCode"] = "too_many_requests"
    found = explained(PROVIDER, SETTINGS, 429, body, header, url=TOKEN)
    assert found.cause is CauseId.PROVIDER_RATE_LIMITED
    assert found.message.count("try again") == (1 if told else 0)
    assert (told or "") in found.message
    assert all(found.evidence[name] == value for name, value in header.items())


@pytest.mark.parametrize(
    ("status", "error", "said", "cause"),
    [
        (401, "access_denied", "Unauthorized", CauseId.CREDENTIAL_REJECTED),
        (403, "access_denied", "Unauthorized", CauseId.CREDENTIAL_REJECTED),
        (401, "invalid_client", "Client authentication failed", CauseId.CREDENTIAL_REJECTED),
        (
            403,
            "access_denied",
            "Service not found: https://acme.us.auth0.com/api/v2/",
            CauseId.ACCOUNT_RESOURCE_MISSING,
        ),
        (
            403,
            "access_denied",
            "Service not enabled within domain: https://acme.eu.auth0.com/api/v2/",
            CauseId.ACCOUNT_RESOURCE_MISSING,
        ),
        (403, "access_denied", CLIENT_GRANT, CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION),
        (403, "access_denied", OLD_CLIENT_GRANT, CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION),
        (403, "unauthorized_client", CLIENT_GRANT, CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION),
        (403, "access_denied", "Client has not been granted scopes: x:y", CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION),
        (403, "unauthorized_client", "Grant type 'x' not allowed for the client.", CauseId.ACCOUNT_FEATURE_DISABLED),
        (400, "unsupported_grant_type", "Grant type not supported", CauseId.ACCOUNT_FEATURE_DISABLED),
        (
            403,
            "access_denied",
            "No audience parameter was provided, and no default audience has been configured",
            CauseId.CONFIG_SETTING_MISSING,
        ),
        (
            403,
            "server_error",
            "Authorization server not configured with default connection.",
            CauseId.ACCOUNT_FEATURE_DISABLED,
        ),
        (429, "too_many_requests", "Rate limit exceeded.", CauseId.PROVIDER_RATE_LIMITED),
        (429, "access_denied", "Global limit has been reached", CauseId.PROVIDER_RATE_LIMITED),
        (429, "too_many_attempts", "Your account has been blocked", CauseId.PROVIDER_RATE_LIMITED),
        (400, "slow_down", "a sentence", CauseId.PROVIDER_RATE_LIMITED),
        (429, "a code that nobody has seen", "a sentence", CauseId.PROVIDER_RATE_LIMITED),
        (500, "server_error", "a sentence", CauseId.PROVIDER_OUTAGE),
        (503, "temporarily_unavailable", "a sentence", CauseId.PROVIDER_OUTAGE),
        (500, "a code that nobody has seen", "a sentence", CauseId.PROVIDER_OUTAGE),
        (401, "a code that nobody has seen", "a sentence", CauseId.PROVIDER_REFUSAL_UNRECOGNISED),
        (403, "access_denied", "a sentence that nobody has seen", CauseId.PROVIDER_REFUSAL_UNRECOGNISED),
        (400, "invalid_request", "Missing required parameter: code", CauseId.CONTRACT_STATUS_CHANGED),
    ],
)
def test_codes_of_the_authentication_api(status: int, error: str, said: str, cause: CauseId) -> None:
    found = login(status, error, said)
    assert found.cause is cause
    assert found.evidence["provider code"] == error


def test_a_service_that_is_not_enabled_leaves_the_secret_alone() -> None:
    """https://github.com/auth0/node-auth0/issues/292: the audience, and not the secret."""
    found = login(403, "access_denied", "Service not enabled within domain: https://x/", settings=WITH_AUDIENCE)
    assert found.setting == "audience"
    assert "does not reject the client secret" in found.message
    assert "API Audience" in str(found.next_step)


@pytest.mark.parametrize(
    ("status", "said", "code", "cause"),
    [
        (400, "Bad HTTP authentication header format", "Bearer", CauseId.CREDENTIAL_WRONG_KIND),
        (401, "Missing authentication", None, CauseId.CREDENTIAL_REJECTED),
        (401, "Invalid token", None, CauseId.CREDENTIAL_REJECTED),
        (401, "Invalid signature received for JSON Web Token validation.", None, CauseId.CREDENTIAL_REJECTED),
        (401, "Expired token received for JSON Web Token validation", None, CauseId.CREDENTIAL_EXPIRED),
        (401, "Bad audience: https://x.eu.auth0.com/api/v2/", None, CauseId.CREDENTIAL_WRONG_KIND),
        (401, "Client is not global.", None, CauseId.CREDENTIAL_WRONG_KIND),
        (
            403,
            "Insufficient scope, expected any of: read:users",
            "insufficient_scope",
            CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
        ),
        (403, "a sentence", "insufficient_entitlement", CauseId.ACCOUNT_FEATURE_DISABLED),
        (429, "Global limit has been reached", "too_many_requests", CauseId.PROVIDER_RATE_LIMITED),
        (404, "Not Found", None, CauseId.CONTRACT_ENDPOINT_RETIRED),
        (404, "The connection does not exist", "inexistent_connection", CauseId.ACCOUNT_RESOURCE_MISSING),
        (404, "The client does not exist", "inexistent_client", CauseId.ACCOUNT_RESOURCE_MISSING),
        (403, "a sentence", "feature_disabled_by_admin", CauseId.ACCOUNT_FEATURE_DISABLED),
        (403, "a sentence", "auth_method_disabled", CauseId.ACCOUNT_FEATURE_DISABLED),
        (403, "a sentence", "too_many_sms_per_tenant", CauseId.ACCOUNT_QUOTA_EXHAUSTED),
        (403, "a sentence", "too_many_sms", CauseId.PROVIDER_RATE_LIMITED),
        (403, "a sentence", "push_notification_wrong_credentials", CauseId.ACCOUNT_FEATURE_DISABLED),
        (400, "a sentence", "error_sending_sms", CauseId.PROVIDER_OUTAGE),
        (401, "a sentence", "transaction_expired", CauseId.CONTRACT_STATUS_CHANGED),
        (404, "a sentence", "login_transaction_not_found", CauseId.CONTRACT_STATUS_CHANGED),
        (400, "Payload validation error", "invalid_body", CauseId.CONTRACT_STATUS_CHANGED),
    ],
)
def test_codes_of_the_management_api(status: int, said: str, code: str | None, cause: CauseId) -> None:
    assert managed(status, said, code).cause is cause


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (401, "mfa_required", "Multifactor authentication required"),
        (403, "mfa_required", "Multifactor authentication required"),
        (403, "invalid_grant", "Invalid otp_code."),
        (401, "invalid_grant", "Wrong email or password."),
        (403, "invalid_user_password", "Wrong email or password"),
        (403, "unauthorized", "user is blocked"),
        (403, "expired_token", "mfa_token is expired"),
        (401, "unsupported_challenge_type", "User is not enrolled."),
        (401, "association_required", "User is not enrolled."),
        (400, "authorization_pending", "Authorization pending"),
        (400, "access_denied", "MFA Authorization rejected."),
        (403, "access_denied", "MFA Authorization rejected."),
    ],
)
def test_what_a_user_brings_about_is_no_fault_of_the_credential(status: int, error: str, said: str) -> None:
    assert login(status, error, said).cause is CauseId.CONTRACT_STATUS_CHANGED


def test_overload_that_looks_like_a_refusal() -> None:
    """Answered once with status 500 and rate limit headers that looked healthy."""
    body = {"error": "access_denied", "error_description": "Global limit has been reached"}
    headers = {"X-RateLimit-Limit": "30", "X-RateLimit-Remaining": "29", "X-RateLimit-Reset": "1643756409"}
    found = explained(PROVIDER, SETTINGS, 500, body, headers, url=TOKEN)
    assert found.cause is CauseId.PROVIDER_RATE_LIMITED
    assert found.effective_outcome is Outcome.INCONCLUSIVE


def test_a_scope_error_of_both_dialects_at_once() -> None:
    found = login(400, "invalid_scope", "Scope must be an array or a string", statusCode=400)
    assert found.evidence["provider code"] == "invalid_scope"


def test_the_candidates_for_a_refused_client() -> None:
    causes = login(401, "access_denied", "Unauthorized").evidence["possible causes"]
    assert causes[0].startswith("client_secret")
    assert causes[1].startswith("client_id")
    assert not any("contains no region" in cause for cause in causes)
    old = SETTINGS.model_copy(update={"domain": "acme.auth0.com"})
    assert any(
        "contains no region" in cause
        for cause in login(401, "access_denied", "Unauthorized", old).evidence["possible causes"]
    )


@pytest.mark.parametrize(
    "said", ["expected any of: read:users,update:users", "expected any of: read:users, update:users."]
)
def test_the_scopes_that_are_missing_are_named(said: str) -> None:
    found = managed(403, f"Insufficient scope; {said}", "insufficient_scope")
    assert found.message == "the token lacks the scope read:users or update:users (code insufficient_scope)"


@pytest.mark.parametrize(
    ("settings", "expected"), [(SETTINGS, "domain"), (WITH_AUDIENCE, "audience"), (STATIC, "domain")]
)
def test_an_unknown_audience_is_looked_for_where_it_is_set(settings: Auth0Settings, expected: str) -> None:
    assert login(403, "access_denied", "Service not found: x", settings).setting == expected


@pytest.mark.parametrize(
    ("said", "code", "status", "fetched", "static"),
    [
        ("Invalid token", None, 401, None, "management_token"),
        ("Expired token received", None, 401, None, "management_token"),
        ("Bad audience: x", None, 401, "domain", "management_token"),
        ("Insufficient scope, expected any of: a", "insufficient_scope", 403, "client_id", "management_token"),
        ("Bad HTTP authentication header format", "Bearer", 400, "domain", "management_token"),
        ("Missing authentication", None, 401, None, None),
    ],
)
def test_a_refused_token_is_the_static_one_or_the_client_that_fetched_it(
    said: str, code: str | None, status: int, fetched: str | None, static: str | None
) -> None:
    assert managed(status, said, code).setting == fetched
    assert managed(status, said, code, STATIC).setting == static


def test_an_unknown_tenant() -> None:
    """Names below auth0.com resolve without a tenant behind them."""
    for url in (TOKEN, f"https://{DOMAIN}{DISCOVERY_PATH}"):
        found = explained(PROVIDER, SETTINGS, 404, b"Not found", {"Content-Type": "text/html"}, url=url)
        assert (found.cause, found.setting) == (CauseId.CREDENTIAL_UNKNOWN_KEY, "domain")


@pytest.mark.parametrize(
    ("domain", "url"),
    [
        (DOMAIN, f"https://127.0.0.1{DISCOVERY_PATH}"),
        (DOMAIN, f"https://{DOMAIN}/api/v2/users"),
        ("login.example.com", f"https://login.example.com{DISCOVERY_PATH}"),
    ],
)
def test_what_is_no_unknown_tenant(domain: str, url: str) -> None:
    settings = SETTINGS.model_copy(update={"domain": domain})
    assert explained(PROVIDER, settings, 404, {}, url=url).cause is CauseId.CONTRACT_ENDPOINT_RETIRED


@pytest.mark.parametrize("body", [{"error": {"code": 1}}, {"message": "x"}, [], "x", None, {"error": None}])
def test_what_is_no_error_of_auth0(body: object) -> None:
    assert "provider code" not in explained(PROVIDER, SETTINGS, 401, body).evidence


@pytest.mark.parametrize("body", [{"error": "e", "error_description": 5}, {"error": "e", "errorCode": 5}])
def test_an_error_with_a_wrong_type(body: dict[str, Any]) -> None:
    assert explained(PROVIDER, SETTINGS, 401, body).evidence["provider code"] == "e"
