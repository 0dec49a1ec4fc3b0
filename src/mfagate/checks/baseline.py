"""Check whether the provider is slower or fails more often than in earlier nightly runs."""

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
from mfagate.history.record import IntegrationState, PhaseSample, answered_requests, samples_of, share_of


def latency(live: LiveContext) -> Iterator[Check]:
    """Compare the duration of each phase with earlier nightly runs."""
    if live.context.prior.unknown is not None:
        yield skipped(check_ids.LATENCY, live.context.prior.unknown)
        return
    samples = samples_of(live.transcript.measured)
    for sample in samples:
        yield _phase(live, sample)
    if not samples:
        yield skipped(check_ids.LATENCY, "no request was answered")


def _comparable(live: LiveContext) -> Iterator[tuple[datetime, IntegrationState]]:
    """Yield the earlier runs with the same kind of target: an emulator's times differ from the provider's."""
    return ((at, state) for at, state in live.context.prior.runs if state.target == live.target_kind)


def _phase(live: LiveContext, current: PhaseSample) -> Check:
    samples = samples_of(live.transcript.measured)
    earlier = [
        Observation(at, sample.median)
        for at, state in _comparable(live)
        for sample in state.samples
        # A run that ended early has sent other requests.
        if sample.phase is current.phase and answered_requests(state.samples) * 2 >= answered_requests(samples)
    ]
    status = follow([*earlier, Observation(datetime.now(UTC), current.median)], latency_score)
    phase, now = current.phase, _seconds(current.median)
    if status.state is SeriesState.LEARNING:
        return _learning(check_ids.LATENCY, len(earlier), phase)
    usual = _seconds(typical_seconds(status.baseline))
    if status.state is SeriesState.USUAL:
        return passed(check_ids.LATENCY, f"{phase} takes {now}, usually {usual}", subject=phase)
    evidence = {
        "now": f"{now} (median of {current.requests} requests)",
        "usual": f"{usual} (median of {len(status.baseline)} nightly runs)",
        "since": _since(status),
        "other phases": ", ".join(f"{sample.phase} {_seconds(sample.median)}" for sample in samples),
    }
    finding = Finding(CauseId.LATENCY_SHIFTED, f"{phase} takes {now}, usually {usual}", evidence)
    return Check.from_finding(check_ids.LATENCY, finding, subject=phase)


def errors(live: LiveContext) -> Iterator[Check]:
    """Compare the share of requests whose first attempt failed with earlier nightly runs."""
    if live.context.prior.unknown is not None:
        yield skipped(check_ids.ERRORS, live.context.prior.unknown)
        return
    unanswered, requests = current = share_of(live.transcript.measured)
    if not requests:
        yield skipped(check_ids.ERRORS, "no request was sent")
        return
    states = [(at, state) for at, state in _comparable(live) if state.questions]
    earlier = [Observation(at, Share(state.unanswered, state.questions)) for at, state in states]
    status = follow([*earlier, Observation(datetime.now(UTC), Share(*current))], share_score)
    failed = f"{unanswered} of {requests} requests"
    if status.state is SeriesState.LEARNING:
        yield _learning(check_ids.ERRORS, len(earlier))
        return
    usual = f"{typical_share(status.baseline):.1%}"
    message = f"{failed} were not answered at the first attempt, usually {usual}"
    if status.state is SeriesState.USUAL:
        yield passed(check_ids.ERRORS, message)
        return
    evidence = {
        "now": f"{failed} ({unanswered / requests:.0%})",
        "usual": f"{usual} over {len(status.baseline)} nightly runs",
        "since": _since(status),
        "causes": sorted({str(request.cause) for request in live.transcript.measured if request.went_unanswered}),
    }
    yield Check.from_finding(check_ids.ERRORS, Finding(CauseId.ERRORS_RAISED, message, evidence))


def _learning(check_id: str, number: int, phase: Phase | None = None) -> Check:
    reason = f"{number} nightly runs are recorded; a baseline needs {MIN_OBSERVATIONS}"
    return skipped(check_id, reason, subject=phase)


def _since(status: SeriesStatus[float] | SeriesStatus[Share]) -> str:
    assert status.since is not None, "a shift has begun"
    return f"{status.since:%Y-%m-%d %H:%M} UTC"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"
