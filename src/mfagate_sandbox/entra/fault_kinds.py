"""The faults of an application in Microsoft Entra ID.

https://learn.microsoft.com/entra/identity-platform/reference-error-codes and
https://learn.microsoft.com/graph/throttling.
"""

from __future__ import annotations

from mfagate.core.causes import CauseId
from mfagate.sandbox.faults.kind import answer, state

REVOKED = state(
    "credential-revoked",
    "the client secret and the certificate were removed from the application",
    CauseId.CREDENTIAL_REVOKED,
    CauseId.CREDENTIAL_REJECTED,
)
EXPIRED = state("credential-expired", "the client secret has expired", CauseId.CREDENTIAL_EXPIRED)
ROTATED = state("rotated", "the client secret was replaced by another one", CauseId.CREDENTIAL_REJECTED)
DEMOTED = state(
    "credential-demoted",
    "the application's permissions (app roles) were removed",
    CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
)
DISABLED = state("application-disabled", "'Enabled for users to sign-in?' was set to No", CauseId.CREDENTIAL_REVOKED)
DELETED = state(
    "resource-deleted",
    "the application was deleted",
    CauseId.CREDENTIAL_UNKNOWN_KEY,
    CauseId.ACCOUNT_RESOURCE_MISSING,
)
CLOUD = state(
    "wrong-cloud",
    "the tenant is in another national cloud",
    CauseId.CREDENTIAL_WRONG_REGION,
    CauseId.CREDENTIAL_UNKNOWN_KEY,
)
AUTH_DOWN = state(
    "auth-down",
    "every credential is refused, while the metadata is available",
    CauseId.CREDENTIAL_REJECTED,
    controlled=(CauseId.PROVIDER_AUTH_OUTAGE,),
)
BLOCKED = answer("network-restricted", "a Conditional Access policy blocks it", CauseId.CREDENTIAL_NETWORK_RESTRICTED)
LIMITED = answer("rate-limited", "Graph throttles the application", CauseId.PROVIDER_RATE_LIMITED, seconds="10")

FAULTS = (REVOKED, EXPIRED, ROTATED, DEMOTED, DISABLED, DELETED, CLOUD, AUTH_DOWN, BLOCKED, LIMITED)
