"""Validate and record the reason of an override, which lets a blocked deployment through."""

from __future__ import annotations

from mfagate.core.foreign import harmless
from mfagate.secrets.redaction import Redactor


def says_why(reason: str) -> bool:
    """Return whether a reason has a letter or a digit; spaces, dots and invisible characters do not count."""
    return any(character.isalnum() for character in reason)


def as_recorded(reason: str, redactor: Redactor) -> str:
    """Return the reason as every report has it: without secrets, and on one line.

    A line break or an escape sequence could make it look like a verdict. It is never cut.
    """
    return harmless(redactor.redact(reason)).strip()
