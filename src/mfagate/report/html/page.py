"""What the HTML page shows, worked out: the templates only lay it out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from mfagate.core import check_ids
from mfagate.core.result import Check, IntegrationReport, Report, TargetKind, Verdict
from mfagate.report import words
from mfagate.report.html.charts import Chart
from mfagate.report.html.history import HistoryView, runouts

_SIGNS = {
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
"""What stands in the place of a target where nobody was asked."""


@dataclass(frozen=True, slots=True)
class OutcomeBadge:
    """An outcome as it is shown: a word, a sign, and never a colour alone."""

    word: str

    @property
    def sign(self) -> str:
        """One character."""
        return _SIGNS[self.word]


@dataclass(frozen=True, slots=True)
class Step:
    """One rung of the ladder: its worst outcome and what is to be said of it."""

    id: str
    state: OutcomeBadge
    told: str

    @classmethod
    def of(cls, rung: str, checks: Sequence[Check]) -> Step:
        """Sum up the checks of one rung."""
        kinds = [words.kind(check) for check in checks]
        worst = min(kinds, key=_WORST_FIRST.index)
        shown = next(check for check in checks if words.kind(check) == worst)
        if len(checks) == 1:
            return cls(rung, OutcomeBadge(worst), shown.message)
        counted = ", ".join(f"{kinds.count(kind)} {kind}" for kind in _WORST_FIRST if kind in kinds)
        return cls(rung, OutcomeBadge(worst), counted if worst == "pass" else f"{counted}: {shown.message}")


@dataclass(frozen=True, slots=True)
class ProblemCard:
    """One finding with everything that is needed to act on it."""

    check: Check
    state: OutcomeBadge
    facts: Sequence[tuple[str, str]]
    contact: str
    exonerated: str
    at_stake: str

    @classmethod
    def of(cls, check: Check, integration: IntegrationReport, *, decides: bool) -> ProblemCard:
        """Gather it; what is exonerated is so by the check that decides."""
        red = check.outcome.is_red
        # The page has a link to it; what is no address of the web stays text.
        without_runbook = integration.model_copy(update={"runbook": None}) if _link(integration) else integration
        facts = [fact for fact in words.paragraphs(check) if fact[0] != "next step"]
        return cls(
            check,
            OutcomeBadge(words.kind(check)),
            facts,
            words.contact(check, without_runbook) if red else "",
            words.exonerated(integration) if decides else "",
            words.blast_radius(integration) if red else "",
        )


@dataclass(frozen=True, slots=True)
class IntegrationCard:
    """One integration on the page."""

    report: IntegrationReport
    anchor: str
    state: OutcomeBadge
    target: str
    tally: str
    steps: Sequence[Step]
    problems: Sequence[ProblemCard]
    checks: Sequence[tuple[Check, OutcomeBadge]]
    chart: Chart | None
    link: str | None
    """The runbook, where it is an address that a browser may open."""

    is_open: bool
    """Whether a reader sees it without asking."""

    @property
    def is_red(self) -> bool:
        """Whether it changes the verdict."""
        return self.report.verdict is not Verdict.PASS

    @classmethod
    def of(cls, number: int, integration: IntegrationReport, history: HistoryView, *, offline: bool) -> IntegrationCard:
        """Work out one integration; ``number`` is its place on the page, from 1."""
        deciding = integration.deciding
        nights = history.nights.get(integration.name, ())
        return cls(
            report=integration,
            anchor=f"{re.sub('[^0-9A-Za-z_-]', '-', integration.name)}-{number}",
            state=OutcomeBadge(integration.verdict.value),
            target=OFFLINE if offline else TARGETS[integration.target],
            tally=words.tally(integration),
            steps=list(_steps(integration)),
            problems=[
                ProblemCard.of(check, integration, decides=check is deciding)
                for check in [*integration.problems, *integration.waived]
            ],
            checks=[(check, OutcomeBadge(words.kind(check))) for check in integration.checks],
            chart=Chart.of(nights) if nights else None,
            link=_link(integration),
            is_open=integration.verdict is not Verdict.PASS and number <= _OPEN,
        )


_OPEN = 3
"""With more in trouble at once, their headlines say more than one of them in full."""


def _link(integration: IntegrationReport) -> str | None:
    return integration.runbook if re.match("https?://", integration.runbook or "") else None


def _steps(integration: IntegrationReport) -> Iterator[Step]:
    order = list(dict.fromkeys(check.id for check in integration.checks))
    by_rung = sorted(integration.checks, key=lambda check: order.index(check.id))
    for rung, checks in groupby(by_rung, key=lambda check: check.id):
        yield Step.of(rung, list(checks))


@dataclass(frozen=True, slots=True)
class Verified:
    """What one integration tells of a contract."""

    name: str
    anchor: str
    state: OutcomeBadge
    told: str


@dataclass(frozen=True, slots=True)
class ContractRow:
    """One row of the matrix: by target, in which integrations it was looked at."""

    name: str
    cells: Sequence[tuple[str, Sequence[Verified]]]


@dataclass(frozen=True, slots=True)
class Expiring:
    """One line of the calendar."""

    integration: str
    anchor: str
    what: str
    day: str
    left: str
    state: OutcomeBadge


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page."""

    report: Report
    verdict: str
    state: OutcomeBadge
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
        """Work out a report; integrations that need a reader come first.

        The history is that of earlier runs; the charts show this one as well.
        """
        earlier, history = history, history.with_run(report)
        sorted_ = sorted(report.integrations, key=_urgency)
        offline = report.run.stage == "check"
        targets = [OFFLINE] if offline else list(TARGETS.values())
        entries = [IntegrationCard.of(number, one, history, offline=offline) for number, one in enumerate(sorted_, 1)]
        nothing = [words.NOTHING_CHECKED] if report.cause is not None else []
        return cls(
            report=report,
            verdict=words.verdict(report),
            state=OutcomeBadge(report.verdict.value),
            notes=[*nothing, *(note.text for note in words.notes(report))],
            emulators=words.emulators(report),
            counts=words.counts(report),
            finished=words.moment(report.run.finished),
            entries=entries,
            targets=targets,
            contracts=list(_contracts(entries, targets, earlier)),
            calendar=_calendar(entries, report, history),
        )

    @property
    def red(self) -> list[IntegrationCard]:
        """The integrations that decide the verdict."""
        return [entry for entry in self.entries if entry.is_red]

    @property
    def waived(self) -> list[tuple[IntegrationCard, Check]]:
        """What somebody has accepted."""
        return [(entry, check) for entry in self.entries for check in entry.report.waived]

    @property
    def charted(self) -> list[IntegrationCard]:
        """The integrations with a history."""
        return [entry for entry in self.entries if entry.chart is not None]


