"""Were the answers of this run steady: none missing, none late?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from mfagate.causes import CauseId, Outcome
from mfagate.exchange import Exchange
from mfagate.ladder.asking import Picture
from mfagate.ladder.rung import SLOW_SECONDS, Climb, passed, slow_phase
from mfagate.result import Check, Finding

ID = "provider.steady"

_SLOW_SHARE = 0.25


def run(climb: Climb) -> Iterator[Check]:
    """What had to be asked again, and what was slow. A warning: each question was answered in the end."""
    recovered = [picture for picture in climb.pictures if picture.recovered]
    slow = _slow([sample.exchange for picture in climb.pictures if (sample := picture.shown).exchange is not None])
    if recovered:
        yield _sporadic(climb, recovered)
    if slow:
        yield _slowly(slow)
    if not recovered and not slow:
        yield passed(ID, f"{len(climb.pictures)} questions were answered at once")


def _sporadic(climb: Climb, recovered: list[Picture[object]]) -> Check:
    failed = Counter(sample.label for picture in recovered for sample in picture.failures)
    causes = {sample.cause for picture in recovered for sample in picture.failures}
    network = next(iter(causes)) if len(causes) == 1 and str(next(iter(causes))).startswith("network.") else None
    finding = Finding(
        network or CauseId.PROVIDER_DEGRADED,
        f"{len(recovered)} of {len(climb.pictures)} questions were answered only when asked again",
        {"failed attempts": ", ".join(f"{number} × {label}" for label, number in failed.items())},
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
