"""Earlier runs, as the HTML report shows them: whoever keeps a history fills these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from mfagate.core import check_ids
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Phase
from mfagate.core.foreign import harmless
from mfagate.core.result import IntegrationReport, Report, Verdict
from mfagate.history.record import IntegrationState, samples_of


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One earlier run of one integration.

    ``when`` is in UTC. ``latency`` are seconds by phase, usually the median of the
    run's exchanges; a phase that was not measured is left out.
    """

    when: datetime
    verdict: Verdict
    cause: CauseId | None = None
    latency: Mapping[Phase, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Runout:
    """Something that runs out: what, and when (UTC)."""

    what: str
    when: datetime


@dataclass(frozen=True, slots=True)
class HistoryView:
    """Earlier runs by the name of the integration, the oldest first.

    ``expiries`` are dates that earlier runs have learnt and this one may not have looked up.
    """

    nights: Mapping[str, Sequence[HistoryEntry]] = field(default_factory=dict)
    expiries: Mapping[str, Sequence[Runout]] = field(default_factory=dict)

    @classmethod
    def kept(cls, states: Mapping[str, Sequence[tuple[datetime, IntegrationState]]]) -> Self:
        """Make it of the states that a history has kept, the oldest first."""
        return cls({name: [_night(when, state) for when, state in nights] for name, nights in states.items()})

    def with_run(self, report: Report) -> HistoryView:
        """Return the history with the run that a page shows as the last one, once; a drill is not counted."""
        nights = dict(self.nights)
        for one in report.integrations:
            if one.name in nights and not one.faults:
                before = [night for night in nights[one.name] if night.when != report.run.started]
                nights[one.name] = [*before, _of_run(report.run.started, one)]
        return replace(self, nights=nights)


def _of_run(when: datetime, integration: IntegrationReport) -> HistoryEntry:
    latency = {sample.phase: sample.median for sample in samples_of(integration.measured)}
    return HistoryEntry(when, integration.verdict, integration.cause, latency)


def _night(when: datetime, state: IntegrationState) -> HistoryEntry:
    known = {cause.value: cause for cause in CauseId}  # A newer version may have stored others.
    latency = {sample.phase: sample.median for sample in state.samples}
    return HistoryEntry(when, state.verdict, known.get(state.cause or ""), latency)


def runouts(integration: IntegrationReport) -> list[Runout]:
    """What a run has learnt about dates: one for each subject, the earliest."""
    earliest: dict[str, Runout] = {}
    for check in integration.checks:
        if check.expires is None:
            continue
        what = "certificate of the server" if check.id == check_ids.NETWORK_TLS else "credential"
        name = harmless(f"{what} ({check.subject})" if check.subject else what)
        if name not in earliest or check.expires < earliest[name].when:
            earliest[name] = Runout(name, check.expires)
    return list(earliest.values())
