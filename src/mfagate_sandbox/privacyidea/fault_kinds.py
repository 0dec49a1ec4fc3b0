"""The faults of a privacyIDEA server, injected into the real server.

An API key (``createtoken``) is a signed token, and the server keeps no list of them. As far as is known, a key ends on
its expiry date, or together with all others when SECRET_KEY changes. So no fault revokes a single key.
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
    "a policy gives administrators only the right to list tokens",
    CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
    needs=("url", "validate_key", "admin_key"),
)

HIDDEN_REASONS = state(
    "hidden-reasons",
    "the policy hide_specific_error_message gives every refusal on /validate/check and /auth the same message",
    CauseId.CREDENTIAL_NOT_PROVABLE,
    needs=("url", "validate_key"),
)

HIDDEN_STATUS = state(
    "hidden-status",
    "the policy hide_auth_error_status answers every refusal on /validate and /auth with 401",
    CauseId.CONTRACT_STATUS_CHANGED,
    needs=("url", "validate_key"),
)

KEYLESS = state(
    "keyless",
    "the policy api_key_required is off: /validate/check accepts requests with any key or without one",
    CauseId.CREDENTIAL_NOT_ENFORCED,
    needs=("url", "validate_key"),
)

FAULTS = (ROTATED, DEMOTED, HIDDEN_REASONS, HIDDEN_STATUS, KEYLESS)
