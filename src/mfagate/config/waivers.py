"""``[[integrations.NAME.waivers]]``: findings that are accepted until a date."""

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
"""The causes that a waiver may accept, and in which checks.

One list holds both, so that no waiver covers what other checks depend on: another
status is acceptable for one interaction, but never for the credential's probe.
Any other cause needs a repair, or ``--override``.
"""


def _waivable(value: Any) -> Any:
    """Name the nearest cause instead of all causes, as pydantic would."""
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


def _not_blank(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("blank", "must not be empty")
    return value


Text = Annotated[str, AfterValidator(_not_blank)]


class Waiver(Table):
    """One accepted finding: which one, why, by whom, and until when."""

    cause: Annotated[
        CauseId,
        BeforeValidator(_waivable),
        WithJsonSchema({"type": "string", "enum": [cause.value for cause in WAIVABLE]}),
    ] = Field(description="The cause to accept.")
    check: Annotated[str, AfterValidator(_found_there)] | None = Field(
        None, description="Accept it only in this check."
    )
    subject: Text | None = Field(
        None, description="Accept it only for this subject, such as a setting or an interaction. A * matches any text."
    )
    reason: Text = Field(description="Why it is accepted.")
    owner: Text = Field(description="Who accepted it.")
    until: Day = Field(description="The last day of the waiver (UTC).")

    @property
    def checks(self) -> tuple[str, ...]:
        """The ids of the checks that it may cover."""
        return (self.check,) if self.check else WAIVABLE[self.cause]

    def concerns(self, subject: str | None) -> bool:
        """Return whether the waiver covers this subject."""
        return self.subject is None or (subject is not None and _like(self.subject, subject))

    def days_left(self, today: date) -> int:
        """Return the days until its last day; negative after that day."""
        return (self.until - today).days


def _like(pattern: str, text: str) -> bool:
    """Return whether the text matches. Only ``*`` is special, because subjects contain brackets and question marks."""
    return fnmatchcase(text, re.sub(r"[\[?]", r"[\g<0>]", pattern))
