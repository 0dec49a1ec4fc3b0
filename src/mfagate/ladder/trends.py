"""Is the provider slower than it used to be, and do more questions fail?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from mfagate.baselines import (
    FEWEST_NIGHTS,
    Night,
    Share,
    Standing,
    State,
    follow,
    latency_score,
    share_score,
    typical_seconds,
    typical_share,
)
from mfagate.causes import CauseId
from mfagate.exchange import Phase
from mfagate.history.record import IntegrationState, Sample, samples_of, share_of
from mfagate.ladder.rung import Climb, passed, skipped
from mfagate.result import Check, Finding

LATENCY, ERRORS = "latency", "errors"


def latency(climb: Climb) -> Iterator[Check]:
    """Each phase against the nights before."""
    if climb.past.unknown is not None:
        yield skipped(LATENCY, climb.past.unknown)
        return
    tonight = samples_of(climb.measured)
    for sample in tonight:
        yield _phase(climb, sample)
    if not tonight:
        yield skipped(LATENCY, "no question was answered")


def _nights(climb: Climb) -> Iterator[tuple[datetime, IntegrationState]]:
    """Those that asked the same: an emulator's times say nothing about the provider's."""
    return ((at, state) for at, state in climb.past.nights if state.target == climb.target)


def _phase(climb: Climb, tonight: Sample) -> Check:
    nights = [
        Night(at, sample.median)
        for at, state in _nights(climb)
        for sample in state.samples
        # A night that ended early has asked other questions.
        if sample.phase is tonight.phase and sample.requests * 2 >= tonight.requests
    ]
    standing = follow([*nights, Night(datetime.now(UTC), tonight.median)], latency_score)
    phase, now = tonight.phase, _seconds(tonight.median)
    if standing.state is State.LEARNING:
        return _learning(LATENCY, len(nights), phase)
    usual = _seconds(typical_seconds(standing.baseline))
    if standing.state is State.USUAL:
        return passed(LATENCY, f"{phase} takes {now}; usual is {usual}", subject=phase)
    evidence = {
        "now": f"{now} (median of {tonight.requests} requests)",
        "usual": f"{usual} (median of {len(standing.baseline)} nights)",
        "since": _since(standing),
        "other phases": ", ".join(f"{one.phase} {_seconds(one.median)}" for one in samples_of(climb.measured)),
    }
    finding = Finding(CauseId.LATENCY_SHIFTED, f"{phase} takes {now} where {usual} was usual", evidence)
    return Check.from_finding(LATENCY, finding, subject=phase)


def errors(climb: Climb) -> Iterator[Check]:
    """The share of questions that the network or the provider did not answer at once."""
    if climb.past.unknown is not None:
        yield skipped(ERRORS, climb.past.unknown)
        return
    tonight = share_of(climb.measured)
    unanswered, questions = tonight
    if not questions:
        yield skipped(ERRORS, "no question was asked")
        return
    nights = [Night(at, Share(state.unanswered, state.questions)) for at, state in _nights(climb) if state.questions]
    standing = follow([*nights, Night(datetime.now(UTC), Share(*tonight))], share_score)
    told = f"{unanswered} of {questions} questions"
    if standing.state is State.LEARNING:
        yield _learning(ERRORS, len(nights))
        return
    usual = f"{typical_share(standing.baseline):.1%}"
    if standing.state is State.USUAL:
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


def _since(standing: Standing[float] | Standing[Share]) -> str:
    assert standing.since is not None, "a shift has begun"
    return f"{standing.since:%Y-%m-%d %H:%M} UTC"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"
