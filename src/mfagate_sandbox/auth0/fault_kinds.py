"""The faults of an Auth0 tenant: https://auth0.com/docs/api/authentication and ../management/v2."""

from __future__ import annotations

from mfagate.core.causes import CauseId
from mfagate.sandbox.faults.kind import answer, state

REVOKED = state(
    "credential-revoked",
    "the application was deleted",
    CauseId.CREDENTIAL_UNKNOWN_KEY,
    CauseId.CREDENTIAL_REJECTED,
)
ROTATED = state("rotated", "the client secret was rotated, which ends the old secret", CauseId.CREDENTIAL_REJECTED)
DEMOTED = state(
    "credential-demoted",
    "the scopes of the Management API were removed",
    CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
)
GRANT_GONE = state(
    "resource-deleted",
    "the application's authorization for the Management API (client grant) was deleted",
    CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
    CauseId.ACCOUNT_RESOURCE_MISSING,
)
GRANTS_OFF = state(
    "feature-off", "every grant type of the application is switched off", CauseId.ACCOUNT_FEATURE_DISABLED
)
AUTH_DOWN = state(
    "auth-down",
    "every client secret is refused, while the ping answers",
    CauseId.CREDENTIAL_REJECTED,
    controlled=(CauseId.PROVIDER_AUTH_OUTAGE,),
)
LIMITED = answer(
    "rate-limited", "the tenant's limit of requests is reached", CauseId.PROVIDER_RATE_LIMITED, seconds="30"
)

FAULTS = (REVOKED, ROTATED, DEMOTED, GRANT_GONE, GRANTS_OFF, AUTH_DOWN, LIMITED)
