"""Duo's error codes and what is behind them.

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
from mfagate.providers.errors import CORRECT_REQUEST, ApiError, ErrorMeaning, object_of, possible_causes

FORBIDDEN = 40301
"""Also for keys of another kind of application. No source says whether Duo looks at the signature first."""

INVALID_PARAMETERS = 40002

WRONG_KIND = ErrorMeaning(
    CauseId.CREDENTIAL_WRONG_KIND,
    "the keys are those of another kind of application, such as Admin API; Duo may say so without "
    "a look at the secret key, which may be wrong as well",
    "In the Duo Admin Panel, open the application of the type Auth API and copy its integration key and secret key.",
    setting="integration_key",
)

MEANINGS: Mapping[str | int, ErrorMeaning] = {
    40101: ErrorMeaning(
        CauseId.CREDENTIAL_REJECTED,
        "Duo saw no credentials: does a proxy drop the Authorization header?",
        "Find out whether a proxy or gateway on the route removes or changes the Authorization header. Do not "
        "change the credential.",
    ),
    40102: ErrorMeaning(
        CauseId.CREDENTIAL_UNKNOWN_KEY,
        "Duo knows no such integration key on this host",
        "In the Duo Admin Panel, open the application of the type Auth API, and compare its API hostname and "
        "integration key with settings.host and settings.integration_key. Leave the secret key as it is: Duo has not "
        "judged it.",
        setting="integration_key",
        evidence=possible_causes(
            "the host is another account's",
            "the application was deleted",
            "the keys are those of another kind of application, such as Admin API or Web SDK",
        ),
    ),
    40103: ErrorMeaning(
        CauseId.CREDENTIAL_REJECTED,
        "the signature does not fit: the secret key is wrong or was reset, or something on the way changes requests",
        "In the Duo Admin Panel, open the application, and compare its secret key with the one that is deployed. If "
        "they are the same, leave it, and look for a proxy that changes the Date header, the path or the body.",
    ),
    40104: ErrorMeaning(
        CauseId.CREDENTIAL_REJECTED,
        "Duo saw no Date in the request: does a proxy drop the Date header?",
        "Compare what a proxy or gateway on the way does to the Date header. Leave the keys as they are.",
    ),
    40105: ErrorMeaning(CauseId.CLOCK_SKEW, "Duo refuses the time of the request: the clocks are too far apart"),
    FORBIDDEN: ErrorMeaning(
        CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
        "Duo forbids it to these keys, and does not say why",
        "In the Duo Admin Panel, open the application whose integration key this is. Look whether its type is Auth API "
        "(for the admin keys of test_data: Admin API, with the permission for the call), and which networks may use "
        "it. Leave the secret key as it is.",
        setting="integration_key",
        evidence=possible_causes(
            "the keys are those of another kind of application",
            "an Admin API application lacks the permission for this call",
            "the application may not be used from this machine's network",
        ),
    ),
    40001: ErrorMeaning(CauseId.CONTRACT_STATUS_CHANGED, "Duo misses a parameter of the request", CORRECT_REQUEST),
    INVALID_PARAMETERS: ErrorMeaning(
        CauseId.CONTRACT_STATUS_CHANGED, "Duo does not take a parameter of the request", CORRECT_REQUEST
    ),
    42901: ErrorMeaning(CauseId.PROVIDER_RATE_LIMITED, "Duo asks to slow down"),
    50001: ErrorMeaning(
        CauseId.PROVIDER_OUTAGE,
        "Duo failed by itself; it says the same where a limit of the account is exceeded",
        "Look at https://status.duo.com. If it reports nothing, ask Duo's support, with the time in UTC, whether the "
        "account exceeds a limit (https://duo.com/docs/rate-limits). Change nothing in the configuration.",
    ),
}


def response_of(response: Response) -> Any:
    """What a successful answer holds, or None."""
    body = object_of(response)
    return body.get("response") if body.get("stat") == "OK" else None


def error_of(response: Response) -> ApiError | None:
    """Code and message of an error answer."""
    body = object_of(response)
    if body.get("stat") != "FAIL" or type(body.get("code")) is not int:
        return None
    words = [str(body[name]) for name in ("message", "message_detail") if body.get(name)]
    return ApiError(body["code"], ": ".join(words))
