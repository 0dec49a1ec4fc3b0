"""Were the answers of this run steady: none missing, none late?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from mfagate.checks.context import CheckContext, passed
from mfagate.checks.retry import Attempt, Attempts, counts
from mfagate.core.causes import CauseId, Outcome, is_no_answer
from mfagate.core.exchange import Exchange, Phase
from mfagate.core.finding import Finding
from mfagate.core.result import Check
from mfagate.inspection.client import login_budget

ID = "provider.steady"

SLOW_SECONDS = 0.8
"""From here on a phase of an exchange is slow: TCP repeats what got lost after a second (RFC 6298 section 2)."""

_OFTEN_SHARE = 0.25
"""Of all questions: what is slow or has to be asked again so often does not just happen."""

_OFTEN_LEAST = 3

_OURS = (CauseId.PROVIDER_RATE_LIMITED, CauseId.GATE_RESOURCES)
"""However often they occur, they say nothing against the provider."""


def run(climb: CheckContext) -> Iterator[Check]:
    """What was not answered at once, and what was slow; what was never answered is its own check."""
    late = sporadic(climb)
    slow = _slow([sample.exchange for picture in climb.pictures if (sample := picture.shown).exchange is not None])
    if late is not None:
        yield Check.from_finding(ID, late)
    if slow:
        yield _slowly(climb, slow)
    if late is None and not slow:
        yield passed(ID, f"{len(climb.pictures)} questions were answered at once")


def sporadic(climb: CheckContext) -> Finding | None:
    """What was answered only when it was asked again: a warning, and where that is often, no basis for a verdict."""
    late = [samples for picture in climb.pictures if (samples := _passing(picture))]
    if not late:
        return None
    # Limits on the rate are met by asking much at once, and this machine's own are nobody else's.
    failed = [samples for samples in late if any(one.cause not in _OURS for one in samples)]
    often = len(failed) >= max(_OFTEN_LEAST, _OFTEN_SHARE * len(climb.pictures))
    attempts = [sample for samples in late for sample in samples]
    return Finding(
        _common(attempts) or CauseId.PROVIDER_DEGRADED,
        f"{len(late)} of {len(climb.pictures)} questions were not answered at once",
        {"failed attempts": counts(attempts)},
        outcome=Outcome.INCONCLUSIVE if often else Outcome.WARN,
    )


def _passing(picture: Attempts[Any]) -> list[Attempt[Any]]:
    return [sample for sample in picture.samples if sample.is_transient]


def _common(attempts: list[Attempt[Any]]) -> CauseId | None:
    """The one cause of all of them, if it says more than that the provider is unsteady."""
    causes = {sample.cause for sample in attempts}
    cause = causes.pop()
    telling = str(cause).startswith("network.") or cause in _OURS
    return cause if telling and not causes else None


def slow_phase(exchange: Exchange) -> Phase | None:
    """The slowest phase of an exchange, if it was slow without the time that this machine kept us waiting."""
    slowest = max(exchange.phases, key=lambda phase: exchange.phases[phase], default=None)
    return slowest if slowest is not None and exchange.phases[slowest] - exchange.stalled >= SLOW_SECONDS else None


def _slow(exchanges: list[Exchange]) -> list[Exchange]:
    """The slow ones, unless they are a few among many: those happen."""
    slow = [exchange for exchange in exchanges if slow_phase(exchange) is not None]
    if len(slow) >= _OFTEN_SHARE * len(exchanges):
        return slow
    by_request: defaultdict[str, list[Exchange]] = defaultdict(list)
    for exchange in exchanges:
        by_request[_request(exchange)].append(exchange)
    return [one for same in by_request.values() if len(same) > 1 and all(one in slow for one in same) for one in same]


def _request(exchange: Exchange) -> str:
    return f"{exchange.request.method} {exchange.request.url.partition('?')[0]}"


def beyond_budget(climb: CheckContext, exchanges: list[Exchange]) -> bool:
    """Whether most answers take longer each than a whole login may, where the file states a budget."""
    budget = login_budget(climb.client)
    if budget is None:
        return False
    return 2 * sum(exchange.seconds - exchange.stalled > budget for exchange in exchanges) > len(exchanges)


def _slowly(climb: CheckContext, slow: list[Exchange]) -> Check:
    budget = login_budget(climb.client)
    broken = beyond_budget(climb, slow)
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
    return Check.from_finding(ID, finding)


def in_context(climb: CheckContext, check: Check) -> Check:
    """A question that was never answered, next to those that were."""
    others = [picture for picture in climb.pictures if picture.shown.cause is None]
    again = sum(picture.recovered for picture in others)
    if not check.outcome.is_red or not is_no_answer(check.cause) or not others:
        return check
    told = f"{len(others)} of {len(climb.pictures)} questions were answered"
    told += f", {again} of them only when asked again" if again else ""
    update: dict[str, object] = {"evidence": {**check.evidence, "in this run": told}}
    if again and check.cause is CauseId.PROVIDER_OUTAGE:
        # Not down: it answers now and then.
        update["cause"] = CauseId.PROVIDER_DEGRADED
    return check.model_copy(update=update)
