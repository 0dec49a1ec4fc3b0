"""Read numbers and times in foreign text, which may have any length and size.

``int`` refuses more than 4,300 digits, ``float`` overflows at 1e309, and dates overflow in their own ways
(https://docs.python.org/3/library/stdtypes.html#integer-string-conversion-length-limitation). These functions return
None for what cannot be used, and never raise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

_MOST_DIGITS = 15
"""No count, duration or moment has more, and a float would not hold them exactly."""

_LONGEST_DATE = 64


def whole(text: str) -> int | None:
    """Read a number of 0 or more in ASCII digits; None for anything else."""
    stripped = text.strip() if len(text) <= 2 * _MOST_DIGITS else ""
    usable = stripped.isascii() and stripped.isdecimal() and len(stripped) <= _MOST_DIGITS
    return int(stripped) if usable else None


def finite(value: Any) -> float | None:
    """Return a number of JSON as a float; None if it is not a number, not finite or larger than any float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def moment(seconds: Any) -> datetime | None:
    """Return the time of a number of seconds since 1970, in UTC; None outside the years 1 to 9999."""
    number = finite(seconds)
    try:
        return None if number is None else datetime.fromtimestamp(number, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def iso_date(text: Any, *, zoned: bool = False) -> datetime | None:
    """Read a time in ISO 8601. Without a time zone it means UTC, or nothing if a zone is required (``zoned``)."""
    return _date(text, _zoned if zoned else datetime.fromisoformat)


def _zoned(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("the date names no time zone")
    return found


def http_date(text: Any) -> datetime | None:
    """Read a time in a format of HTTP (RFC 9110 section 5.6.7); asctime's format has no zone and means UTC."""
    return _date(text, parsedate_to_datetime)


def _date(text: Any, read: Callable[[str], datetime]) -> datetime | None:
    if not isinstance(text, str) or len(text) > _LONGEST_DATE:
        return None
    try:
        found = read(text.strip())
        # In UTC, so that nothing overflows when it is compared or written.
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
