"""Is our clock near enough to the provider's for signatures, tokens and one-time passwords?"""

from __future__ import annotations

from collections.abc import Iterator

from mfagate.causes import CauseId
from mfagate.ladder.rung import Climb, passed, skipped
from mfagate.result import Check, Finding
from mfagate.wire import clock_offset

ID = "clock"


def run(climb: Climb) -> Iterator[Check]:
    """Compare with the Date header of the ping."""
    offset = clock_offset(climb.ping) if climb.ping is not None else None
    if offset is None:
        yield skipped(ID, "the server sends no Date header to compare with")
        return
    tolerance = climb.provider.clock_tolerance_seconds
    if abs(offset) <= tolerance:
        yield passed(ID, f"clocks differ by {abs(offset):.0f} s; {tolerance:.0f} s are allowed")
        return
    side = "behind" if offset > 0 else "ahead of"
    finding = Finding(
        CauseId.CLOCK_SKEW,
        f"this machine's clock is {_duration(abs(offset))} {side} {climb.provider.title}'s",
        {"seconds": round(offset), "allowed seconds": tolerance, "measured against": "the Date header of the ping"},
    )
    yield Check.from_finding(ID, finding)


def _duration(seconds: float) -> str:
    return (
        f"{seconds / 3600:.1f} h"
        if seconds >= 5400
        else f"{seconds / 60:.0f} min"
        if seconds >= 120
        else f"{seconds:.0f} s"
    )
