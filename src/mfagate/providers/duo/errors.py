"""Duo's error codes and their meanings.

The envelope is ``{"stat": "FAIL", "code", "message", "message_detail"}``; the first
three digits of a code are the HTTP status. Meanings by Duo's Knowledge Base
("What are Duo's API responses and error messages?", quoted in
https://community.duo.com/t/auth-v2-auth-giving-a-40103-but-auth-v2-preauth-working-fine/8371)
and https://duo.com/docs/authapi; a 50001 for exceeded limits by https://duo.com/docs/rate-limits. Keys of another
kind of application were answered with 40102 too (https://github.com/duosecurity/duo_client_python/issues/26,
https://github.com/duosecurity/duo_client_python/issues/127), whose text has been "Invalid identity in request
credentials" since 2024 (https://github.com/duosecurity/duo_api_csharp/issues/36). A bare "Access forbidden" was the
answer to keys of another kind (https://github.com/JohnDuprey/DuoSecurity/issues/38) and to an Admin API application
without the permission (https://github.com/duosecurity/duo_python/issues/19). ``published.toml`` says where each code
was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Response
from mfagate.providers.answers import object_of
from mfagate.providers.errors import CORRECT_REQUEST, ApiError, ErrorMeaning, possible_causes

FORBIDDEN = 40301
"""Also for keys of another type of application. No source says whether Duo checks the signature first."""

INVALID_PARAMETERS = 40002

WRONG_KIND = ErrorMeaning(
    CauseId.CREDENTIAL_WRONG_KIND,
    "the keys belong to another type of application, such as Admin API; the secret key may also be wrong, because "
    "Duo may not have checked it",
    "In the Duo Admin Panel, open the application of the type Auth API and copy its integration key and secret key.",
    setting="integration_key",
)

MEANINGS: Mapping[str | int, ErrorMeaning] = {
    40101: ErrorMeaning(
        CauseId.CREDENTIAL_REJECTED,
        "Duo saw no credentials; a proxy may remove the Authorization header",
        "Find out whether a proxy or gateway on the route removes or changes the Authorization header. Do not "
        "change the credential.",
    ),
    40102: ErrorMeaning(
        CauseId.CREDENTIAL_UNKNOWN_KEY,
        "Duo does not know the integration key on this host",
        "In the Duo Admin Panel, open the application of the type Auth API, and compare its API hostname and "
        "integration key with settings.host and settings.integration_key. Do not change the secret key, which Duo "
        "has not checked.",
        setting="integration_key",
        evidence=possible_causes(
            "the host belongs to another account",
            "the application was deleted",
            "the keys belong to another type of application, such as Admin API or Web SDK",
        ),
    ),
    40103: ErrorMeaning(
        CauseId.CREDENTIAL_REJECTED,
        "Duo rejected the signature: the secret key is wrong or was reset, or a proxy altered the request",
        "In the Duo Admin Panel, open the application, and compare its secret key with the deployed one. If they are "
        "the same, do not change the key, and look for a proxy that changes the Date header, the path or the body.",
    ),
    40104: ErrorMeaning(
        CauseId.CREDENTIAL_REJECTED,
        "Duo saw no Date header in the request; a proxy may remove it",
        "Find out whether a proxy or gateway on the route removes or changes the Date header. Do not change the keys.",
    ),
    40105: ErrorMeaning(CauseId.CLOCK_SKEW, "Duo rejected the time of the request: the clocks are too far apart"),
    FORBIDDEN: ErrorMeaning(
        CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
        "Duo denied these keys access and gave no reason",
        "In the Duo Admin Panel, open the application with this integration key. Make sure that its type is Auth "
        "API (for the admin keys of test_data: Admin API, with the permission for the call), and look up which "
        "networks may use it. Do not change the secret key.",
        setting="integration_key",
        evidence=possible_causes(
            "the keys belong to another type of application",
            "an Admin API application lacks the permission for this call",
            "the application may not be used from this machine's network",
        ),
    ),
    40001: ErrorMeaning(
        CauseId.CONTRACT_STATUS_CHANGED, "the request lacks a parameter that Duo requires", CORRECT_REQUEST
    ),
    INVALID_PARAMETERS: ErrorMeaning(
        CauseId.CONTRACT_STATUS_CHANGED, "Duo does not accept a parameter of the request", CORRECT_REQUEST
    ),
    42901: ErrorMeaning(CauseId.PROVIDER_RATE_LIMITED, "Duo asks the client to slow down"),
    50001: ErrorMeaning(
        CauseId.PROVIDER_OUTAGE,
        "Duo reported an internal error; it gives the same answer if a limit of the account is exceeded",
        "Check https://status.duo.com. If it reports no incident, give Duo support the time in UTC and ask whether "
        "the account exceeds a limit (https://duo.com/docs/rate-limits). Do not change the configuration.",
    ),
}


def response_of(response: Response) -> Any:
    """Return the content of a successful answer, or None."""
    body = object_of(response)
    return body.get("response") if body.get("stat") == "OK" else None


def error_of(response: Response) -> ApiError | None:
    """Read code and message of an error answer."""
    body = object_of(response)
    if body.get("stat") != "FAIL" or type(body.get("code")) is not int:
        return None
    words = [str(body[name]) for name in ("message", "message_detail") if body.get(name)]
    return ApiError(body["code"], ": ".join(words))
