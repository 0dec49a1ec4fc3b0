"""Compute everything that the HTML page shows; the templates only lay it out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from mfagate.core import check_ids
from mfagate.core.foreign import harmless
from mfagate.core.result import Check, IntegrationReport, Report, TargetKind, Verdict
from mfagate.report import words
from mfagate.report.html.charts import Chart
from mfagate.report.html.history import HistoryView
from mfagate.report.openmetrics import expiries

SIGNS = {
    "pass": "✓",
    "fail": "✕",
    "inconclusive": "?",
    "warn": "!",
    "info": "i",
    "waived": "~",
    "skipped": "–",
}
_WORST_FIRST = ("fail", "inconclusive", "warn", "waived", "info", "pass", "skipped")

TARGETS: dict[TargetKind, str] = {
    "provider": "The provider",
    "sandbox": "Its software, run locally",
    "emulator": "An emulator",
}

OFFLINE = "Recordings, offline"
"""What an offline run shows instead of a target."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the ladder: its worst outcome, and a summary."""

    id: str
    state: str
    summary: str

    @classmethod
    def of(cls, check_id: str, checks: Sequence[Check]) -> Step:
        """Sum up the checks of one step."""
        kinds = [words.kind(check) for check in checks]
        worst = min(kinds, key=_WORST_FIRST.index)
        message = checks[kinds.index(worst)].message
        if len(checks) == 1:
            return cls(check_id, worst, message)
        counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in _WORST_FIRST if kind in kinds)
        return cls(check_id, worst, counts if worst == "pass" else f"{counts}: {message}")


@dataclass(frozen=True, slots=True)
class ProblemCard:
    """One finding with everything that is needed to act on it. ``context`` comes from the integration, by label."""

    check: Check
    state: str
    facts: Sequence[tuple[str, str]]
    context: Mapping[str, str]

    @classmethod
    def of(cls, check: Check, integration: IntegrationReport) -> ProblemCard:
        """Collect what the page shows about a check."""
        # The page links to the runbook if it is a web address, and shows other runbooks as text.
        shown = integration.model_copy(update={"runbook": None}) if _link(integration) else integration
        facts = [fact for fact in words.paragraphs(check) if fact[0] != "next step"]
        return cls(check, words.kind(check), facts, dict(words.context(check, shown)))


@dataclass(frozen=True, slots=True)
class IntegrationCard:
    """One integration on the page."""

    report: IntegrationReport
    anchor: str
    state: str
    target: str
    tally: str
    steps: Sequence[Step]
    problems: Sequence[ProblemCard]
    checks: Sequence[tuple[Check, str]]
    chart: Chart | None
    link: str | None
    """The runbook, if it is a web address."""

    is_open: bool
    """Whether the details are unfolded."""

    @property
    def is_red(self) -> bool:
        """Whether it changes the verdict."""
        return self.report.verdict is not Verdict.PASS

    @classmethod
    def of(cls, number: int, integration: IntegrationReport, history: HistoryView, *, offline: bool) -> IntegrationCard:
        """Collect what the page shows about one integration; ``number`` is its position on the page, from 1."""
        runs = history.runs.get(integration.name, ())
        return cls(
            report=integration,
            anchor=f"{re.sub('[^0-9A-Za-z_-]', '-', integration.name)}-{number}",
            state=integration.verdict.value,
            target=OFFLINE if offline else TARGETS[integration.target],
            tally=words.count_outcomes(integration.checks),
            steps=list(_steps(integration)),
            problems=[ProblemCard.of(check, integration) for check in [*integration.problems, *integration.waived]],
            checks=[(check, words.kind(check)) for check in integration.checks],
            chart=Chart.of(runs) if runs else None,
            link=_link(integration),
            is_open=integration.verdict is not Verdict.PASS and number <= _OPEN,
        )


_OPEN = 3
"""How many integrations with problems are unfolded; with more, their headlines say more than details of a few."""


def _link(integration: IntegrationReport) -> str | None:
    return integration.runbook if re.match("https?://", integration.runbook or "") else None


def _steps(integration: IntegrationReport) -> Iterator[Step]:
    order = list(dict.fromkeys(check.id for check in integration.checks))
    by_id = sorted(integration.checks, key=lambda check: order.index(check.id))
    for check_id, checks in groupby(by_id, key=lambda check: check.id):
        yield Step.of(check_id, list(checks))


@dataclass(frozen=True, slots=True)
class Verified:
    """What the run of one integration found about a contract."""

    name: str
    anchor: str
    state: str
    summary: str


@dataclass(frozen=True, slots=True)
class ContractRow:
    """One row of the matrix: the integrations that verified a contract, by target."""

    name: str
    cells: Sequence[tuple[str, Sequence[Verified]]]


