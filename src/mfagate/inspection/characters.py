"""Find characters around or inside a value that do not belong to it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

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
    ",": "a comma",
    ";": "a semicolon",
    ":": "a colon",
    "\\": "a backslash",
    ".": "a full stop",
    "|": "a vertical bar",
    "=": "an equals sign",
    "%": "a percent sign, which a shell prints after a line without an end",
}

TextCheck = Callable[[str], bool]
"""Return whether a text would be right as the value."""


def stray_characters(
    value: str, *, prefixes: tuple[str, ...] = (), multiline: bool = False, chosen: bool = False
) -> str | None:
    """Return a sentence fragment that names the stray character and its position, or None.

    Args:
        value: The text.
        prefixes: Authorization schemes that the provider does not take in the value.
        multiline: Whether line breaks are part of the value, as in a PEM key.
        chosen: Whether a person chose the value, such as a password, which may contain a single quote.
    """
    if multiline and value.lstrip().startswith("{"):
        return None  # A JSON Web Key, in which white space is insignificant.
    if multiline:
        value = value.replace("\r\n", "\n").strip("\n")
    for position, character in (("starts", value[:1]), ("ends", value[-1:])):
        if character and _is_invisible(character):
            return f"{position} with {_name(character)}"
    if quotes := _quotes(value, one_is_enough=not chosen):
        return quotes
    for prefix in prefixes:
        if value.lower().startswith(prefix.lower()):
            return f"starts with {prefix.strip()!r}, which belongs to the header and not to the value"
    for escape in ("\\n", "\\r", "\\t"):
        # Inside a value of one line, it may be a coincidence.
        if value.endswith(escape) or (multiline and escape in value):
            return f"contains the two characters {escape}, an escape that was not interpreted"
    inside = next((c for c in value if _is_invisible(c) and c != " " and not (multiline and c == "\n")), None)
    return f"contains {_name(inside)}" if inside else None


def foreign_characters(value: str, *, right: TextCheck, fits: bool, address: bool = False) -> str | None:
    """Return a sentence fragment about characters that do not belong in a value of one line, or None.

    Args:
        value: The text, which is not recognised unchanged.
        right: Whether a text without those characters would be recognised.
        fits: Whether the unchanged value has a possible form.
        address: Whether it is a URL or a host name, for which the shape reports what is wrong inside.
    """
    if not address and (letter := next((c for c in value if not c.isascii()), None)):
        return f"contains {_foreign_letter(letter)}"
    if around := _around(value, right):
        return around
    if _is_assignment(value, right, fits=fits):
        return "begins with a name and = or :, like a line of a file"
    return None if address else _inside(value, right, fits=fits)


def _inside(value: str, right: TextCheck, *, fits: bool) -> str | None:
    first, *more = value.split() or [""]
    if more and right(first):
        return "is followed by a space and more text, such as a comment"
    if more and (not fits or right("".join(value.split()))):
        return "contains a space"
    rest = value.translate(_WITHOUT)
    if rest == value or not right(rest):
        return None
    return f"contains {_name(next(c for c in value if ord(c) in _WITHOUT))}"


def _foreign_letter(letter: str) -> str:
    name = unicodedata.name(letter, "a character").title()
    looks = ", which looks like a Latin letter" if name.startswith(("Cyrillic", "Greek")) else ""
    return f"the letter or sign {name} (U+{ord(letter):04X}){looks}; such values have only ASCII characters"


_BRACKETS = {"<": ">", "(": ")", "[": "]", "{": "}"}
_BRACKET_NAMES = {"<": "angle brackets", "(": "parentheses", "[": "square brackets", "{": "curly brackets"}
_LOOSE = "$@#%,;:\\|=.&<>()[]{}\"'`“”‘’«»"
_WITHOUT = {ord(c): None for c in "\"'`“”‘’«»,;\\<>|"}


def _around(value: str, right: TextCheck) -> str | None:
    if len(value) > 2 and _BRACKETS.get(value[0]) == value[-1] and right(value[1:-1].strip()):
        return f"is in {_BRACKET_NAMES[value[0]]}, which became part of it"
    if len(value) > 3 and value[0] == "b" and value[1] == value[-1] in "'\"" and right(value[2:-1]):
        return "is printed as Python bytes (b'…')"
    ends, starts = value.rstrip(_LOOSE + " "), value.lstrip(_LOOSE + " ")
    if ends != value and right(ends):
        return f"ends with {_name(value[-1])}"
    if starts != value and right(starts):
        return f"starts with {_name(value[0])}"
    both = value.strip(_LOOSE + " ")
    return f"ends with {_name(value[-1])}" if both != value and right(both) else None


_ASSIGNMENT = re.compile(r"(export\s+|set\s+|(?i:sha-?(?:1|256) ))?[A-Za-z_][A-Za-z0-9_.-]{0,60}\s?[=:]\s*(?=[^=\s])")
_CERTAIN_ASSIGNMENT = re.compile(r"(export |set )?[A-Z][A-Z0-9]*(_[A-Z0-9]+)+=(?=[^=\s])")


def _is_assignment(value: str, right: TextCheck, *, fits: bool) -> bool:
    match = _ASSIGNMENT.match(value)
    if match and right(value[match.end() :].strip("\"' ;,")):
        return True
    return not fits and _CERTAIN_ASSIGNMENT.match(value) is not None


def _quotes(value: str, *, one_is_enough: bool) -> str | None:
    if len(value) >= 2 and value[0] + value[-1] in _QUOTES:
        return f"is in quotes ({value[0]}…{value[-1]}), which became part of it"
    one = one_is_enough and {value[:1], value[-1:]} & _QUOTE_CHARACTERS
    return "has a quote at one end" if one else None


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Zs", "Zl", "Zp")


def _name(character: str) -> str:
    name = _NAMES.get(character) or unicodedata.name(character, "a control character").lower()
    return f"{name} (U+{ord(character):04X})"
