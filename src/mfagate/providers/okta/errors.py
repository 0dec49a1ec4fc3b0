"""Okta's error codes and their meanings.

Three dialects. The APIs answer ``{"errorCode", "errorSummary", "errorLink", "errorId", "errorCauses"}``
(https://developer.okta.com/docs/reference/error-codes/), the token endpoint ``{"error", "error_description"}``
(https://developer.okta.com/docs/reference/error-codes/#okta-oauth-2-0-error-codes), and for a missing scope, only the
header ``WWW-Authenticate`` has the reason
(https://support.okta.com/help/s/article/insufficient-scope-error-when-making-a-request-to-an-oauth-or-management-endpoint).
``published.toml`` has the codes of both of Okta's lists, and those that do not concern mfagate.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Response
from mfagate.core.foreign import quoted
from mfagate.core.foreign.parsing import raw
from mfagate.providers.answers import object_of
from mfagate.providers.errors import ABOUT_THE_USER, CORRECT_REQUEST, ApiError, ErrorMeaning, possible_causes
from mfagate.providers.okta.settings import OktaSettings

WRONG_CODE = "E0000068"
LOCKED = "E0000069"
REJECTED = "E0000073"
USED_CODE = "E0000082"
OLD_CODE = "E0000083"
NOT_FOUND = "E0000007"
NO_SCOPE = "insufficient_scope"

_NO_SESSION = "E0000005"
_NO_PERMISSION = "E0000006"
_REFUSED_TOKEN = "E0000011"

GRANT = (
    "Okta Admin Console > Applications > the app > Okta API Scopes: grant the missing scopes (requires a super admin)."
)

_SCOPES = (
    "Compare scopes with Okta Admin Console > Applications > the app > Okta API Scopes, and list only scopes that "
    "are granted there."
)

_SERVICE_APP = (
    "Okta Admin Console > Applications: create an app of the type API Services, register the public key with it, and "
    "set client_id to its Client ID."
)

_FITS_NOT = (
    "E0000001", "E0000002", "E0000003", "E0000014", "E0000016", "E0000018", "E0000019", "E0000020", "E0000021",
    "E0000028", "E0000029", "E0000030", "E0000031", "E0000033", "E0000037", "E0000060", "E0000063", "E0000070",
    "E0000079", "E0000093", "E0000094", "E0000098", "E0000113", "E0000121", "E0000122", "E0000124", "E0000125",
    "E0000149", "E0000195", "E0000231", "E0000242", "E0000243", "E0000256", REJECTED, USED_CODE, OLD_CODE, WRONG_CODE,
)  # fmt: skip
"""Codes for a rejected request or one-time code, whatever the status: some come with 403."""

_USER_NOT_READY = (
    "E0000038", "E0000064", "E0000097", "E0000102", "E0000107", "E0000110", "E0000112", "E0000119", "E0000136",
    "E0000140", "E0000152", "E0000155", "E0000158", "E0000159", "E0000180", "E0000214", "E0000229", "E0000232",
    "E0000259", "E0000265", LOCKED,
)  # fmt: skip
"""Codes about one user or factor. The status, 400, 401, 403, 409 or 423, does not concern the credential."""

_GONE = ("E0000153", "E0000154", "E0000156", "E0000191")
"""A device, factor, user or transaction that no longer exists (404 and 410); the endpoint still does."""

_SIGN_ON_POLICY = ("E0000057", "E0000058", "E0000085", "E0000092")
"""A policy denies one user access (403): https://developer.okta.com/docs/reference/error-codes/#E0000085."""

_BETWEEN_MESSAGES: Mapping[str, float] = {"E0000109": 30.0, "E0000118": 5.0, "E0000133": 30.0}
"""Seconds between two text messages, mails or calls to one user."""

_LOOKED_AT = 200

RECENTLY_SENT = tuple(_BETWEEN_MESSAGES)
"""Limits of one user (429), not of the org."""

WRONG_PASSWORDS = frozenset({"E0000004", "E0000207"})

_SIGNING_IN = (
    "authorization_pending", "expired_token", "insufficient_user_authentication", "interaction_required",
    "invalid_grant", "invalid_user_code", "mfa_required", "unmet_authentication_requirements",
)  # fmt: skip
"""Codes of the token endpoint about a user's sign-in in progress, whatever the status."""

