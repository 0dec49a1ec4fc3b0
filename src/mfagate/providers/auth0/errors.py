"""Auth0's error codes and their meanings.

Two dialects: the Authentication API says ``{"error", "error_description"}``, the Management API ``{"statusCode",
"error", "message"[, "errorCode"]}``. One code has many meanings, so that the sentence next to it counts too. What a
user caused (a wrong password or code, a pending push) is never a fault of the credential, whatever the status.

Codes and sentences are from https://auth0.com/docs/api/authentication and https://auth0.com/docs/api/management/v2,
from the recordings of https://github.com/auth0/go-auth0 and https://github.com/auth0/terraform-provider-auth0, and
otherwise from users' reports; docs/reference/providers/auth0.md names those. ``published.toml`` has the codes of
Auth0's two tables (libraries, Guardian), and the known codes of its two APIs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Response
from mfagate.core.foreign import ForeignText
from mfagate.core.foreign.parsing import raw
from mfagate.providers.answers import object_of
from mfagate.providers.errors import ABOUT_THE_USER, CORRECT_REQUEST, ApiError, ErrorMeaning, possible_causes

_APPLICATION = "Auth0 Dashboard > Applications > Applications > the login service's application"
_AUTHORIZE = "Auth0 Dashboard > Applications > APIs > Auth0 Management API > Machine to Machine Applications"

BAD_CLIENT = ErrorMeaning(
    CauseId.CREDENTIAL_REJECTED,
    "Auth0 rejected the client; it gives the same answer for a wrong secret and an unknown client ID",
    f"{_APPLICATION} > Settings: compare Domain and Client ID with the settings, and then the Client Secret under "
    "Credentials. Compare all three before you rotate anything.",
)

LIMITED = ErrorMeaning(
    CauseId.PROVIDER_RATE_LIMITED, "Auth0 asks the client to slow down: a rate limit of the tenant was reached"
)

UNKNOWN_API = ErrorMeaning(
    CauseId.ACCOUNT_RESOURCE_MISSING,
    "the tenant has no API with the requested audience",
    "Compare the audience, character by character, with the API Audience in Auth0 Dashboard > Applications > APIs > "
    "Auth0 Management API: https, the tenant's own auth0.com host with its region, and the trailing slash.",
    setting="audience",
)

NO_CLIENT_GRANT = ErrorMeaning(
    CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
    "the application is not authorized for the Management API",
    f"{_AUTHORIZE}: authorize the application, and grant it read:authentication_methods.",
    setting="client_id",
)

GRANT_DISABLED = ErrorMeaning(
    CauseId.ACCOUNT_FEATURE_DISABLED,
    "the application may not use this grant type",
    f"{_APPLICATION} > Settings > Advanced Settings > Grant Types: select Client Credentials, Password and MFA. "
    "Applications of the type SPA or Native have no secret and cannot use Client Credentials.",
    setting="client_id",
)

SCOPE_MISSING = ErrorMeaning(
    CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
    "the token lacks the scope",
    f"{_AUTHORIZE} > the application: grant the scope. Tokens issued earlier do not receive it.",
    setting="client_id",
)

NO_TOKEN_AT_ALL = ErrorMeaning(
    CauseId.CREDENTIAL_WRONG_KIND,
    "the request contains no valid token for this API, but perhaps a client ID, a client secret, or the opaque "
    "token that Auth0 issues if no audience is requested",
    UNKNOWN_API.next_step,
    setting="audience",
)

OF_THE_USER = ErrorMeaning(
    CauseId.CONTRACT_STATUS_CHANGED,
    "the answer is about a user or a login in progress, not about the application",
    ABOUT_THE_USER,
)

NOT_ENABLED = ErrorMeaning(
    CauseId.ACCOUNT_RESOURCE_MISSING,
    "Auth0 reports that the service of the audience is not enabled for this tenant, and does not reject the client "
    "secret. Auth0 does not document this error; users report a wrong audience as the cause",
    UNKNOWN_API.next_step,
    setting="audience",
)
"""https://github.com/auth0/node-auth0/issues/292, https://github.com/auth0/auth0-PHP/issues/538."""

GONE = ErrorMeaning(CauseId.ACCOUNT_RESOURCE_MISSING, "the tenant has no such object; the endpoint exists")
"""For any other code that begins with ``inexistent_``, as in the Management API."""

