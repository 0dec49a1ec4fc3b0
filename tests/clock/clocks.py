"""Run a command and all processes that it starts on another day or in another time zone.

libfaketime (https://github.com/wolfcw/libfaketime) shifts the clock of each process by the same offset. The monotonic
clock is not shifted, so timeouts keep their length.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

PRELOAD = Path(__file__).parent / "preload"
VARIABLES = ("FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC", "LD_PRELOAD", "PYTHONPATH", "TZ")


@dataclass(frozen=True)
class Clock:
    """A shifted clock: a function from the real time to the time that it shows, and its time zone."""

    name: str
    shows: Callable[[datetime], datetime]
    zone: str = "UTC"

    def environment(self, base: Mapping[str, str], library: str, now: datetime | None = None) -> dict[str, str]:
        """Return ``base`` with the variables that put a process and its children under this clock."""
        now = now or datetime.now(UTC)
        seconds = int((self.shows(now) - now).total_seconds())
        return {
            **base,
            "FAKETIME": f"{seconds:+}s",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "LD_PRELOAD": library,
            "PYTHONPATH": os.pathsep.join([str(PRELOAD), *filter(None, [base.get("PYTHONPATH")])]),
            "TZ": self.zone,
        }


def _days(number: int) -> Callable[[datetime], datetime]:
    return lambda now: now + timedelta(days=number)


def _turn_of_the_year(now: datetime) -> datetime:
    """Return the last minute of this year, so that a command that takes longer sees both years."""
    return datetime(now.year + 1, 1, 1, tzinfo=UTC) - timedelta(minutes=1)


def _leap_day(now: datetime) -> datetime:
    """Return noon on the next 29th of February."""
    year = now.year + -now.year % 4
    day = datetime(year, 2, 29, 12, tzinfo=UTC)
    return day if day > now else datetime(year + 4, 2, 29, 12, tzinfo=UTC)


def _at(hour: int) -> Callable[[datetime], datetime]:
    """Return tomorrow at an hour of UTC when the date in the zone differs from the date in UTC."""
    return lambda now: now.replace(hour=hour, minute=0, second=0, microsecond=0) + timedelta(days=1)


CLOCKS = {
    clock.name: clock
    for clock in (
        Clock("tomorrow", _days(1)),
        Clock("in-100-days", _days(100)),
        Clock("in-400-days", _days(400)),
        Clock("turn-of-the-year", _turn_of_the_year),
        Clock("leap-day", _leap_day),
        Clock("utc+14", _at(13), "Pacific/Kiritimati"),
        Clock("utc-11", _at(3), "Pacific/Pago_Pago"),
    )
}