ABOUT_A_USER = frozenset(
    {
        *_USER_NOT_READY, *_GONE, *_SIGN_ON_POLICY, *_SIGNING_IN, *RECENTLY_SENT, WRONG_CODE, USED_CODE, OLD_CODE,
        REJECTED, NOT_FOUND,
    }
)  # fmt: skip

_FAILED = ("E0000009", "E0000067", "E0000074", "E0000100", "E0000138", "E0000139", "temporarily_unavailable")
"""Failures of Okta itself; two of them come with status 400."""

_HOOK = ErrorMeaning(
    CauseId.PROVIDER_OUTAGE,
    "an inline hook of the org failed, for example the one that sends text messages",
    "Okta Admin Console > Workflow > Inline Hooks: find the hook and ask the owner of the service behind it.",
)
_FEATURE_OFF = ErrorMeaning(
    CauseId.ACCOUNT_FEATURE_DISABLED,
    "this feature is not available in the org; no permission is missing",
    "Ask Okta whether the org's edition includes the feature and whether it is enabled.",
)
_MOST_MESSAGES = ErrorMeaning(
    CauseId.PROVIDER_RATE_LIMITED,
    "a limit on text messages or calls has been reached; no permission is missing",
    "Have the user choose another factor, or run the gate again later. If this happens often, ask Okta support "
    "which limit applies.",
)


_DPOP = ErrorMeaning(
    CauseId.CREDENTIAL_WRONG_KIND,
    "the app requires DPoP, a proof of possession with each request, which mfagate does not send",
    "If the login service does not send such proofs either, disable the requirement: Okta Admin Console > "
    "Applications > the app > General > Require Demonstrating Proof of Possession (DPoP) header in token requests.",
    setting="client_id",
)

_NO_PATH = ErrorMeaning(CauseId.CONTRACT_ENDPOINT_RETIRED, "Okta has no such path")
_DEPRECATED = ErrorMeaning(CauseId.CONTRACT_ENDPOINT_RETIRED, "Okta has retired this endpoint")
_USERS_PASSWORD = ErrorMeaning(
    CauseId.CREDENTIAL_WRONG_KIND,
    "Okta rejected a user's name and password: the request reached the user login, not the API",
    "Compare the path of the request with the path in the contract: the API does not accept user passwords.",
)

