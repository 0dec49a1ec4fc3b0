"""Decode text that other programs encoded, and keep the positions.

A secret is echoed in many encodings, and in several at once: JSON inside HTML, base64
inside a URL. :func:`views` yields the text as it is and as it reads with one layer of
encoding after the other removed. Each view maps its characters to the original text, so
that what is found in decoded text can be masked where it was written.

The work is linear in the length of the text: every expression here matches in linear
time, the number of layers is limited, and blocks of base64 and hexadecimal digits only
get shorter when they are decoded.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

LAYERS = 4
"""Encodings on top of each other that are removed."""


class View:
    """A text, and where its characters are in the original."""

    def __init__(self, text: str) -> None:
        self.text = text

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return the part of the original text that holds the characters from ``start`` to ``end``."""
        return start, end


class _Spaced(View):
    """The text of another view with each ``+`` read as a space, as in a form."""

    def __init__(self, parent: View) -> None:
        super().__init__(parent.text.replace("+", " "))
        self._parent = parent

    def original(self, start: int, end: int) -> tuple[int, int]:
        return self._parent.original(start, end)


@dataclass(frozen=True, slots=True)
class _Escapes:
    """The escapes of a text: where each one is, and where its characters are in the decoded text."""

    starts: Sequence[int]
    ends: Sequence[int]
    decoded_starts: Sequence[int]
    decoded_ends: Sequence[int]

    def written(self, position: int) -> tuple[int, int]:
        """Return the place of one decoded character."""
        number = bisect_right(self.decoded_starts, position) - 1
        if number < 0:
            return position, position + 1
        if position < self.decoded_ends[number]:
            return self.starts[number], self.ends[number]
        start = self.ends[number] + position - self.decoded_ends[number]
        return start, start + 1


class _Unescaped(View):
    """The text of another view with its escapes decoded once."""

    def __init__(self, parent: View, text: str) -> None:
        super().__init__(text)
        self._parent = parent

    def original(self, start: int, end: int) -> tuple[int, int]:
        return self._parent.original(self._escapes.written(start)[0], self._escapes.written(end - 1)[1])

    @cached_property
    def _escapes(self) -> _Escapes:
        starts, ends, decoded_starts, decoded_ends = [], [], [], []
        shift = 0
        for escape in _ESCAPE.finditer(self._parent.text):
            decoded = _decoded(escape)
            starts.append(escape.start())
            ends.append(escape.end())
            decoded_starts.append(escape.start() - shift)
            decoded_ends.append(escape.start() - shift + len(decoded))
            shift += escape.end() - escape.start() - len(decoded)
        return _Escapes(starts, ends, decoded_starts, decoded_ends)


class _Block(View):
    """The bytes of base64 or hexadecimal digits, each byte as one character.

    ``digits`` are the positions of the digits in the parent view; ``bits`` is what one digit holds.
    """

    def __init__(self, parent: View, content: bytes, digits: Sequence[int], bits: int) -> None:
        super().__init__(content.decode("latin-1"))
        self._parent, self._digits, self._bits = parent, digits, bits

    def original(self, start: int, end: int) -> tuple[int, int]:
        first, last = start * 8 // self._bits, -(-end * 8 // self._bits) - 1
        return self._parent.original(self._digits[first], self._digits[last] + 1)


def views(text: str, *, binary: bool = False, spaced: bool = False, shortest: int = 12) -> Iterator[View]:
    """Yield the text and every decoded form of it.

    Args:
        text: Any text.
        binary: Look into blocks of base64 and hexadecimal digits that do not decode to readable ASCII, too.
        spaced: Read ``+`` as a space, too.
        shortest: Ignore blocks that decode to fewer readable characters in a row.
    """
    readable = re.compile((rb"[\0-\xff]{%d}" if binary else rb"[\0\t\n\r -~]{%d}") % shortest)
    waiting = [(View(text), LAYERS)]
    while waiting:
        view, layers = waiting.pop()
        yield view
        if not layers:
            continue
        children = [*_blocks(view, readable)]
        if (plain := unescape(view.text)) != view.text:
            children.append(_Unescaped(view, plain))
        if spaced and "+" in view.text:
            children.append(_Spaced(view))
        waiting += [(child, layers - 1) for child in children]


def unescape(text: str) -> str:
    """Decode HTML entities, percent-encoding and backslash escapes, one layer of each."""
    if "%" not in text and "&" not in text and "\\" not in text:
        return text
    return _ESCAPE.sub(_decoded, text)


