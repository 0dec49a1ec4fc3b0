"""privacyIDEA's error codes and their meanings.

The envelope is ``{"result": {"status": false, "error": {"code", "message"}}}``. The code in the body decides, at any
status: the policy ``hide_auth_error_status`` turns every refusal on ``/auth`` and ``/validate`` into a 401. The policy
``hide_specific_error_message`` replaces code and message on ``/auth`` and ``/validate/check``; such an answer proves
nothing (https://privacyidea.readthedocs.io/en/latest/policies/authentication.html,
https://privacyidea.readthedocs.io/en/latest/policies/index.html). Codes observed on a privacyIDEA 3.14 server,
documented in https://privacyidea.readthedocs.io/en/latest/modules/lib/error.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Response
from mfagate.providers.answers import object_of
from mfagate.providers.errors import ABOUT_THE_USER, ErrorMeaning

UNAUTHORIZED_USER = 401
MASKED = 403
MISSING_TOKEN = 601
UNKNOWN_USER = 904
WRONG_PASSWORD = 4031
REVOKED_TOKEN = 1007
INTERNAL = -500

HIDES_MESSAGE, HIDES_STATUS = "hide_specific_error_message", "hide_auth_error_status"

_NOT_ISSUED_HERE = "the server rejected the key: another server issued it, or SECRET_KEY of this server has changed"
"""The remaining cause for a well-formed key; damaged keys are found before they are sent."""


_CREATE = "pi-manage api createtoken -r ROLE -u NAME -d DAYS, run on the server"

_COMPARE_SERVERS = (
    "Compare settings.url with the server that issued the key. If they differ, set a key of this server. If they "
    "are the same, ask its administrator whether SECRET_KEY in pi.cfg was changed or lost: every earlier key is "
    "then invalid and must be replaced."
)

_RIGHT_ROLE = (
    "Set validate_key to a key with the role validate, and admin_key to a key with the role admin. The "
    f"administrator of the privacyIDEA server creates keys with {_CREATE}."
)

_READ_ITS_LOG = (
    "Ask the administrator of the privacyIDEA server for the reason, which its log (PI_LOGFILE in pi.cfg, usually "
    "/var/log/privacyidea/privacyidea.log) contains at the time of this request. Do not rotate a credential: none "
    "was rejected."
)
"""https://privacyidea.readthedocs.io/en/stable/installation/system/logging.html"""


def _failed(what: str) -> ErrorMeaning:
    return ErrorMeaning(CauseId.PROVIDER_OUTAGE, f"the server reported an internal error: {what}", _READ_ITS_LOG)


def _of_a_user(text: str) -> ErrorMeaning:
    return ErrorMeaning(CauseId.CONTRACT_STATUS_CHANGED, text, ABOUT_THE_USER)


_BY_POLICY = _of_a_user("a policy does not allow this user or token to authenticate; the credential was accepted")

_NO_SUCH_PATH = ErrorMeaning(
    CauseId.CONTRACT_ENDPOINT_RETIRED, "the server does not have this path, or not with this method"
)

MEANINGS: Mapping[str | int, ErrorMeaning] = {
    -404: _NO_SUCH_PATH,
    -405: _NO_SUCH_PATH,
    101: ErrorMeaning(
        CauseId.ACCOUNT_QUOTA_EXHAUSTED,
        "the server's subscription for this client is missing, has expired or covers fewer users",
        "Ask the server's administrator to renew the subscription that the provider's message names.",
    ),
    UNAUTHORIZED_USER: _BY_POLICY,
    MISSING_TOKEN: _of_a_user("the server has no such token or object; the credential was accepted"),
    UNKNOWN_USER: _of_a_user("the server does not know this user; the credential was accepted"),
    REVOKED_TOKEN: _of_a_user("the token was revoked; the credential was accepted"),
    707: _failed("it cannot use its encryption key"),
    INTERNAL: _failed("unspecified"),
    902: _failed("its database"),
    903: _failed("its configuration"),
    907: _failed("it cannot read the users' directory"),
    WRONG_PASSWORD: ErrorMeaning(
        CauseId.CREDENTIAL_REJECTED,
        "the server rejected the name or the password of the service account",
        "Compare service_account and service_password with the configuration of the login service, and "
        "service_realm with the realm of that account. If they are the same, ask the server's administrator whether "
        "the password was changed (pi-manage admin change) or the account was removed.",
        setting="service_password",
    ),
    4033: ErrorMeaning(
        CauseId.CREDENTIAL_REJECTED,
        "the server saw no key in the request",
        "Look for a proxy that removes the Authorization header; the key itself was not checked.",
    ),
    4304: ErrorMeaning(CauseId.CREDENTIAL_REJECTED, _NOT_ISSUED_HERE, _COMPARE_SERVERS),
    4305: ErrorMeaning(
        CauseId.CREDENTIAL_EXPIRED,
        "the server reports that the key has expired",
        f"Ask the administrator of the privacyIDEA server for a new key ({_CREATE}), and store it in the same place.",
    ),
    4306: ErrorMeaning(CauseId.CREDENTIAL_WRONG_KIND, "the key has the wrong role for this endpoint", _RIGHT_ROLE),
}

