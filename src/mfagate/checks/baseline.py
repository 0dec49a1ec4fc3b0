"""Check whether the provider has become slower or fails more often than in earlier nights."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from mfagate.baselines import (
    MIN_OBSERVATIONS,
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
from mfagate.checks.live import LiveContext
from mfagate.checks.results import passed, skipped
from mfagate.core import check_ids
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Phase
from mfagate.core.finding import Finding
from mfagate.core.result import Check
from mfagate.history.record import IntegrationState, PhaseSample, samples_of, share_of


def latency(live: LiveContext) -> Iterator[Check]:
    """Compare the duration of each phase with earlier nights."""
    if live.context.prior.unknown is not None:
        yield skipped(check_ids.LATENCY, live.context.prior.unknown)
        return
    tonight = samples_of(live.transcript.measured)
    for sample in tonight:
        yield _phase(live, sample)
    if not tonight:
        yield skipped(check_ids.LATENCY, "no question was answered")


def _nights(live: LiveContext) -> Iterator[tuple[datetime, IntegrationState]]:
    """Yield the nights with the same kind of target: an emulator's times do not compare with the provider's."""
    return ((at, state) for at, state in live.context.prior.runs if state.target == live.target_kind)


def _phase(live: LiveContext, tonight: PhaseSample) -> Check:
    nights = [
        Observation(at, sample.median)
        for at, state in _nights(live)
        for sample in state.samples
        # A night that ended early has asked other questions.
        if sample.phase is tonight.phase and sample.requests * 2 >= tonight.requests
    ]
    standing = follow([*nights, Observation(datetime.now(UTC), tonight.median)], latency_score)
    phase, now = tonight.phase, _seconds(tonight.median)
    if standing.state is SeriesState.LEARNING:
        return _learning(check_ids.LATENCY, len(nights), phase)
    usual = _seconds(typical_seconds(standing.baseline))
    if standing.state is SeriesState.USUAL:
        return passed(check_ids.LATENCY, f"{phase} takes {now}; usual is {usual}", subject=phase)
    evidence = {
        "now": f"{now} (median of {tonight.requests} requests)",
        "usual": f"{usual} (median of {len(standing.baseline)} nights)",
        "since": _since(standing),
        "other phases": ", ".join(
            f"{one.phase} {_seconds(one.median)}" for one in samples_of(live.transcript.measured)
        ),
    }
    finding = Finding(CauseId.LATENCY_SHIFTED, f"{phase} takes {now} where {usual} was usual", evidence)
    return Check.from_finding(check_ids.LATENCY, finding, subject=phase)


def errors(live: LiveContext) -> Iterator[Check]:
    """Compare the share of requests that were not answered at once with earlier nights."""
    if live.context.prior.unknown is not None:
        yield skipped(check_ids.ERRORS, live.context.prior.unknown)
        return
    tonight = share_of(live.transcript.measured)
    unanswered, questions = tonight
    if not questions:
        yield skipped(check_ids.ERRORS, "no question was asked")
        return
    nights = [
        Observation(at, Share(state.unanswered, state.questions)) for at, state in _nights(live) if state.questions
    ]
    standing = follow([*nights, Observation(datetime.now(UTC), Share(*tonight))], share_score)
    failed = f"{unanswered} of {questions} questions"
    if standing.state is SeriesState.LEARNING:
        yield _learning(check_ids.ERRORS, len(nights))
        return
    usual = f"{typical_share(standing.baseline):.1%}"
    if standing.state is SeriesState.USUAL:
        yield passed(check_ids.ERRORS, f"{failed} were not answered at once; usual is {usual}")
        return
    causes = sorted({str(request.cause) for request in live.transcript.measured if request.went_unanswered})
    evidence = {
        "now": f"{failed} ({unanswered / questions:.0%})",
        "usual": f"{usual} over {len(standing.baseline)} nights",
        "since": _since(standing),
        "causes": causes,
    }
    finding = Finding(CauseId.ERRORS_RAISED, f"{failed} were not answered at once where {usual} was usual", evidence)
    yield Check.from_finding(check_ids.ERRORS, finding)


def _learning(check_id: str, nights: int, phase: Phase | None = None) -> Check:
    reason = f"{nights} nights are known; from {MIN_OBSERVATIONS} on there is a baseline"
    return skipped(check_id, reason, subject=phase)


def _since(standing: SeriesStatus[float] | SeriesStatus[Share]) -> str:
    assert standing.since is not None, "a shift has begun"
    return f"{standing.since:%Y-%m-%d %H:%M} UTC"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"
