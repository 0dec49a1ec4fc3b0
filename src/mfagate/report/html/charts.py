"""Outcomes and latencies of many nights as shapes of SVG, and the same numbers as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from statistics import median

from mfagate.exchange import Phase
from mfagate.report.html.history import Night
from mfagate.result import Verdict

_HEIGHTS = {Verdict.PASS: 4, Verdict.INCONCLUSIVE: 7, Verdict.FAIL: 10}
"""Of 10: a failure is told from a pass without seeing colours."""

CHART_HEIGHT = 100
_NIGHTS_LISTED_ONE_BY_ONE = 31


@dataclass(frozen=True, slots=True)
class Bar:
    """Nights in a row with the same verdict; units are nights, and tenths of the height."""

    x: int
    width: int
    height: int
    verdict: str

    @property
    def y(self) -> int:
        """The upper edge."""
        return 10 - self.height


@dataclass(frozen=True, slots=True)
class Line:
    """The latency of one phase: a path over nights, and its last value in seconds."""

    phase: str
    path: str
    last: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """One night, or the nights of one week: the worst verdict, and the median latency by phase (s)."""

    when: str
    nights: int
    verdict: str
    latency: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that is drawn and told of one integration's nights."""

    first: date
    last: date
    nights: int
    bars: Sequence[Bar]
    told: str
    lines: Sequence[Line]
    highest: float
    rows: Sequence[Row]
    by_week: bool

    @property
    def phases(self) -> list[str]:
        """The phases that were measured, in the order in which they follow each other."""
        return [line.phase for line in self.lines]

    @classmethod
    def of(cls, nights: Sequence[Night]) -> Chart:
        """Draw at least one night."""
        phases = [phase for phase in Phase if any(phase in night.latency for night in nights)]
        highest = max((seconds for night in nights for seconds in night.latency.values()), default=0.0)
        by_week = len(nights) > _NIGHTS_LISTED_ONE_BY_ONE
        return cls(
            first=nights[0].when.date(),
            last=nights[-1].when.date(),
            nights=len(nights),
            bars=list(_bars(nights)),
            told=_told(nights),
            lines=[_line(phase, nights, highest) for phase in phases],
            highest=highest,
            rows=list(_rows(nights, phases, by_week=by_week)),
            by_week=by_week,
        )


def _bars(nights: Sequence[Night]) -> Iterator[Bar]:
    x = 0
    for verdict, same in groupby(nights, key=lambda night: night.verdict):
        width = len(list(same))
        yield Bar(x, width, _HEIGHTS[verdict], verdict.value)
        x += width


def _told(nights: Sequence[Night]) -> str:
    numbers = Counter(night.verdict for night in nights)
    text = ", ".join(f"{numbers[verdict]} {verdict}" for verdict in Verdict if numbers[verdict])
    bad = next((night for night in reversed(nights) if night.verdict is not Verdict.PASS), None)
    if bad is None:
        return text
    cause = f" ({bad.cause})" if bad.cause else ""
    return f"{text}; the last that did not pass: {bad.verdict} on {bad.when:%Y-%m-%d}{cause}"


def _line(phase: Phase, nights: Sequence[Night], highest: float) -> Line:
    """A gap where the phase was not measured. Steps are relative, which makes the page small."""
    path: list[str] = []
    before: tuple[int, int] | None = None
    for x, night in enumerate(nights):
        seconds = night.latency.get(phase)
        if seconds is None:
            before = None
            continue
        y = CHART_HEIGHT - round(seconds / highest * CHART_HEIGHT) if highest else CHART_HEIGHT
        # A lone night is drawn as a point: a path of no length with a round end.
        path.append(f"M{x} {y}h0" if before is None else f"l{x - before[0]} {y - before[1]}")
        before = (x, y)
    return Line(phase.value, "".join(path), nights[-1].latency.get(phase))


def _rows(nights: Sequence[Night], phases: Sequence[Phase], *, by_week: bool) -> Iterator[Row]:
    for day, group in groupby(nights, key=lambda night: _monday(night) if by_week else night.when):
        same = list(group)
        yield Row(
            f"{day:%Y-%m-%d}",
            len(same),
            Verdict.of(night.verdict for night in same).value,
            tuple(_median(phase, same) for phase in phases),
        )


def _monday(night: Night) -> date:
    day = night.when.date()
    return day - timedelta(days=day.weekday())


def _median(phase: Phase, nights: Iterable[Night]) -> float | None:
    values = [night.latency[phase] for night in nights if phase in night.latency]
    return median(values) if values else None
