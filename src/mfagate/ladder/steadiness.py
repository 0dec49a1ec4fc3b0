"""Were the answers of this run steady: none missing, none late?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from mfagate.causes import CauseId, Outcome
from mfagate.exchange import Exchange
from mfagate.ladder.asking import Picture, counts
from mfagate.ladder.pace import SLOW_SECONDS, slow_phase
from mfagate.ladder.rung import Climb, passed
from mfagate.result import Check, Finding

ID = "provider.steady"

_SLOW_SHARE = 0.25


def run(climb: Climb) -> Iterator[Check]:
    """What was not answered at once, and what was slow. A warning: what was never answered is its own check."""
    late = [picture for picture in climb.pictures if any(sample.is_transient for sample in picture.samples)]
    slow = _slow([sample.exchange for picture in climb.pictures if (sample := picture.shown).exchange is not None])
    if late:
        yield _sporadic(climb, late)
    if slow:
        yield _slowly(slow)
    if not late and not slow:
        yield passed(ID, f"{len(climb.pictures)} questions were answered at once")


def _sporadic(climb: Climb, late: list[Picture[object]]) -> Check:
    failed = [sample for picture in late for sample in picture.samples if sample.is_transient]
    causes = {sample.cause for sample in failed}
    network = next(iter(causes)) if len(causes) == 1 and str(next(iter(causes))).startswith("network.") else None
    finding = Finding(
        network or CauseId.PROVIDER_DEGRADED,
        f"{len(late)} of {len(climb.pictures)} questions were not answered at once",
        {"failed attempts": counts(failed)},
        outcome=Outcome.WARN,
    )
    return Check.from_finding(ID, finding)


def _slow(exchanges: list[Exchange]) -> list[Exchange]:
    """The slow ones, unless they are a few among many: those happen."""
    slow = [exchange for exchange in exchanges if slow_phase(exchange) is not None]
    if len(slow) >= _SLOW_SHARE * len(exchanges):
        return slow
    by_request: defaultdict[str, list[Exchange]] = defaultdict(list)
    for exchange in exchanges:
        by_request[_request(exchange)].append(exchange)
    return [one for same in by_request.values() if len(same) > 1 and all(one in slow for one in same) for one in same]


def _request(exchange: Exchange) -> str:
    return f"{exchange.request.method} {exchange.request.url.partition('?')[0]}"


def _slowly(slow: list[Exchange]) -> Check:
    phases = Counter(slow_phase(exchange) for exchange in slow)
    finding = Finding(
        CauseId.PROVIDER_DEGRADED,
        f"{len(slow)} answers took {SLOW_SECONDS:g} s or more in one phase",
        {
            "slow phases": ", ".join(f"{number} × {phase}" for phase, number in phases.items()),
            "longest": f"{max(exchange.seconds for exchange in slow):.1f} s",
            "request": _request(max(slow, key=lambda exchange: exchange.seconds)),
        },
    )
    return Check.from_finding(ID, finding)


def in_context(climb: Climb, check: Check) -> Check:
    """A question that was never answered, next to those that were."""
    others = [picture for picture in climb.pictures if picture.shown.cause is None]
    again = sum(picture.recovered for picture in others)
    if not check.outcome.is_red or not str(check.cause).startswith(("network.", "provider.")) or not others:
        return check
    told = f"{len(others)} of {len(climb.pictures)} questions were answered"
    told += f", {again} of them only when asked again" if again else ""
    update: dict[str, object] = {"evidence": {**check.evidence, "in this run": told}}
    if again and check.cause is CauseId.PROVIDER_OUTAGE:
        # Not down: it answers now and then.
        update["cause"] = CauseId.PROVIDER_DEGRADED
    return check.model_copy(update=update)
