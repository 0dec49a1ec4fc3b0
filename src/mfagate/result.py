"""What one check found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mfagate.causes import CauseId, Outcome, load


@dataclass(frozen=True, slots=True)
class Location:
    """A line to look at or to change. Lines count from 1."""

    file: Path
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else str(self.file)


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause, established: the message says what is so, the evidence why we say it."""

    cause: CauseId
    message: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    location: Location | None = None
    next_step: str | None = None
    outcome: Outcome | None = None

    @property
    def effective_outcome(self) -> Outcome:
        """The outcome given, else the catalogue's."""
        return self.outcome or load(self.cause).outcome
