"""What can go wrong in a privacyIDEA server, done to the real one.

An API key (``createtoken``) is a signed token, and the server keeps no list of them: as far as is known it ends on
its date, or with all others when SECRET_KEY is changed. So there is no fault for a single key that was revoked.
"""

from __future__ import annotations

from mfagate.core.causes import CauseId
from mfagate.sandbox.faults.kind import state

ROTATED = state(
    "rotated",
    "SECRET_KEY was changed, which ends every API key at once",
    CauseId.CREDENTIAL_REJECTED,
    controlled=(CauseId.PROVIDER_AUTH_OUTAGE,),
)

DEMOTED = state(
    "credential-demoted",
    "a policy leaves administrators the right to list tokens, and no other",
    CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
    needs=("url", "validate_key", "admin_key"),
)

HIDDEN_REASONS = state(
    "hidden-reasons",
    "the policy hide_specific_error_message gives every refusal on /validate/check and /auth the same words",
    CauseId.CREDENTIAL_NOT_PROVABLE,
    needs=("url", "validate_key"),
)

HIDDEN_STATUS = state(
    "hidden-status",
    "the policy hide_auth_error_status answers 401 to whatever it refuses on /validate and /auth",
    CauseId.CONTRACT_STATUS_CHANGED,
    needs=("url", "validate_key"),
)

KEYLESS = state(
    "keyless",
    "the policy api_key_required is off: /validate/check takes any key, and none",
    CauseId.CREDENTIAL_NOT_ENFORCED,
    needs=("url", "validate_key"),
)

FAULTS = (ROTATED, DEMOTED, HIDDEN_REASONS, HIDDEN_STATUS, KEYLESS)
