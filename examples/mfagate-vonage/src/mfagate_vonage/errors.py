"""Vonage's errors and their meanings.

The envelope is that of RFC 7807: ``{"type", "title", "detail", "instance"}``; the title identifies the error. Titles as
in the fixtures of https://github.com/Vonage/vonage-python-sdk (``verify/tests/data``, ``account/tests/data``,
``http_client/tests/data``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Response
from mfagate.providers.errors import ApiError, ErrorMeaning

MEANINGS: Mapping[str | int, ErrorMeaning] = {
    "Unauthorized": ErrorMeaning(
        CauseId.CREDENTIAL_REJECTED,
        "Vonage rejected the credentials, but does not say which part is wrong",
        evidence={
            "possible causes": [
                "the API secret was rotated, or belongs to another account",
                "the application does not have the public half of the private key",
                "the clock of this machine is wrong, so that a JWT has expired when it arrives",
            ]
        },
    ),
    "Forbidden": ErrorMeaning(CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION, "the account may not use Verify"),
    "Rate Limit Hit": ErrorMeaning(CauseId.PROVIDER_RATE_LIMITED, "Vonage asks the client to slow down"),
    "Internal Error": ErrorMeaning(CauseId.PROVIDER_OUTAGE, "Vonage reported an internal error"),
}


def answer_of(response: Response) -> dict[str, Any]:
    """Return the JSON object of a successful answer; empty for any other."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if response.status in (200, 202) and isinstance(body, dict) else {}


def error_of(response: Response) -> ApiError | None:
    """Read title, detail and instance of a problem."""
    try:
        body = response.json()
    except ValueError:
        return None
    if response.status < 400 or not isinstance(body, dict) or not isinstance(body.get("title"), str):
        return None
    instance = body.get("instance")
    return ApiError(body["title"], str(body.get("detail", "")), instance if isinstance(instance, str) else None)
