"""What can go wrong in a privacyIDEA server, done to the real one.

An API key (``createtoken``) cannot be revoked alone: the server keeps no list of them
(https://privacyidea.readthedocs.io/en/latest/configuration/api_clients.html). It ends on its date, or with all
others when SECRET_KEY is changed.
"""

from __future__ import annotations

from mfagate.causes import CauseId
from mfagate.sandbox.faults.catalogue import state

ROTATED = state(
    "rotated",
    "SECRET_KEY was changed, which ends every API key at once",
    CauseId.CREDENTIAL_REJECTED,
    controlled=(CauseId.PROVIDER_AUTH_OUTAGE,),
)

FAULTS = (ROTATED,)