_FEATURE_OFF = ErrorMeaning(
    CauseId.ACCOUNT_FEATURE_DISABLED,
    "this factor or feature is disabled in the tenant; no permission is missing",
    "Auth0 Dashboard > Security > Multi-factor Auth: switch on the factor.",
    setting="domain",
)

_NOT_DELIVERED = ErrorMeaning(
    CauseId.PROVIDER_OUTAGE,
    "Auth0, or the tenant's own message provider, did not deliver the message",
    "Look up the reason in Auth0 Dashboard > Monitoring > Logs, and the configured provider in Security > "
    "Multi-factor Auth.",
)

_TOO_MANY_MESSAGES = ErrorMeaning(
    CauseId.PROVIDER_RATE_LIMITED,
    "Auth0 currently sends no more messages to this user",
    "Have the user choose another factor, or run the gate again in an hour: the limit applies to one user, not to "
    "the tenant.",
)

_TENANTS_MESSAGES = ErrorMeaning(
    CauseId.ACCOUNT_QUOTA_EXHAUSTED,
    "the tenant has used its allowance of messages",
    "Auth0 Dashboard > Security > Multi-factor Auth > the factor: set up a message provider of your own, or ask "
    "Auth0 support for a higher limit. Let users choose another factor until then.",
    setting="domain",
)

NOT_IN_PLAN = ErrorMeaning(
    CauseId.ACCOUNT_FEATURE_DISABLED,
    "the tenant's plan does not include this; no permission is missing",
    "Auth0 Dashboard > Settings > Subscription: find out whether the plan includes the feature, and if it does, ask "
    "Auth0 support.",
    setting="domain",
)

IN_OTHER_WORDS = ErrorMeaning(
    CauseId.PROVIDER_REFUSAL_UNRECOGNISED,
    "Auth0 denied the application a token, with a message that mfagate does not know and that may not be Auth0's own",
    "Do not rotate the credential: there is no sign that it is wrong. Look up the failed exchange in Auth0 "
    "Dashboard > Monitoring > Logs. Check also whether an Action of the trigger credentials-exchange (Actions > "
    "Triggers > Machine to Machine) denies the token, and whether the plan's machine-to-machine tokens are used up.",
)
"""An Action may deny a token with any code and sentence: https://auth0.com/docs/actions/triggers/credentials-exchange.

A free plan gets no more tokens when its tokens are used up:
https://community.auth0.com/t/what-happens-when-m2m-tokens-are-used-up/105079
"""

_MAY_BE_AN_ACTIONS = ("access_denied", "invalid_request")

_BAD_REQUEST = ErrorMeaning(
    CauseId.CONTRACT_STATUS_CHANGED, "Auth0 does not accept a field of the request", CORRECT_REQUEST
)

_OF_A_USER = (
    "already_enrolled", "association_required", "authorization_pending", "enrollment_conflict",
    "enrollment_transaction_not_found", "expired_token", "inexistent_user", "invalid_enrollment", "invalid_grant",
    "invalid_otp", "invalid_otp_format", "invalid_phone_number", "invalid_recovery_code",
    "invalid_recovery_code_format", "invalid_token", "invalid_user_password", "login_transaction_not_found",
    "mfa_invalid_code", "mfa_registration_required", "mfa_required", "not_enrolled", "password_leaked",
    "PasswordHistoryError", "PasswordStrengthError", "pn_endpoint_disabled", "transaction_expired", "unauthorized",
    "unsupported_challenge_type",
)  # fmt: skip