MEANINGS: Mapping[str | int, ErrorMeaning] = {
    **dict.fromkeys(
        _FITS_NOT,
        ErrorMeaning(
            CauseId.CONTRACT_STATUS_CHANGED, "Okta accepted the credential but rejected this request", CORRECT_REQUEST
        ),
    ),
    **dict.fromkeys(
        _USER_NOT_READY,
        ErrorMeaning(
            CauseId.CONTRACT_STATE_UNAVAILABLE,
            "Okta accepted the credential; the user's state does not allow the request",
        ),
    ),
    **dict.fromkeys(
        RECENTLY_SENT,
        ErrorMeaning(
            CauseId.CONTRACT_STATE_UNAVAILABLE, "a code was sent to this user a moment ago; wait half a minute"
        ),
    ),
    **dict.fromkeys(
        _GONE,
        ErrorMeaning(
            CauseId.CONTRACT_STATE_UNAVAILABLE,
            "the user, device, factor or transaction no longer exists; the endpoint does",
        ),
    ),
    **dict.fromkeys(
        _SIGN_ON_POLICY,
        ErrorMeaning(CauseId.CONTRACT_STATE_UNAVAILABLE, "a sign-on policy of the org denies this user access"),
    ),
    **dict.fromkeys(
        _SIGNING_IN,
        ErrorMeaning(
            CauseId.CONTRACT_STATUS_CHANGED, "the answer is about a user's sign-in, not about the app", ABOUT_THE_USER
        ),
    ),
    **dict.fromkeys(
        ("E0000146", "E0000147"),
        ErrorMeaning(
            CauseId.ACCOUNT_QUOTA_EXHAUSTED,
            "the org has used its 24-hour allowance of text messages or calls; waiting a minute does not help",
            "Let users choose another factor until the 24 hours have passed, and ask Okta support for a higher limit.",
        ),
    ),
    "E0000186": ErrorMeaning(
        CauseId.ACCOUNT_QUOTA_EXHAUSTED,
        "the org is on the free tier and has used its 30-day allowance of text messages",
        "Use another factor until the 30 days have passed, or ask Okta about another edition.",
    ),
    **dict.fromkeys(("E0000150", "E0000151", "E0000204", "E0000205"), _MOST_MESSAGES),
    **dict.fromkeys(
        ("slow_down", "too_many_user_codes"),
        ErrorMeaning(CauseId.PROVIDER_RATE_LIMITED, "Okta asks the client to slow down"),
    ),
    **dict.fromkeys(("E0000099", "E0000226", "E0000233", "E0000247", "E0000264"), _FEATURE_OFF),
    **dict.fromkeys(("E0000134", "E0000135", "E0000137"), _HOOK),
    **dict.fromkeys(
        ("E0000240", "E0000241"),
        ErrorMeaning(
            CauseId.PROVIDER_OUTAGE,
            "Okta cannot reach any agent of the org's directory",
            "Okta Admin Console > Directory > Directory Integrations: make sure that the agents are connected.",
        ),
    ),
    **dict.fromkeys(("E0000026", "E0000215"), _DEPRECATED),
    "E0000212": ErrorMeaning(
        CauseId.CONTRACT_STATUS_CHANGED,
        "Okta rejected the Origin header of the request",
        "Do not send Origin from a server, or add the origin under Okta Admin Console > Security > API > Trusted "
        "Origins.",
    ),
    "E0000260": ErrorMeaning(
        CauseId.ACCOUNT_SUSPENDED,
        "Okta has deactivated this developer org",
        "Use an active org: Okta has replaced developer orgs with Integrator Free orgs.",
        setting="org_url",
    ),
    **dict.fromkeys(_FAILED, ErrorMeaning(CauseId.PROVIDER_OUTAGE, "Okta reported an internal error")),
    **dict.fromkeys(("invalid_dpop_proof", "use_dpop_nonce"), _DPOP),
    **dict.fromkeys(WRONG_PASSWORDS, _USERS_PASSWORD),
    _NO_SESSION: ErrorMeaning(
        CauseId.CREDENTIAL_REJECTED,
        "Okta saw no credential in the request; a proxy may remove the Authorization header",
        "Find out whether a proxy or gateway on the route removes or changes the Authorization header. Do not "
        "change the credential.",
    ),
    NOT_FOUND: ErrorMeaning(CauseId.ACCOUNT_RESOURCE_MISSING, "the org has no such user, factor or transaction"),
    "E0000008": _NO_PATH,
    "E0000010": ErrorMeaning(
        CauseId.PROVIDER_MAINTENANCE, "Okta is in read-only mode; logins with a factor fail until it ends"
    ),
    "E0000012": ErrorMeaning(
        CauseId.CONTRACT_STATUS_CHANGED,
        "Okta does not accept this content type and answers 404; the path exists",
        CORRECT_REQUEST,
    ),
    "E0000015": ErrorMeaning(
        CauseId.ACCOUNT_FEATURE_DISABLED,
        "this feature is not available in the org; despite status 401, the credential is not at fault",
        "Ask Okta whether the org's edition includes the feature and whether it is enabled.",
    ),
    "E0000022": ErrorMeaning(
        CauseId.CONTRACT_ENDPOINT_RETIRED,
        "Okta no longer accepts this method on this path",
        evidence={
            "other causes named by Okta": ["the credential lacks the permission", "the feature is disabled in this org"]
        },
    ),
    NO_SCOPE: ErrorMeaning(
        CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION, "the access token lacks a scope", GRANT, setting="client_id"
    ),
    "client_credentials_self_scope_requested": ErrorMeaning(
        CauseId.CONFIG_WRONG_KIND, "a service app cannot have scopes that end in .self", _SCOPES, setting="scopes"
    ),
    "consent_required": ErrorMeaning(
        CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
        "none of the requested scopes is granted to the app",
        GRANT,
        setting="client_id",
    ),
    "unsupported_grant_type": ErrorMeaning(
        CauseId.ACCOUNT_FEATURE_DISABLED,
        "the authorization server does not support client credentials",
        setting="org_url",
    ),
    "unauthorized_client": ErrorMeaning(
        CauseId.CREDENTIAL_WRONG_KIND,
        "the app may not use client credentials because it is not an API Services app",
        _SERVICE_APP,
        setting="client_id",
    ),
}