@dataclass(frozen=True, slots=True)
class Expiring:
    """One line of the expiry calendar."""

    integration: str
    anchor: str
    what: str
    day: str
    left: str
    state: str


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page."""

    report: Report
    verdict: str
    state: str
    notes: Sequence[str]
    emulators: str
    counts: str
    finished: str
    entries: Sequence[IntegrationCard]
    targets: Sequence[str]
    contracts: Sequence[ContractRow]
    calendar: Sequence[Expiring]

    @classmethod
    def of(cls, report: Report, history: HistoryView) -> Page:
        """Collect what the page shows about a report; integrations with problems come first.

        The charts show the earlier runs of the history, and this run.
        """
        earlier, history = history, history.with_run(report)
        sorted_ = sorted(report.integrations, key=_urgency)
        offline = report.run.stage == "check"
        targets = [OFFLINE] if offline else list(TARGETS.values())
        entries = [
            IntegrationCard.of(number, integration, history, offline=offline)
            for number, integration in enumerate(sorted_, 1)
        ]
        nothing = [words.NOTHING_CHECKED] if report.cause is not None else []
        return cls(
            report=report,
            verdict=words.verdict(report),
            state=report.verdict.value,
            notes=[*nothing, *(note.text for note in words.notes(report))],
            emulators=words.emulators(report),
            counts=words.footer(report),
            finished=f"{report.run.finished:%Y-%m-%d %H:%M} UTC",
            entries=entries,
            targets=targets,
            contracts=list(_contracts(entries, targets, earlier)),
            calendar=_calendar(entries, report),
        )

    @property
    def waived(self) -> list[tuple[IntegrationCard, Check]]:
        """The findings that a waiver accepts."""
        return [(entry, check) for entry in self.entries for check in entry.report.waived]


def _urgency(integration: IntegrationReport) -> tuple[bool, tuple[float, ...]]:
    """Return the sort key of an integration: its most urgent problem; integrations without problems come last."""
    problems = integration.problems
    return (not problems, integration.urgency(problems[0]) if problems else ())


def _contracts(
    entries: Iterable[IntegrationCard], targets: Iterable[str], history: HistoryView
) -> Iterator[ContractRow]:
    by_provider = sorted(entries, key=lambda entry: entry.report.provider)
    for provider, same in groupby(by_provider, key=lambda entry: entry.report.provider):
        cells: dict[str, list[Verified]] = {name: [] for name in targets}
        for entry in same:
            cells[entry.target].append(_verified(entry, history))
        yield ContractRow(provider, list(cells.items()))


_ABOUT_CONTRACTS = (check_ids.CONTRACT_INTERACTION, check_ids.CASSETTE, check_ids.RECORDING)
"""Checks of interactions: in a live run each interaction is a check, and so is its recording."""


def _verified(entry: IntegrationCard, history: HistoryView) -> Verified:
    """Describe how many interactions passed, or why none was tested, and when the integration last passed."""
    about = [check for check in entry.report.checks if check.id in _ABOUT_CONTRACTS]
    named = [check for check in about if check.subject]
    if not about:
        # An offline run does not check recordings if the contract cannot be read.
        state, text = "skipped", "not reached"
    elif not named:
        state, text = words.kind(about[0]), about[0].message
    else:
        kinds = [words.kind(check) for check in named]
        state, text = min(kinds, key=_WORST_FIRST.index), words.count_outcomes(named)
    passed = [run.when for run in history.runs.get(entry.report.name, ()) if run.verdict is Verdict.PASS]
    if state != "pass" and passed:
        text += f"; last pass {passed[-1]:%Y-%m-%d}"
    return Verified(entry.report.name, entry.anchor, state, text)


_SOON_DAYS = 30


def _calendar(entries: Iterable[IntegrationCard], report: Report) -> list[Expiring]:
    dated: list[tuple[datetime, Expiring]] = []
    for entry in entries:
        dates: dict[str, datetime] = {}
        for (check_id, subject), when in expiries(entry.report).items():
            kind = "certificate of the server" if check_id == check_ids.NETWORK_TLS else "credential"
            what = harmless(f"{kind} ({subject})" if subject else kind)
            dates[what] = min(when, dates.get(what, when))
        for what, when in dates.items():
            days = (when - report.run.finished).days
            state = "fail" if days < 0 else "warn" if days <= _SOON_DAYS else "pass"
            left = f"expired {-days} days ago" if days < 0 else f"in {days} days"
            dated.append((when, Expiring(entry.report.name, entry.anchor, what, f"{when:%Y-%m-%d}", left, state)))
    return [line for _, line in sorted(dated, key=lambda pair: pair[0])]
