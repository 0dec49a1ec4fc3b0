"""Is our clock near enough to the provider's for signatures, tokens and one-time passwords?"""

from __future__ import annotations

from collections.abc import Iterator

from mfagate.causes import CauseId
from mfagate.exchange import Exchange
from mfagate.ladder.rung import Climb, passed, skipped
from mfagate.result import Check, Finding
from mfagate.wire import clock_offset

ID = "clock"


def run(climb: Climb) -> Iterator[Check]:
    """Compare with the time that a ping's answer tells, in its body or its Date header."""
    measured = next(filter(None, (_measured(climb, exchange) for _, exchange in climb.pings)), None)
    if measured is None:
        yield skipped(ID, "the server sends no Date header to compare with")
        return
    offset, against = measured
    tolerance = climb.provider.clock_tolerance_seconds
    if abs(offset) <= tolerance:
        yield passed(ID, f"clocks differ by {abs(offset):.0f} s; {tolerance:.0f} s are allowed")
        return
    side = "behind" if offset > 0 else "ahead of"
    finding = Finding(
        CauseId.CLOCK_SKEW,
        f"this machine's clock is {_duration(abs(offset))} {side} {climb.provider.title}'s",
        {"seconds": round(offset), "allowed seconds": tolerance, "measured against": against},
    )
    yield Check.from_finding(ID, finding)


def _measured(climb: Climb, exchange: Exchange) -> tuple[float, str] | None:
    told = climb.provider.server_time(exchange.response) if exchange.response is not None else None
    offset = clock_offset(exchange, told)
    if offset is None:
        return None
    return offset, "the Date header of the ping" if told is None else "the time in the ping's answer"


def _duration(seconds: float) -> str:
    return (
        f"{seconds / 3600:.1f} h"
        if seconds >= 5400
        else f"{seconds / 60:.0f} min"
        if seconds >= 120
        else f"{seconds:.0f} s"
    )
