"""Check that this machine's clock is close enough to the provider's for signatures, tokens and one-time passwords."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from mfagate.checks.live import LiveContext
from mfagate.checks.results import passed, skipped
from mfagate.core import check_ids
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import Exchange
from mfagate.core.finding import Finding
from mfagate.core.result import Check
from mfagate.transport import clock_offset


def run(live: LiveContext) -> Iterator[Check]:
    """Compare the clock with the times in the answers to the pings: in the body and in the Date header."""
    measured = [offset for exchange in live.evidence.answers for offset in _measured(live, exchange)]
    if not measured:
        yield skipped(check_ids.CLOCK, "the server sends no Date header to compare with")
        return
    tolerance = live.provider.clock_tolerance_seconds
    off = [offset for offset in measured if abs(offset.seconds) > tolerance]
    if not off:
        furthest = max(abs(offset.seconds) for offset in measured)
        yield passed(check_ids.CLOCK, f"clocks differ by {furthest:.0f} s; {tolerance:.0f} s are allowed")
    elif len(off) == len(measured):
        yield Check.from_finding(check_ids.CLOCK, _skew(live, off[0], tolerance))
    else:
        # One of the server's two clocks is wrong, so the result is inconclusive.
        right = next(offset for offset in measured if offset not in off)
        skew = _skew(live, off[0], tolerance)
        message = f"according to {off[0].against}, {skew.message}, but according to {right.against} it is right"
        yield Check.from_finding(check_ids.CLOCK, replace(skew, message=message, outcome=Outcome.INCONCLUSIVE))


def _skew(live: LiveContext, offset: Offset, tolerance: float) -> Finding:
    side = "behind" if offset.seconds > 0 else "ahead of"
    return Finding(
        CauseId.CLOCK_SKEW,
        f"this machine's clock is {_duration(abs(offset.seconds))} {side} {live.provider.title}'s",
        {"seconds": round(offset.seconds), "allowed seconds": tolerance, "measured against": offset.against},
    )


@dataclass(frozen=True, slots=True)
class Offset:
    """Seconds by which one of the server's clocks is ahead of this machine's, and which clock it is."""

    seconds: float
    against: str


def _measured(live: LiveContext, exchange: Exchange) -> Iterator[Offset]:
    """Yield the offset from the body first: it is the application's own, but the header may be a proxy's."""
    stated = live.provider.probes.server_time(exchange.response) if exchange.response is not None else None
    if stated is not None and (offset := clock_offset(exchange, stated)) is not None:
        yield Offset(offset, "the time in the ping's answer")
    if (offset := clock_offset(exchange)) is not None:
        yield Offset(offset, "the Date header of the ping")


def _duration(seconds: float) -> str:
    if seconds >= 5400:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"
