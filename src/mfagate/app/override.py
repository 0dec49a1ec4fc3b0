"""The reason of an override: it lets a blocked deployment through, so it must say something."""

from __future__ import annotations

from mfagate.core.foreign import harmless
from mfagate.secrets.redaction import Redactor


def says_why(reason: str) -> bool:
    """Whether it holds a word at all; spaces, dots and invisible characters are none."""
    return any(character.isalnum() for character in reason)


def as_recorded(reason: str, redactor: Redactor) -> str:
    """The reason as every report has it: without secrets, and on one line.

    A line break or an escape sequence could make it look like a verdict. It is never cut.
    """
    return harmless(redactor.redact(reason)).strip()
