"""The answers of the login host: headers, and errors in their envelope."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mfagate.providers.entra.clouds import CLOUDS, GLOBAL
from mfagate.providers.entra.settings import GUID
from mfagate.sandbox.emulator import IncomingRequest, Reply, RequestRejected

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


_TEXTS: Mapping[tuple[int, str], Mapping[int, str]] = {
    (401, "invalid_client"): {
        7000215: "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
        "value, not the client secret ID, for a secret added to app '{app}'.",
        7000222: "The provided client secret keys for app '{app}' are expired. Visit the Azure portal to create new "
        "keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added "
        "security: https://aka.ms/certCreds.",
        7000218: "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        700025: "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
        700027: "{what} [Reason - {reason}]",
        700024: "Client assertion is not within its valid time range. Current time: {now}, assertion valid from "
        "{start}, expiry time of assertion {end}. Review the documentation at "
        "https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
        700021: "Client assertion application identifier doesn't match 'client_id' parameter. Review the "
        "documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
        700023: "Client assertion audience claim does not match Realm issuer. Review the documentation at "
        "https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
        50027: "JWT token is invalid or malformed.",
        **{
            number: f"No matching federated identity record found for presented assertion {claim} '{{value}}'. Check "
            "your federated identity credential Subject, Audience and Issuer against the presented assertion. "
            "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
            for number, claim in ((700211, "issuer"), (700212, "audience"), (700213, "subject"))
        },
    },
    (400, "unauthorized_client"): {
        700016: "Application with identifier '{app}' was not found in the directory '{tenant}'. This can happen if "
        "the application has not been installed by the administrator of the tenant or consented to by any user in the "
        "tenant. You may have sent your authentication request to the wrong tenant.",
        7000112: "Application '{app}'({name}) is disabled.",
    },
    (400, "access_denied"): {
        53003: "Access has been blocked by Conditional Access policies. The access policy does not allow token "
        "issuance.",
    },
    (400, "invalid_request"): {
        90002: "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into "
        "the correct cloud. Check with your subscription administrator, this may happen if there are no active "
        "subscriptions for the tenant.",
        900023: "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain.",
        900144: "The request body must contain the following parameter: '{name}'.",
        90014: "The required field '{name}' is missing from the credential. Ensure that you have all the necessary "
        "parameters for the login request.",
        9001023: "The grant type is not supported over the /common or /consumers endpoints. Please use the "
        "/organizations or tenant-specific endpoint.",
        50059: "No tenant-identifying information found in either the request or implied by any provided credentials.",
        90133: "Device Code flow is not supported under /common or /consumers endpoint.",
        9002313: "Invalid request. Request is malformed or invalid.",
        900561: "The endpoint only accepts {allowed} requests. Received a {method} request.",
    },
    (400, "invalid_scope"): {
        70011: "The provided request must include a 'scope' input parameter. The provided value for the input "
        "parameter 'scope' is not valid. The scope {scope} is not valid.",
        1002012: "The provided value for scope {scope} is not valid. Client credential flows must have a scope value "
        "with /.default suffixed to the resource identifier (application ID URI).",
    },
    (400, "invalid_resource"): {
        500011: "The resource principal named {scope} was not found in the tenant named {tenant}. This can happen if "
        "the application has not been installed by the administrator of the tenant or consented to by any user in the "
        "tenant. You might have sent your authentication request to the wrong tenant.",
    },
    (400, "unsupported_grant_type"): {
        70003: "The app requested an unsupported grant type '{name}'.",
    },
    (400, "invalid_grant"): {
        70000: "The provided value for the input parameter '{name}' is not valid.",
        54005: "OAuth2 Authorization code was already redeemed, please retry with a new valid code.",
    },
    (400, "authorization_pending"): {
        70016: "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
    },
    (400, "authorization_declined"): {
        65004: "User declined to consent to access the app.",
    },
    (400, "bad_verification_code"): {
        70018: "The device code is not recognised.",
    },
    (400, "expired_token"): {
        70020: "The provided value for the input parameter 'device_code' is not valid. This device code has expired.",
    },
}
"""The texts of Entra's errors, by status and error, then by number."""

_ERRORS = {number: (*answer, text) for answer, texts in _TEXTS.items() for number, text in texts.items()}


def answered(status: int, document: dict[str, Any], headers: Mapping[str, str] | None = None) -> Reply:
    """Return a JSON document with the headers of the login host."""
    sent = {**SENT_ALWAYS, "x-ms-request-id": str(uuid.uuid4()), **(headers or {})}
    return Reply(status, document, sent, "application/json; charset=utf-8")


def refuse(request: IncomingRequest, number: int, error: str | None = None, **values: str) -> RequestRejected:
    """Return an error to raise.

    Args:
        request: The request.
        number: The number of the error.
        error: The value of the field ``error``, if the endpoint has its own.
        values: What the text of the error mentions.
    """
    status, word, text = _ERRORS[number]
    trace, asked = str(uuid.uuid4()), request.headers
    correlation = asked.get("client-request-id") or asked.get("x-ms-client-request-id") or ""
    if not re.fullmatch(GUID, correlation):
        correlation = str(uuid.uuid4())
    moment = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}"
    document = {
        "error": error or word,
        "error_description": f"AADSTS{number}: {text.format(**values)} Trace ID: {trace} "
        f"Correlation ID: {correlation} Timestamp: {moment}",
        "error_codes": [number],
        "timestamp": moment,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://{CLOUDS[GLOBAL].login}/error?code={number}",
    }
    return RequestRejected(answered(status, document, {"x-ms-request-id": trace}))