MEANINGS: Mapping[str | int, ErrorMeaning] = {
    **dict.fromkeys(_OF_A_USER, OF_THE_USER),
    **dict.fromkeys(
        (
            "auth_method_disabled",
            "enrollment_method_disabled",
            "feature_disabled",
            "feature_disabled_by_admin",
            "no_method_available",
        ),
        _FEATURE_OFF,
    ),
    **dict.fromkeys(("error_sending_push_notification", "error_sending_sms"), _NOT_DELIVERED),
    "push_notification_wrong_credentials": ErrorMeaning(
        CauseId.ACCOUNT_FEATURE_DISABLED,
        "the credentials of the tenant's own push service are wrong; the credentials in mfagate's settings are "
        "accepted",
        "Auth0 Dashboard > Security > Multi-factor Auth > Push: correct the credentials of the push service.",
        setting="domain",
    ),
    **dict.fromkeys(("too_many_sms", "too_many_pn"), _TOO_MANY_MESSAGES),
    **dict.fromkeys(("too_many_sms_per_tenant", "too_many_pn_per_tenant"), _TENANTS_MESSAGES),
    **dict.fromkeys(
        (
            "field_required",
            "invalid_body",
            "invalid_query_string",
            "invalid_request",
            "invalid_scope",
            "method_not_found",
        ),
        _BAD_REQUEST,
    ),
    "invalid_bearer_format": NO_TOKEN_AT_ALL,
    "tenant_not_found": ErrorMeaning(CauseId.ACCOUNT_RESOURCE_MISSING, "the tenant no longer exists", setting="domain"),
    "inexistent_connection": ErrorMeaning(
        CauseId.ACCOUNT_RESOURCE_MISSING,
        "the tenant has no such connection; the endpoint exists",
        "Auth0 Dashboard > Authentication > Database: compare the name or id of the connection.",
        setting="domain",
    ),
    "invalid_client": BAD_CLIENT,
    "unauthorized_client": GRANT_DISABLED,
    "unsupported_grant_type": ErrorMeaning(
        CauseId.ACCOUNT_FEATURE_DISABLED, "the tenant does not support this grant type", setting="client_id"
    ),
    "too_many_requests": LIMITED,
    "slow_down": ErrorMeaning(
        CauseId.PROVIDER_RATE_LIMITED, "the client polled Auth0 too often; it should poll every few seconds"
    ),
    "too_many_attempts": ErrorMeaning(
        CauseId.PROVIDER_RATE_LIMITED,
        "Auth0 blocks this user, or this address, after too many wrong attempts",
        "Find the user or address in Auth0 Dashboard > Monitoring > Logs. Unblock the user under User Management > "
        "Users, and find out what sends wrong passwords or codes.",
    ),
    "insufficient_scope": SCOPE_MISSING,
    "insufficient_entitlement": ErrorMeaning(
        CauseId.ACCOUNT_FEATURE_DISABLED, "the tenant's subscription does not include this feature", setting="domain"
    ),
    "Bearer": NO_TOKEN_AT_ALL,
    "server_error": ErrorMeaning(CauseId.PROVIDER_OUTAGE, "Auth0 reported an internal error"),
    "temporarily_unavailable": ErrorMeaning(
        CauseId.PROVIDER_OUTAGE, "Auth0 reports that it is temporarily unavailable"
    ),
}


_CODE = re.compile(r"[a-z_]+")
"""Codes of the Authentication API; the Management API uses the name of the status instead."""

_LONGEST_SENTENCE = 1000
"""Characters of a message that are searched."""


