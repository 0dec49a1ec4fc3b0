"""Files of ``NAME = VALUE`` with or without ``[sections]``: .ini, .cfg, .conf and Java's .properties.

Duo's Authentication Proxy and pam_duo, privacyIDEA's plugin for FreeRADIUS and Spring are configured in such files
(https://duo.com/docs/authproxy-reference, https://github.com/privacyidea/FreeRADIUS/blob/master/rlm_perl.ini). A value
is everything after the first ``=`` or ``:``, without the blanks around it. A file without sections is read as Java
reads it, with ``\\`` as the escape character
(https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/Properties.html#load(java.io.Reader)).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from mfagate.secrets.stores.lines import LineOf

_LINE_END = re.compile(r"\r\n|\n|\r")
_SECTION = re.compile(r"\[([^\[\]\n]+)\](?:\s*+[#;].*)?")
_NAME = re.compile(r"(?:\\.|[^\\=:])*+")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))")
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}


class IniError(ValueError):
    """No line has the form ``NAME = VALUE``. ``line`` is the first line that is not a comment, counted from 1."""

    def __init__(self, line: int) -> None:
        self.line = line
        super().__init__(f"line {line}")


@dataclass(frozen=True, slots=True)
class _Pair:
    keys: Sequence[str]
    value: str = field(repr=False)
    line: int


def section_of(line: str) -> str | None:
    """Return the section that a line begins, or None."""
    found = _SECTION.fullmatch(line.strip())
    return found[1].strip() if found else None


def parse(text: str) -> dict[str, Any]:
    """Read the values of a file. The values of a section are a table.

    Raises:
        IniError: The file has lines, but none has a value.
    """
    root: dict[str, Any] = {}
    pairs = list(_pairs(text))
    if not pairs and (other := [number for number, line in enumerate(_split(text), 1) if not _is_comment(line)]):
        raise IniError(other[0])
    for pair in pairs:
        *around, name = pair.keys
        table = root.setdefault(around[0], {}) if around else root
        if isinstance(table, dict):
            table[name] = pair.value
    return root


def lines(text: str) -> LineOf:
    """Return the lines of the names."""
    found = {tuple(pair.keys): pair.line for pair in _pairs(text)}
    return lambda keys: found.get(tuple(keys))


def _pairs(text: str) -> Iterator[_Pair]:
    """Yield the names with their values. Skip names without a value, and lines that continue a list."""
    java = not any(section_of(line) for line in _split(text))
    section: list[str] = []
    for number, line in _joined(text) if java else enumerate(_split(text), 1):
        if (found := section_of(line)) is not None:
            section = [found]
        elif not _is_comment(line):
            name = _NAME.match(line) if java else re.match(r"[^=:]*+", line)
            if name is not None and name.end() < len(line) and name[0].strip():
                key, value = name[0].strip(" \t"), line[name.end() + 1 :].strip(" \t")
                key, value = (_unescaped(key), _unescaped(value)) if java else (key, value)
                yield _Pair([*section, key], value, number)


def _is_comment(line: str) -> bool:
    return line.lstrip()[:1] in ("", "#", ";", "!")


def _split(text: str) -> list[str]:
    return _LINE_END.split(text)


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines, joined where a line ends with a backslash, as in Java."""
    whole, start = "", 0
    for number, line in enumerate(_split(text), 1):
        start = start or number
        more = line.lstrip()
        if (len(more) - len(more.rstrip("\\"))) % 2 and not _is_comment(whole or more):
            whole += more[:-1]
            continue
        yield start, whole + more
        whole, start = "", 0
    if whole:
        yield start, whole


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else _LETTERS.get(found[2], found[2]), text)
