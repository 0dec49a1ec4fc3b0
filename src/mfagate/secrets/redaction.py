"""The only module that redacts. Every output passes through it.

A program that echoes a secret may encode it, wrap it and cut it. So this module looks for
each run of ``RUN`` characters of a secret, in the text and in every decoded form of it
(:mod:`mfagate.secrets.decoding`), and masks it at its place in the original text.

The runs of all secrets are in one table for each length, so the time for a text does not depend
on the number of secrets, and the time to add a secret depends only on its length.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, TypeVar

from mfagate.core.foreign import with_texts
from mfagate.secrets.decoding import UNSEEN, unescape, views
from mfagate.secrets.public import Part, secret_parts

Tree = TypeVar("Tree")

RUN = 12
"""The number of consecutive characters of a secret that are masked. A shorter secret is masked as a whole."""

SHORTEST = 4
"""A shorter value would mask ordinary words, and no provider issues such a short credential."""

_SAMPLE, _STEP = 7, 5
"""The length of samples of secrets, and their distance: every run of eleven characters contains a sample. The samples
fit into the processor's cache, and the runs themselves are only looked up near a sample."""

LEAST_OWN = 4
"""A run with fewer characters that are not public can occur in another secret by chance."""

_SHORTEST_ENCODED = 6
"""Shorter fragments of encodings occur by chance."""


@dataclass(frozen=True, slots=True)
class SecretSpan:
    """A part of a text that contains a secret."""

    start: int
    end: int
    name: str


class Redactor:
    """Know the secrets of a run, replace them in output and find them in files."""

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self._known: set[str] = set()
        self._samples: set[str] = set()
        self._runs: dict[int, dict[str, str | None]] = defaultdict(dict)
        self._wholes: dict[int, dict[str, str]] = defaultdict(dict)
        self._beginnings: set[str] = set()
        self._shown: dict[str, str] = {}
        self._binary = self._spaced = False
        self._shortest = RUN
        for name, value in (secrets or {}).items():
            self.add(name, value)

    def add(self, name: str, value: str) -> None:
        """Learn a secret; ``name`` (a setting, never a value) labels it in output."""
        if value in self._known:
            return
        self._known.add(value)
        for spelling in _spellings(value):
            self._binary |= _UNREADABLE.search(spelling) is not None
            self._spaced |= " " in spelling
            for reading in _readings(spelling):
                for part in secret_parts(reading):
                    self._add_part(name, part)

    def add_fingerprinted(self, name: str, value: str, mark: str) -> None:
        """Learn a value that is not secret, but comes from a store of secrets. ``mark`` replaces it in output."""
        if value not in self._known:
            label = f"{name} {mark}"
            self._shown[label] = f"[{name}, fingerprint {mark}]"
            self.add(label, value)
            self._known.discard(value)  # The same value may be secret elsewhere.

    def redact(self, text: str) -> str:
        """Return the text with each secret replaced by ``[redacted NAME]``."""
        found = self._found(text)
        if not found:
            return text
        pieces, at = [], 0
        for span in found:
            pieces += [text[at : span.start], self._shown.get(span.name, f"[redacted {span.name}]")]
            at = span.end
        return "".join([*pieces, text[at:]])

    def found_in(self, text: str) -> list[str]:
        """Return the names of the secrets that are in the text, whole or in part, in any form."""
        return sorted({span.name for span in self._found(text)} - self._shown.keys())

    def redact_tree(self, value: Tree) -> Tree:
        """Redact every string in models, dataclasses, mappings and sequences, keys included."""
        return with_texts(value, self.redact)

    def _add_part(self, name: str, part: Part) -> None:
        if len(part.text) >= RUN and self._add_runs(name, part):
            return
        if len(part.text) >= SHORTEST and not part.text.isspace():
            self._shortest = min(self._shortest, len(part.text))
            for form in _short_forms(part.text):
                self._label(self._wholes[len(form)], form, name)
                self._beginnings.add(form[:SHORTEST])

    def _add_runs(self, name: str, part: Part) -> bool:
        """Add the runs of a part. Return whether any run identifies the secret; if not, the whole value is searched.

        A run that consists almost only of spaces, quotes and backslashes does not count.
        """
        pieces = _fold_each(part.text)
        folded, offsets, own = "".join(pieces), [0, *accumulate(map(len, pieces))], part.own()
        uniform = len(set(folded)) == 1
        self._samples.update(folded[at : at + _SAMPLE] for at in range(0, len(folded) - _SAMPLE + 1, _STEP))
        added = False
        for start in range(len(part.text) - RUN + 1):
            run = folded[offsets[start] : offsets[start + RUN]]
            if len(run) < _SAMPLE:
                continue
            if len(run) < _SAMPLE + _STEP - 1:
                self._samples.add(run[:_SAMPLE])
            # A run of a single character, such as a line of zeros, does not identify a secret.
            if own[start + RUN] - own[start] < LEAST_OWN or (not uniform and run == run[0] * len(run)):
                self._runs[len(run)][run] = None
            else:
                added = True
                self._label(self._runs[len(run)], run, name)
        return added

    def _label(self, table: MutableMapping[str, Any], text: str, name: str) -> None:
        """Keep the first name, but prefer the name of a secret to the name of a value that is not secret."""
        if table.setdefault(text, name) in self._shown and name not in self._shown:
            table[text] = name

    def _found(self, text: str) -> list[SecretSpan]:
        """Return the parts to mask, in the order of the text, without overlaps."""
        if len(text) < self._shortest or not (self._samples or self._beginnings):
            return []
        found: list[SecretSpan] = []
        for view in views(text, binary=self._binary, spaced=self._spaced, shortest=self._shortest):
            for start, end, name in [*self._runs_in(view.text), *self._wholes_in(view.text)]:
                found.append(SecretSpan(*view.original(start, end), name))
        return _merged(found)

    def _runs_in(self, text: str) -> Iterator[tuple[int, int, str]]:
        folded, places = _fold(text), None
        samples = self._samples
        near = [at for at in range(len(folded) - _SAMPLE + 1) if folded[at : at + _SAMPLE] in samples]
        for size, runs in tuple(self._runs.items()) if near else ():
            starts = sorted({at - back for at in near for back in range(size - _SAMPLE + 1) if at >= back})
            hits = [at for at in starts if folded[at : at + size] in runs]
            for start, end in _joined(hits, size):
                name = next((n for at in range(start, end - size + 1) if (n := runs.get(folded[at : at + size]))), None)
                if name is None:
                    continue  # The range is public.
                places = places or [at for at, piece in enumerate(_fold_each(text)) for _ in piece]
                yield places[start], places[end - 1] + 1, name

    def _wholes_in(self, text: str) -> Iterator[tuple[int, int, str]]:
        known = self._beginnings
        near = [at for at in range(len(text) - SHORTEST + 1) if text[at : at + SHORTEST] in known] if known else []
        for size, forms in tuple(self._wholes.items()) if near else ():
            for at in near:
                if (form := text[at : at + size]) in forms:
                    yield at, at + size, forms[form]


