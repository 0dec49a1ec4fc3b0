"""The reason of an override, which lets a blocked deployment through."""

from __future__ import annotations

from mfagate.core.foreign import harmless
from mfagate.secrets.redaction import Redactor


def says_why(reason: str) -> bool:
    """Return whether a reason has a letter or a digit. Spaces, dots and invisible characters do not count."""
    return any(character.isalnum() for character in reason)


def as_recorded(reason: str, redactor: Redactor) -> str:
    """Return the reason for the report: without secrets, on one line, and never shortened.

    A line break or an escape sequence could make it look like a verdict.
    """
    return harmless(redactor.redact(reason)).strip()
