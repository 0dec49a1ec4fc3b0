"""Values that people put into a setting by mistake."""

from __future__ import annotations

from mfagate.config.shapes import Lookalike
from mfagate.core.causes import CauseId


def placeholder(regex: str, message: str, next_step: str) -> Lookalike:
    """Return the example of a page or a tutorial, left in place of a value."""
    return Lookalike(regex, CauseId.CONFIG_PLACEHOLDER_LEFT, message, next_step)


def wrong_kind(regex: str, message: str, next_step: str, *, documented: bool = True) -> Lookalike:
    """Return a value that belongs in another setting, or in none; ``documented`` as in ``Lookalike``."""
    return Lookalike(regex, CauseId.CONFIG_WRONG_KIND, message, next_step, documented)
