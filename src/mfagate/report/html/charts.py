"""Draw the outcomes and latencies of many runs as SVG paths, and list the same numbers as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise
from math import floor, log10
from statistics import median

from mfagate.core.exchange import Phase
from mfagate.core.finding import some
from mfagate.core.result import Verdict
from mfagate.report.html.history import HistoryEntry

_HEIGHTS = {Verdict.PASS: 4, Verdict.INCONCLUSIVE: 7, Verdict.FAIL: 10}
"""Height of a bar in tenths: verdicts can be told apart without colours."""

CHART_HEIGHT = 100
_MOST_SINGLE_ROWS = 31
"""With more runs than this, the table has a row for each week."""

_BAR_WIDTH = 0.8
"""The part of a run's slot that its bar covers; the rest is a gap."""

_A_DAY = timedelta(days=1)
_LONGEST_GAP = 30
"""The largest number of empty slots in a row."""


@dataclass(frozen=True, slots=True)
class Bars:
    """The runs with one verdict as one path, with a bar for each run. Units are slots, and tenths of the height."""

    verdict: str
    path: str


@dataclass(frozen=True, slots=True)
class Line:
    """The latency of one phase: a path over the slots, and its last value with the unit."""

    phase: str
    path: str
    last: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """One run, or the runs of one week: the worst verdict, and the median latency of each phase without the unit."""

    when: str
    runs: int
    verdict: str
    latency: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that the page shows about the runs of one integration.

    Args:
        slots: The width: a slot for each run, and empty slots where runs are missing.
        marks: The labels at the top, the middle and the bottom of the latency chart.
    """

    first: date
    last: date
    runs: int
    slots: int
    bars: Sequence[Bars]
    summary: str
    gaps: str
    lines: Sequence[Line]
    marks: Sequence[str]
    unit: str
    rows: Sequence[Row]
    by_week: bool

    @property
    def phases(self) -> list[str]:
        """The phases that were measured, in chronological order."""
        return [line.phase for line in self.lines]

    @classmethod
    def of(cls, runs: Sequence[HistoryEntry]) -> Chart:
        """Draw the chart of at least one run."""
        phases = [phase for phase in Phase if any(phase in run.latency for run in runs)]
        highest = _round_up(max((seconds for run in runs for seconds in run.latency.values()), default=0.0))
        scale = Scale(highest)
        by_week = len(runs) > _MOST_SINGLE_ROWS
        slots = list(_slots(runs))
        return cls(
            first=runs[0].when.date(),
            last=runs[-1].when.date(),
            runs=len(runs),
            slots=len(slots),
            bars=list(_bars(slots)),
            summary=_summary(runs),
            gaps=_gaps(runs),
            lines=[_line(phase, slots, scale) for phase in phases],
            marks=[scale.shown(highest * part) for part in (1.0, 0.5, 0.0)],
            unit=scale.unit,
            rows=list(_rows(runs, phases, scale, by_week=by_week)),
            by_week=by_week,
        )


@dataclass(frozen=True, slots=True)
class Scale:
    """The unit that suits the highest of several durations, which are in seconds."""

    highest: float

    @property
    def unit(self) -> str:
        """Milliseconds or seconds."""
        return "ms" if self.highest <= 1 else "s"

    def number(self, seconds: float | None) -> str:
        """Return a duration without the unit; a dash if it was not measured."""
        if seconds is None:
            return "–"
        return f"{round(seconds * 1000, 1):g}" if self.unit == "ms" else f"{round(seconds, 3):g}"

    def shown(self, seconds: float) -> str:
        """Return a duration with the unit."""
        return f"{self.number(seconds)} {self.unit}"


def _round_up(seconds: float) -> float:
    """Round up to 1, 2 or 5 times a power of ten."""
    if seconds <= 0:
        return 0.0
    power = 10.0 ** floor(log10(seconds))
    return float(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= seconds * 0.999999))


def _missing(before: HistoryEntry, after: HistoryEntry, usual: timedelta) -> int:
    """Return how many runs are missing between two runs."""
    passed = after.when - before.when
    return min(round(passed / usual) - 1, _LONGEST_GAP) if passed > usual * 1.5 else 0


def _usual(runs: Sequence[HistoryEntry]) -> timedelta:
    """Return the usual time from one run to the next: at least a day."""
    passed = [(after.when - before.when).total_seconds() for before, after in pairwise(runs)]
    return max(timedelta(seconds=median(passed)), _A_DAY) if passed else _A_DAY


def _slots(runs: Sequence[HistoryEntry]) -> Iterator[HistoryEntry | None]:
    """Yield the runs, and None for each missing run."""
    usual = _usual(runs)
    yield runs[0]
    for before, after in pairwise(runs):
        yield from [None] * _missing(before, after, usual)
        yield after


def _gaps(runs: Sequence[HistoryEntry]) -> str:
    """Describe the periods without runs."""
    usual = _usual(runs)
    found = [
        f"{before.when:%Y-%m-%d} and {after.when:%Y-%m-%d}"
        for before, after in pairwise(runs)
        if _missing(before, after, usual)
    ]
    return f"no run between {some(found)}" if found else ""


def _bars(slots: Sequence[HistoryEntry | None]) -> Iterator[Bars]:
    for verdict, height in _HEIGHTS.items():
        bars = [
            f"M{x} 10v-{height}h{_BAR_WIDTH}v{height}z"
            for x, run in enumerate(slots)
            if run is not None and run.verdict is verdict
        ]
        if bars:
            yield Bars(verdict.value, "".join(bars))


def _summary(runs: Sequence[HistoryEntry]) -> str:
    numbers = Counter(run.verdict for run in runs)
    text = ", ".join(f"{numbers[verdict]} {verdict}" for verdict in Verdict if numbers[verdict])
    bad = next((run for run in reversed(runs) if run.verdict is not Verdict.PASS), None)
    if bad is None:
        return text
    cause = f" ({bad.cause})" if bad.cause else ""
    return f"{text}; last run that did not pass: {bad.verdict} on {bad.when:%Y-%m-%d}{cause}"


def _line(phase: Phase, slots: Sequence[HistoryEntry | None], scale: Scale) -> Line:
    """Draw the latency of a phase, with gaps for missing values. Relative steps keep the page small."""
    path: list[str] = []
    before: tuple[int, int] | None = None
    seconds = None
    for x, run in enumerate(slots):
        seconds = run.latency.get(phase) if run is not None else None
        if seconds is None:
            before = None
            continue
        y = CHART_HEIGHT - round(seconds / (scale.highest or 1) * CHART_HEIGHT)
        # A single run is a point: a path of length zero with a round end.
        path.append(f"M{x} {y}h0" if before is None else f"l{x - before[0]} {y - before[1]}")
        before = (x, y)
    return Line(phase.value, "".join(path), None if seconds is None else scale.shown(seconds))


def _rows(runs: Sequence[HistoryEntry], phases: Sequence[Phase], scale: Scale, *, by_week: bool) -> Iterator[Row]:
    for day, group in groupby(runs, key=lambda run: _monday(run) if by_week else run.when):
        same = list(group)
        yield Row(
            f"{day:%Y-%m-%d}",
            len(same),
            Verdict.of(run.verdict for run in same).value,
            tuple(scale.number(_median(phase, same)) for phase in phases),
        )


def _monday(run: HistoryEntry) -> date:
    day = run.when.date()
    return day - timedelta(days=day.weekday())


def _median(phase: Phase, runs: Iterable[HistoryEntry]) -> float | None:
    values = [run.latency[phase] for run in runs if phase in run.latency]
    return median(values) if values else None
