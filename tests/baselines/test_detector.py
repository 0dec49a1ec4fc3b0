"""What is usual, and what is a shift."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.baselines import (
    ACCEPTED_AFTER,
    FEWEST_NIGHTS,
    Observation,
    SeriesState,
    Share,
    follow,
    latency_score,
    share_score,
)

START = datetime(2026, 1, 1, 2, tzinfo=UTC)


V = TypeVar("V")


def nights(values: list[V]) -> list[Observation[V]]:
    return [Observation(START + timedelta(days=day), value) for day, value in enumerate(values)]


def states(values: list[float]) -> list[SeriesState]:
    """The state after each night."""
    series = nights(values)
    return [follow(series[: number + 1], latency_score).state for number in range(len(series))]


def calm(number: int, usual: float = 0.1, seed: int = 1) -> list[float]:
    draw = random.Random(seed)
    return [usual * math.exp(draw.gauss(0, 0.05)) for _ in range(number)]


def test_nothing_is_said_before_there_is_enough() -> None:
    found = states([*calm(FEWEST_NIGHTS), 9.0, 9.0])
    assert found[:FEWEST_NIGHTS] == [SeriesState.LEARNING] * FEWEST_NIGHTS
    assert found[FEWEST_NIGHTS:] == [SeriesState.USUAL, SeriesState.SHIFTED]


def test_one_bad_night_is_no_shift() -> None:
    assert SeriesState.SHIFTED not in states([*calm(20), 30.0, *calm(20, seed=2)])


def test_a_doubled_time_is_told_on_the_second_night() -> None:
    found = states([*calm(20), *calm(3, usual=0.2, seed=2)])
    assert found[20:] == [SeriesState.USUAL, SeriesState.SHIFTED, SeriesState.SHIFTED]


def test_since_when() -> None:
    series = nights([*calm(20), *calm(4, usual=0.2, seed=2)])
    standing = follow(series, latency_score)
    assert standing.since == series[20].at
    assert standing.baseline == tuple(night.value for night in series[:20])


def test_while_a_shift_lasts_the_baseline_stays() -> None:
    series = nights([*calm(28), *calm(10, usual=0.2, seed=2)])
    assert follow(series, latency_score).baseline == follow(series[:30], latency_score).baseline


def test_the_nights_that_end_a_shift_are_usual() -> None:
    series = nights([*calm(20), *calm(5, usual=0.2, seed=2), *calm(3, seed=3)])
    baseline = follow(series, latency_score).baseline
    assert baseline == tuple(night.value for night in [*series[:20], *series[25:27]])


def test_back_to_usual_after_two_nights() -> None:
    found = states([*calm(20), *calm(5, usual=0.2, seed=2), *calm(3, seed=3)])
    assert found[25:] == [SeriesState.SHIFTED, SeriesState.USUAL, SeriesState.USUAL]


def test_what_lasts_becomes_usual() -> None:
    found = states([*calm(20), *calm(40, usual=0.2, seed=2)])
    assert found[20:].count(SeriesState.SHIFTED) == ACCEPTED_AFTER - 2
    assert found[-1] is SeriesState.USUAL
    # And from there a shift is found again.
    again = states([*calm(20), *calm(40, usual=0.2, seed=2), *calm(2, usual=0.5, seed=3)])
    assert again[-1] is SeriesState.SHIFTED


def test_a_creeping_rise_is_found() -> None:
    creeping = [value * 1.03**day for day, value in enumerate(calm(30, seed=2))]
    assert SeriesState.SHIFTED in states([*calm(28), *creeping])


@pytest.mark.parametrize("factor", [0.2, 0.5, 1.1])
def test_faster_or_hardly_slower_is_no_shift(factor: float) -> None:
    assert SeriesState.SHIFTED not in states([*calm(20), *calm(20, usual=0.1 * factor, seed=2)])


def test_milliseconds_are_of_no_consequence() -> None:
    assert SeriesState.SHIFTED not in states([*calm(20, usual=0.001), *calm(10, usual=0.004, seed=2)])


@given(st.lists(st.floats(0, 100), max_size=60))
def test_any_series_has_a_standing(values: list[float]) -> None:
    standing = follow(nights(values), latency_score)
    assert (standing.since is not None) == (standing.state is SeriesState.SHIFTED)
    assert (standing.state is SeriesState.LEARNING) == (len(values) <= FEWEST_NIGHTS)


@given(st.lists(st.integers(0, 40).flatmap(lambda n: st.builds(Share, st.integers(0, n), st.just(n))), max_size=40))
def test_any_shares_have_a_standing(values: list[Share]) -> None:
    follow(nights(values), share_score)


def errors(*parts: int) -> list[Observation[Share]]:
    return nights([Share(part, 40) for part in parts])


def test_more_errors_than_usual() -> None:
    assert follow(errors(*[0] * 20, 6), share_score).state is SeriesState.USUAL
    assert follow(errors(*[0] * 20, 6, 5), share_score).state is SeriesState.SHIFTED


def test_errors_that_are_usual() -> None:
    assert follow(errors(*[4, 6, 2, 5] * 6, 6, 7, 6), share_score).state is SeriesState.USUAL


def test_a_burst_is_no_rise() -> None:
    assert follow(errors(*[0] * 20, 30, 0, 0), share_score).state is SeriesState.USUAL


def test_a_single_error_is_none() -> None:
    assert share_score(Share(1, 40), [Share(0, 40)] * 20) == 0.0
    assert follow(errors(*[0] * 20, *[1] * 8), share_score).state is SeriesState.USUAL


def test_as_many_questions_as_a_large_contract_asks() -> None:
    large = nights([Share(part, 3000) for part in [6] * 20 + [60, 60]])
    assert follow(large, share_score).state is SeriesState.SHIFTED
