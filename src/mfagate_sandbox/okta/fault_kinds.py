"""The faults of an Okta org: https://developer.okta.com/docs/reference/error-codes/.

A fault affects the API token and the service app, whichever of the two the configuration uses.
"""

from __future__ import annotations

from mfagate.core.causes import CauseId
from mfagate.sandbox.faults.kind import answer, state

_SERVICE_APP = ("org_url", "client_id", "private_key", "key_id")

REVOKED = state(
    "credential-revoked",
    "the API token was revoked, and the service app deactivated",
    CauseId.CREDENTIAL_REVOKED,
    CauseId.CREDENTIAL_REJECTED,
    CauseId.CREDENTIAL_UNKNOWN_KEY,
)
EXPIRED = state(
    "credential-expired",
    "the API token was not used for thirty days, which ends it",
    CauseId.CREDENTIAL_EXPIRED,
    CauseId.CREDENTIAL_REJECTED,
    needs=("org_url", "api_token"),
)
ROTATED = state(
    "rotated",
    "the API token and the service app's key were replaced",
    CauseId.CREDENTIAL_REJECTED,
)
DEMOTED = state(
    "credential-demoted",
    "the administrator role was removed",
    CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
)
APP_GONE = state("resource-deleted", "the service app was deleted", CauseId.CREDENTIAL_UNKNOWN_KEY, needs=_SERVICE_APP)
ZONE = state(
    "network-restricted",
    "the service app is used from outside its network zones",
    CauseId.CREDENTIAL_NETWORK_RESTRICTED,
    needs=_SERVICE_APP,
)
AUTH_DOWN = state(
    "auth-down",
    "every API token and every app is refused, while the ping answers",
    CauseId.CREDENTIAL_REJECTED,
    CauseId.CREDENTIAL_UNKNOWN_KEY,
    controlled=(CauseId.PROVIDER_AUTH_OUTAGE,),
)
FEATURE_OFF = answer("feature-off", "the org does not have the factors feature", CauseId.ACCOUNT_FEATURE_DISABLED)
READ_ONLY = answer("maintenance", "read-only mode: all changes are refused", CauseId.PROVIDER_MAINTENANCE)
LIMITED = answer("rate-limited", "the limit for this minute is reached", CauseId.PROVIDER_RATE_LIMITED, seconds="30")
EMAIL_ENROLLED = state(
    "email-enrolled", "not a fault: the policy requires e-mail, so the address of each new user is enrolled"
)
"""https://help.okta.com/oie/en-us/content/topics/identity-engine/authenticators/make-email-optional.htm"""

FAULTS = (
    REVOKED, EXPIRED, ROTATED, DEMOTED, APP_GONE, ZONE, AUTH_DOWN, FEATURE_OFF, READ_ONLY, LIMITED, EMAIL_ENROLLED,
)  # fmt: skip
