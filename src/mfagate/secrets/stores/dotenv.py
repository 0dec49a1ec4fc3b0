"""``dotenv:PATH#NAME``: one variable of a .env file, parsed as python-dotenv does.

Docker's ``--env-file`` keeps quotes that python-dotenv removes. Where a value
is quoted in the file, the quotes belong to the file format and are removed.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from mfagate.result import Location
from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import Resolved, StoreContext, full_path, read_file


class Store:
    """Reads .env files relative to the configuration file."""

    def __init__(self, context: StoreContext) -> None:
        self._context = context

    def resolve(self, reference: Reference) -> Resolved:
        """The last definition of the variable, with its line."""
        path, name = reference.path_and_fragment("dotenv:.env#DUO_SKEY")
        full = full_path(self._context.base, path, reference)
        file = self._context.once("dotenv", full, lambda: _parse(read_file(self._context.base, path, reference)))
        if name not in file.defined:
            raise Unresolved(f"{reference}: {path} does not define {name}{_hint(name, file)}")
        value, line = file.defined[name]
        location = Location(full, line)
        if value is None:
            raise Unresolved(f"{reference}: {path} names {name} without a value ({location})")
        return Resolved(value, location)


@dataclass(frozen=True, slots=True)
class _File:
    """Each variable with its last value and line, and the lines that cannot be read."""

    defined: Mapping[str, tuple[str | None, int]] = field(repr=False)
    unreadable: Sequence[int]


def _parse(text: str) -> _File:
    from dotenv.parser import parse_stream

    defined: dict[str, tuple[str | None, int]] = {}
    unreadable: list[int] = []
    for binding in parse_stream(io.StringIO(text)):
        line = binding.original.line + _blank_lines_before(binding.original.string)
        if binding.error:
            unreadable.append(line)
        elif binding.key:
            defined[binding.key] = (binding.value, line)
    return _File(defined, unreadable)


def _hint(name: str, file: _File) -> str:
    if file.unreadable:
        return f"; line {file.unreadable[0]} cannot be read (an open quote?)"
    nearest = get_close_matches(name, file.defined, n=1)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""


def _blank_lines_before(original: str) -> int:
    """python-dotenv counts a binding from the blank lines in front of it."""
    return original[: len(original) - len(original.lstrip())].count("\n")
