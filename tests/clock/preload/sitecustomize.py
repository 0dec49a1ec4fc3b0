"""Repair time.sleep under libfaketime; Python imports this module when it starts.

libfaketime 0.9.10 turns the absolute deadline of clock_nanosleep into a time in the past, even where it was told to
leave the monotonic clock alone. Python 3.11 and newer sleep with it, and get EINVAL. select() has a relative timeout.
"""

from __future__ import annotations

import select
import time


def sleep(seconds: float) -> None:
    """Sleep for that many seconds of the monotonic clock."""
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    select.select([], [], [], seconds)


time.sleep = sleep  # type: ignore[assignment]  # whole numbers of other types are not needed