_REFUSED_ACCESS_TOKEN = ErrorMeaning(
    CauseId.CREDENTIAL_REJECTED,
    "Okta rejected an access token that it issued; org_url may differ from the host that issued it",
    "Set org_url to the host that the login service calls: either the custom domain or the org's own domain. Do not "
    "change the key.",
    setting="org_url",
)
_TAKES_NO_TOKEN = ErrorMeaning(
    CauseId.CREDENTIAL_WRONG_KIND,
    "Okta does not accept the access token for this endpoint, or did not receive it: endpoints without an OAuth "
    "scope answer like this to tokens that are valid elsewhere",
    "Look in Okta's reference for an OAuth 2.0 scope of this endpoint. If it has none, the login service needs an "
    "API token. If it has one, look for a proxy that removes the Authorization header, and for clients that keep an "
    "access token beyond its lifetime. Do not change the key.",
    setting="client_id",
)
"""https://github.com/okta/terraform-provider-okta/issues/667, https://github.com/okta/okta-sdk-java/issues/998"""
_NO_SUCH_TOKEN = ErrorMeaning(
    CauseId.CONFIG_MALFORMED_VALUE,
    "token_id is not the id of an active token of this org; api_token was accepted and has another id",
    "Correct token_id: GET /api/v1/api-tokens returns the id of each token. Do not change api_token.",
    setting="token_id",
)
_CLOCK = ErrorMeaning(CauseId.CLOCK_SKEW, "the times in the signed assertion do not agree with Okta's clock")
_KEY = ErrorMeaning(
    CauseId.CREDENTIAL_REJECTED,
    "the signature is invalid: the public half of the private key is not registered with the app",
    "Okta Admin Console > Applications > the app > General > Public Keys: look for the public half of the deployed "
    "key. If it is missing, add it, or deploy the private key of a public key that is listed.",
    setting="private_key",
)
_UNKNOWN_CLIENT = ErrorMeaning(
    CauseId.CREDENTIAL_UNKNOWN_KEY,
    "the org has no such client: the app belongs to another org, or was deleted or deactivated",
    setting="client_id",
)
_NOT_A_SERVICE = ErrorMeaning(
    CauseId.CREDENTIAL_WRONG_KIND,
    "the app is not of the type API Services, the only type that can get tokens for Okta's APIs",
    _SERVICE_APP,
    setting="client_id",
)

