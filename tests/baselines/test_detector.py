"""The detector learns usual values and finds shifts."""

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
    MIN_OBSERVATIONS,
    Observation,
    SeriesState,
    Share,
    follow,
    latency_score,
    share_score,
)

START = datetime(2026, 1, 1, 2, tzinfo=UTC)


V = TypeVar("V")


def observations(values: list[V]) -> list[Observation[V]]:
    return [Observation(START + timedelta(days=day), value) for day, value in enumerate(values)]


def states(values: list[float]) -> list[SeriesState]:
    """Return the state after each observation."""
    series = observations(values)
    return [follow(series[: number + 1], latency_score).state for number in range(len(series))]


def calm(number: int, usual: float = 0.1, seed: int = 1) -> list[float]:
    draw = random.Random(seed)
    return [usual * math.exp(draw.gauss(0, 0.05)) for _ in range(number)]


def test_a_short_series_has_no_baseline() -> None:
    found = states([*calm(MIN_OBSERVATIONS), 9.0, 9.0])
    assert found[:MIN_OBSERVATIONS] == [SeriesState.LEARNING] * MIN_OBSERVATIONS
    assert found[MIN_OBSERVATIONS:] == [SeriesState.USUAL, SeriesState.SHIFTED]


def test_a_single_outlier_is_not_a_shift() -> None:
    assert SeriesState.SHIFTED not in states([*calm(20), 30.0, *calm(20, seed=2)])


def test_a_doubled_duration_is_found_by_the_second_observation() -> None:
    found = states([*calm(20), *calm(3, usual=0.2, seed=2)])
    assert found[20:] == [SeriesState.USUAL, SeriesState.SHIFTED, SeriesState.SHIFTED]


def test_the_start_of_a_shift() -> None:
    series = observations([*calm(20), *calm(4, usual=0.2, seed=2)])
    status = follow(series, latency_score)
    assert status.since == series[20].at
    assert status.baseline == tuple(observation.value for observation in series[:20])


def test_the_baseline_does_not_change_during_a_shift() -> None:
    series = observations([*calm(28), *calm(10, usual=0.2, seed=2)])
    assert follow(series, latency_score).baseline == follow(series[:30], latency_score).baseline


def test_observations_that_end_a_shift_join_the_baseline() -> None:
    series = observations([*calm(20), *calm(5, usual=0.2, seed=2), *calm(3, seed=3)])
    baseline = follow(series, latency_score).baseline
    assert baseline == tuple(observation.value for observation in [*series[:20], *series[25:27]])


def test_two_usual_observations_end_a_shift() -> None:
    found = states([*calm(20), *calm(5, usual=0.2, seed=2), *calm(3, seed=3)])
    assert found[25:] == [SeriesState.SHIFTED, SeriesState.USUAL, SeriesState.USUAL]


def test_a_lasting_shift_becomes_the_baseline() -> None:
    found = states([*calm(20), *calm(40, usual=0.2, seed=2)])
    assert found[20:].count(SeriesState.SHIFTED) == ACCEPTED_AFTER - 2
    assert found[-1] is SeriesState.USUAL
    # A shift from the new baseline is found again.
    again = states([*calm(20), *calm(40, usual=0.2, seed=2), *calm(2, usual=0.5, seed=3)])
    assert again[-1] is SeriesState.SHIFTED


def test_a_slow_increase_is_found() -> None:
    creeping = [value * 1.03**day for day, value in enumerate(calm(30, seed=2))]
    assert SeriesState.SHIFTED in states([*calm(28), *creeping])


@pytest.mark.parametrize("factor", [0.2, 0.5, 1.1])
def test_faster_or_slightly_slower_is_not_a_shift(factor: float) -> None:
    assert SeriesState.SHIFTED not in states([*calm(20), *calm(20, usual=0.1 * factor, seed=2)])


def test_a_few_milliseconds_are_not_a_shift() -> None:
    assert SeriesState.SHIFTED not in states([*calm(20, usual=0.001), *calm(10, usual=0.004, seed=2)])


@given(st.lists(st.floats(0, 100), max_size=60))
def test_any_series_has_a_status(values: list[float]) -> None:
    status = follow(observations(values), latency_score)
    assert (status.since is not None) == (status.state is SeriesState.SHIFTED)
    assert (status.state is SeriesState.LEARNING) == (len(values) <= MIN_OBSERVATIONS)


@given(st.lists(st.integers(0, 40).flatmap(lambda n: st.builds(Share, st.integers(0, n), st.just(n))), max_size=40))
def test_any_shares_have_a_status(values: list[Share]) -> None:
    follow(observations(values), share_score)


def errors(*parts: int) -> list[Observation[Share]]:
    return observations([Share(part, 40) for part in parts])


def test_more_errors_than_usual_are_a_shift() -> None:
    assert follow(errors(*[0] * 20, 6), share_score).state is SeriesState.USUAL
    assert follow(errors(*[0] * 20, 6, 5), share_score).state is SeriesState.SHIFTED


def test_usual_errors_are_not_a_shift() -> None:
    assert follow(errors(*[4, 6, 2, 5] * 6, 6, 7, 6), share_score).state is SeriesState.USUAL


def test_a_burst_of_errors_is_not_a_shift() -> None:
    assert follow(errors(*[0] * 20, 30, 0, 0), share_score).state is SeriesState.USUAL


def test_a_single_error_is_not_a_shift() -> None:
    assert share_score(Share(1, 40), [Share(0, 40)] * 20) == 0.0
    assert follow(errors(*[0] * 20, *[1] * 8), share_score).state is SeriesState.USUAL


def test_a_large_contract_with_thousands_of_requests() -> None:
    large = observations([Share(part, 3000) for part in [6] * 20 + [60, 60]])
    assert follow(large, share_score).state is SeriesState.SHIFTED
