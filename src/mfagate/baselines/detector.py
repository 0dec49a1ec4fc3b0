"""A one-sided CUSUM over nights, against a baseline that the series itself has set.

The scheme is Page's (Biometrika 41, 1954): scores above an allowance add up, and a sum beyond a threshold is a
shift. Each score is capped, so that one night alone is never a shift, however bad it was.
Nothing is kept between runs but the nights themselves: the whole series is followed anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, TypeVar

WINDOW = timedelta(days=28)
"""The baseline: four weeks, so that each day of the week has the same weight."""

FEWEST_NIGHTS = 14
"""Before there are so many, nothing is said."""

ALLOWANCE = 1.5
"""In standard deviations; about half of the smallest lasting shift that is meant to be found soon."""

CAP = 4.5
"""No night counts for more: two in a row are needed for a shift, and two clear ones are enough."""

THRESHOLD = 5.5

USUAL_AGAIN_BELOW = 2.0
"""Two nights in a row with scores below it end a shift."""

ACCEPTED_AFTER = 14
"""Nights for which a shift is told; then it is what is usual."""

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Observation(Generic[V]):
    """What was measured at a time (UTC)."""

    at: datetime
    value: V


class SeriesState(StrEnum):
    """What is known of a series."""

    LEARNING = "learning"
    USUAL = "usual"
    SHIFTED = "shifted"


@dataclass(frozen=True, slots=True)
class SeriesStatus(Generic[V]):
    """Where a series stands after its last night.

    ``baseline`` are the values that the last night was held against; ``since`` is when a shift began.
    """

    state: SeriesState
    baseline: tuple[V, ...] = ()
    since: datetime | None = None


Score = Callable[[V, Sequence[V]], float]
"""How many standard deviations a value lies above a baseline."""


def follow(nights: Sequence[Observation[V]], score: Score[V]) -> SeriesStatus[V]:
    """Where a series, oldest night first, stands after its last night."""
    follower = _Follower(score)
    for night in nights:
        follower.see(night)
    return follower.standing


@dataclass(slots=True)
class _Follower(Generic[V]):
    score: Score[V]
    baseline: list[Observation[V]] = field(default_factory=list)
    doubtful: list[Observation[V]] = field(default_factory=list)
    total: float = 0.0
    shifted: bool = False
    below: int = 0
    held_against: tuple[V, ...] = ()

    @property
    def standing(self) -> SeriesStatus[V]:
        if len(self.held_against) < FEWEST_NIGHTS:
            return SeriesStatus(SeriesState.LEARNING)
        if self.shifted:
            return SeriesStatus(SeriesState.SHIFTED, self.held_against, self.doubtful[0].at)
        return SeriesStatus(SeriesState.USUAL, self.held_against)

    def see(self, night: Observation[V]) -> None:
        self._forget(night.at)
        self.held_against = tuple(one.value for one in self.baseline)
        if len(self.baseline) < FEWEST_NIGHTS:
            self.baseline.append(night)
            return
        score = min(self.score(night.value, self.held_against), CAP)
        if self.shifted:
            self._while_shifted(night, score)
        else:
            self._while_usual(night, score)

    def _forget(self, now: datetime) -> None:
        """Return what is older than the window, unless too little would be left."""
        young = [one for one in self.baseline if now - one.at <= WINDOW]
        if not self.shifted:
            self.baseline = young if len(young) >= FEWEST_NIGHTS else self.baseline[-FEWEST_NIGHTS:]

    def _while_usual(self, night: Observation[V], score: float) -> None:
        self.total = max(0.0, self.total + score - ALLOWANCE)
        if self.total == 0.0:
            # Nights under suspicion are a part of the baseline once they are cleared.
            self.baseline += [*self.doubtful, night]
            self.doubtful = []
            return
        self.doubtful.append(night)
        if self.total > THRESHOLD:
            self.shifted, self.below = True, 0

    def _while_shifted(self, night: Observation[V], score: float) -> None:
        self.doubtful.append(night)
        self.below = self.below + 1 if score < USUAL_AGAIN_BELOW else 0
        if self.below == 2:
            self.baseline += self.doubtful[-2:]
            self._end()
        elif len(self.doubtful) >= ACCEPTED_AFTER:
            self.baseline = self.doubtful
            self._end()

    def _end(self) -> None:
        self.shifted, self.total, self.doubtful = False, 0.0, []
