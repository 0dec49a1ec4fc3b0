"""Score how far an observation is above the baseline, in standard deviations."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

_TO_DEVIATION = 1.4826
"""Converts the median absolute deviation to the standard deviation of a normal distribution."""

_LEAST_DEVIATION = 0.07
"""Minimum deviation of the logarithms: 7 %. A series that is calmer by chance would raise false alarms."""

_LEAST_FACTOR = 1.2
_LEAST_SECONDS = 0.005
"""A login does not notice less than 20 % or 5 ms more."""


def typical_seconds(baseline: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(baseline)


def latency_score(seconds: float, baseline: Sequence[float]) -> float:
    """Score a duration: in logarithms, because delays multiply; with medians, because of outliers."""
    usual = typical_seconds(baseline)
    if seconds < usual * _LEAST_FACTOR or seconds - usual < _LEAST_SECONDS:
        return 0.0
    middle = _log(usual)
    spread = statistics.median(abs(_log(value) - middle) for value in baseline) * _TO_DEVIATION
    # Median and deviation are estimates; from few observations they may be far off.
    doubt = math.sqrt(1 + math.pi / 2 / len(baseline))
    return (_log(seconds) - middle) / (max(spread, _LEAST_DEVIATION) * doubt)


def _log(seconds: float) -> float:
    return math.log(max(seconds, 1e-6))


class Share(NamedTuple):
    """A part of a whole, such as 2 of 40 requests."""

    part: int
    whole: int


def typical_share(baseline: Sequence[Share]) -> float:
    """Return the share over all observations."""
    return sum(earlier.part for earlier in baseline) / max(1, sum(earlier.whole for earlier in baseline))


def share_score(share: Share, baseline: Sequence[Share]) -> float:
    """Score a number of failures: how unlikely it is if the share has not changed, as a normal score.

    Failures come in bursts, so the spread of the baseline counts if it is wider than chance.
    """
    if share.part == 0:
        return 0.0
    # Half a failure more (Jeffreys' prior): no failure in a hundred does not mean that failures never happen.
    calm = _without_bursts(baseline)
    usual = (sum(earlier.part for earlier in calm) + 0.5) / (sum(earlier.whole for earlier in calm) + 1)
    if share.part / share.whole < 2 * usual or share.part < 2:
        return 0.0
    dispersion = _dispersion(calm, usual)
    unlikely = _at_least(share.part, share.whole, min(usual, 0.999))
    return statistics.NormalDist().inv_cdf(1 - max(unlikely, 1e-15)) / math.sqrt(dispersion)


def _without_bursts(baseline: Sequence[Share]) -> Sequence[Share]:
    """Drop the worst tenth of the observations: a single outage must not make errors usual for four weeks."""
    ordered = sorted(baseline, key=lambda earlier: earlier.part / max(1, earlier.whole))
    return ordered[: math.ceil(len(ordered) * 0.9)]


def _dispersion(baseline: Sequence[Share], usual: float) -> float:
    """Return the variance of the observations relative to that of a binomial distribution, at least 1."""
    terms = [
        (earlier.part - earlier.whole * usual) ** 2 / (earlier.whole * usual * (1 - usual))
        for earlier in baseline
        if earlier.whole
    ]
    return max(1.0, sum(terms) / max(1, len(terms) - 1))


def _at_least(part: int, whole: int, share: float) -> float:
    """Return the probability of ``part`` or more of ``whole``, by the binomial distribution."""
    # In logarithms, because the number of combinations of a thousand requests exceeds a float.
    return sum(
        math.exp(_log_combinations(whole, k) + k * math.log(share) + (whole - k) * math.log1p(-share))
        for k in range(part, whole + 1)
    )


def _log_combinations(whole: int, part: int) -> float:
    return math.lgamma(whole + 1) - math.lgamma(part + 1) - math.lgamma(whole - part + 1)