def _bytes_of(prefix: str) -> str:
    """The bytes of one UTF-8 character as escapes with two hexadecimal digits, else one byte."""
    more = f"{prefix}[89abAB][0-9a-fA-F]"
    return (
        f"{prefix}[cdCD][0-9a-fA-F]{more}|{prefix}[eE][0-9a-fA-F](?:{more}){{2}}"
        f"|{prefix}[fF][0-7](?:{more}){{3}}|{prefix}[0-9a-fA-F]{{2}}"
    )


_ESCAPE = re.compile(
    rf"(?P<percent>{_bytes_of('%')})"
    rf"|(?P<pair>(?:\\u|%u)[dD][89abAB][0-9a-fA-F]{{2}}(?:\\u|%u)[dD][c-fC-F][0-9a-fA-F]{{2}})"
    r"|(?P<code>(?:\\u|%u)[0-9a-fA-F]{4}|\\u\{[0-9a-fA-F]{1,6}\}|\\U[0-9a-fA-F]{8})"
    rf"|(?P<bytes>{_bytes_of(re.escape(chr(92)) + 'x')})"
    r"|(?P<octal>\\[23][0-7]{2}(?:\\2[0-7]{2})*|\\[01]?[0-7]{2})"
    r"|(?P<letter>\\[abefnrtv0])"
    r"|(?P<other>\\[^\w\s])"
    r"|(?P<numeric>&#(?:[xX]0{0,99}[0-9a-fA-F]{1,6}|0{0,99}[0-9]{1,7});?)"
    r"|(?P<named>&[A-Za-z][A-Za-z0-9]{1,31};?)"
)

_LETTERS = {"a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}


def _decoded(escape: re.Match[str]) -> str:
    text = escape[0]
    match escape.lastgroup:
        case "percent" | "bytes":
            return _as_text(bytes.fromhex(text.replace("%", "").replace("\\x", "")))
        case "pair" | "code":
            return _units(re.findall("[0-9a-fA-F]{4,}|(?<={)[0-9a-fA-F]+", text))
        case "octal":
            return _as_text(bytes(int(digits, 8) for digits in text.split("\\")[1:]))
        case "letter":
            return _LETTERS[text[1]]
        case "other":
            return text[1]
    return html.unescape(text)


def _as_text(data: bytes) -> str:
    """UTF-8, else what most programs take for single bytes."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _units(numbers: Sequence[str]) -> str:
    units = [int(number, 16) for number in numbers]
    if len(units) == 2:
        return chr(0x10000 + ((units[0] - 0xD800) << 10) + units[1] - 0xDC00)
    return chr(units[0]) if units[0] <= 0x10FFFF else ""


_BASE64 = re.compile(
    r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}+(?:=*+[ \t\r]*+\n\s*+[A-Za-z0-9+/_-]++)*+", re.ASCII
)
"""At least the digits of 12 bytes, and the lines that follow: a block may be wrapped."""

_HEXADECIMAL = re.compile(r"(?<![0-9A-Fa-f])(?:(?:0x)?[0-9A-Fa-f]{2}[\s:,-]{0,4}){12,}+[0-9A-Fa-f]?", re.ASCII)
"""Digits in pairs, with or without something between them."""

_NO_DIGIT = re.compile(r"[\s=]")
_NO_PAIR = re.compile(r"0x|[\s:,-]")


def _blocks(view: View, readable: re.Pattern[bytes]) -> Iterator[View]:
    for found in _BASE64.finditer(view.text):
        digits, places = _without(_NO_DIGIT, found)
        digits = digits.replace("-", "+").replace("_", "/")
        for phase in range(4):
            content = _from_base64(digits[phase:])
            if readable.search(content):
                yield _Block(view, content, places[phase:], 6)
    for found in _HEXADECIMAL.finditer(view.text):
        digits, places = _without(_NO_PAIR, found)
        for phase in range(2):
            content = bytes.fromhex(digits[phase : len(digits) - (len(digits) - phase) % 2])
            if readable.search(content):
                yield _Block(view, content, places[phase:], 4)


def _without(separator: re.Pattern[str], block: re.Match[str]) -> tuple[str, Sequence[int]]:
    """The digits of a block and their positions."""
    text, start = block[0], block.start()
    places: list[int] = []
    digits, at = [], 0
    for gap in separator.finditer(text):
        digits.append(text[at : gap.start()])
        places += range(start + at, start + gap.start())
        at = gap.end()
    if not at:
        return text, range(start, block.end())
    return "".join([*digits, text[at:]]), [*places, *range(start + at, block.end())]


def _from_base64(digits: str) -> bytes:
    """The bytes that the digits hold, whatever their number; a last one alone holds no byte."""
    from binascii import a2b_base64

    whole = len(digits) - (len(digits) % 4 == 1)
    return a2b_base64(digits[:whole] + "=" * (-whole % 4))
