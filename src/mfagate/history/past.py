"""What the nights before tell a run about one integration, and what it has to tell the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mfagate.history.record import IntegrationState


@dataclass(slots=True)
class PriorRuns:
    """``unknown`` says why nothing is known, where a history could not be asked.

    ``nights`` are the earlier runs, oldest first. ``shapes`` are those of the answers as last seen, by interaction,
    as :mod:`mfagate.drift` writes them; the run puts there what it has seen.
    """

    unknown: str | None = "no history was asked"
    nights: Sequence[tuple[datetime, IntegrationState]] = ()
    shapes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LastPass:
    """The last run in which an integration passed.

    ``unknown`` says why it is not known; the other fields are empty then.

    Args:
        started: When the run began (UTC).
        commit: The commit of its configuration.
        key: The identifier of the key of its fingerprints; None if it kept none.
        fingerprints: The fingerprint of each value, by the name of its setting.
        undocumented: Whether the run failed, but only because documentation was missing.
    """

    unknown: str | None = None
    started: datetime | None = None
    commit: str | None = None
    key: str | None = None
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    undocumented: bool = False
