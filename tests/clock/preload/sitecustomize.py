"""Repair time.sleep under libfaketime; Python imports this module when it starts.

libfaketime 0.9.10 changes the absolute deadline of clock_nanosleep into a time in the past, even if it is configured
not to shift the monotonic clock. Python 3.11 and newer use clock_nanosleep and get EINVAL. select() has a relative
timeout.
"""

from __future__ import annotations

import select
import time


def sleep(seconds: float) -> None:
    """Sleep for the given seconds of the monotonic clock."""
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    select.select([], [], [], seconds)


time.sleep = sleep  # type: ignore[assignment]  # other number types are not needed
