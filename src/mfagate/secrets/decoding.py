"""Decode text that other programs encoded, and keep the positions.

A provider may echo a secret in many encodings, or in several at once: JSON inside HTML,
base64 inside a URL. :func:`views` yields the text itself, and the text with one layer of
encoding after another removed. Each view maps its characters to positions in the original
text, so that a secret that is found in decoded text can be masked in the original.

The work is linear in the length of the text: every regular expression here matches in
linear time, the number of layers is limited, and blocks of base64 and hexadecimal digits
only get shorter when they are decoded.
"""

from __future__ import annotations

import html
import re
from base64 import b32decode
from binascii import a2b_base64
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import gcd

LAYERS = 4
"""The maximum number of nested encodings that are removed."""

UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Invisible characters, for a character set of a regular expression: the code points that Unicode calls ignorable
(Default_Ignorable_Code_Point), annotation marks, and the empty Braille cell."""


class View:
    """A text, and the positions of its characters in the original.

    ``block`` is the nearest view, this one or one above it, whose text is only a part of its parent's text.
    """

    def __init__(self, text: str, block: View | None = None) -> None:
        self.text = text
        self.block: View = block or self

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return the range of the original text that contains the characters from ``start`` to ``end``."""
        return start, end


class _Spaced(View):
    """The text of another view with each ``+`` read as a space, as in a form."""

    def __init__(self, parent: View) -> None:
        super().__init__(parent.text.replace("+", " "), parent.block)
        self._parent = parent

    def original(self, start: int, end: int) -> tuple[int, int]:
        return self._parent.original(start, end)


@dataclass(frozen=True, slots=True)
class _Changes:
    """The positions of parts that were replaced, and of their replacements in the decoded text."""

    starts: Sequence[int]
    ends: Sequence[int]
    decoded_starts: Sequence[int]
    decoded_ends: Sequence[int]

    def written(self, position: int) -> tuple[int, int]:
        """Return the range of one decoded character in the text before decoding."""
        number = bisect_right(self.decoded_starts, position) - 1
        if number < 0:
            return position, position + 1
        if position < self.decoded_ends[number]:
            return self.starts[number], self.ends[number]
        start = self.ends[number] + position - self.decoded_ends[number]
        return start, start + 1


class _Replaced(View):
    """The text of another view, with every match of ``pattern`` replaced once."""

    def __init__(self, parent: View, pattern: re.Pattern[str], replacement: Callable[[re.Match[str]], str]) -> None:
        super().__init__(pattern.sub(replacement, parent.text), parent.block)
        self._parent, self._pattern, self._replacement = parent, pattern, replacement

    def original(self, start: int, end: int) -> tuple[int, int]:
        return self._parent.original(self._changes.written(start)[0], self._changes.written(end - 1)[1])

    @cached_property
    def _changes(self) -> _Changes:
        """Compute the changes only when a secret was found, because most texts contain none."""
        starts, ends, decoded_starts, decoded_ends = [], [], [], []
        shift = 0
        for found in self._pattern.finditer(self._parent.text):
            length = len(self._replacement(found))
            starts.append(found.start())
            ends.append(found.end())
            decoded_starts.append(found.start() - shift)
            decoded_ends.append(found.start() - shift + length)
            shift += found.end() - found.start() - length
        return _Changes(starts, ends, decoded_starts, decoded_ends)


@dataclass(frozen=True, slots=True)
class _Digits:
    """The positions of digits in a text, the index of the first digit that is used, and the bits of a digit."""

    places: Sequence[int]
    phase: int
    bits: int

    def place(self, number: int) -> int:
        """Return the position of one digit."""
        return self.places[self.phase + number]


