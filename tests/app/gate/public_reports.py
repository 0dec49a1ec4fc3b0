"""Public reports of integrations that were refused, and what the gate has to say of each.

Every answer is the one of the report, as far as the report shows it; names and ids are made up. The expectation was
written down from the report alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from mfagate.core.causes import CauseId
from mfagate.sandbox.faulty_proxy import Handler

JSON, HTML = "application/json", "text/html"

GITHUB = "https://github.com/"
TOKEN, GRAPH, MANAGEMENT = "/oauth2/v2.0/token", "/v1.0/", "/api/v2/"
CHECK, SERVICE, FACTORS, ME = "/auth/v2/check", "/v2/Services/VA", "/factors", "/api/v1/users/me"

REPLACING = ("Put the right value", "Make a new", "Create another", "Issue another", "Issue a new")
"""Beginnings of steps that would change a credential."""


@dataclass(frozen=True)
class PublicReport:
    """One answer at one place, and the outcome that is right.

    ``path`` is a part of the path that gets the answer, and empty for every request. ``step`` are words that the next
    step has to hold; ``keeps`` says that the credential may be good, so that no step may lead away from it.
    """

    url: str
    provider: str
    path: str
    status: int
    body: Any
    exit_code: int
    cause: CauseId
    step: tuple[str, ...]
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str | None = JSON
    keeps: bool = True
    settings: tuple[str, ...] = ()
    unless: str = ""
    """A header of the request with which it is answered as it should be."""

    def fault(self, handler: Handler) -> bool:
        """Answer as the provider in the report did."""
        if self.path not in handler.path.partition("?")[0] or (self.unless and self.unless in handler.headers):
            return False
        handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        content = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        return handler.answer(self.status, content, self.content_type, **self.headers)

    @property
    def name(self) -> str:
        """A short name for the list of tests."""
        return f"{self.provider}: {self.url.removeprefix('https://').removeprefix('github.com/')}"


def _duo(url: str, status: int, body: Any, *right: Any, path: str = CHECK, **more: Any) -> PublicReport:
    return PublicReport(url, "duo", path, status, body, *right, **more)


def _of_duo(code: int, message: str, detail: str | None = None) -> dict[str, Any]:
    return {"stat": "FAIL", "code": code, "message": message, **({"message_detail": detail} if detail else {})}


def _of_okta(code: str, summary: str, *causes: str) -> dict[str, Any]:
    listed = [{"errorSummary": cause} for cause in causes]
    return {"errorCode": code, "errorSummary": summary, "errorLink": code, "errorId": "oaeX", "errorCauses": listed}


def _of_entra(error: str, number: int, text: str) -> dict[str, Any]:
    return {
        "error": error,
        "error_description": f"AADSTS{number}: {text}\r\nTrace ID: 4d3115e2-773f-413d-ac57-9a69025d2e00\r\n"
        "Correlation ID: 37810be3-b3dd-4f6a-9e87-5bab1e14d910\r\nTimestamp: 2026-03-07 23:05:36Z",
        "error_codes": [number],
        "trace_id": "4d3115e2-773f-413d-ac57-9a69025d2e00",
        "correlation_id": "37810be3-b3dd-4f6a-9e87-5bab1e14d910",
    }


def _of_graph(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "innerError": {"request-id": "51017acd-3824-4dac-bbf1-0679"}}}


def _of_auth0(status: int, error: str, message: str, code: str | None = None) -> dict[str, Any]:
    return {"statusCode": status, "error": error, "message": message, **({"errorCode": code} if code else {})}


def _of_twilio(status: int, code: int, message: str) -> dict[str, Any]:
    return {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }


def _of_privacyidea(code: int, message: str) -> dict[str, Any]:
    error = {"code": code, "message": message}
    return {"detail": None, "id": 1, "jsonrpc": "2.0", "result": {"error": error, "status": False}}


def _page(title: str, text: str = "") -> bytes:
    return f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{text}</body></html>".encode()


REPORTS = (
    # Duo
    _duo(
        f"{GITHUB}duosecurity/duo_client_python/issues/104",
        401,
        _of_duo(40102, "Invalid integration key in request credentials"),
        1,
        CauseId.CREDENTIAL_UNKNOWN_KEY,
        ("Auth API", "integration key"),
    ),
    _duo(
        f"{GITHUB}duosecurity/duo_log_sync/issues/2",
        401,
        _of_duo(40103, "Invalid signature in request credentials"),
        1,
        CauseId.CREDENTIAL_REJECTED,
        ("compare its secret key", "do not change the key"),
    ),
    _duo(
        f"{GITHUB}duosecurity/duo_api_ruby/issues/1",
        403,
        _of_duo(40301, "Access forbidden"),
        1,
        CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
        ("type", "Do not change the secret key"),
    ),
    _duo(
        f"{GITHUB}duosecurity/duo_unix/issues/311",
        401,
        _of_duo(40105, "Bad request timestamp"),
        1,
        CauseId.CLOCK_SKEW,
        ("clock",),
    ),
    _duo(
        f"{GITHUB}duosecurity/duo_universal_csharp/issues/45",
        401,
        {"error": "unauthorized_request", "error_description": "Unauthorized OIDC request"},
        1,
        CauseId.PROVIDER_REFUSAL_UNRECOGNISED,
        ("Do not rotate",),
    ),
    _duo(
        f"{GITHUB}venth/aws-adfs/issues/126",
        403,
        _page("403 - Forbidden: Access is denied."),
        1,
        CauseId.CONTRACT_NOT_JSON,
        ("do not change the credential",),
        path="",
        headers={"Server": "Microsoft-IIS/10.0"},
        content_type=HTML,
    ),
    _duo(
        f"{GITHUB}duosecurity/duo_client_python/issues/101",
        429,
        _of_duo(42901, "Too Many Requests"),
        3,
        CauseId.PROVIDER_RATE_LIMITED,
        (),
    ),
    # Okta
    PublicReport(
        f"{GITHUB}mbegan/Okta-PSModule/issues/65",
        "okta",
        "/api/v1/",
        401,
        _of_okta("E0000011", "Invalid token provided"),
        1,
        CauseId.CREDENTIAL_REJECTED,
        ("no longer listed",),
        keeps=False,
    ),
    PublicReport(
        f"{GITHUB}okta/terraform-provider-okta/issues/773",
        "okta",
        FACTORS,
        401,
        _of_okta("E0000015", "You do not have permission to access the feature you are requesting"),
        1,
        CauseId.ACCOUNT_FEATURE_DISABLED,
        ("Ask Okta",),
    ),
    PublicReport(
        f"{GITHUB}okta/terraform-provider-okta/issues/667",
        "okta",
        FACTORS,
        403,
        _of_okta("E0000005", "Invalid session"),
        1,
        CauseId.CREDENTIAL_WRONG_KIND,
        ("API token",),
        settings=("org_url", "client_id", "private_key"),
    ),
    PublicReport(
        f"{GITHUB}okta/terraform-provider-okta/issues/2375",
        "okta",
        FACTORS,
        403,
        b"",
        1,
        CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
        ("Okta API Scopes",),
        headers={
            "Www-Authenticate": 'DPoP algs="RS256 RS384 RS512 ES256 ES384 ES512", authorization_uri='
            '"http://xxx.oktapreview.com/oauth2/v1/authorize", realm="http://xxx.oktapreview.com", '
            'scope="okta.users.read", error="insufficient_scope", error_description="The access token provided does '
            'not contain the required scopes.", resource="/api/v1/users"'
        },
        content_type=None,
        settings=("org_url", "client_id", "private_key"),
    ),
    PublicReport(
        f"{GITHUB}okta/terraform-provider-okta/issues/1035",
        "okta",
        "/oauth2/v1/token",
        401,
        {
            "error": "invalid_client",
            "error_description": "The client does not have a JWKSet configured, but the client_assertion requires one.",
        },
        1,
        CauseId.CREDENTIAL_REJECTED,
        ("public key",),
        settings=("org_url", "client_id", "private_key"),
    ),
    PublicReport(
        f"{GITHUB}okta/okta-sdk-python/issues/289",
        "okta",
        "/oauth2/v1/token",
        401,
        {"error": "invalid_client", "error_description": "The client_assertion JWT kid is invalid."},
        1,
        CauseId.CREDENTIAL_REJECTED,
        ("key_id",),
        settings=("org_url", "client_id", "private_key"),
    ),
    PublicReport(
        f"{GITHUB}firezone/firezone/issues/6735",
        "okta",
        "/api/v1/",
        429,
        _of_okta("E0000047", "API call exceeded rate limit due to too many requests."),
        3,
        CauseId.PROVIDER_RATE_LIMITED,
        (),
        headers={"X-Rate-Limit-Limit": "600", "X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": "4102444800"},
    ),
    PublicReport(
        f"{GITHUB}okta/okta-developer-docs/pull/6155",
        "okta",
        "/api/v1/",
        429,
        _of_okta("E0000047", "API call exceeded rate limit due to too many requests."),
        3,
        CauseId.PROVIDER_RATE_LIMITED,
        (),
        headers={"X-Rate-Limit-Limit": "0", "X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": "1506461721"},
    ),
    # Twilio
    PublicReport(
        f"{GITHUB}bytechefhq/bytechef/issues/971",
        "twilio",
        SERVICE,
        401,
        _of_twilio(401, 20003, "Authentication Error - invalid username"),
        1,
        CauseId.CREDENTIAL_REJECTED,
        ("SID",),
        keeps=False,
    ),
    PublicReport(
        f"{GITHUB}twilio-labs/serverless-api/issues/37",
        "twilio",
        SERVICE,
        429,
        {
            "status": 429,
            "message": "Too many requests",
            "detail": "Too many requests for the associated account being sent.",
            "code": 20429,
            "moreInfo": "https://www.twilio.com/docs/errors/20429",
        },
        3,
        CauseId.PROVIDER_RATE_LIMITED,
        ("after a few seconds",),
    ),
    PublicReport(
        f"{GITHUB}fosterful/scheduler/issues/362",
        "twilio",
        SERVICE,
        403,
        _of_twilio(403, 20005, "Account not active"),
        1,
        CauseId.ACCOUNT_SUSPENDED,
        ("provider's console",),
    ),
    PublicReport(
        f"{GITHUB}grafana-cold-storage/oncall/pull/2065",
        "twilio",
        "/Verifications",
        403,
        _of_twilio(403, 60410, "The destination phone number has been temporarily blocked by Twilio due to fraud"),
        1,
        CauseId.ACCOUNT_FEATURE_DISABLED,
        ("Fraud Guard",),
    ),
    PublicReport(
        f"{GITHUB}sandboxnu/course-catalog-api/issues/298",
        "twilio",
        "/Verifications",
        403,
        _of_twilio(403, 60605, "Verification delivery attempt blocked. Geo Permission configuration is not permitting"),
        1,
        CauseId.ACCOUNT_FEATURE_DISABLED,
        ("Geo permissions",),
    ),
    PublicReport(
        f"{GITHUB}twilio/twilio-node/issues/745",
        "twilio",
        SERVICE,
        404,
        _of_twilio(404, 20404, "The requested resource /Services/VAXX/Verifications was not found"),
        1,
        CauseId.ACCOUNT_RESOURCE_MISSING,
        ("service_sid", "subaccount"),
    ),
    # Entra
    PublicReport(
        f"{GITHUB}microsoft/botbuilder-dotnet/issues/6759",
        "entra",
        TOKEN,
        400,
        _of_entra(
            "invalid_grant",
            53003,
            "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
        ),
        1,
        CauseId.CREDENTIAL_NETWORK_RESTRICTED,
        ("Sign-in logs",),
    ),
    PublicReport(
        f"{GITHUB}Azure/azure-cli/issues/31428",
        "entra",
        TOKEN,
        400,
        _of_entra(
            "invalid_grant",
            530084,
            "Access has been blocked by conditional access token protection policy configured by this organization. "
            "To learn more, see https://aka.ms/TBCADocs.",
        ),
        1,
        CauseId.CREDENTIAL_NETWORK_RESTRICTED,
        ("Sign-in logs",),
    ),
    PublicReport(
        f"{GITHUB}Azure/Commercial-Marketplace-SaaS-Accelerator/issues/830",
        "entra",
        TOKEN,
        401,
        _of_entra(
            "invalid_client",
            7000229,
            "The client application 0b1c2d3e is missing service principal in the tenant 5b2b7a4e. See instructions "
            "here: https://go.microsoft.com/fwlink/?linkid=2225119",
        ),
        1,
        CauseId.ACCOUNT_RESOURCE_MISSING,
        ("consent",),
    ),
    PublicReport(
        f"{GITHUB}webprofusion/certify/issues/553",
        "entra",
        TOKEN,
        400,
        _of_entra("invalid_request", 900382, "Confidential Client is not supported in Cross Cloud request."),
        1,
        CauseId.CREDENTIAL_WRONG_REGION,
        ("cloud",),
    ),
    PublicReport(
        f"{GITHUB}MicrosoftDocs/azure-docs/issues/96851",
        "entra",
        TOKEN,
        400,
        _of_entra(
            "invalid_request",
            1002016,
            "You are using TLS version 1.0, 1.1 and/or 3DES cipher which are deprecated to improve the security "
            "posture of Azure AD. Please refer to https://go.microsoft.com/fwlink/?linkid=2161187",
        ),
        1,
        CauseId.NETWORK_TLS_HANDSHAKE,
        ("TLS 1.2",),
    ),
    PublicReport(
        f"{GITHUB}microsoft/GraphNotificationBroker/issues/5",
        "entra",
        TOKEN,
        400,
        _of_entra(
            "invalid_client",
            650052,
            "The app is trying to access a service 'fb2131cd'(backend) that your organization '359af9bd' lacks a "
            "service principal for. Contact your IT Admin to review the configuration of your service subscriptions "
            "or consent to the application in order to create the required service principal.",
        ),
        1,
        CauseId.ACCOUNT_FEATURE_DISABLED,
        ("consent",),
    ),
    PublicReport(
        f"{GITHUB}microsoftgraph/microsoft-graph-docs-contrib/issues/4251",
        "entra",
        GRAPH,
        403,
        _of_graph("Authentication_RequestFromUnsupportedUserRole", "User is not in the allowed roles"),
        1,
        CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
        ("role",),
    ),
    PublicReport(
        f"{GITHUB}microsoftgraph/msgraph-sdk-dotnet/issues/1751",
        "entra",
        GRAPH,
        403,
        _of_graph("MissingCredentials", "Valid Authorization header is needed."),
        1,
        CauseId.PROVIDER_REFUSAL_UNRECOGNISED,
        ("Do not rotate",),
    ),
    PublicReport(
        f"{GITHUB}microsoftgraph/microsoft-graph-docs/issues/4207",
        "entra",
        GRAPH,
        403,
        _of_graph("UnknownError", ""),
        1,
        CauseId.PROVIDER_REFUSAL_UNRECOGNISED,
        ("Do not rotate",),
    ),
    PublicReport(
        f"{GITHUB}microsoft/vscode-azure-account/issues/495",
        "entra",
        "",
        403,
        b'<!DOCTYPE html public "-//W3C//DTD HTML 4.0 Transitional//en">\r\n<html><head><meta charset="utf-8"/>\r\n'
        b'<base href="http://www.mailcontrol.com"></head><body>Access to this web page is restricted</body></html>',
        1,
        CauseId.CONTRACT_NOT_JSON,
        ("web filter", "do not change the credential"),
        content_type=HTML,
    ),
    # Auth0
    PublicReport(
        f"{GITHUB}auth0/auth0-deploy-cli/issues/537",
        "auth0",
        MANAGEMENT,
        403,
        _of_auth0(
            403,
            "Forbidden",
            "The account is not allowed to perform this operation, please contact our support team",
            "operation_not_supported",
        ),
        1,
        CauseId.ACCOUNT_FEATURE_DISABLED,
        ("plan",),
    ),
    PublicReport(
        f"{GITHUB}auth0/auth0-deploy-cli/pull/542",
        "auth0",
        MANAGEMENT,
        403,
        _of_auth0(
            403, "Forbidden", "The account is not allowed to perform this operation, please contact our support team"
        ),
        1,
        CauseId.ACCOUNT_FEATURE_DISABLED,
        ("plan",),
    ),
    PublicReport(
        f"{GITHUB}auth0/ruby-auth0/issues/610",
        "auth0",
        "/oauth/token",
        403,
        {
            "error": "access_denied",
            "error_description": 'Client is not authorized to access "https://acme.us.auth0.com/api/v2/". You need to '
            'create a "client-grant" associated to this API. See: https://auth0.com/docs/api/v2#!/Client_Grants',
        },
        1,
        CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
        ("APIs",),
    ),
    PublicReport(
        f"{GITHUB}auth0/ruby-auth0/issues/190",
        "auth0",
        "/oauth/token",
        403,
        {
            "error": "unauthorized_client",
            "error_description": "Grant type 'client_credentials' not allowed for the client.",
            "error_uri": "https://auth0.com/docs/clients/client-grant-types",
        },
        1,
        CauseId.ACCOUNT_FEATURE_DISABLED,
        ("Grant Types",),
    ),
    PublicReport(
        "https://community.auth0.com/t/what-happens-when-m2m-tokens-are-used-up/105079",
        "auth0",
        "/oauth/token",
        403,
        {
            "error": "access_denied",
            "error_description": "You have exceeded the number of machine to machine tokens of your plan",
        },
        1,
        CauseId.PROVIDER_REFUSAL_UNRECOGNISED,
        ("Do not rotate",),
    ),
    PublicReport(
        "https://auth0.com/docs/actions/triggers/credentials-exchange",
        "auth0",
        "/oauth/token",
        400,
        {"error": "invalid_request", "error_description": "Access from North America is not allowed."},
        1,
        CauseId.PROVIDER_REFUSAL_UNRECOGNISED,
        ("Action",),
    ),
    PublicReport(
        f"{GITHUB}auth0/auth0-authorization-extension/issues/138",
        "auth0",
        MANAGEMENT,
        401,
        _of_auth0(401, "Unauthorized", "Invalid token"),
        1,
        CauseId.CREDENTIAL_REJECTED,
        ("domain",),
        headers={"WWW-Authenticate": 'Token error="Invalid token"'},
    ),
    PublicReport(
        f"{GITHUB}auth0/node-auth0/issues/787",
        "auth0",
        MANAGEMENT,
        401,
        _of_auth0(401, "Unauthorized", "Bad audience: https://myaudience.com/api/v2"),
        1,
        CauseId.CREDENTIAL_WRONG_KIND,
        ("audience",),
    ),
    # privacyIDEA
    PublicReport(
        f"{GITHUB}privacyidea/privacyideaadm/issues/49",
        "privacyidea",
        "/auth/rights",
        401,
        _of_privacyidea(4304, "Authentication failure. Error during decoding your token: Not enough segments"),
        1,
        CauseId.NETWORK_PROXY,
        ("header Authorization", "Do not change the key"),
        unless="PI-Authorization",
    ),
    PublicReport(
        f"{GITHUB}privacyidea/privacyidea/issues/2123",
        "privacyidea",
        "/auth/rights",
        401,
        _of_privacyidea(4033, "Authentication failure. Missing Authorization header."),
        1,
        CauseId.NETWORK_PROXY,
        ("header Authorization", "Do not change the key"),
        unless="PI-Authorization",
    ),
    PublicReport(
        f"{GITHUB}privacyidea/privacyidea/issues/3375",
        "privacyidea",
        "/validate/",
        500,
        _of_privacyidea(
            -500,
            "500 Internal Server Error: The server encountered an internal error and was unable to complete your "
            "request. Either the server is overloaded or there is an error in the application.",
        ),
        3,
        CauseId.PROVIDER_AUTH_OUTAGE,
        ("log",),
        headers={"Server": "nginx/1.19.8"},
    ),
    PublicReport(
        f"{GITHUB}privacyidea/privacyidea/issues/505",
        "privacyidea",
        "",
        504,
        _page("504 Gateway Time-out", "<center><h1>504 Gateway Time-out</h1></center><hr><center>nginx</center>"),
        3,
        CauseId.PROVIDER_OUTAGE,
        (),
        headers={"Server": "nginx"},
        content_type=HTML,
    ),
    PublicReport(
        f"{GITHUB}Tmeister/wp-api-jwt-auth/issues/291",
        "privacyidea",
        "/validate/",
        401,
        _page("401 Authorization Required", "This server could not verify that you are authorized"),
        1,
        CauseId.CONTRACT_NOT_JSON,
        ("do not change the credential", "web server"),
        headers={"WWW-Authenticate": 'Basic realm="Restricted access"', "Server": "nginx/1.24.0"},
        content_type=HTML,
    ),
)  # fmt: skip
