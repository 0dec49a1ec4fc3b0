"""The type of foreign text."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from mfagate.core import numbers


class ForeignText:
    """A foreign text. It can be compared and searched; :func:`mfagate.core.foreign.quoted` shows it.

    ``str``, ``repr`` and f-strings give a placeholder, and there is no slicing or concatenation. So code
    that forgets to quote the text shows nothing, and mypy rejects it where a ``str`` is expected.
    """

    __slots__ = ("_raw",)

    _raw: Final[str]

    def __init__(self, raw: str) -> None:
        self._raw = raw

    def quoted(self, longest: int = 300) -> str:
        """Return the text for people: redacted, made harmless, and then cut to ``longest`` characters."""
        from mfagate.core.foreign.quoting import quoted

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
