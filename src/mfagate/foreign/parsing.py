"""Text of others for decisions: comparing codes, reading dates, matching contracts.

Modules that show things must not import this module, which import-linter checks. What is read out of
such a text and shown later is a text of others as well: wrap it in a :class:`ForeignText` again.
"""

from __future__ import annotations

from typing import overload

from mfagate.foreign.text import ForeignText


def beginning(text: object, longest: int) -> str:
    """Return the first ``longest`` characters of a text, for a decision that must not depend on its length."""
    return str(text)[:longest]


@overload
def raw(text: ForeignText) -> str: ...
@overload
def raw(text: ForeignText | None) -> str | None: ...
def raw(text: ForeignText | None) -> str | None:
    """The text as it came. None stays None."""
    return None if text is None else text._raw