POLICY_CODE = 303
"""The code for everything that a policy forbids; only the message distinguishes the cases."""

SAW_NO_KEY = (POLICY_CODE, 4033, 4304)
"""Refusals of a key that may not have reached the server: it saw no key, or something else."""

NO_KEY = ErrorMeaning(CauseId.CREDENTIAL_REJECTED, _NOT_ISSUED_HERE, _COMPARE_SERVERS)

_WITHHELD = ErrorMeaning(
    CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
    "no policy of the server grants the right",
    "Give this key or account the right that the provider's message names: in the server's web interface, open "
    "Config > Policies and edit a policy of the scope admin.",
)

POLICY_MESSAGES: Mapping[str, ErrorMeaning] = {
    "No valid API key was passed": NO_KEY,
    "it was no API key": ErrorMeaning(
        CauseId.CREDENTIAL_WRONG_KIND, "the key is valid but has the wrong role", _RIGHT_ROLE
    ),
    "for authentication": _BY_POLICY,
    "Tokeninfo field": _BY_POLICY,
    "allowed to authenticate": _BY_POLICY,
    "is not allowed": _WITHHELD,
    "are not allowed": _WITHHELD,
    "Missing policy": ErrorMeaning(
        CauseId.ACCOUNT_FEATURE_DISABLED,
        "the server lacks a policy that this factor needs",
        "Ask the administrator of the privacyIDEA server to set the policy that the provider's message names: "
        "Config > Policies in its web interface. The scope of each policy is documented in "
        "https://privacyidea.readthedocs.io/en/latest/policies/index.html.",
    ),
    "Polling not allowed": ErrorMeaning(
        CauseId.ACCOUNT_FEATURE_DISABLED,
        "the server does not allow phones to poll for challenges",
        "Ask the administrator of the privacyIDEA server to set push_allow_polling: Config > Policies in its web "
        "interface, in a policy of the scope authentication.",
    ),
}

MASKED_REFUSAL = ErrorMeaning(
    CauseId.CREDENTIAL_NOT_PROVABLE,
    f"the server hides the reason of the refusal (policy {HIDES_MESSAGE}), so the answer does not show whether the "
    "key is valid",
    "Do not replace the key: a valid key gets the same answer. Allow GET /validate/polltransaction, which the "
    "policy does not cover, to reach the server; in production, also set production_allows = "
    f'["failing-credential"]. Or ask the server\'s administrator to limit {HIDES_MESSAGE} to other clients, or to '
    "look up the reason in the audit log.",
)

HIDDEN_STATUS = ErrorMeaning(
    CauseId.CONTRACT_STATUS_CHANGED,
    f"the server answers every refusal with 401 (policy {HIDES_STATUS}); the code in the body is unchanged",
    "Make client and contract use the code in the body, or ask the server's administrator to switch off the policy.",
)

MASKED_LOGIN = ErrorMeaning(
    CauseId.PROVIDER_REFUSAL_UNRECOGNISED,
    f"the server rejected the service account and hides the reason (policy {HIDES_MESSAGE})",
    "Ask the server's administrator for the reason, which the audit log contains. It may be the name, the password, "
    "the realm or a policy.",
    setting="service_account",
)


def policy_meaning(message: Any) -> ErrorMeaning | None:
    """Return what a policy forbids, by the fixed part of the message."""
    return next((meaning for part, meaning in POLICY_MESSAGES.items() if part in message), None)


def result_of(response: Response) -> dict[str, Any]:
    """Return the ``result`` object of an answer; empty if there is none."""
    result = object_of(response).get("result")
    return result if isinstance(result, dict) else {}


def error_of(response: Response) -> tuple[int, str] | None:
    """Read code and message of an error answer."""
    error = result_of(response).get("error")
    if not isinstance(error, dict) or type(error.get("code")) is not int:
        return None
    return error["code"], str(error.get("message", ""))
