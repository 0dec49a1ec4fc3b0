"""Earlier runs, as the HTML report shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Phase
from mfagate.core.result import Report, Verdict
from mfagate.history.record import IntegrationState


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One earlier run of one integration.

    Args:
        when: When the run began (UTC).
        verdict: The verdict on the integration.
        cause: The cause, unless this version of mfagate does not know it.
        latency: The median duration in seconds of each phase that was measured.
    """

    when: datetime
    verdict: Verdict
    cause: CauseId | None = None
    latency: Mapping[Phase, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HistoryView:
    """Earlier runs by the name of the integration, oldest first."""

    runs: Mapping[str, Sequence[HistoryEntry]] = field(default_factory=dict)

    @classmethod
    def kept(cls, states: Mapping[str, Sequence[tuple[datetime, IntegrationState]]]) -> Self:
        """Create it from the states in a history, oldest first."""
        return cls({name: [_entry(when, state) for when, state in runs] for name, runs in states.items()})

    def with_run(self, report: Report) -> HistoryView:
        """Add the run of the page as the last one, but only once; integrations with injected faults are left out."""
        runs = dict(self.runs)
        for integration in report.integrations:
            if integration.name in runs and not integration.faults:
                earlier = [entry for entry in runs[integration.name] if entry.when != report.run.started]
                entry = _entry(report.run.started, IntegrationState.of(integration))
                runs[integration.name] = [*earlier, entry]
        return HistoryView(runs)


def _entry(when: datetime, state: IntegrationState) -> HistoryEntry:
    known = {cause.value: cause for cause in CauseId}  # A newer version may have stored others.
    latency = {sample.phase: sample.median for sample in state.samples}
    return HistoryEntry(when, state.verdict, known.get(state.cause or ""), latency)
