"""Characters around or inside a value that were never part of it."""

from __future__ import annotations

import unicodedata

_QUOTES = ('""', "''", "``", "“”", "‘’", "«»")

_QUOTE_CHARACTERS = set("".join(_QUOTES))

_NAMES = {
    "\n": "a newline",
    "\r": "a carriage return (Windows line ending)",
    "\t": "a tab",
    " ": "a space",
    "\u00a0": "a non-breaking space",
    "\ufeff": "a byte order mark",
    "\u200b": "a zero-width space",
    "\u00ad": "a soft hyphen",
}


def stray_characters(value: str, *, prefixes: tuple[str, ...] = (), multiline: bool = False) -> str | None:
    """A sentence fragment that says what is stray and where, or None.

    ``prefixes`` are authorization schemes that the provider does not take in
    the value. Of a ``multiline`` value (a PEM key) line breaks are a part.
    """
    if multiline and value.lstrip().startswith("{"):
        return None  # A JSON Web Key, in which white space means nothing.
    if multiline:
        value = value.replace("\r\n", "\n").strip("\n")
    for position, character in (("starts", value[:1]), ("ends", value[-1:])):
        if character and _is_invisible(character):
            return f"{position} with {_name(character)}"
    if quotes := _quotes(value):
        return quotes
    for prefix in prefixes:
        if value.lower().startswith(prefix.lower()):
            return f"starts with {prefix.strip()!r}, which belongs to the header and not to the value"
    for escape in ("\\n", "\\r", "\\t"):
        # Inside a value of one line it may be by chance.
        if value.endswith(escape) or (multiline and escape in value):
            return f"holds the two characters {escape}, an escape that was not interpreted"
    inside = next((c for c in value if _is_invisible(c) and c != " " and not (multiline and c == "\n")), None)
    return f"contains {_name(inside)}" if inside else None


def _quotes(value: str) -> str | None:
    if len(value) >= 2 and value[0] + value[-1] in _QUOTES:
        return f"stands in quotes ({value[0]}…{value[-1]}) that became part of it"
    return "has a quote at one end" if {value[:1], value[-1:]} & _QUOTE_CHARACTERS else None


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Zs", "Zl", "Zp")


def _name(character: str) -> str:
    name = _NAMES.get(character) or unicodedata.name(character, "a control character").lower()
    return f"{name} (U+{ord(character):04X})"