BY_DESCRIPTION: Mapping[str, Mapping[str, ErrorMeaning]] = {
    "invalid_client": {
        "not a valid client_id": _UNKNOWN_CLIENT,
        "for 'client_id'": _UNKNOWN_CLIENT,
        "application_type": _NOT_A_SERVICE,
        "private_key_jwt": ErrorMeaning(
            CauseId.CREDENTIAL_WRONG_KIND,
            "Okta's APIs accept only a signed assertion, not a client secret",
            "Okta Admin Console > Applications > the app > General > Client Credentials: choose Public key / "
            "Private key, and deploy the private key.",
            setting="private_key",
        ),
        "audience": ErrorMeaning(
            CauseId.CONFIG_MALFORMED_URL,
            "the name in org_url is not the name of the host that answers, and the assertion is bound to that name",
            "Set org_url to the host that the login service calls: either the custom domain or the org's own domain.",
            setting="org_url",
        ),
        "already been used": ErrorMeaning(
            CauseId.CREDENTIAL_REJECTED,
            "Okta has seen the same assertion before: a proxy may repeat requests",
            "Look for a proxy that retries requests to the token endpoint.",
            setting="org_url",
        ),
        "expired": _CLOCK,
        "too far into the future": _CLOCK,
        "before the current time": _CLOCK,
        "JWKSet configured": ErrorMeaning(
            CauseId.CREDENTIAL_REJECTED,
            "no public key is registered with the app",
            "Okta Admin Console > Applications > the app > General > Client Credentials: add the public key.",
            setting="client_id",
        ),
        "kid is invalid": ErrorMeaning(
            CauseId.CREDENTIAL_REJECTED,
            "the app has no active key with this kid: the kid is wrong, or the key was deactivated",
            "Okta Admin Console > Applications > the app > General > Public Keys: compare the active KIDs with "
            "key_id, and correct key_id or activate the key.",
        ),
        "jwks_uri": ErrorMeaning(
            CauseId.CREDENTIAL_REJECTED,
            "Okta cannot fetch the app's public keys from its registered jwks_uri",
            "Okta Admin Console > Applications > the app > General > Public Keys: open the registered URL, and "
            "compare its keys with key_id.",
            setting="client_id",
        ),
        "signature": _KEY,
        "parsing of the client_assertion": _KEY,
        "No client credentials": ErrorMeaning(
            CauseId.CREDENTIAL_REJECTED,
            "Okta saw no assertion; a proxy may change request bodies",
            "Look for a proxy or gateway on the route that changes request bodies. Do not change the key.",
        ),
        "": ErrorMeaning(
            CauseId.CREDENTIAL_REJECTED,
            "Okta rejected the client and gave no reason",
            "Okta Admin Console > Applications > the app > General: compare the Client ID with client_id, and make "
            "sure that the app and its public key are active, before you change the key.",
            setting="client_id",
            evidence=possible_causes(
                "the app belongs to another org",
                "the private key is not the app's",
                "the app or its key was deactivated",
            ),
        ),
    },
    "invalid_scope": {
        "not configured": ErrorMeaning(
            CauseId.CONFIG_MALFORMED_VALUE, "a requested scope does not exist in this org", _SCOPES, setting="scopes"
        ),
        "using client credentials": ErrorMeaning(
            CauseId.CONFIG_WRONG_KIND, "a requested scope is only for users", _SCOPES, setting="scopes"
        ),
        "No scopes": ErrorMeaning(
            CauseId.CONFIG_MALFORMED_VALUE, "the request names no scope", _SCOPES, setting="scopes"
        ),
        "": ErrorMeaning(
            CauseId.CONFIG_MALFORMED_VALUE, "Okta does not accept the requested scopes", _SCOPES, setting="scopes"
        ),
    },
    "invalid_request": {
        "DPoP": _DPOP,
        "": ErrorMeaning(
            CauseId.CONTRACT_STATUS_CHANGED, "Okta rejected the form of the token request", CORRECT_REQUEST
        ),
    },
    "invalid_token": {"DPoP": _DPOP, "": _REFUSED_ACCESS_TOKEN},
    "server_error": {
        "not enabled": _FEATURE_OFF,
        "": ErrorMeaning(CauseId.PROVIDER_OUTAGE, "Okta reported an internal error"),
    },
    "access_denied": {
        "not enabled": _FEATURE_OFF,
        "isn't enabled": _FEATURE_OFF,
        "limit": ErrorMeaning(
            CauseId.ACCOUNT_QUOTA_EXHAUSTED,
            "a limit of the org has been reached, for example the number of enrolments",
            "Read in the provider's message which limit it is. Remove unused objects, such as enrolments of test "
            "users, or ask Okta support for a higher limit.",
        ),
        "network zone": ErrorMeaning(
            CauseId.CREDENTIAL_NETWORK_RESTRICTED,
            "the app may be used only from certain network zones, and this address is outside them",
            "Run mfagate where the login service runs, or add this address under Okta Admin Console > Security > "
            "Networks.",
            setting="client_id",
        ),
        "": ErrorMeaning(
            CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
            "a policy of the authorization server denies the app a token",
            setting="client_id",
        ),
    },
}
"""What one code means, by a part of its description; the empty part matches every description."""

KNOWN_CODES: frozenset[str | int] = frozenset({*BY_DESCRIPTION, _REFUSED_TOKEN, _NO_PERMISSION})
"""Codes whose meaning does not depend on the code alone."""


def seconds_between_messages(error: ApiError, path: str) -> float | None:
    """Return how many seconds to wait after "a message was recently sent", from the text or by default."""
    if error.code not in _BETWEEN_MESSAGES or not path.endswith(("/verify", "/resend", "/factors")):
        return None
    seconds = re.search(r"wait ([0-9]{1,3}) seconds", raw(error.message)[:_LOOKED_AT])
    return float(seconds[1]) if seconds else _BETWEEN_MESSAGES[str(error.code)]


