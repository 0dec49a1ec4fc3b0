"""``dotenv:PATH#NAME``: one variable of a .env file, parsed as python-dotenv does.

Docker's ``--env-file`` keeps quotes that python-dotenv removes. Where a value
is quoted in the file, the quotes belong to the file format and are removed.
"""

from __future__ import annotations

import io
from difflib import get_close_matches

from mfagate.result import Location
from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import Resolved, StoreContext, full_path, read_file


class Store:
    """Reads .env files relative to the configuration file."""

    def __init__(self, context: StoreContext) -> None:
        self._base = context.base

    def resolve(self, reference: Reference) -> Resolved:
        """The last definition of the variable, with its line."""
        from dotenv.parser import parse_stream

        path, name = reference.path_and_fragment("dotenv:.env#DUO_SKEY")
        found: Resolved | None = None
        names: list[str] = []
        unreadable: list[int] = []
        for binding in parse_stream(io.StringIO(read_file(self._base, path, reference))):
            line = binding.original.line + _blank_lines_before(binding.original.string)
            if binding.error:
                unreadable.append(line)
            elif binding.key == name:
                found = Resolved(binding.value, Location(full_path(self._base, path, reference), line))
            elif binding.key:
                names.append(binding.key)
        if found is None:
            raise Unresolved(f"{reference}: {path} does not define {name}{_hint(name, names, unreadable)}")
        if found.value is None:
            raise Unresolved(f"{reference}: {path} names {name} without a value ({found.location})")
        return found


def _hint(name: str, names: list[str], unreadable: list[int]) -> str:
    if unreadable:
        return f"; line {unreadable[0]} cannot be read (an open quote?)"
    nearest = get_close_matches(name, names, n=1)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""


def _blank_lines_before(original: str) -> int:
    """python-dotenv counts a binding from the blank lines in front of it."""
    return original[: len(original) - len(original.lstrip())].count("\n")
