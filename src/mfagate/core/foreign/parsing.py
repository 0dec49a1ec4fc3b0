"""Read foreign text to make decisions: compare codes, parse dates, match contracts.

Modules that show something must not import this module; import-linter checks that. A part of foreign
text that is shown later is foreign text as well: wrap it in a :class:`ForeignText` again.
"""

from __future__ import annotations

from typing import overload

from mfagate.core.foreign.quoting import ForeignText


def beginning(text: object, longest: int) -> str:
    """Return the first ``longest`` characters of a text, for a decision that must not depend on its length."""
    return str(text)[:longest]


@overload
def raw(text: ForeignText) -> str: ...
@overload
def raw(text: ForeignText | None) -> str | None: ...
def raw(text: ForeignText | None) -> str | None:
    """Return the text as it was received. None stays None."""
    return None if text is None else text._raw
