"""Parse numbers and times in foreign text, which may have any length and any value.

``int`` refuses more than 4,300 digits, ``float`` overflows at 1e309, and dates overflow in their own ways
(https://docs.python.org/3/library/stdtypes.html#integer-string-conversion-length-limitation). These functions return
None for a value that cannot be used, and never raise.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

_MOST_DIGITS = 15
"""Longer numbers are not useful as counts, durations or times, and a float cannot represent them exactly."""

_LONGEST_DATE = 64


def whole(text: str) -> int | None:
    """Return the number of 0 or more that the text consists of, in ASCII digits; None for anything else."""
    stripped = text.strip() if len(text) <= 2 * _MOST_DIGITS else ""
    usable = stripped.isascii() and stripped.isdecimal() and len(stripped) <= _MOST_DIGITS
    return int(stripped) if usable else None


def finite(value: Any) -> float | None:
    """Return a JSON number as a float; None if the value is not a number, is not finite or is too large for a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def moment(seconds: Any) -> datetime | None:
    """Return the time in UTC for seconds since 1970; None outside the years 1 to 9999."""
    number = finite(seconds)
    try:
        return None if number is None else datetime.fromtimestamp(number, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def iso_date(text: Any, *, zoned: bool = False) -> datetime | None:
    """Return a time in ISO 8601. Without a time zone it is in UTC, or None if it must be ``zoned``."""
    return _date(text, _zoned if zoned else datetime.fromisoformat)


def _zoned(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("the date names no time zone")
    return found


def http_date(text: Any) -> datetime | None:
    """Return a time in the format of HTTP (RFC 9110 section 5.6.7). The asctime format has no zone and means UTC."""
    return _date(text, parsedate_to_datetime)


def _date(text: Any, read: Any) -> datetime | None:
    if not isinstance(text, str) or len(text) > _LONGEST_DATE:
        return None
    try:
        found: datetime = read(text.strip())
        # Convert to UTC now, so that nothing overflows later when the time is compared or written.
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
