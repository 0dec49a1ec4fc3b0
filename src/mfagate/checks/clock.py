"""Check that this machine's clock is near enough to the provider's for signatures, tokens and one-time passwords."""

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
    """Compare with the times in the answers to the pings: in the body and in the Date header."""
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
        # This machine's clock cannot be both right and wrong, so nothing more is known.
        right = next(offset for offset in measured if offset not in off)
        skew = _skew(live, off[0], tolerance)
        message = f"by {off[0].against} {skew.message}, but by {right.against} it is right"
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
    """Yield the offset from the body first: it is the application's own, while a proxy may write the header."""
    stated = live.provider.server_time(exchange.response) if exchange.response is not None else None
    if stated is not None and (offset := clock_offset(exchange, stated)) is not None:
        yield Offset(offset, "the time in the ping's answer")
    if (offset := clock_offset(exchange)) is not None:
        yield Offset(offset, "the Date header of the ping")


def _duration(seconds: float) -> str:
    return (
        f"{seconds / 3600:.1f} h"
        if seconds >= 5400
        else f"{seconds / 60:.0f} min"
        if seconds >= 120
        else f"{seconds:.0f} s"
    )
