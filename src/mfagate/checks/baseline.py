"""Is the provider slower than it used to be, and do more questions fail?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from mfagate.baselines import (
    FEWEST_NIGHTS,
    Observation,
    SeriesState,
    SeriesStatus,
    Share,
    follow,
    latency_score,
    share_score,
    typical_seconds,
    typical_share,
)
from mfagate.checks.context import CheckContext, passed, skipped
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Phase
from mfagate.core.finding import Finding
from mfagate.core.result import Check
from mfagate.history.record import IntegrationState, PhaseSample, samples_of, share_of

LATENCY, ERRORS = "latency", "errors"


def latency(climb: CheckContext) -> Iterator[Check]:
    """Each phase against the nights before."""
    if climb.past.unknown is not None:
        yield skipped(LATENCY, climb.past.unknown)
        return
    tonight = samples_of(climb.measured)
    for sample in tonight:
        yield _phase(climb, sample)
    if not tonight:
        yield skipped(LATENCY, "no question was answered")


def _nights(climb: CheckContext) -> Iterator[tuple[datetime, IntegrationState]]:
    """Those that asked the same: an emulator's times say nothing about the provider's."""
    return ((at, state) for at, state in climb.past.nights if state.target == climb.target)


def _phase(climb: CheckContext, tonight: PhaseSample) -> Check:
    nights = [
        Observation(at, sample.median)
        for at, state in _nights(climb)
        for sample in state.samples
        # A night that ended early has asked other questions.
        if sample.phase is tonight.phase and sample.requests * 2 >= tonight.requests
    ]
    standing = follow([*nights, Observation(datetime.now(UTC), tonight.median)], latency_score)
    phase, now = tonight.phase, _seconds(tonight.median)
    if standing.state is SeriesState.LEARNING:
        return _learning(LATENCY, len(nights), phase)
    usual = _seconds(typical_seconds(standing.baseline))
    if standing.state is SeriesState.USUAL:
        return passed(LATENCY, f"{phase} takes {now}; usual is {usual}", subject=phase)
    evidence = {
        "now": f"{now} (median of {tonight.requests} requests)",
        "usual": f"{usual} (median of {len(standing.baseline)} nights)",
        "since": _since(standing),
        "other phases": ", ".join(f"{one.phase} {_seconds(one.median)}" for one in samples_of(climb.measured)),
    }
    finding = Finding(CauseId.LATENCY_SHIFTED, f"{phase} takes {now} where {usual} was usual", evidence)
    return Check.from_finding(LATENCY, finding, subject=phase)


def errors(climb: CheckContext) -> Iterator[Check]:
    """The share of questions that the network or the provider did not answer at once."""
    if climb.past.unknown is not None:
        yield skipped(ERRORS, climb.past.unknown)
        return
    tonight = share_of(climb.measured)
    unanswered, questions = tonight
    if not questions:
        yield skipped(ERRORS, "no question was asked")
        return
    nights = [
        Observation(at, Share(state.unanswered, state.questions)) for at, state in _nights(climb) if state.questions
    ]
    standing = follow([*nights, Observation(datetime.now(UTC), Share(*tonight))], share_score)
    told = f"{unanswered} of {questions} questions"
    if standing.state is SeriesState.LEARNING:
        yield _learning(ERRORS, len(nights))
        return
    usual = f"{typical_share(standing.baseline):.1%}"
    if standing.state is SeriesState.USUAL:
        yield passed(ERRORS, f"{told} were not answered at once; usual is {usual}")
        return
    causes = sorted({str(one.cause) for one in climb.measured if one.went_unanswered})
    evidence = {
        "now": f"{told} ({unanswered / questions:.0%})",
        "usual": f"{usual} over {len(standing.baseline)} nights",
        "since": _since(standing),
        "causes": causes,
    }
    finding = Finding(CauseId.ERRORS_RAISED, f"{told} were not answered at once where {usual} was usual", evidence)
    yield Check.from_finding(ERRORS, finding)


def _learning(check_id: str, nights: int, phase: Phase | None = None) -> Check:
    reason = f"{nights} nights are known; from {FEWEST_NIGHTS} on there is a baseline"
    return skipped(check_id, reason, subject=phase)


def _since(standing: SeriesStatus[float] | SeriesStatus[Share]) -> str:
    assert standing.since is not None, "a shift has begun"
    return f"{standing.since:%Y-%m-%d %H:%M} UTC"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"
