"""What earlier runs found about an integration, for comparison with the current run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mfagate.history.record import IntegrationState

Shapes = Mapping[str, Any]
"""The shapes of the responses of an integration, by interaction, as :mod:`mfagate.drift` writes them."""


@dataclass(frozen=True, slots=True)
class PriorRuns:
    """The earlier runs of one integration.

    Args:
        unknown: Why nothing is known; None if a history was read.
        runs: The start and the result of each earlier run of the same stage, oldest first.
        shapes: The shapes of its responses as last seen.
    """

    unknown: str | None = "no history was read"
    runs: Sequence[tuple[datetime, IntegrationState]] = ()
    shapes: Shapes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LastPass:
    """The last run in which an integration passed.

    Args:
        unknown: Why it is not known; the other fields are empty then.
        started: When the run began (UTC).
        commit: The commit of its configuration.
        key: The identifier of its fingerprint key; None if it stored no fingerprints.
        fingerprints: The fingerprint of each value, by the name of its setting.
        undocumented: Whether the run failed, but only because documentation was missing.
    """

    unknown: str | None = None
    started: datetime | None = None
    commit: str | None = None
    key: str | None = None
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    undocumented: bool = False
