"""Spans of time in words."""

from __future__ import annotations

from datetime import timedelta


def in_words(left: timedelta) -> str:
    """Return a duration in days, such as ``12 days``, or in hours below two days."""
    return f"{left.days} days" if left.days >= 2 else f"{left.total_seconds() / 3600:.0f} hours"
