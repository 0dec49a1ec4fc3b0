"""The faults of a Twilio account, as Verify reports them: https://www.twilio.com/docs/api/errors."""

from __future__ import annotations

from mfagate.core.causes import CauseId
from mfagate.sandbox.faults.kind import answer, state

_API_KEY = ("account_sid", "service_sid", "api_key_sid", "api_key_secret")

REVOKED = state(
    "credential-revoked",
    "the API key was deleted",
    CauseId.CREDENTIAL_REVOKED,
    CauseId.CREDENTIAL_UNKNOWN_KEY,
    CauseId.CREDENTIAL_REJECTED,
    needs=_API_KEY,
)
ROTATED = state(
    "rotated",
    "the auth token and the API key were replaced",
    CauseId.CREDENTIAL_REJECTED,
    CauseId.CREDENTIAL_UNKNOWN_KEY,
)
DEMOTED = state(
    "credential-demoted",
    "the API key was restricted, without any permission",
    CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
    needs=_API_KEY,
)
SUSPENDED = state("account-suspended", "the account is suspended", CauseId.ACCOUNT_SUSPENDED)
SERVICE_GONE = state("resource-deleted", "the Verify service was deleted", CauseId.ACCOUNT_RESOURCE_MISSING)
REGION = state(
    "wrong-region",
    "the API key belongs to another region (ie1)",
    CauseId.CREDENTIAL_WRONG_REGION,
    CauseId.CREDENTIAL_REJECTED,
    needs=_API_KEY,
)
AUTH_DOWN = state(
    "auth-down",
    "every credential is refused",
    CauseId.CREDENTIAL_REJECTED,
    controlled=(CauseId.PROVIDER_AUTH_OUTAGE,),
)
LIMITED = answer(
    "rate-limited",
    "requests with a credential are refused because too many are in progress",
    CauseId.PROVIDER_RATE_LIMITED,
    seconds="7",
)

FAULTS = (REVOKED, ROTATED, DEMOTED, SUSPENDED, SERVICE_GONE, REGION, AUTH_DOWN, LIMITED)
