"""The type of foreign text, and the only way to show it: redacted, made harmless, cut.

The order matters. A redactor does not find a key that was cut, or one in which escape sequences were
spelt out. So the whole text is redacted first, then every character that is not harmless is spelt out,
and only then the text is cut.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from mfagate.core import numbers
from mfagate.core.foreign.harmless import harmless

LONGEST = 300
"""The number of characters of a text that are shown by default."""

_LONGEST_PATH = 4096

WINDOW = 1 << 14
"""The number of characters that are read, which bounds the cost of a long text. It is so much larger than the number
that is shown that a secret which crosses the end of the window is never shown."""


class ForeignText:
    """A foreign text. It can be compared and searched; :func:`mfagate.core.foreign.quoted` shows it.

    ``str``, ``repr`` and f-strings give a placeholder, and there is no slicing or concatenation. So code
    that forgets to quote the text shows nothing, and mypy rejects it where a ``str`` is expected.
    """

    __slots__ = ("_raw",)

    _raw: Final[str]

    def __init__(self, raw: str) -> None:
        self._raw = raw

    def quoted(self, longest: int = LONGEST) -> str:
        """Return the text for people: redacted, made harmless, and then cut to ``longest`` characters."""
        return quoted(self, longest)

    def whole_number(self) -> int | None:
        """Return the number that the text consists of; None for anything but a few ASCII digits."""
        return numbers.whole(self._raw)

    def http_date(self) -> datetime | None:
        """Return the time that the text contains in the format of HTTP; None for anything else."""
        return numbers.http_date(self._raw)

    def __contains__(self, part: str) -> bool:
        return part in self._raw

    def __bool__(self) -> bool:
        return bool(self._raw)

    def __len__(self) -> int:
        return len(self._raw)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ForeignText):
            return self._raw == other._raw
        return self._raw == other if isinstance(other, str) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._raw)

    def __str__(self) -> str:
        return "[foreign text]"

    __repr__ = __str__

    def __format__(self, specification: str) -> str:
        return str(self)

    def __reduce__(self) -> tuple[type[ForeignText], tuple[str]]:
        return ForeignText, (self._raw,)


Redact = Callable[[str], str]

_redactions: tuple[Redact, ...] = ()
_changing = threading.Lock()


@contextmanager
def hiding(redact: Redact) -> Iterator[None]:
    """Apply ``redact`` to every quotation while the context lasts, in all threads of the process.

    The context applies to all threads on purpose: otherwise a forgotten worker thread could show secrets. Of two runs
    at the same time, each hides the secrets of both.
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
    """Return foreign text for people, on one line: redacted, made harmless, and then cut.

    Args:
        text: A :class:`ForeignText`, a ``str``, or any object that ``str`` converts, such as an exception.
        longest: The maximum length of the result, at least 1. A text that is cut ends with an ellipsis.
    """
    return _cut(harmless(_redacted(_raw(text))).strip(), longest)


def quoted_json(value: Any, longest: int = LONGEST) -> str:
    """Return a value of a foreign JSON document as JSON: redacted, made harmless, and then cut.

    A text that is cut keeps its quotation marks.
    """
    if value is None or isinstance(value, bool | int | float):
        return _cut(json.dumps(value), longest)
    if isinstance(value, str | ForeignText):
        inner = json.dumps(_redacted(_raw(value)), ensure_ascii=False)[1:-1]
        return f'"{_cut(harmless(inner), longest)}"'
    return _cut(harmless(_redacted(json.dumps(value, ensure_ascii=False, default=str))), longest)


_PLAIN_PATH = re.compile(r"[\w~.-]*/|[\w-]+(\.[\w-]+)*\Z", re.ASCII)


def shown_path(path: object) -> str:
    """Return a path for the beginning of a line. A name that looks like something else becomes ``./NAME``."""
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
"""Characters that are removed before the ellipsis."""


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip(_DANGLING)}…"
