"""The login host's answers: their headers, and its errors in their envelope."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mfagate.providers.entra.clouds import CLOUDS, GLOBAL
from mfagate.providers.entra.settings import GUID
from mfagate.sandbox.emulator import IncomingRequest, Reply, RequestRefused

SENT_ALWAYS = {
    "Cache-Control": "no-store, no-cache",
    "Pragma": "no-cache",
    "Expires": "-1",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "P3P": 'CP="DSP CUR OTPi IND OTRi ONL FIN"',
    "X-XSS-Protection": "0",
    "x-ms-ests-server": "2.1.16042.2 - SCUS ProdSlices",
}


@dataclass(frozen=True, slots=True)
class EntraFault:
    """One of Entra's errors."""

    status: int
    error: str
    text: str


_FAULTS: Mapping[int, EntraFault] = {
    7000215: EntraFault(
        401,
        "invalid_client",
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not "
        "the client secret ID, for a secret added to app '{app}'.",
    ),
    7000222: EntraFault(
        401,
        "invalid_client",
        "The provided client secret keys for app '{app}' are expired. Visit the Azure portal to create new keys for "
        "your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: "
        "https://aka.ms/certCreds.",
    ),
    7000218: EntraFault(
        401,
        "invalid_client",
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    ),
    700025: EntraFault(
        401,
        "invalid_client",
        "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
    ),
    700016: EntraFault(
        400,
        "unauthorized_client",
        "Application with identifier '{app}' was not found in the directory '{tenant}'. This can happen if the "
        "application has not been installed by the administrator of the tenant or consented to by any user in the "
        "tenant. You may have sent your authentication request to the wrong tenant.",
    ),
    7000112: EntraFault(400, "unauthorized_client", "Application '{app}'({name}) is disabled."),
    53003: EntraFault(
        400,
        "access_denied",
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
    ),
    90002: EntraFault(
        400,
        "invalid_request",
        "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the "
        "correct cloud. Check with your subscription administrator, this may happen if there are no active "
        "subscriptions for the tenant.",
    ),
    900023: EntraFault(
        400,
        "invalid_request",
        "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain.",
    ),
    900144: EntraFault(400, "invalid_request", "The request body must contain the following parameter: '{name}'."),
    90014: EntraFault(
        400,
        "invalid_request",
        "The required field '{name}' is missing from the credential. Ensure that you have all the necessary "
        "parameters for the login request.",
    ),
    9001023: EntraFault(
        400,
        "invalid_request",
        "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or "
        "tenant-specific endpoint.",
    ),
    50059: EntraFault(
        400,
        "invalid_request",
        "No tenant-identifying information found in either the request or implied by any provided credentials.",
    ),
    90133: EntraFault(
        400, "invalid_request", "Device Code flow is not supported under /common or /consumers endpoint."
    ),
    9002313: EntraFault(400, "invalid_request", "Invalid request. Request is malformed or invalid."),
    900561: EntraFault(
        400, "invalid_request", "The endpoint only accepts {allowed} requests. Received a {method} request."
    ),
    70011: EntraFault(
        400,
        "invalid_scope",
        "The provided request must include a 'scope' input parameter. The provided value for the input parameter "
        "'scope' is not valid. The scope {scope} is not valid.",
    ),
    1002012: EntraFault(
        400,
        "invalid_scope",
        "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
        "/.default suffixed to the resource identifier (application ID URI).",
    ),
    500011: EntraFault(
        400,
        "invalid_resource",
        "The resource principal named {scope} was not found in the tenant named {tenant}. This can happen if the "
        "application has not been installed by the administrator of the tenant or consented to by any user in the "
        "tenant. You might have sent your authentication request to the wrong tenant.",
    ),
    70003: EntraFault(400, "unsupported_grant_type", "The app requested an unsupported grant type '{name}'."),
    70000: EntraFault(400, "invalid_grant", "The provided value for the input parameter '{name}' is not valid."),
    700027: EntraFault(
        401,
        "invalid_client",
        "{what} [Reason - {reason}]",
    ),
    700024: EntraFault(
        401,
        "invalid_client",
        "Client assertion is not within its valid time range. Current time: {now}, assertion valid from {start}, "
        "expiry time of assertion {end}. Review the documentation at "
        "https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
    ),
    **{
        number: EntraFault(
            401,
            "invalid_client",
            f"No matching federated identity record found for presented assertion {claim} '{{value}}'. Check your "
            "federated identity credential Subject, Audience and Issuer against the presented assertion. "
            "https://learn.microsoft.com/entra/workload-id/workload-identity-federation",
        )
        for number, claim in ((700211, "issuer"), (700212, "audience"), (700213, "subject"))
    },
    700021: EntraFault(
        401,
        "invalid_client",
        "Client assertion application identifier doesn't match 'client_id' parameter. Review the documentation at "
        "https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
    ),
    700023: EntraFault(
        401,
        "invalid_client",
        "Client assertion audience claim does not match Realm issuer. Review the documentation at "
        "https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
    ),
    50027: EntraFault(401, "invalid_client", "JWT token is invalid or malformed."),
    70016: EntraFault(
        400,
        "authorization_pending",
        "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
    ),
    65004: EntraFault(400, "authorization_declined", "User declined to consent to access the app."),
    70018: EntraFault(400, "bad_verification_code", "The device code is not recognised."),
    70020: EntraFault(
        400,
        "expired_token",
        "The provided value for the input parameter 'device_code' is not valid. This device code has expired.",
    ),
    54005: EntraFault(
        400, "invalid_grant", "OAuth2 Authorization code was already redeemed, please retry with a new valid code."
    ),
}


def answered(status: int, document: dict[str, Any], headers: Mapping[str, str] | None = None) -> Reply:
    """A JSON document with the headers of the login host."""
    sent = {**SENT_ALWAYS, "x-ms-request-id": str(uuid.uuid4()), **(headers or {})}
    return Reply(status, document, sent, "application/json; charset=utf-8")


def refuse(request: IncomingRequest, number: int, error: str | None = None, **values: str) -> RequestRefused:
    """One of Entra's errors in its envelope; ``error`` where the endpoint has its own word for it."""
    fault = _FAULTS[number]
    trace, asked = str(uuid.uuid4()), request.headers
    correlation = asked.get("client-request-id") or asked.get("x-ms-client-request-id") or ""
    if not re.fullmatch(GUID, correlation):
        correlation = str(uuid.uuid4())
    moment = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}"
    document = {
        "error": error or fault.error,
        "error_description": f"AADSTS{number}: {fault.text.format(**values)} Trace ID: {trace} "
        f"Correlation ID: {correlation} Timestamp: {moment}",
        "error_codes": [number],
        "timestamp": moment,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://{CLOUDS[GLOBAL].login}/error?code={number}",
    }
    return RequestRefused(answered(fault.status, document, {"x-ms-request-id": trace}))