BY_SENTENCE: Mapping[tuple[str | None, str], ErrorMeaning] = {
    # In one overload, Auth0 answered 500 access_denied with rate limit headers that looked normal.
    (None, r"\bglobal limit has been reached"): LIMITED,
    # https://github.com/auth0/auth0-deploy-cli/issues/537
    (None, r"account is not allowed to perform this operation"): NOT_IN_PLAN,
    (None, r"service not found"): UNKNOWN_API,
    (None, r"service not enabled within domain"): NOT_ENABLED,
    (None, r"client-grant|client is not authorized to access"): NO_CLIENT_GRANT,
    (None, r"has not been granted scopes"): ErrorMeaning(
        CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
        "the scopes that the application requests were not granted",
        SCOPE_MISSING.next_step,
        setting="client_id",
    ),
    (None, r"no audience parameter was provided|non-global clients are not allowed"): ErrorMeaning(
        CauseId.CONFIG_SETTING_MISSING,
        "the request names no audience, and the tenant has no default audience",
        UNKNOWN_API.next_step,
        setting="audience",
    ),
    (None, r"not configured with default connection"): ErrorMeaning(
        CauseId.ACCOUNT_FEATURE_DISABLED,
        "the tenant has no default directory for the password grant",
        "Name the connection (realm) in the request, or set Auth0 Dashboard > Settings > Default Directory.",
        setting="domain",
    ),
    ("access_denied", r"^unauthorized$"): BAD_CLIENT,
    ("access_denied", r"authorization rejected|user is blocked"): OF_THE_USER,
    ("Unauthorized", r"expired token"): ErrorMeaning(
        CauseId.CREDENTIAL_EXPIRED,
        "the token has expired",
        "Remove management_token, so that tokens are fetched with the client secret, or issue a new token.",
        setting="management_token",
    ),
    ("Unauthorized", r"bad audience"): ErrorMeaning(
        CauseId.CREDENTIAL_WRONG_KIND,
        "the token is for another API",
        "Request a token with the audience of this tenant's Management API.",
        setting="audience",
    ),
    ("Unauthorized", r"missing authentication"): ErrorMeaning(
        CauseId.CREDENTIAL_REJECTED,
        "Auth0 saw no token; a proxy may remove the Authorization header",
        "Find out whether a proxy or gateway on the route removes or changes the Authorization header. Do not "
        "change the credential.",
    ),
    ("Unauthorized", r"client is not global"): ErrorMeaning(
        CauseId.CREDENTIAL_WRONG_KIND,
        "the token is not for the Management API",
        "Remove management_token, so that tokens are fetched with the client secret. Or issue a token: Auth0 "
        "Dashboard > Applications > APIs > Auth0 Management API > API Explorer.",
        setting="management_token",
    ),
    ("Unauthorized", r"invalid token|invalid signature"): ErrorMeaning(
        CauseId.CREDENTIAL_REJECTED,
        "Auth0 rejected the token",
        "Compare the domain from which the token was fetched with settings.domain, and check the other possible "
        "causes, before you issue another token.",
        evidence=possible_causes(
            "another tenant or region issued it",
            "it was fetched through a different domain of the tenant",
            "the tenant's signing key was rotated and revoked",
            "it was damaged in transit",
        ),
        setting="management_token",
    ),
}
"""What an error means, by its code (None: any code) and a regular expression for its sentence.

The first entry that matches decides.
"""

KNOWN_CODES: frozenset[str | int] = frozenset(
    {*(code for code, _ in BY_SENTENCE if code is not None), *(status.phrase for status in HTTPStatus)}
)
"""Codes whose meaning depends on the sentence; the Management API uses the name of the status as a code."""


def error_of(response: Response) -> ApiError | None:
    """Code and message of an error answer, in either dialect."""
    body = object_of(response)
    if not isinstance(body.get("error"), str):
        return None
    if "error_description" in body and _CODE.fullmatch(body["error"]):
        code, message = body["error"], body["error_description"]
    else:
        code, message = body.get("errorCode"), body.get("message", body.get("error_description"))
    return ApiError(
        code if isinstance(code, str) and code else body["error"], message if isinstance(message, str) else ""
    )


def _by_sentence(error: ApiError) -> ErrorMeaning | None:
    """Return the meaning by the error's sentence; None for a code about a user, which is clear by itself."""
    if MEANINGS.get(error.code) is OF_THE_USER:
        return None
    sentence = raw(error.message)[:_LONGEST_SENTENCE]
    return next(
        (
            meaning
            for (code, pattern), meaning in BY_SENTENCE.items()
            if code in (None, error.code) and re.search(pattern, sentence, re.IGNORECASE)
        ),
        None,
    )


def meaning_of(error: ApiError) -> ErrorMeaning | None:
    """Return what an error means: by its sentence, by its code, or because the code names a missing object."""
    gone = GONE if isinstance(error.code, str) and error.code.startswith("inexistent_") else None
    return _by_sentence(error) or MEANINGS.get(error.code) or gone


def denied_by_others(error: ApiError, exchange: Exchange) -> ErrorMeaning | None:
    """Return a meaning if an application was denied a token with an unknown sentence."""
    asks_for_itself = b"grant_type=client_credentials" in exchange.request.body.split(b"&")
    named = error.code in _MAY_BE_AN_ACTIONS and _by_sentence(error) is None
    return IN_OTHER_WORDS if asks_for_itself and named else None


def is_about_a_user(error: ApiError) -> bool:
    """Return whether the answer is about one user or one login."""
    meaning = meaning_of(error)
    return error.code == "too_many_attempts" or meaning in (OF_THE_USER, _TOO_MANY_MESSAGES)


def lacking(message: ForeignText) -> list[ForeignText]:
    """Return the scopes of which the refused request needs one."""
    _, found, rest = raw(message).partition("expected any of")
    scopes = rest.removeprefix(":").strip().removesuffix(".")
    return [ForeignText(scope.strip()) for scope in scopes.split(",")] if found and scopes else []
