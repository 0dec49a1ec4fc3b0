"""Is our clock near enough to the provider's for signatures, tokens and one-time passwords?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from mfagate.checks.context import CheckContext, passed, skipped
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import Exchange
from mfagate.core.finding import Finding
from mfagate.core.result import Check
from mfagate.transport import clock_offset

ID = "clock"


def run(climb: CheckContext) -> Iterator[Check]:
    """Compare with the times that the pings' answers tell, in the body and in the Date header."""
    measured = [one for exchange in climb.answers for one in _measured(climb, exchange)]
    if not measured:
        yield skipped(ID, "the server sends no Date header to compare with")
        return
    tolerance = climb.provider.clock_tolerance_seconds
    off = [one for one in measured if abs(one.seconds) > tolerance]
    if not off:
        furthest = max(abs(one.seconds) for one in measured)
        yield passed(ID, f"clocks differ by {furthest:.0f} s; {tolerance:.0f} s are allowed")
    elif len(off) == len(measured):
        yield Check.from_finding(ID, _skew(climb, off[0], tolerance))
    else:
        # Ours cannot be both right and wrong, so more than that is not known.
        right = next(one for one in measured if one not in off)
        skew = _skew(climb, off[0], tolerance)
        message = f"by {off[0].against} {skew.message}, but by {right.against} it is right"
        yield Check.from_finding(ID, replace(skew, message=message, outcome=Outcome.INCONCLUSIVE))


def _skew(climb: CheckContext, offset: Offset, tolerance: float) -> Finding:
    side = "behind" if offset.seconds > 0 else "ahead of"
    return Finding(
        CauseId.CLOCK_SKEW,
        f"this machine's clock is {_duration(abs(offset.seconds))} {side} {climb.provider.title}'s",
        {"seconds": round(offset.seconds), "allowed seconds": tolerance, "measured against": offset.against},
    )


@dataclass(frozen=True, slots=True)
class Offset:
    """How far the server's clock is ahead of ours, and which of its clocks that is."""

    seconds: float
    against: str


def _measured(climb: CheckContext, exchange: Exchange) -> Iterator[Offset]:
    """The body's time first: it is the application's own, while a front may write the header."""
    told = climb.provider.server_time(exchange.response) if exchange.response is not None else None
    if told is not None and (offset := clock_offset(exchange, told)) is not None:
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
