"""Check that the answers of this run were steady: none missing, none late."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from mfagate.checks.live import LiveContext
from mfagate.checks.results import passed
from mfagate.checks.retry import Attempt, Attempts, counts
from mfagate.checks.transcript import Transcript
from mfagate.config.resolved import Value
from mfagate.core import check_ids
from mfagate.core.causes import CauseFamily, CauseId, Outcome, is_no_answer
from mfagate.core.exchange import Exchange, Phase
from mfagate.core.finding import Finding
from mfagate.core.result import Check
from mfagate.inspection.client import login_budget

SLOW_SECONDS = 0.8
"""A phase that takes longer is slow: TCP repeats a lost segment after a second (RFC 6298 section 2)."""

_OFTEN_SHARE = 0.25
"""The share of all requests from which slow answers and repetitions are no coincidence."""

_OFTEN_LEAST = 3

_OURS = (CauseId.PROVIDER_RATE_LIMITED, CauseId.GATE_RESOURCES)
"""Causes on this side: however often they occur, the provider is not unsteady."""


def run(live: LiveContext) -> Iterator[Check]:
    """Report requests that were not answered at once or slowly; a request without any answer has a check of its own."""
    requests = live.transcript.requests
    late = sporadic(live.transcript)
    representatives = [attempts.representative for attempts in requests]
    slow = _slow([attempt.exchange for attempt in representatives if attempt.exchange is not None])
    if late is not None:
        yield Check.from_finding(check_ids.PROVIDER_STEADY, late)
    if slow:
        yield _slowly(live, slow)
    if late is None and not slow:
        yield passed(check_ids.PROVIDER_STEADY, f"{len(requests)} questions were answered at once")


def sporadic(transcript: Transcript) -> Finding | None:
    """Report requests that were answered only when repeated: a warning, or inconclusive if there are many."""
    late = [passing for attempts in transcript.requests if (passing := _passing(attempts))]
    if not late:
        return None
    # The gate itself causes rate limits, and a lack of resources is this machine's.
    failed = [passing for passing in late if any(attempt.cause not in _OURS for attempt in passing)]
    often = len(failed) >= max(_OFTEN_LEAST, _OFTEN_SHARE * len(transcript.requests))
    failures = [attempt for passing in late for attempt in passing]
    return Finding(
        _common(failures) or CauseId.PROVIDER_DEGRADED,
        f"{len(late)} of {len(transcript.requests)} questions were not answered at once",
        {"failed attempts": counts(failures)},
        outcome=Outcome.INCONCLUSIVE if often else Outcome.WARN,
    )


def _passing(attempts: Attempts[object]) -> list[Attempt[object]]:
    return [attempt for attempt in attempts.all if attempt.is_transient]


def _common(failures: list[Attempt[object]]) -> CauseId | None:
    """Return the cause that all failures share, if it says more than that the provider is unsteady."""
    causes = {attempt.cause for attempt in failures}
    cause = causes.pop()
    specific = cause in _OURS or (cause is not None and cause.family is CauseFamily.NETWORK)
    return cause if specific and not causes else None


def slow_phase(exchange: Exchange) -> Phase | None:
    """Return the slowest phase, if it was slow even without the time that this machine kept the request waiting."""
    slowest = max(exchange.phases, key=lambda phase: exchange.phases[phase], default=None)
    return slowest if slowest is not None and exchange.phases[slowest] - exchange.stalled >= SLOW_SECONDS else None


def _slow(exchanges: list[Exchange]) -> list[Exchange]:
    """Return the slow exchanges, unless they are a few among many; always those of a request that is always slow."""
    slow = [exchange for exchange in exchanges if slow_phase(exchange) is not None]
    if len(slow) >= _OFTEN_SHARE * len(exchanges):
        return slow
    by_request: defaultdict[str, list[Exchange]] = defaultdict(list)
    for exchange in exchanges:
        by_request[_request(exchange)].append(exchange)
    always = [same for same in by_request.values() if len(same) > 1 and all(each in slow for each in same)]
    return [exchange for same in always for exchange in same]


def _request(exchange: Exchange) -> str:
    return f"{exchange.request.method} {exchange.request.url.partition('?')[0]}"


def beyond_budget(client: Mapping[str, Value], exchanges: list[Exchange]) -> bool:
    """Return whether most answers take longer than a whole login may by the ``[client]`` table."""
    budget = login_budget(client)
    if budget is None:
        return False
    return 2 * sum(exchange.seconds - exchange.stalled > budget for exchange in exchanges) > len(exchanges)


def _slowly(live: LiveContext, slow: list[Exchange]) -> Check:
    client = live.context.tables.client
    budget, broken = login_budget(client), beyond_budget(client, slow)
    holds = "is exceeded by most of them" if broken else "holds"
    phases = Counter(slow_phase(exchange) for exchange in slow)
    finding = Finding(
        CauseId.PROVIDER_DEGRADED,
        f"{len(slow)} answers took {SLOW_SECONDS:g} s or more in one phase",
        {
            "slow phases": ", ".join(f"{number} × {phase}" for phase, number in phases.items()),
            "longest": f"{max(exchange.seconds for exchange in slow):.1f} s",
            "request": _request(max(slow, key=lambda exchange: exchange.seconds)),
            "login budget": "not stated" if budget is None else f"{budget:g} s, {holds}",
        },
        outcome=Outcome.INCONCLUSIVE if broken else Outcome.WARN,
    )
    return Check.from_finding(check_ids.PROVIDER_STEADY, finding)


def with_other_answers(transcript: Transcript, check: Check) -> Check:
    """Add to a request without an answer how many others were answered."""
    others = [attempts for attempts in transcript.requests if attempts.representative.cause is None]
    again = sum(attempts.recovered for attempts in others)
    if not check.outcome.is_red or not is_no_answer(check.cause) or not others:
        return check
    summary = f"{len(others)} of {len(transcript.requests)} questions were answered"
    summary += f", {again} of them only when asked again" if again else ""
    update: dict[str, object] = {"evidence": {**check.evidence, "in this run": summary}}
    if again and check.cause is CauseId.PROVIDER_OUTAGE:
        # Not down: it answers now and then.
        update["cause"] = CauseId.PROVIDER_DEGRADED
    return check.model_copy(update=update)
