"""Outcomes and latencies of many nights as shapes of SVG, and the same numbers as a table."""

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
"""Of 10: a failure is told from a pass without seeing colours."""

CHART_HEIGHT = 100
_NIGHTS_LISTED_ONE_BY_ONE = 31


_BAR_WIDTH = 0.8
"""Of the place of a run; the rest separates it from the next."""

_A_DAY = timedelta(days=1)
_LONGEST_GAP = 30
"""Places that a time without runs takes at most."""


@dataclass(frozen=True, slots=True)
class Bars:
    """The runs with one verdict, a bar each: a path. Units are places of runs, and tenths of the height."""

    verdict: str
    path: str


@dataclass(frozen=True, slots=True)
class Line:
    """The latency of one phase: a path over the places of runs, and its last value with its unit."""

    phase: str
    path: str
    last: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """One run, or the runs of one week: the worst verdict, and the median latency by phase without its unit."""

    when: str
    nights: int
    verdict: str
    latency: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that is drawn and told of one integration's nights.

    ``places`` is the width: a place for each run, and empty ones where runs are missing. ``marks`` are the values at
    the upper edge, the middle and the lower edge of the latencies, with their unit.
    """

    first: date
    last: date
    nights: int
    places: int
    bars: Sequence[Bars]
    told: str
    gaps: str
    lines: Sequence[Line]
    marks: Sequence[str]
    unit: str
    rows: Sequence[Row]
    by_week: bool

    @property
    def phases(self) -> list[str]:
        """The phases that were measured, in the order in which they follow each other."""
        return [line.phase for line in self.lines]

    @classmethod
    def of(cls, nights: Sequence[HistoryEntry]) -> Chart:
        """Draw at least one night."""
        phases = [phase for phase in Phase if any(phase in night.latency for night in nights)]
        highest = _round_up(max((seconds for night in nights for seconds in night.latency.values()), default=0.0))
        scale = Scale(highest)
        by_week = len(nights) > _NIGHTS_LISTED_ONE_BY_ONE
        places = list(_places(nights))
        return cls(
            first=nights[0].when.date(),
            last=nights[-1].when.date(),
            nights=len(nights),
            places=len(places),
            bars=list(_bars(places)),
            told=_told(nights),
            gaps=_gaps(nights),
            lines=[_line(phase, places, scale) for phase in phases],
            marks=[scale.shown(highest * part) for part in (1.0, 0.5, 0.0)],
            unit=scale.unit,
            rows=list(_rows(nights, phases, scale, by_week=by_week)),
            by_week=by_week,
        )


@dataclass(frozen=True, slots=True)
class Scale:
    """The unit that fits the highest of several durations, which are in seconds."""

    highest: float

    @property
    def unit(self) -> str:
        """Milliseconds or seconds."""
        return "ms" if self.highest <= 1 else "s"

    def number(self, seconds: float | None) -> str:
        """Return a duration without the unit; a dash if there is none."""
        if seconds is None:
            return "–"
        return f"{round(seconds * 1000, 1):g}" if self.unit == "ms" else f"{round(seconds, 3):g}"

    def shown(self, seconds: float) -> str:
        """Return a duration with the unit."""
        return f"{self.number(seconds)} {self.unit}"


def _round_up(seconds: float) -> float:
    """Return the next round number: 1, 2 or 5 and zeros."""
    if seconds <= 0:
        return 0.0
    power = 10.0 ** floor(log10(seconds))
    return float(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= seconds * 0.999999))


def _missing(before: HistoryEntry, after: HistoryEntry, usual: timedelta) -> int:
    """Return how many runs are missing between two."""
    passed = after.when - before.when
    return min(round(passed / usual) - 1, _LONGEST_GAP) if passed > usual * 1.5 else 0


def _usual(nights: Sequence[HistoryEntry]) -> timedelta:
    """Return the usual time from one run to the next, which is a day at least."""
    passed = [(after.when - before.when).total_seconds() for before, after in pairwise(nights)]
    return max(timedelta(seconds=median(passed)), _A_DAY) if passed else _A_DAY


def _places(nights: Sequence[HistoryEntry]) -> Iterator[HistoryEntry | None]:
    """Yield the runs, and None for each that is missing."""
    usual = _usual(nights)
    yield nights[0]
    for before, after in pairwise(nights):
        yield from [None] * _missing(before, after, usual)
        yield after


def _gaps(nights: Sequence[HistoryEntry]) -> str:
    """Name the times without runs."""
    usual = _usual(nights)
    found = [
        f"{one.when:%Y-%m-%d} and {other.when:%Y-%m-%d}"
        for one, other in pairwise(nights)
        if _missing(one, other, usual)
    ]
    return f"no run between {some(found)}" if found else ""


def _bars(places: Sequence[HistoryEntry | None]) -> Iterator[Bars]:
    for verdict, height in _HEIGHTS.items():
        bars = [
            f"M{x} 10v-{height}h{_BAR_WIDTH}v{height}z"
            for x, night in enumerate(places)
            if night is not None and night.verdict is verdict
        ]
        if bars:
            yield Bars(verdict.value, "".join(bars))


def _told(nights: Sequence[HistoryEntry]) -> str:
    numbers = Counter(night.verdict for night in nights)
    text = ", ".join(f"{numbers[verdict]} {verdict}" for verdict in Verdict if numbers[verdict])
    bad = next((night for night in reversed(nights) if night.verdict is not Verdict.PASS), None)
    if bad is None:
        return text
    cause = f" ({bad.cause})" if bad.cause else ""
    return f"{text}; the last that did not pass: {bad.verdict} on {bad.when:%Y-%m-%d}{cause}"


def _line(phase: Phase, places: Sequence[HistoryEntry | None], scale: Scale) -> Line:
    """A gap where the phase was not measured, and where a run is missing. Steps are relative, for a small page."""
    path: list[str] = []
    before: tuple[int, int] | None = None
    seconds = None
    for x, night in enumerate(places):
        seconds = night.latency.get(phase) if night is not None else None
        if seconds is None:
            before = None
            continue
        y = CHART_HEIGHT - round(seconds / (scale.highest or 1) * CHART_HEIGHT)
        # A lone night is drawn as a point: a path of no length with a round end.
        path.append(f"M{x} {y}h0" if before is None else f"l{x - before[0]} {y - before[1]}")
        before = (x, y)
    return Line(phase.value, "".join(path), None if seconds is None else scale.shown(seconds))


def _rows(nights: Sequence[HistoryEntry], phases: Sequence[Phase], scale: Scale, *, by_week: bool) -> Iterator[Row]:
    for day, group in groupby(nights, key=lambda night: _monday(night) if by_week else night.when):
        same = list(group)
        yield Row(
            f"{day:%Y-%m-%d}",
            len(same),
            Verdict.of(night.verdict for night in same).value,
            tuple(scale.number(_median(phase, same)) for phase in phases),
        )


def _monday(night: HistoryEntry) -> date:
    day = night.when.date()
    return day - timedelta(days=day.weekday())


def _median(phase: Phase, nights: Iterable[HistoryEntry]) -> float | None:
    values = [night.latency[phase] for night in nights if phase in night.latency]
    return median(values) if values else None
