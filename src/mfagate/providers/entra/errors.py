"""The errors of Entra's login host and of Microsoft Graph, and their meanings.

The login host answers ``{"error", "error_description", "error_codes", "trace_id", "correlation_id", "timestamp"}``.
Only ``error`` is stable; the numbers, written as AADSTS in the description, may change and serve only the diagnosis
(https://learn.microsoft.com/entra/identity-platform/reference-error-codes). A known number decides the meaning, and
otherwise ``error``. Further numbers about assertions:
https://github.com/Azure/azure-sdk-for-js/blob/main/sdk/identity/identity/TROUBLESHOOTING.md; 1000502 and 7000214:
https://github.com/AzureAD/microsoft-identity-web/issues/2834 and
https://github.com/AzureAD/microsoft-identity-web/issues/2444; 1002016:
https://github.com/MicrosoftDocs/azure-docs/issues/96851. ``published.toml`` has the numbers of the page, and those that
do not concern mfagate.

Graph answers ``{"error": {"code", "message", "innerError"}}``; only ``code`` is stable
(https://learn.microsoft.com/graph/errors).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Response
from mfagate.providers.answers import object_of
from mfagate.providers.entra import numbers
from mfagate.providers.entra.claims import GRANT
from mfagate.providers.errors import ABOUT_THE_USER, CORRECT_REQUEST, ApiError, ErrorMeaning, possible_causes

PAGE = "https://learn.microsoft.com/entra/identity-platform/reference-error-codes"

GRAPHS_PAGE = "https://learn.microsoft.com/graph/errors"

UNKNOWN_TENANT = ("AADSTS90002", "AADSTS900023")
WRONG_SECRET = "AADSTS7000215"
WRONG_CERTIFICATE = "AADSTS700027"
AUTHENTICATION_FAILED = "AADSTS50012"
ASSERTION_TIME = "AADSTS700024"
SCOPE_OR_AUDIENCE = "AADSTS700023"
INVALID_TOKEN = "InvalidAuthenticationToken"
DENIED = ("accessDenied", "Authorization_RequestDenied")
BAD_REQUEST = "BadRequest"

_SECRETS = "App registrations > the application > Certificates & secrets"

_SET_CLOUD = (
    "Ask the tenant's administrator which cloud the tenant is in; the address of the admin center shows it "
    "(entra.microsoft.com is the global cloud). Set cloud in the settings accordingly. Do not change the credential."
)

_WRONG_CLOUD = ErrorMeaning(
    CauseId.CREDENTIAL_WRONG_REGION,
    "the application belongs to another national cloud than this host",
    _SET_CLOUD,
    setting="tenant_id",
)

_NO_GRAPH = ErrorMeaning(
    CauseId.CREDENTIAL_WRONG_REGION,
    "the tenant does not know the Microsoft Graph for which the token was requested",
    _SET_CLOUD,
    setting="tenant_id",
    evidence=possible_causes(
        "the tenant is in another national cloud than settings.cloud",
        "the tenant's service principal of Microsoft Graph was removed or disabled",
    ),
)

_PEOPLES_ENDPOINT = ErrorMeaning(
    CauseId.CONFIG_WRONG_KIND,
    "this endpoint is for the sign-in of people; an application must use the endpoint of its own tenant",
    "Set tenant_id to the Directory (tenant) ID of the application's Overview in the Microsoft Entra admin center: "
    "common, organizations and consumers are for people.",
    setting="tenant_id",
)

_NO_GRANT = ErrorMeaning(
    CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
    "the permissions that the application requests were not granted",
    GRANT,
    setting="client_id",
)

_SIGN_IN = ErrorMeaning(
    CauseId.CONTRACT_STATUS_CHANGED, "the answer is about a user's sign-in, not about the application", ABOUT_THE_USER
)

POLICY = ErrorMeaning(
    CauseId.CREDENTIAL_NETWORK_RESTRICTED,
    "a Conditional Access policy of the tenant blocks the request",
    "In the Microsoft Entra admin center, look up the trace or correlation id in Sign-in logs > Service principal "
    "sign-ins: the tab Conditional Access names the policy.",
    setting="client_id",
    evidence=possible_causes(
        "the policy allows the application only from other network addresses",
        "the policy blocks service principals at risk",
        "for a device code: the policy blocks this way of signing in",
    ),
)

_RESTRICTED = ErrorMeaning(
    CauseId.CREDENTIAL_NETWORK_RESTRICTED,
    "a proxy restricts which tenants may be used from this network, and this tenant is not allowed",
    "Ask the owner of the proxy to add the tenant to Restrict-Access-To-Tenants "
    "(https://learn.microsoft.com/entra/identity/enterprise-apps/tenant-restrictions).",
    setting="tenant_id",
)

_FEDERATED = ErrorMeaning(
    CauseId.CREDENTIAL_UNKNOWN_KEY,
    "the application has no federated credential that matches the issuer, subject and audience of the assertion",
    f"In the Microsoft Entra admin center, open {_SECRETS} > Federated credentials, and compare issuer, subject and "
    "audience, character by character, with those of the assertion that the login service sends.",
)

_COMPARE_IDS = (
    "In the Microsoft Entra admin center, open App registrations > the application > Overview, and compare client_id "
    "with Application (client) ID and tenant_id with Directory (tenant) ID. Do not change the secret or key."
)

NEW_CERTIFICATE = (
    f"Make a new certificate, add it next to the old one in the Microsoft Entra admin center under {_SECRETS} > "
    "Certificates, and deploy its key and thumbprint."
)

BAD_SCOPE = ErrorMeaning(
    CauseId.CONTRACT_STATUS_CHANGED,
    "Entra does not accept the scope for which the token was requested",
    CORRECT_REQUEST,
)

_SLOW_DOWN = ErrorMeaning(CauseId.PROVIDER_RATE_LIMITED, "Entra asks the client to slow down")
_FAILED = ErrorMeaning(CauseId.PROVIDER_OUTAGE, "Entra reported an internal error")
_OUR_ASSERTION = ErrorMeaning(
    CauseId.CREDENTIAL_REJECTED,
    "Entra cannot read or accept the assertion",
    "Compare tenant_id, client_id and cloud, from which the assertion is built, with the application's Overview. Do "
    "not change the key before that.",
)
_SIGNATURE = ErrorMeaning(
    CauseId.CREDENTIAL_REJECTED,
    "the signature of the assertion is invalid",
    f"In the Microsoft Entra admin center, open {_SECRETS} > Certificates, and compare the thumbprint there with "
    "the thumbprint of the certificate whose key is deployed.",
    setting="private_key",
)

_SAW_NONE = ErrorMeaning(
    CauseId.CREDENTIAL_REJECTED,
    "Entra saw neither a secret nor an assertion; a proxy may change the request",
    "Look for a proxy or gateway on the route that changes request bodies. Do not change the credential.",
)

GENERAL = 70002
"""The general number for a failed authentication, which precedes the specific one."""

_BY_NUMBER: Mapping[int, ErrorMeaning] = {
    **dict.fromkeys(numbers.OF_A_SIGN_IN, _SIGN_IN),
    **dict.fromkeys(
        numbers.BAD_REQUESTS,
        ErrorMeaning(CauseId.CONTRACT_STATUS_CHANGED, "Entra does not accept a field of the request", CORRECT_REQUEST),
    ),
    **dict.fromkeys(numbers.FAILURES, _FAILED),
    **dict.fromkeys(numbers.NOT_GRANTED, _NO_GRANT),
    **dict.fromkeys(numbers.PEOPLES_ENDPOINTS, _PEOPLES_ENDPOINT),
    **dict.fromkeys(numbers.WRONG_CLOUDS, _WRONG_CLOUD),
    **dict.fromkeys(numbers.OUR_ASSERTIONS, _OUR_ASSERTION),
    **dict.fromkeys(numbers.POLICIES, POLICY),
    **dict.fromkeys(numbers.TENANT_RESTRICTIONS, _RESTRICTED),
    **dict.fromkeys(numbers.NO_FEDERATED_CREDENTIAL, _FEDERATED),
    7000215: ErrorMeaning(
        CauseId.CREDENTIAL_REJECTED,
        "the secret does not belong to this application",
        "Compare client_id with the application that the secret belongs to. If they match, look for the secret "
        f"under {_SECRETS}; if it is no longer listed, deploy the value of one that is.",
    ),
    7000222: ErrorMeaning(
        CauseId.CREDENTIAL_EXPIRED,
        "the client secret has expired",
        f"Make a new one in the Microsoft Entra admin center under {_SECRETS}, and deploy its value.",
    ),
    GENERAL: ErrorMeaning(CauseId.CREDENTIAL_REJECTED, "Entra rejected the application's credential"),
    1000502: ErrorMeaning(
        CauseId.CREDENTIAL_EXPIRED,
        "the certificate has expired, or is not valid yet",
        NEW_CERTIFICATE,
        setting="certificate_thumbprint",
    ),
    7000214: ErrorMeaning(
        CauseId.CREDENTIAL_REVOKED,
        "the certificate has been revoked",
        NEW_CERTIFICATE,
        setting="certificate_thumbprint",
    ),
    7000232: ErrorMeaning(
        CauseId.CREDENTIAL_WRONG_KIND,
        "client_id belongs to a managed identity, which has no secret or certificate of your own",
        "Use the Application (client) ID of an app registration, or let the login service sign in as the managed "
        "identity.",
        setting="client_id",
    ),
    700222: ErrorMeaning(
        CauseId.CREDENTIAL_WRONG_KIND,
        "Entra itself issued the assertion, but this federated credential does not accept tokens from Entra",
        "Let the login service send a token of the issuer that the federated credential names, such as the cluster "
        "or the CI service.",
    ),
    700229: ErrorMeaning(
        CauseId.CREDENTIAL_WRONG_KIND,
        "the assertion is a user's token, but a federated credential accepts only an application's token",
        "Let the login service send a token that the other identity provider issued to the service itself, not to a "
        "signed-in user.",
    ),
    700030: ErrorMeaning(
        CauseId.CREDENTIAL_REJECTED,
        "the subject name of the certificate is not authorized for the application",
        "Compare the certificate's subject with the names that the application trusts.",
        setting="certificate_thumbprint",
    ),
    50006: _SIGNATURE,
    900384: _SIGNATURE,
    50032: ErrorMeaning(CauseId.CONFIG_WRONG_KIND, "the RSA key is too weak", NEW_CERTIFICATE, setting="private_key"),
    500133: ErrorMeaning(CauseId.CLOCK_SKEW, "Entra rejected the times in the assertion: the clocks are too far apart"),
    **dict.fromkeys(numbers.NO_CREDENTIAL, _SAW_NONE),
    700016: ErrorMeaning(
        CauseId.CREDENTIAL_UNKNOWN_KEY,
        "the tenant has no application with this id",
        _COMPARE_IDS,
        setting="client_id",
        evidence=possible_causes(
            "client_id is the Object ID, or the id of a secret, instead of the Application (client) ID",
            "the application belongs to another tenant, and no administrator of this tenant has consented to it",
            "the application was deleted",
            "the application was registered within about the last hour",
        ),
    ),
    **dict.fromkeys(
        (70001, 700011),
        ErrorMeaning(
            CauseId.CREDENTIAL_UNKNOWN_KEY,
            "the tenant has no such application, or the application is disabled there",
            _COMPARE_IDS,
            setting="client_id",
        ),
    ),
    650059: ErrorMeaning(
        CauseId.CREDENTIAL_UNKNOWN_KEY,
        "the application is registered only for its own tenant, and this is a different one",
        "Compare tenant_id with the Directory (tenant) ID on the application's Overview page.",
        setting="tenant_id",
    ),
    90112: ErrorMeaning(
        CauseId.CONFIG_MALFORMED_VALUE, "the application's id is not a GUID", _COMPARE_IDS, setting="client_id"
    ),
    65002: ErrorMeaning(
        CauseId.CREDENTIAL_WRONG_KIND,
        "client_id belongs to one of Microsoft's own applications",
        "Set client_id to the Application (client) ID of your own registration.",
        setting="client_id",
    ),
    1000031: ErrorMeaning(
        CauseId.CREDENTIAL_REVOKED,
        "the tenant's administrator has blocked the application",
        "Ask an administrator of the tenant who blocked the application, and why.",
        setting="client_id",
    ),
    90099: ErrorMeaning(
        CauseId.ACCOUNT_RESOURCE_MISSING, "the application is not authorized in this tenant", GRANT, setting="client_id"
    ),
    7000229: ErrorMeaning(
        CauseId.ACCOUNT_RESOURCE_MISSING,
        "the application has no service principal in this tenant: no administrator has consented to it there",
        GRANT,
        setting="client_id",
    ),
    7000112: ErrorMeaning(
        CauseId.CREDENTIAL_REVOKED,
        "the application is disabled in this tenant",
        "In the Microsoft Entra admin center, open Enterprise apps > the application > Properties and find out who "
        "set 'Enabled for users to sign-in?' to No and why.",
        setting="client_id",
    ),
    700025: ErrorMeaning(
        CauseId.CREDENTIAL_WRONG_KIND,
        "the application is a public client, which must not send a credential",
        "In the Microsoft Entra admin center, open App registrations > the application > Authentication and set "
        "'Allow public client flows' to No, or use the application that belongs to the login service.",
        setting="client_id",
    ),
    90002: ErrorMeaning(
        CauseId.CREDENTIAL_UNKNOWN_KEY,
        "this cloud has no such tenant",
        setting="tenant_id",
        evidence=possible_causes(
            "tenant_id contains another id, such as the id of the application",
            "the tenant is in another national cloud",
            "the tenant was deleted",
        ),
    ),
    900023: ErrorMeaning(
        CauseId.CREDENTIAL_UNKNOWN_KEY, "tenant_id is neither an id nor a domain that Entra knows", setting="tenant_id"
    ),
    5000224: ErrorMeaning(
        CauseId.ACCOUNT_SUSPENDED,
        "Microsoft has blocked the tenant",
        "Ask a Global Administrator of the tenant to open a case about error 5000224 with Microsoft support.",
        setting="tenant_id",
    ),
    5000225: ErrorMeaning(
        CauseId.ACCOUNT_SUSPENDED, "Microsoft has blocked the tenant because it was not used", setting="tenant_id"
    ),
    650054: ErrorMeaning(
        CauseId.ACCOUNT_RESOURCE_MISSING, "the requested resource does not exist in the tenant, or is disabled there"
    ),
    500014: ErrorMeaning(
        CauseId.ACCOUNT_FEATURE_DISABLED,
        "the service principal of Microsoft Graph is disabled in the tenant, or its subscription has lapsed",
        "In the Microsoft Entra admin center, open Enterprise apps, and look for the disabled resource that Entra's "
        "message names.",
    ),
    51000: ErrorMeaning(
        CauseId.ACCOUNT_FEATURE_DISABLED, "the tenant does not have this feature; no permission is missing"
    ),
    650052: ErrorMeaning(
        CauseId.ACCOUNT_FEATURE_DISABLED,
        "the tenant has no service principal of the requested service; no permission is missing",
        "Read in the provider's message which service the tenant lacks. If it is a Microsoft service, have an "
        "administrator of the tenant enable or buy it. If it is another application, have an administrator consent "
        "to it in this tenant, which creates the service principal.",
    ),
    1002016: ErrorMeaning(
        CauseId.NETWORK_TLS_HANDSHAKE,
        "Entra rejected the TLS version or cipher of this connection",
        "Let the login service, and any proxy on the route, use TLS 1.2 or 1.3 without 3DES "
        "(https://go.microsoft.com/fwlink/?linkid=2161187).",
    ),
    50029: ErrorMeaning(
        CauseId.CONFIG_MALFORMED_VALUE,
        "the address contains a character that is not allowed in a domain",
        _COMPARE_IDS,
        setting="tenant_id",
    ),
    **dict.fromkeys(numbers.NO_GRAPH, _NO_GRAPH),
    700027: ErrorMeaning(
        CauseId.CREDENTIAL_REJECTED,
        "the application has no certificate with this thumbprint",
        f"In the Microsoft Entra admin center, open {_SECRETS} > Certificates, and compare the thumbprints there "
        "with certificate_thumbprint. Add the certificate if it is missing.",
        setting="certificate_thumbprint",
    ),
    700024: ErrorMeaning(CauseId.CLOCK_SKEW, "Entra rejected the times in the assertion: the clocks are too far apart"),
    50012: ErrorMeaning(CauseId.CREDENTIAL_REJECTED, "Entra rejected the application's credential"),
    50105: ErrorMeaning(
        CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
        "the user is not assigned to the application, which requires an assignment",
        "In the Microsoft Entra admin center, open Enterprise apps > the application > Users and groups, and assign "
        "the user.",
        setting="client_id",
    ),
    50034: ErrorMeaning(CauseId.ACCOUNT_RESOURCE_MISSING, "the tenant has no such user"),
    70003: ErrorMeaning(CauseId.ACCOUNT_FEATURE_DISABLED, "Entra does not offer this grant to the application"),
    50088: ErrorMeaning(
        CauseId.PROVIDER_RATE_LIMITED,
        "a limit on the telephone calls and messages of Entra's second factor has been reached",
        "Let users choose another second factor, and run the gate again in a few minutes.",
    ),
    50196: ErrorMeaning(
        CauseId.PROVIDER_RATE_LIMITED,
        "Entra stopped the application because it repeats the same request",
        "Find the repeated request in the log of the login service, which must keep each token until it expires. "
        "Run the gate again in a few minutes.",
    ),
    90055: _SLOW_DOWN,
}

_BY_ERROR: Mapping[str | int, ErrorMeaning] = {
    "invalid_client": ErrorMeaning(
        CauseId.CREDENTIAL_REJECTED, "Entra rejected the application's credential and gave no error number"
    ),
    "unauthorized_client": ErrorMeaning(
        CauseId.CREDENTIAL_UNKNOWN_KEY,
        "Entra rejected the application: it is not in the tenant, or may not use this grant",
        setting="client_id",
    ),
    "invalid_tenant": ErrorMeaning(
        CauseId.CREDENTIAL_UNKNOWN_KEY, "this cloud has no such tenant", setting="tenant_id"
    ),
    "invalid_resource": ErrorMeaning(
        CauseId.ACCOUNT_RESOURCE_MISSING, "the tenant does not know the resource for which the token was requested"
    ),
    "access_denied": ErrorMeaning(
        CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
        "a policy of the tenant forbids the request",
        POLICY.next_step,
        setting="client_id",
    ),
    "interaction_required": ErrorMeaning(
        CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
        "a policy of the tenant requires user interaction, which an application cannot provide",
        POLICY.next_step,
        setting="client_id",
    ),
    "unsupported_grant_type": ErrorMeaning(
        CauseId.ACCOUNT_FEATURE_DISABLED, "Entra does not offer this grant to the application"
    ),
    "temporarily_unavailable": _FAILED,
    "server_error": _FAILED,
    "invalid_request": ErrorMeaning(
        CauseId.CONTRACT_STATUS_CHANGED, "Entra does not accept the request", CORRECT_REQUEST
    ),
    "invalid_scope": BAD_SCOPE,
    **dict.fromkeys(
        ("invalid_grant", "authorization_pending", "authorization_declined", "bad_verification_code", "expired_token"),
        _SIGN_IN,
    ),
}

_OF_GRAPH: Mapping[str | int, ErrorMeaning] = {
    INVALID_TOKEN: ErrorMeaning(
        CauseId.CREDENTIAL_REJECTED,
        "Graph rejected the token that Entra issued",
        "Do not change the secret or certificate, which was accepted. Compare settings.cloud with the cloud of the "
        "tenant, and look for a proxy that changes the Authorization header.",
    ),
    **dict.fromkeys(
        DENIED,
        ErrorMeaning(
            CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
            "the application lacks a permission of Microsoft Graph",
            GRANT,
            setting="client_id",
        ),
    ),
    **dict.fromkeys(
        ("Request_ResourceNotFound", "ResourceNotFound", "resourceNotFound", "itemNotFound"),
        ErrorMeaning(CauseId.ACCOUNT_RESOURCE_MISSING, "the tenant has no such object"),
    ),
    "Authorization_IdentityNotFound": ErrorMeaning(
        CauseId.ACCOUNT_RESOURCE_MISSING,
        "the application has no service principal in this tenant, or the service principal was created a few "
        "minutes ago",
        GRANT,
        setting="client_id",
    ),
    "Authorization_IdentityDisabled": ErrorMeaning(
        CauseId.CREDENTIAL_REVOKED,
        "the application is disabled in this tenant",
        _BY_NUMBER[7000112].next_step,
        setting="client_id",
    ),
    **dict.fromkeys(
        ("Authentication_ApplicationHasNoDirectoryReadAccess", "Authentication_MSGraphPermissionMissing"),
        ErrorMeaning(
            CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
            "the application lacks a permission of Microsoft Graph",
            "In the Microsoft Entra admin center, open App registrations > the application > API permissions. Add "
            "the application permission that Graph's message names; Graph needs Directory.Read.All to read the "
            "tenant's licence. Then grant admin consent.",
            setting="client_id",
        ),
    ),
    "Authentication_RequestFromUnsupportedUserRole": ErrorMeaning(
        CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
        "the caller lacks a directory role that Graph requires for this request",
        "Grant the application, with admin consent, the application permission that Graph's page on this request "
        "names. If the request is made for a signed-in user, give that user one of the roles on the page, such as "
        "Reports Reader.",
        setting="client_id",
    ),
    "Authentication_RequestFromNonPremiumTenantOrB2CTenant": ErrorMeaning(
        CauseId.ACCOUNT_FEATURE_DISABLED,
        "the tenant has no licence for this request (Entra ID P1), or the application may not read the licence",
        "In the Microsoft Entra admin center, look for Entra ID P1 under Billing > Licenses. If the tenant has it, "
        "grant the application Directory.Read.All, with admin consent, so that Graph can read the licence.",
        setting="client_id",
    ),
    "TooManyRequests": _SLOW_DOWN,
    "activityLimitReached": _SLOW_DOWN,
}

MEANINGS: Mapping[str | int, ErrorMeaning] = {
    **{f"AADSTS{number}": meaning for number, meaning in _BY_NUMBER.items()},
    **_BY_ERROR,
    **_OF_GRAPH,
}


ABOUT_A_USER: frozenset[str | int] = frozenset(
    {
        *(f"AADSTS{number}" for number in numbers.OF_A_SIGN_IN),
        "authorization_pending", "authorization_declined", "bad_verification_code", "expired_token", "invalid_grant",
        "Request_ResourceNotFound", "ResourceNotFound", "resourceNotFound", "itemNotFound", "AADSTS50034",
    }
)  # fmt: skip
"""Codes about a sign-in in progress (RFC 8628 section 3.5, and
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code#expected-errors), or about a user in Graph."""


def error_of(response: Response) -> ApiError | None:
    """Read the error of either host."""
    body = object_of(response)
    error = body.get("error")
    if isinstance(error, dict):
        return _of_graph(error)
    return _of_login(error, body) if isinstance(error, str) else None


_NUMBERS_WITHIN = 1000
"""Characters of a description that are searched; the number is at its beginning."""


def error_name(response: Response | None) -> str | None:
    """Return the stable ``error`` of an answer of the login host."""
    error = object_of(response).get("error")
    return error if isinstance(error, str) else None


def _of_login(error: str, body: Mapping[str, Any]) -> ApiError:
    described = body.get("error_description")
    description = described if isinstance(described, str) else ""
    listed = body.get("error_codes")
    found = [number for number in listed if type(number) is int] if isinstance(listed, list) else []
    found += map(int, re.findall(r"AADSTS(\d{1,9}):", description[:_NUMBERS_WITHIN]))
    known = sorted((number for number in found if number in _BY_NUMBER), key=lambda number: number == GENERAL)
    number = next(iter([*known, *found]), None)
    ids = [
        f"{name} {body[f'{name}_id']}" for name in ("trace", "correlation") if isinstance(body.get(f"{name}_id"), str)
    ]
    code = error if number is None else f"AADSTS{number}"
    message = description.partition("Trace ID:")[0].rstrip().removeprefix(f"{code}: ")
    return ApiError(code, f"{error}: {message}" if message else error, ", ".join(ids) or None)


def _of_graph(error: Mapping[str, Any]) -> ApiError | None:
    code, message = error.get("code"), error.get("message")
    if not isinstance(code, str):
        return None
    # Lower case in the documentation, camel case in the answers.
    inner = error.get("innerError") or error.get("innererror")
    reference = inner.get("request-id") if isinstance(inner, dict) else None
    shown = reference if isinstance(reference, str) else None
    return ApiError(code, message if isinstance(message, str) else "", shown)
