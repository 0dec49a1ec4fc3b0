"""Okta's answers: results and errors.

Texts: https://developer.okta.com/docs/reference/error-codes/; headers as recorded.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mfagate.providers.published import published
from mfagate.sandbox.emulator import Reply, RequestRejected

PUBLISHED = published(Path(__file__).parents[2] / "mfagate" / "providers" / "okta")
"""Okta's published codes, each with its status."""

_LIMIT = 600

_TEXTS: Mapping[str, str] = {
    "E0000001": "Api validation failed: {0}",
    "E0000003": "The request body was not well-formed.",
    "E0000005": "Invalid session",
    "E0000006": "You do not have permission to perform the requested action",
    "E0000007": "Not found: Resource not found: {0}",
    "E0000008": "The requested path was not found",
    "E0000009": "Internal Server Error",
    "E0000010": "Service is in read only mode",
    "E0000011": "Invalid token provided",
    "E0000015": "You do not have permission to access the feature you are requesting",
    "E0000016": "Activation failed because the user is already active",
    "E0000021": "Bad request.  Accept and/or Content-Type headers likely do not match supported values.",
    "E0000022": "The endpoint does not support the provided HTTP method",
    "E0000031": "Invalid search criteria.",
    "E0000038": "This operation is not allowed in the user's current status.",
    "E0000047": "API call exceeded rate limit due to too many requests.",
    "E0000068": "Invalid Passcode/Answer",
    "E0000069": "User Locked",
    "E0000082": "Each code can only be used once. Please wait for a new code and try again.",
    "E0000083": "PassCode is valid but exceeded time window.",
    "E0000093": "Target count limit exceeded",
    "E0000107": "The entity is not in the expected state for the requested transition.",
    "E0000109": "An SMS message was recently sent. Please wait {0} seconds before trying again.",
    "E0000118": "An email was recently sent. Please wait {0} seconds before trying again.",
    "E0000122": "Accept Header did not contain supported media type 'application/json'",
    "E0000124": "Could not create user. To create a user and expire their password immediately, "
    "a password must be specified",
    "E0000125": "Could not create user. To create a user and expire their password immediately, "
    '"activate" must be true',
}

_WITHOUT_LIMITS = ("E0000005", "E0000011", "E0000022")
"""Errors that are sent before the rate limit of the request is known."""


def ok(body: Any, status: int = 200) -> Reply:
    """Return a successful answer; None sends no body."""
    return Reply(status, body, _limits())


def fail(code: str, subject: str = "", *causes: str) -> Reply:
    """Return an error of the APIs; ``subject`` is inserted into its text."""
    body = {
        "errorCode": code,
        "errorSummary": _TEXTS[code].format(subject),
        "errorLink": code,
        "errorId": f"oae{secrets.token_urlsafe(16)}",
        "errorCauses": [{"errorSummary": cause} for cause in causes],
    }
    return Reply(PUBLISHED.status(code), body, {} if code in _WITHOUT_LIMITS else _limits())


def refused(code: str, subject: str = "", *causes: str) -> RequestRejected:
    """Return an error of the APIs, to raise."""
    return RequestRejected(fail(code, subject, *causes))


def invalid(field: str, cause: str) -> RequestRejected:
    """Return the error for an invalid field of the body, to raise."""
    return refused("E0000001", field, f"{field}: {cause}")


def no_token(status: int, error: str, description: str, headers: Mapping[str, str] | None = None) -> RequestRejected:
    """Return an error of the token endpoint, to raise."""
    body = {"error": error, "error_description": description}
    return RequestRejected(Reply(status, body, {**_limits(), **(headers or {})}))


def challenged(status: int, host: str, error: str, description: str, body: Any = None, **more: str) -> RequestRejected:
    """Return a refusal with its reason in a header, to raise; for a missing scope, the answer has no body."""
    words = {"authorization_uri": f"http://{host}/oauth2/v1/authorize", "realm": f"http://{host}", **more}
    words |= {"error": error, "error_description": description}
    header = "Bearer " + ", ".join(f'{name}="{value}"' for name, value in words.items())
    return RequestRejected(Reply(status, body, {**_limits(), "WWW-Authenticate": header}))


def _limits() -> dict[str, str]:
    reset = (int(time.time()) // 60 + 1) * 60
    return {
        "X-Rate-Limit-Limit": str(_LIMIT),
        "X-Rate-Limit-Remaining": str(_LIMIT - 1),
        "X-Rate-Limit-Reset": str(reset),
    }