def _urgency(integration: IntegrationReport) -> tuple[bool, tuple[float, ...]]:
    """What its most urgent problem is; integrations without one come last."""
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
"""Checks of interactions: live each is a check, and so is its recording."""


def _verified(entry: IntegrationCard, history: HistoryView) -> Verified:
    """Say how many interactions held, or why none was asked, and when they last did."""
    about = [check for check in entry.report.checks if check.id in _ABOUT_CONTRACTS]
    named = [check for check in about if check.subject]
    if not about:
        # Offline, recordings are not looked at if the contract cannot be read.
        state, text = OutcomeBadge("skipped"), "not reached"
    elif not named:
        state, text = OutcomeBadge(words.kind(about[0])), about[0].message
    else:
        kinds = [words.kind(check) for check in named]
        state, text = OutcomeBadge(min(kinds, key=_WORST_FIRST.index)), words.counted(named)
    passed = [night.when for night in history.nights.get(entry.report.name, ()) if night.verdict is Verdict.PASS]
    if state.word != "pass" and passed:
        text += f"; last pass {passed[-1]:%Y-%m-%d}"
    return Verified(entry.report.name, entry.anchor, state, text)


_SOON_DAYS = 30


def _calendar(entries: Iterable[IntegrationCard], report: Report, history: HistoryView) -> list[Expiring]:
    dated: list[tuple[datetime, Expiring]] = []
    for entry in entries:
        known = {one.what: one.when for one in history.expiries.get(entry.report.name, ())}
        known |= {one.what: one.when for one in runouts(entry.report)}
        for what, when in known.items():
            days = (when - report.run.finished).days
            state = OutcomeBadge("fail" if days < 0 else "warn" if days <= _SOON_DAYS else "pass")
            left = f"expired {-days} days ago" if days < 0 else f"in {days} days"
            dated.append((when, Expiring(entry.report.name, entry.anchor, what, f"{when:%Y-%m-%d}", left, state)))
    return [line for _, line in sorted(dated, key=lambda one: one[0])]
