"""Detect shifts with a one-sided CUSUM, against a baseline learnt from the series itself.

The scheme is Page's (Biometrika 41, 1954): scores above an allowance add up, and a sum above a threshold is a shift.
Each score is capped, so that a single observation is never a shift. Only the observations are stored: each run follows
the whole series from the start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, TypeVar

WINDOW = timedelta(days=28)
"""The length of the baseline: four weeks, so that each day of the week has the same weight."""

MIN_OBSERVATIONS = 14
"""A series with fewer observations has no baseline yet."""

ALLOWANCE = 1.5
"""In standard deviations: about half of the smallest lasting shift that should be detected quickly."""

CAP = 4.5
"""The maximum score: a shift needs two observations in a row, and two clear ones are enough."""

THRESHOLD = 5.5

USUAL_AGAIN_BELOW = 2.0
"""Two scores in a row below this value end a shift."""

ACCEPTED_AFTER = 14
"""How many observations a shift lasts; after that the new level is the baseline."""

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Observation(Generic[V]):
    """A value that was measured at a time (UTC)."""

    at: datetime
    value: V


class SeriesState(StrEnum):
    """The state of a series."""

    LEARNING = "learning"
    USUAL = "usual"
    SHIFTED = "shifted"


@dataclass(frozen=True, slots=True)
class SeriesStatus(Generic[V]):
    """The state of a series after its last observation.

    Args:
        state: Whether there is a baseline, and a shift from it.
        baseline: The values that the last observation was compared with.
        since: When the shift began.
    """

    state: SeriesState
    baseline: tuple[V, ...] = ()
    since: datetime | None = None


Score = Callable[[V, Sequence[V]], float]
"""Returns how many standard deviations a value is above a baseline."""


def follow(series: Sequence[Observation[V]], score: Score[V]) -> SeriesStatus[V]:
    """Return the state of a series, oldest observation first, after its last observation."""
    follower = _Follower(score)
    for observation in series:
        follower.add(observation)
    return follower.status


@dataclass(slots=True)
class _Follower(Generic[V]):
    score: Score[V]
    baseline: list[Observation[V]] = field(default_factory=list)
    doubtful: list[Observation[V]] = field(default_factory=list)
    total: float = 0.0
    shifted: bool = False
    below: int = 0
    compared_with: tuple[V, ...] = ()

    @property
    def status(self) -> SeriesStatus[V]:
        if len(self.compared_with) < MIN_OBSERVATIONS:
            return SeriesStatus(SeriesState.LEARNING)
        if self.shifted:
            return SeriesStatus(SeriesState.SHIFTED, self.compared_with, self.doubtful[0].at)
        return SeriesStatus(SeriesState.USUAL, self.compared_with)

    def add(self, observation: Observation[V]) -> None:
        self._forget(observation.at)
        self.compared_with = tuple(earlier.value for earlier in self.baseline)
        if len(self.baseline) < MIN_OBSERVATIONS:
            self.baseline.append(observation)
            return
        score = min(self.score(observation.value, self.compared_with), CAP)
        if self.shifted:
            self._while_shifted(observation, score)
        else:
            self._while_usual(observation, score)

    def _forget(self, now: datetime) -> None:
        """Drop observations older than the window, unless too few would be left."""
        young = [earlier for earlier in self.baseline if now - earlier.at <= WINDOW]
        if not self.shifted:
            self.baseline = young if len(young) >= MIN_OBSERVATIONS else self.baseline[-MIN_OBSERVATIONS:]

    def _while_usual(self, observation: Observation[V], score: float) -> None:
        self.total = max(0.0, self.total + score - ALLOWANCE)
        if self.total == 0.0:
            # Doubtful observations join the baseline once the sum is back at zero.
            self.baseline += [*self.doubtful, observation]
            self.doubtful = []
            return
        self.doubtful.append(observation)
        if self.total > THRESHOLD:
            self.shifted, self.below = True, 0

    def _while_shifted(self, observation: Observation[V], score: float) -> None:
        self.doubtful.append(observation)
        self.below = self.below + 1 if score < USUAL_AGAIN_BELOW else 0
        if self.below == 2:
            self.baseline += self.doubtful[-2:]
            self._end()
        elif len(self.doubtful) >= ACCEPTED_AFTER:
            self.baseline = self.doubtful
            self._end()

    def _end(self) -> None:
        self.shifted, self.total, self.doubtful = False, 0.0, []
