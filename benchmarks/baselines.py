"""Measure how soon a shift is found and how often there are false alarms, with simulated years of nightly runs.

    python benchmarks/baselines.py [--years 300]

The runs have noise, outliers (one in 50, up to three times as slow), slower working days, and bursts of errors. The
results are in docs/explanation/baselines.md.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from mfagate.baselines import Observation, SeriesState, Share, latency_score, share_score
from mfagate.baselines.detector import Score, V, _Follower

START = datetime(2026, 1, 1, 2, tzinfo=UTC)
PHASES = {"resolve": 0.004, "connect": 0.015, "tls": 0.03, "processing": 0.12, "transfer": 0.002}
QUESTIONS = 40


def latency(
    draw: random.Random, usual: float, noise: float, factor: float = 1.0, from_night: int = 0
) -> Iterator[float]:
    """Yield the durations of one phase in seconds; from a night on they are ``factor`` times as long."""
    night = 0
    while True:
        working_day = 1.15 if night % 7 < 5 else 1.0
        far_out = draw.uniform(1.5, 3.0) if draw.random() < 0.02 else 1.0
        slower = factor if night >= from_night else 1.0
        yield usual * working_day * far_out * slower * math.exp(draw.gauss(0, noise))
        night += 1


def errors(draw: random.Random, share: float, raised: float | None = None, from_night: int = 0) -> Iterator[Share]:
    """Yield shares of unanswered requests; one in 60 is a burst."""
    night = 0
    while True:
        now = raised if raised is not None and night >= from_night else share
        burst = 0.25 if draw.random() < 1 / 60 else now
        yield Share(sum(draw.random() < burst for _ in range(QUESTIONS)), QUESTIONS)
        night += 1


def alarms(values: Iterator[V], score: Score[V], nights: int) -> list[int]:
    """Return the nights on which a shift is first reported."""
    follower, found, was = _Follower(score), [], False
    for night, value in zip(range(nights), values, strict=False):
        follower.add(Observation(START + timedelta(days=night), value))
        shifted = follower.status.state is SeriesState.SHIFTED
        if shifted and not was:
            found.append(night)
        was = shifted
    return found


def false_alarms(years: int, noise: float) -> float:
    """Return the number of false alarms of an integration in a year: all phases, and the errors."""
    draw = random.Random(1)
    total = 0
    for _ in range(years):
        total += sum(len(alarms(latency(draw, usual, noise), latency_score, 365)) for usual in PHASES.values())
        total += len(alarms(errors(draw, 0.004), share_score, 365))
    return total / years


def delays(score: Score[V], series: Sequence[Iterator[V]], from_night: int) -> tuple[list[int], int]:
    """Return the sorted numbers of nights until the report, from 1, and how many series had no report in 30 nights."""
    found: list[int] = []
    for values in series:
        after = [night - from_night + 1 for night in alarms(values, score, from_night + 30) if night >= from_night]
        found += after[:1]
    return sorted(found), len(series) - len(found)


def row(label: str, found: tuple[list[int], int]) -> str:
    """Return one row of the table."""
    nights, missed = found
    at = [nights[min(len(nights) - 1, math.ceil(len(nights) * share) - 1)] for share in (0.5, 0.95, 0.99)]
    return f"{label:<44}{at[0]:>8}{at[1]:>8}{at[2]:>8}{missed:>8}"


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--years", type=int, default=300)
    years = parser.parse_args().years
    for noise in (0.05, 0.10, 0.15, 0.20):
        print(f"noise {noise:.2f}: {false_alarms(years, noise):.2f} false alarms for an integration in a year")
    print(f"\n{'nights until it is reported':<44}{'median':>8}{'95 %':>8}{'99 %':>8}{'never':>8}")
    draw = random.Random(2)
    begins = [20 + number % 60 for number in range(years)]
    for noise in (0.05, 0.10, 0.15):
        for factor in (2.0, 1.5, 1.3):
            series = [latency(draw, 0.12, noise, factor, 50) for _ in begins]
            print(row(f"processing × {factor}, noise {noise:.2f}", delays(latency_score, series, 50)))
    for raised in (0.05, 0.10, 0.20):
        shares = [errors(draw, 0.004, raised, 50) for _ in begins]
        print(row(f"errors from 0.4 % to {raised:.0%}", delays(share_score, shares, 50)))


if __name__ == "__main__":
    main()
