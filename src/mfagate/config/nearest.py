"""Suggest the right word for a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest_to(word: str, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)``, or nothing if no word is similar."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    longer = [candidate for candidate in by_lower if len(word) > 2 and candidate.startswith(word.lower())]
    found = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6) or (longer if len(longer) == 1 else [])
    return f" (did you mean {str(by_lower[found[0]])!r}?)" if found else ""