def meaning_of(error: ApiError, response: Response, settings: OktaSettings) -> ErrorMeaning | None:
    """Return the meaning of an error; None if it is unknown, or if the status is more specific."""
    code = str(error.code)
    if response.status == 429 and (code not in MEANINGS or code in _SIGNING_IN):
        return _too_many_at_once(response)
    if code in BY_DESCRIPTION:
        message = raw(error.message).lower()
        return next((meaning for part, meaning in BY_DESCRIPTION[code].items() if part.lower() in message), None)
    if code == _REFUSED_TOKEN:
        return _refused_token(settings)
    if code == _NO_SESSION and settings.private_key is not None:
        return _TAKES_NO_TOKEN
    if code == _NO_PERMISSION:
        return _no_permission(settings)
    if code == NO_SCOPE:
        return _no_scope(response)
    if code == NOT_FOUND and settings.token_id and settings.token_id in error.message:
        return _NO_SUCH_TOKEN
    return MEANINGS.get(code)


def _too_many_at_once(response: Response) -> ErrorMeaning | None:
    """Recognise the limit of concurrent requests, which Okta reports as zero of zero remaining."""
    left = {response.headers.get(f"x-rate-limit-{name}") for name in ("limit", "remaining")}
    if left != {"0"}:
        return None
    return ErrorMeaning(
        CauseId.PROVIDER_RATE_LIMITED, "too many concurrent requests to the org; wait until some have ended"
    )


def _refused_token(settings: OktaSettings) -> ErrorMeaning:
    if settings.api_token is None:
        return _REFUSED_ACCESS_TOKEN
    preview = ".oktapreview.com" in settings.org_url
    other = "the production org" if preview else "the preview org"
    return ErrorMeaning(
        CauseId.CREDENTIAL_REJECTED,
        "Okta rejected the token; it gives the same answer for wrong, expired and revoked tokens",
        f"Open Security > API > Tokens in the Admin Console of {settings.org_url} and look for the token. If it is "
        "no longer listed, have a permanent user create a new one.",
        setting="api_token",
        evidence=possible_causes(
            f"the token belongs to another org, such as {other}",
            "it was revoked",
            "it was not used for 30 days and was therefore revoked",
            "the user who created it was deactivated",
            "it may be used only from certain network zones (Okta does not document its answer in that case)",
            "it contains a wrong character",
        ),
    )


def _no_permission(settings: OktaSettings) -> ErrorMeaning:
    if settings.api_token is not None:
        return ErrorMeaning(
            CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
            "the token is valid, but the user who created it has no role that allows this request",
            "Give that user a role that may manage users, or have a user with such a role create a token. A network "
            "zone of the token is a less likely reason.",
            setting="api_token",
        )
    return ErrorMeaning(
        CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
        "the access token is valid, but the app has no administrator role: scopes allow operations, and roles "
        "decide on which users",
        "Okta Admin Console > Applications > the app > Admin roles: assign a role that may manage users.",
        setting="client_id",
    )


def _no_scope(response: Response) -> ErrorMeaning:
    needed, meaning = _challenge(response).get("scope"), MEANINGS[NO_SCOPE]
    return replace(meaning, text=f"the access token lacks the scope {quoted(needed, 80)}") if needed else meaning


def _challenge(response: Response) -> dict[str, str]:
    """Read the parameters of ``WWW-Authenticate`` (RFC 6750 section 3)."""
    challenge = raw(response.headers.get("www-authenticate")) or ""
    return dict(re.findall(r'(?<![A-Za-z_])([A-Za-z_]+)="([^"]*)"', challenge))


def error_of(response: Response) -> ApiError | None:
    """Read code, message and reference of an error answer, in any of the dialects."""
    challenge = _challenge(response)
    request_id = response.headers.get("x-okta-request-id")
    if response.status in (401, 403) and "error" in challenge:
        return ApiError(challenge["error"], challenge.get("error_description", ""), request_id)
    body = object_of(response)
    # OAuth's own errors have no summary.
    is_oauth = isinstance(body.get("error"), str) and "errorSummary" not in body
    if isinstance(code := body.get("errorCode"), str) and not is_oauth:
        return ApiError(code, _summary(body), str(body.get("errorId") or request_id or "") or None)
    # A 200 may also have a field of this name.
    if isinstance(code := body.get("error"), str) and response.status >= 400:
        return ApiError(code, str(body.get("error_description", "")), request_id)
    return None


def _summary(body: Mapping[str, Any]) -> str:
    causes = body.get("errorCauses")
    summaries = (
        [cause.get("errorSummary") for cause in causes if isinstance(cause, dict)] if isinstance(causes, list) else []
    )
    return ": ".join(str(part) for part in (body.get("errorSummary"), *summaries) if part)
