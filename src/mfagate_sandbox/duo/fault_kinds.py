"""The faults of a Duo account, as its Auth API reports them: https://duo.com/docs/authapi."""

from __future__ import annotations

from mfagate.core.causes import CauseId
from mfagate.sandbox.faults.kind import answer, state

REVOKED = state("credential-revoked", "the application was deleted", CauseId.CREDENTIAL_UNKNOWN_KEY)
ROTATED = state("rotated", "the secret key was reset, which ends the old key immediately", CauseId.CREDENTIAL_REJECTED)
AUTH_DOWN = state(
    "auth-down",
    "every signature is refused, while the ping answers",
    CauseId.CREDENTIAL_REJECTED,
    controlled=(CauseId.PROVIDER_AUTH_OUTAGE,),
)
CLOCK = state("signature-clock", "the time of every request is refused", CauseId.CLOCK_SKEW)
LIMITED = answer("rate-limited", "requests with a credential are answered with 429", CauseId.PROVIDER_RATE_LIMITED)
HARDWARE_TOKENS = state("hardware-tokens", "not a fault: users also have a hardware token, which has no capabilities")

FAULTS = (REVOKED, ROTATED, AUTH_DOWN, CLOCK, LIMITED, HARDWARE_TOKENS)
