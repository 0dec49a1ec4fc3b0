"""``[[integrations.NAME.waivers]]``: findings that somebody has accepted for a while."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from mfagate.config.nearest import nearest_to
from mfagate.config.table import Day, Table
from mfagate.core import check_ids
from mfagate.core.causes import CauseId

_CONFIGURATION = (check_ids.CONFIGURATION,)
_INTERACTION = (check_ids.CONTRACT_INTERACTION,)
_RECORDING = (check_ids.CASSETTE,)
_DRIFT = (check_ids.DRIFT,)
_DOCUMENTATION = (check_ids.DOCUMENTATION,)

WAIVABLE: Mapping[CauseId, tuple[str, ...]] = {
    CauseId.CONFIG_WRONG_ENVIRONMENT: _CONFIGURATION,
    CauseId.CONFIG_SHARED_CREDENTIAL: _CONFIGURATION,
    CauseId.CONFIG_EXPIRING_SOON: _CONFIGURATION,
    CauseId.CONFIG_READ_DIFFERENTLY: _CONFIGURATION,
    CauseId.CONFIG_TIMEOUT_BUDGET: _CONFIGURATION,
    CauseId.CONFIG_FAILS_OPEN: _CONFIGURATION,
    CauseId.CONFIG_IDENTITY_UNPINNED: (check_ids.IDENTITY,),
    CauseId.NETWORK_TLS_EXPIRING_SOON: (check_ids.NETWORK_TLS,),
    CauseId.PROVIDER_PING_UNAVAILABLE: (check_ids.PROVIDER_PING,),
    CauseId.CREDENTIAL_EXPIRING_SOON: (check_ids.CREDENTIAL_EXPIRY,),
    CauseId.CONTRACT_STATUS_CHANGED: _INTERACTION,
    CauseId.CONTRACT_FIELD_MISSING: _INTERACTION,
    CauseId.CONTRACT_TYPE_CHANGED: _INTERACTION,
    CauseId.CONTRACT_VALUE_UNEXPECTED: _INTERACTION,
    CauseId.CONTRACT_HEADER_CHANGED: _INTERACTION,
    CauseId.CONTRACT_NOT_JSON: _INTERACTION,
    CauseId.CONTRACT_BODY_UNREADABLE: _INTERACTION,
    CauseId.CONTRACT_ENDPOINT_RETIRED: _INTERACTION,
    CauseId.CONTRACT_STATE_UNAVAILABLE: _INTERACTION,
    CauseId.CONTRACT_WEAK_RULE: (check_ids.CONTRACT_FILE,),
    CauseId.CASSETTE_MISSING: _RECORDING,
    CauseId.CASSETTE_STALE: (check_ids.CASSETTE_AGE,),
    CauseId.CASSETTE_CONTRACT_MISMATCH: _RECORDING,
    CauseId.DRIFT_FIELD_REMOVED: _DRIFT,
    CauseId.DRIFT_TYPE_CHANGED: _DRIFT,
    CauseId.DRIFT_VALUE_NEW: _DRIFT,
    CauseId.LATENCY_SHIFTED: (check_ids.LATENCY,),
    CauseId.ERRORS_RAISED: (check_ids.ERRORS,),
    CauseId.DOCUMENTATION_INCOMPLETE: _DOCUMENTATION,
    CauseId.DOCUMENTATION_REVIEW_OVERDUE: _DOCUMENTATION,
}
"""What may be accepted, and on which checks.

One list is both, so that no waiver reaches what other checks stand on: an answer of
another status is acceptable of one interaction, and never of the credential's own probe.
A cause that is missing here needs a repair, or ``--override``.
"""


def _waivable(value: Any) -> Any:
    """Name the nearest cause, and not all of them as pydantic would."""
    if not isinstance(value, str):
        raise PydanticCustomError("string_type", "should be a string")
    if value not in [cause.value for cause in CauseId]:
        near = nearest_to(value, [cause.value for cause in WAIVABLE])
        raise PydanticCustomError("cause_unknown", "no cause has this id{near}", {"near": near})
    if value not in WAIVABLE:
        message = "{cause} cannot be waived: repair it, or let one deployment through with --override"
        raise PydanticCustomError("cause_unwaivable", message, {"cause": str(value)})
    return value


def _found_there(value: str | None, info: ValidationInfo) -> str | None:
    """Refuse a cause that the check never finds: such a waiver would never apply."""
    checks = WAIVABLE[info.data["cause"]] if "cause" in info.data else ()
    if value is not None and checks and value not in checks:
        message = "no such check finds this cause; it is found by {checks}"
        raise PydanticCustomError("check_unknown", message, {"checks": " and ".join(checks)})
    return value


def _said(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("blank", "must say something")
    return value


Text = Annotated[str, AfterValidator(_said)]


class Waiver(Table):
    """One accepted finding: which one, why, by whom, and until when."""

    cause: Annotated[
        CauseId,
        BeforeValidator(_waivable),
        WithJsonSchema({"type": "string", "enum": [cause.value for cause in WAIVABLE]}),
    ] = Field(description="The cause that is accepted.")
    check: Annotated[str, AfterValidator(_found_there)] | None = Field(
        None, description="Only where this check finds it."
    )
    subject: Text | None = Field(
        None, description="Only of this subject: a setting, an interaction. A * stands for any text."
    )
    reason: Text = Field(description="Why it is accepted.")
    owner: Text = Field(description="Who accepted it.")
    until: Day = Field(description="The last day on which it holds (UTC).")

    @property
    def checks(self) -> tuple[str, ...]:
        """Ids of the checks that it may cover."""
        return (self.check,) if self.check else WAIVABLE[self.cause]

    def concerns(self, subject: str | None) -> bool:
        """Whether a check of this subject is meant."""
        return self.subject is None or (subject is not None and _like(self.subject, subject))

    def days_left(self, today: date) -> int:
        """Days after today on which it still holds; negative once it has ended."""
        return (self.until - today).days


def _like(pattern: str, text: str) -> bool:
    """Whether the text fits. Only ``*`` is special: subjects hold brackets and question marks."""
    return fnmatchcase(text, re.sub(r"[\[?]", r"[\g<0>]", pattern))
