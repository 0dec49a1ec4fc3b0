"""What is usual, learnt from earlier nights, and whether tonight still is.

One detector (:mod:`mfagate.baselines.detector`) follows a series of nights; two scores
(:mod:`mfagate.baselines.scores`) tell it how far a night is from those before: one for durations, one for shares.
``docs/explanation/baselines.md`` gives the method in words, and what was measured of it.
"""

from mfagate.baselines.detector import ACCEPTED_AFTER, FEWEST_NIGHTS, Observation, SeriesState, SeriesStatus, follow
from mfagate.baselines.scores import Share, latency_score, share_score, typical_seconds, typical_share

__all__ = [
    "ACCEPTED_AFTER",
    "FEWEST_NIGHTS",
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