_UNREADABLE = re.compile(r"[^\t\n\r -~]")

_SCHEME = re.compile(r"[\s\ufeff\u200b\"']*(?:Bearer|Basic|SSWS) +(?=\S)", re.IGNORECASE)


def _spellings(value: str) -> set[str]:
    """Return the value without a scheme such as ``Bearer``, and also without stray white space and quotes around it."""
    own = value[found.end() :] if (found := _SCHEME.match(value)) else value
    return {own, own.strip().strip("\ufeff\u200b\u00a0").strip("\"'").strip()}


def _readings(text: str) -> set[str]:
    """Return the text, its decoded forms, and its bytes read as Latin-1."""
    once = unescape(text)
    readings = {text, once, unescape(once)}
    if not text.isascii():
        readings |= {unicodedata.normalize(form, text) for form in ("NFC", "NFD")}
        readings |= {data.decode("latin-1") for reading in readings for data in _as_bytes(reading)}
    return readings


def _as_bytes(plain: str) -> Iterator[bytes]:
    """Yield the bytes that are sent: UTF-8, or Latin-1 in the Basic header of requests."""
    try:
        # An environment variable that is not UTF-8 holds its bytes as surrogates.
        yield plain.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        yield plain.encode("utf-8", "surrogatepass")
    if not plain.isascii():
        with suppress(UnicodeEncodeError):
            yield plain.encode("latin-1")


def _short_forms(plain: str) -> Iterator[str]:
    """Yield the encoded forms of a short secret, whose blocks are too short to be decoded."""
    yield plain
    for form in ("NFC", "NFD"):
        yield unicodedata.normalize(form, plain)
    for data in _as_bytes(plain):
        yield data.decode("latin-1")
        for encoded in (*_base64_fragments(data), data.hex(), data.hex().upper()):
            if len(encoded) >= _SHORTEST_ENCODED:
                yield encoded


def _base64_fragments(data: bytes) -> Iterator[str]:
    """Yield the characters that depend only on the secret, for each of the three alignments.

    In ``base64(user:secret)`` the secret starts at any alignment, so the first
    and last characters of each encoding depend on its neighbours and are cut.
    """
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + data).decode()
        fragment = encoded[(offset * 8 + 5) // 6 : (offset + len(data)) * 8 // 6]
        yield fragment
        yield fragment.replace("+", "-").replace("/", "_")


_DROPPED = re.compile(rf"""[\s\\'"\0-\x1f\x7f-\x9f{UNSEEN}]+""")
"""Characters that wrapping, quoting and escaping add between the characters of a secret, and invisible characters."""


class _Table(dict[int, str]):
    """The folded form of each character, added when the character first occurs, up to a fixed number."""

    def __missing__(self, code: int) -> str:
        plain = _DROPPED.sub("", unicodedata.normalize("NFKD", chr(code)))
        folded = "".join(
            sign.lower() if sign.isascii() else sign for sign in plain if unicodedata.category(sign) != "Mn"
        )
        if len(self) < 10_000:
            self[code] = folded
        return folded


_TABLE = _Table()


def _fold(text: str) -> str:
    """Return the text for comparison: in lower case, without quotes, line breaks and accents.

    Case is ignored because programs convert names of headers and hosts to lower case.
    """
    return _DROPPED.sub("", text).lower() if text.isascii() else text.translate(_TABLE)


def _fold_each(text: str) -> list[str]:
    """Return the folded form of each character."""
    return [_TABLE[ord(character)] for character in text]


def _joined(hits: list[int], size: int) -> Iterator[tuple[int, int]]:
    """Yield the windows, with those that overlap or touch joined."""
    start = end = -1
    for at in hits:
        if at > end:
            if end > 0:
                yield start, end
            start = at
        end = at + size
    if end > 0:
        yield start, end


def _merged(found: list[SecretSpan]) -> list[SecretSpan]:
    merged: list[SecretSpan] = []
    for span in sorted(found, key=lambda span: (span.start, -span.end)):
        if merged and span.start < merged[-1].end:
            last = merged[-1]
            merged[-1] = SecretSpan(last.start, max(last.end, span.end), last.name)
        else:
            merged.append(span)
    return merged
