"""Faults of a Vonage account, which the emulator injects in a drill."""

from __future__ import annotations

from mfagate.core.causes import CauseId
from mfagate.sandbox.faults import answer, state

REVOKED = state("credential-revoked", "the API secret was revoked", CauseId.CREDENTIAL_REJECTED)
DEMOTED = state("credential-demoted", "the account may not use Verify", CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION)
LIMITED = answer("rate-limited", "too many requests a second", CauseId.PROVIDER_RATE_LIMITED)

FAULTS = (REVOKED, DEMOTED, LIMITED)