class _Block(View):
    """Bytes from base64 or hexadecimal digits, each byte as one character; ``at`` has the positions of the digits."""

    def __init__(self, parent: View, content: re.Match[bytes], at: _Digits) -> None:
        super().__init__(content[0].decode("latin-1"))
        self._parent, self._at, self._skipped = parent, at, content.start()

    def original(self, start: int, end: int) -> tuple[int, int]:
        first = (self._skipped + start) * 8 // self._at.bits
        last = -(-(self._skipped + end) * 8 // self._at.bits) - 1
        return self._parent.original(self._at.place(first), self._at.place(last) + 1)


def views(text: str, *, binary: bool = False, spaced: bool = False, shortest: int = 12) -> Iterator[View]:
    """Yield the text and every decoded form of it.

    Args:
        text: Any text.
        binary: Also decode blocks of base64 and hexadecimal digits that do not contain readable ASCII.
        spaced: Also read ``+`` as a space.
        shortest: Ignore blocks that decode to fewer readable characters in a row.
    """
    readable = _BYTES if binary else _READABLE
    waiting = [(View(text), LAYERS)]
    seen: set[tuple[View, str]] = {(waiting[0][0].block, text)}
    while waiting:
        view, layers = waiting.pop()
        yield view
        if not layers:
            continue
        children: list[View] = [
            block for notation in _NOTATIONS for block in notation.found_in(view, readable, shortest)
        ]
        children += [_Replaced(view, pattern, plain) for may_hold, pattern, plain in _REPLACED if may_hold(view.text)]
        if spaced and "+" in view.text:
            children.append(_Spaced(view))
        for child in children:
            if (child.block, child.text) not in seen:  # Two layers often give the same text in either order.
                seen.add((child.block, child.text))
                waiting.append((child, layers - 1))


_CONTROL = r"(?:\x1b\[|\x9b)[0-9;:?]*+[A-Za-z]|\x1b\][^\x07\x1b\x9c]{0,200}(?:\x07|\x1b\\|\x9c)"
"""An escape sequence of a terminal, such as a colour, a title or a link (ECMA-48, section 5.4)."""

_BREAK = re.compile(rf"(?<![ \t\r])[ \t\r]*+\n\s*+|\0|{_CONTROL}|[{UNSEEN}]++")
"""Line breaks of wrapped text, also in an escape or a block of digits; zero bytes of UTF-16; invisible characters."""

_CONTINUED = re.compile(rf"\\\n\s*+(?:\\ )?|{_BREAK.pattern}")
"""The same, and line breaks after a backslash, as in YAML."""


def _may_hold_escapes(text: str) -> bool:
    return "%" in text or "&" in text or "\\" in text


def unescape(text: str) -> str:
    """Decode HTML entities, percent-encoding and backslash escapes, one layer of each."""
    return _ESCAPE.sub(_decoded, text) if _may_hold_escapes(text) else text


def _bytes_of(prefix: str) -> str:
    """Return a pattern for one UTF-8 character in escapes of two hexadecimal digits, or else for one byte."""
    more = f"{prefix}[89abAB][0-9a-fA-F]"
    return (
        f"{prefix}[cdCD][0-9a-fA-F]{more}|{prefix}[eE][0-9a-fA-F](?:{more}){{2}}"
        f"|{prefix}[fF][0-7](?:{more}){{3}}|{prefix}[0-9a-fA-F]{{2}}"
    )


_ESCAPE = re.compile(
    rf"(?P<percent>{_bytes_of('%')})"
    rf"|(?P<pair>[%\\][uU][dD][89abAB][0-9a-fA-F]{{2}}[%\\][uU][dD][c-fC-F][0-9a-fA-F]{{2}})"
    r"|(?P<code>\\U[0-9a-fA-F]{8}|[%\\][uU][0-9a-fA-F]{4}|\\u\{[0-9a-fA-F]{1,6}\})"
    rf"|(?P<bytes>{_bytes_of(re.escape(chr(92)) + '[xX]')})"
    r"|(?P<octal>\\[23][0-7]{2}(?:\\2[0-7]{2}){0,3}|\\[01]?[0-7]{2})"
    r"|(?P<letter>\\[abefnrtv0])"
    r"|(?P<other>\\[^\w\s])"
    r"|(?P<numeric>&#(?:[xX]0{0,99}[0-9a-fA-F]{1,6}|0{0,99}[0-9]{1,7});?)"
    r"|(?P<named>&[A-Za-z][A-Za-z0-9]{1,31};?)"
)

_NO_DIGIT = re.compile("[^0-9a-fA-F]")
_LETTERS = {"a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}


def _decoded(escape: re.Match[str]) -> str:
    text = escape[0]
    match escape.lastgroup:
        case "percent" | "bytes":
            return _as_text(bytes.fromhex(_NO_DIGIT.sub("", text)))
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
    """Decode as UTF-8, or else as Latin-1, which is how most programs read single bytes."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _units(numbers: Sequence[str]) -> str:
    units = [int(number, 16) for number in numbers]
    if len(units) == 2:
        return chr(0x10000 + ((units[0] - 0xD800) << 10) + units[1] - 0xDC00)
    return chr(units[0]) if units[0] <= 0x10FFFF else ""


_DECIMALS = re.compile(r"(?<![0-9])(?:[0-9]{1,3}[\W_]{1,12}){11}[0-9]{1,3}(?![0-9])", re.ASCII)
_DECIMAL = re.compile(r"(?<![0-9])[0-9]{1,3}(?:[\W_]{1,12}(?=[0-9]{1,3}(?![0-9]))|(?![0-9]))", re.ASCII)
"""Bytes as a list of numbers, as Node.js, Go and Java print them: ``[90, 113]``, ``[90 113]``."""

_NO_NUMBER = re.compile("[^0-9]")


def _byte(number: re.Match[str]) -> str:
    value = int(_NO_NUMBER.sub("", number[0]))
    return chr(value) if value < 256 else number[0]


_QUOTED_PRINTABLE = re.compile(r"=(?:\r?\n|[0-9A-Fa-f]{2})")
"""A soft line break, or one byte (RFC 2045, section 6.7)."""


def _quoted_byte(found: re.Match[str]) -> str:
    return chr(int(found[0][1:], 16)) if found[0][1:].strip() else ""


_BYTES = re.compile(rb"[\0-\xff]{4,}+")
_READABLE = re.compile(rb"[\0\t\n\r -~]{4,}+")
"""No secret has fewer than four characters."""


@dataclass(frozen=True, slots=True)
class _Notation:
    """A notation of bytes as digits.

    Args:
        block: Finds the digits of at least 12 bytes.
        bits: The number of bits of one digit.
        decode: Returns the bytes of any number of digits.
        gaps: What may separate the digits.
    """

    block: re.Pattern[str]
    bits: int
    decode: Callable[[str], bytes]
    gaps: re.Pattern[str] | None = None

    def found_in(self, view: View, readable: re.Pattern[bytes], shortest: int) -> Iterator[View]:
        """Yield the readable parts of each block, decoded from each digit at which a byte may begin."""
        for found in self.block.finditer(view.text):
            digits = self.gaps.sub("", found[0]) if self.gaps else found[0]
            places = self._places(found)
            for phase in range(8 // gcd(8, self.bits)):
                for content in readable.finditer(self.decode(digits[phase:])):
                    if len(content[0]) >= shortest:
                        yield _Block(view, content, _Digits(places, phase, self.bits))

    def _places(self, block: re.Match[str]) -> Sequence[int]:
        """Return the positions of the digits of a block."""
        start, at = block.start(), 0
        places: list[int] = []
        for gap in self.gaps.finditer(block[0]) if self.gaps else ():
            places += range(start + at, start + gap.start())
            at = gap.end()
        return [*places, *range(start + at, block.end())] if at else range(*block.span())


def from_base64(digits: str) -> bytes:
    """Decode any number of digits of either alphabet. A single digit left over is ignored."""
    digits = digits.replace("-", "+").replace("_", "/")
    whole = len(digits) - (len(digits) % 4 == 1)
    return a2b_base64(digits[:whole] + "=" * (-whole % 4))


def _from_base32(digits: str) -> bytes:
    whole = len(digits) - (len(digits) % 8 in (1, 3, 6))
    return b32decode(digits[:whole] + "=" * (-whole % 8), casefold=True)


def _from_hexadecimal(digits: str) -> bytes:
    return bytes.fromhex(digits[: len(digits) // 2 * 2])


_NOTATIONS = (
    _Notation(re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}+", re.ASCII), 6, from_base64),
    _Notation(re.compile(r"(?<![A-Za-z0-9])(?:[A-Z2-7]{20,}+|[a-z2-7]{20,}+)", re.ASCII), 5, _from_base32),
    # With or without separators between the pairs: 5a71, 5A:71, 0x5a, 0x71, 5a_71, &H5A.
    _Notation(
        re.compile(
            r"(?<![0-9A-Fa-f])(?:(?:0[xX]|[hH])?[0-9A-Fa-f]{2}[\W_]{0,4}){12,}+[0-9A-Fa-f]?",
            re.ASCII,
        ),
        4,
        _from_hexadecimal,
        re.compile(r"0[xX]|[hH\W_]", re.ASCII),
    ),
)

_REPLACED: Sequence[tuple[Callable[[str], object], re.Pattern[str], Callable[[re.Match[str]], str]]] = (
    (_may_hold_escapes, _ESCAPE, _decoded),
    (_BREAK.search, _BREAK, lambda _: ""),
    (lambda text: "\\\n" in text, _CONTINUED, lambda _: ""),
    (_DECIMALS.search, _DECIMAL, _byte),
    (lambda text: "=\n" in text or "=3D" in text, _QUOTED_PRINTABLE, _quoted_byte),
)
"""Encodings that are replaced in a text: whether it may contain one, its pattern, and how a match is decoded."""
