"""The result of a check: a cause, a message, the evidence, and the line to change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.causes import load as load_cause

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Location:
    """A line of a file, counted from 1."""

    file: Path
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else str(self.file)


@dataclass(frozen=True, slots=True)
class Finding:
    """An established cause, with a message that states it and the evidence that proves it.

    Args:
        cause: The id of the cause's page.
        message: One sentence, without the final full stop.
        evidence: What was observed, by name. Values are quoted before they are shown.
        location: Where the cause can be removed.
        next_step: Replaces the next step of the catalogue.
        outcome: Replaces the outcome of the catalogue.
        setting: The setting to change, if the cause is one of the integration's settings.
        expires: When the thing that was checked expires or has expired (UTC).
    """

    cause: CauseId
    message: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    location: Location | None = None
    next_step: str | None = None
    outcome: Outcome | None = None
    setting: str | None = None
    expires: datetime | None = None

    @property
    def effective_outcome(self) -> Outcome:
        """The outcome of this finding, or else that of the catalogue."""
        return self.outcome or load_cause(self.cause).outcome


def some(names: Sequence[str], number: int | None = None) -> str:
    """Return the first five names for a sentence, and how many more there are.

    ``number`` is the number of all names, if ``names`` does not hold all.
    """
    more = (len(names) if number is None else number) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
