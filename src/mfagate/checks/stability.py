"""Check that all requests of this run were answered at the first attempt, and fast."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from mfagate.checks.live import LiveContext
from mfagate.checks.results import passed
from mfagate.checks.retirement import endpoint_of
from mfagate.checks.retry import Attempt, counts
from mfagate.checks.transcript import Transcript
from mfagate.config.resolved import Value
from mfagate.core import check_ids
from mfagate.core.causes import CauseFamily, CauseId, Outcome, is_no_answer
from mfagate.core.exchange import Exchange, Phase
from mfagate.core.finding import Finding
from mfagate.core.result import Check
from mfagate.inspection.client import login_budget
from mfagate.transport.pool import SLOW_SECONDS

_OFTEN_SHARE = 0.25
"""From this share of all requests on, slow answers and repetitions are not a coincidence."""

_OFTEN_LEAST = 3

_OURS = (CauseId.PROVIDER_RATE_LIMITED, CauseId.GATE_RESOURCES)
"""Causes on this side: they never make the provider unreliable, no matter how frequent they are."""


def run(live: LiveContext) -> Iterator[Check]:
    """Report requests that were repeated or slow; another check reports a request without any answer."""
    requests = live.transcript.requests
    late = sporadic(live.transcript)
    representatives = [attempts.representative for attempts in requests]
    slow = _slow([attempt.exchange for attempt in representatives if attempt.exchange is not None])
    if late is not None:
        yield Check.from_finding(check_ids.PROVIDER_STEADY, late)
    if slow:
        yield _slowly(live, slow)
    if late is None and not slow:
        message = f"{len(requests)} requests were answered at the first attempt"
        steady = passed(check_ids.PROVIDER_STEADY, message)
        yield steady.model_copy(update={"evidence": _renewed(representatives)})


def _renewed(attempts: list[Attempt[object]]) -> Mapping[str, str]:
    """Count the requests whose kept connection had been closed. That is no fault: servers close idle connections."""
    renewed = sum(attempt.exchange is not None and attempt.exchange.connection == "renewed" for attempt in attempts)
    if not renewed:
        return {}
    return {"connections": f"{renewed} kept connections had been closed; their requests were sent again on new ones"}


def sporadic(transcript: Transcript) -> Finding | None:
    """Report requests that were answered only when repeated: a warning, or inconclusive if there are many."""
    transient = [[attempt for attempt in attempts.all if attempt.is_transient] for attempts in transcript.requests]
    late = list(filter(None, transient))
    if not late:
        return None
    # The gate itself causes rate limits, and this machine causes a lack of resources.
    failed = [attempts for attempts in late if any(attempt.cause not in _OURS for attempt in attempts)]
    often = len(failed) >= max(_OFTEN_LEAST, _OFTEN_SHARE * len(transcript.requests))
    failures = [attempt for attempts in late for attempt in attempts]
    return Finding(
        _common(failures) or CauseId.PROVIDER_DEGRADED,
        f"{len(late)} of {len(transcript.requests)} requests were not answered at the first attempt",
        {"failed attempts": counts(failures)},
        outcome=Outcome.INCONCLUSIVE if often else Outcome.WARN,
    )


def _common(failures: list[Attempt[object]]) -> CauseId | None:
    """Return the cause that all failures share, if it is more specific than an unreliable provider."""
    causes = {attempt.cause for attempt in failures}
    cause = causes.pop()
    specific = cause in _OURS or (cause is not None and cause.family is CauseFamily.NETWORK)
    return cause if specific and not causes else None


def slow_phase(exchange: Exchange) -> Phase | None:
    """Return the slowest phase, if it was slow even without the time that this machine kept the request waiting."""
    slowest = max(exchange.phases, key=lambda phase: exchange.phases[phase], default=None)
    return slowest if slowest is not None and exchange.phases[slowest] - exchange.stalled >= SLOW_SECONDS else None


def _slow(exchanges: list[Exchange]) -> list[Exchange]:
    """Return the slow exchanges if there are many, or else those of requests that are always slow."""
    slow = [exchange for exchange in exchanges if slow_phase(exchange) is not None]
    if len(slow) >= _OFTEN_SHARE * len(exchanges):
        return slow
    by_request: defaultdict[str, list[Exchange]] = defaultdict(list)
    for exchange in exchanges:
        by_request[endpoint_of(exchange)].append(exchange)
    same_requests = [same for same in by_request.values() if len(same) > 1]
    return [exchange for same in same_requests if all(map(slow.__contains__, same)) for exchange in same]


def beyond_budget(client: Mapping[str, Value], exchanges: list[Exchange]) -> bool:
    """Return whether most answers take longer than the ``[client]`` table allows for a whole login."""
    budget = login_budget(client)
    if budget is None:
        return False
    return 2 * sum(exchange.seconds - exchange.stalled > budget for exchange in exchanges) > len(exchanges)


def _slowly(live: LiveContext, slow: list[Exchange]) -> Check:
    client = live.context.tables.client
    budget, broken = login_budget(client), beyond_budget(client, slow)
    result = "exceeded by most of them" if broken else "not exceeded by most of them"
    phases = Counter(slow_phase(exchange) for exchange in slow)
    finding = Finding(
        CauseId.PROVIDER_DEGRADED,
        f"{len(slow)} answers took {SLOW_SECONDS:g} s or more in one phase",
        {
            "slow phases": ", ".join(f"{number} × {phase}" for phase, number in phases.items()),
            "longest": f"{max(exchange.seconds for exchange in slow):.1f} s",
            "request": endpoint_of(max(slow, key=lambda exchange: exchange.seconds)),
            "login budget": "not stated" if budget is None else f"{budget:g} s, {result}",
        },
        outcome=Outcome.INCONCLUSIVE if broken else Outcome.WARN,
    )
    return Check.from_finding(check_ids.PROVIDER_STEADY, finding)


def with_other_answers(transcript: Transcript, check: Check) -> Check:
    """Add to the check of a request without an answer how many other requests were answered."""
    if not check.outcome.is_red or not is_no_answer(check.cause):
        return check
    others = [attempts for attempts in transcript.requests if attempts.representative.cause is None]
    if not others:
        return check
    again = sum(attempts.recovered for attempts in others)
    summary = f"{len(others)} of {len(transcript.requests)} requests were answered"
    summary += f", {again} of them only when repeated" if again else ""
    update: dict[str, object] = {"evidence": {**check.evidence, "in this run": summary}}
    if again and check.cause is CauseId.PROVIDER_OUTAGE:
        # The provider is not down, because it answers sometimes.
        update["cause"] = CauseId.PROVIDER_DEGRADED
    return check.model_copy(update=update)
