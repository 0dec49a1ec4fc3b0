"""Learn the usual values of a series from earlier runs, and detect a shift.

The detector (:mod:`mfagate.baselines.detector`) follows a series of observations. Two scores
(:mod:`mfagate.baselines.scores`) measure how far an observation is above the earlier ones: one for durations, one for
shares. ``docs/explanation/baselines.md`` explains the method and its measured accuracy.
"""

from mfagate.baselines.detector import ACCEPTED_AFTER, MIN_OBSERVATIONS, Observation, SeriesState, SeriesStatus, follow
from mfagate.baselines.scores import Share, latency_score, share_score, typical_seconds, typical_share

__all__ = [
    "ACCEPTED_AFTER",
    "MIN_OBSERVATIONS",
    "Observation",
    "SeriesState",
    "SeriesStatus",
    "Share",
    "follow",
    "latency_score",
    "share_score",
    "typical_seconds",
    "typical_share",
]
