"""The one way in which text of others is shown: redacted, made harmless, cut.

The order matters. A key that is cut is not found by a redactor that looks for the key, and an escape
sequence inside of it hides it as well. So the whole text is redacted first, then every character that
is not harmless is spelt out, and only then the text is cut.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mfagate.foreign.harmless import harmless
from mfagate.foreign.text import ForeignText

LONGEST = 300
"""Characters that are shown of a text, unless its place is narrower."""

_LONGEST_PATH = 4096

WINDOW = 1 << 14
"""Characters that are looked at. It is so much longer than what is shown that a secret which crosses its end is
never shown, and it bounds the cost of a text of any length."""

Redact = Callable[[str], str]

_redactions: tuple[Redact, ...] = ()
_changing = threading.Lock()


@contextmanager
def hiding(redact: Redact) -> Iterator[None]:
    """Keep what ``redact`` replaces out of every quotation while the context lasts, in all threads of the process.

    It is not bound to a thread on purpose: a worker thread that somebody forgot would otherwise show secrets.
    """
    global _redactions
    with _changing:
        _redactions = (*_redactions, redact)
    try:
        yield
    finally:
        with _changing:
            left = list(_redactions)
            left.remove(redact)
            _redactions = tuple(left)


def quoted(text: object, longest: int = LONGEST) -> str:
    """A text of others for people, on one line: redacted, made harmless, and then cut.

    Args:
        text: A :class:`ForeignText`, a ``str``, or anything with words of its own, such as an exception.
        longest: The most characters of the result, at least 1; a text that is cut ends with an ellipsis.
    """
    return _cut(harmless(_redacted(_raw(text))).strip(), longest)


def quoted_json(value: Any, longest: int = LONGEST) -> str:
    """A value of somebody's JSON, written as JSON: redacted, made harmless, and then cut.

    A text that is cut keeps its quotes.
    """
    if value is None or isinstance(value, bool | int | float):
        return _cut(json.dumps(value), longest)
    if isinstance(value, str | ForeignText):
        inner = json.dumps(_redacted(_raw(value)), ensure_ascii=False)[1:-1]
        return f'"{_cut(harmless(inner), longest)}"'
    return _cut(harmless(_redacted(json.dumps(value, ensure_ascii=False, default=str))), longest)


_PLAIN_PATH = re.compile(r"[\w~.-]*/|[\w-]+(\.[\w-]+)*\Z", re.ASCII)


def shown_path(path: object) -> str:
    """A path at the beginning of a line: a name that looks like something else there is written ``./NAME``."""
    shown = quoted(path, _LONGEST_PATH)
    return shown if _PLAIN_PATH.match(shown) else f"./{shown}"


def _raw(text: object) -> str:
    if isinstance(text, ForeignText):
        return text._raw
    return text if isinstance(text, str) else str(text)


def _redacted(text: str) -> str:
    window = text[:WINDOW]
    for redact in dict.fromkeys(_redactions):
        window = redact(window)
    return window


_DANGLING = " \u200c\u200d"
"""What may not stand before the ellipsis."""


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip(_DANGLING)}…"
