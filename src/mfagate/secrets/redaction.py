"""The one module that redacts. Every output passes through it.

A secret leaks in more shapes than its own: URL-encoded in a form, base64 in a
Basic header, escaped in JSON, quoted in an exception. Each known secret is
therefore looked for in all of these forms.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from enum import Enum
from typing import Any, Literal, get_origin, overload
from urllib.parse import quote, quote_plus

from pydantic import BaseModel

_SHORTEST_RAW = 4
"""A shorter value would blank out ordinary words; no provider issues one as a credential."""

_SHORTEST_ENCODED = 6
"""Fragments of encodings below this length occur by chance."""


def forms(value: str) -> Iterator[str]:
    """Every spelling in which a secret may turn up in text."""
    for plain in _spellings(value):
        if len(plain) < _SHORTEST_RAW:
            continue
        yield plain
        for escaped in (json.dumps(plain)[1:-1], json.dumps(plain, ensure_ascii=False)[1:-1]):
            yield escaped
            yield escaped.replace("/", "\\/")  # as PHP writes it
        yield repr(plain)[1:-1]
        yield repr('"' + plain)[2:-1]  # inside a text that holds double quotes, a single one is escaped
        for data in _as_bytes(plain):
            yield quote(data, safe="")
            yield quote_plus(data)
            yield repr(data)[2:-1]
            for encoded in (*_base64_fragments(data), data.hex(), data.hex().upper()):
                if len(encoded) >= _SHORTEST_ENCODED:
                    yield encoded


def _spellings(value: str) -> set[str]:
    """The value as configured, and as it would be without the usual slips around it."""
    bare = value.strip().strip("\ufeff\u200b\u00a0").strip("\"'").removeprefix("Bearer ").strip()
    # A secret of several lines (a PEM key) is printed line by line.
    lines = {line for line in value.splitlines() if len(line) >= 16 and not line.startswith("-----")}
    return {value, value.strip(), bare} | lines


def _as_bytes(plain: str) -> Iterator[bytes]:
    """The bytes that are sent: UTF-8, or Latin-1 in the Basic header of requests."""
    try:
        # An environment variable that is not UTF-8 holds its bytes as surrogates.
        yield plain.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        yield plain.encode("utf-8", "surrogatepass")
    if not plain.isascii():
        with suppress(UnicodeEncodeError):
            yield plain.encode("latin-1")


def _base64_fragments(data: bytes) -> Iterator[str]:
    """The characters that the secret alone decides at each of the three alignments.

    In ``base64(user:secret)`` the secret starts at any alignment, so the first
    and last characters of each encoding depend on its neighbours and are cut.
    """
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + data).decode()
        start = (offset * 8 + 5) // 6
        end = (offset + len(data)) * 8 // 6
        fragment = encoded[start:end]
        yield fragment
        yield fragment.replace("+", "-").replace("/", "_")


def _free_text(model: BaseModel) -> Iterator[tuple[str, Any]]:
    """Fields but those of fixed words, of which one may happen to be somebody's password."""
    for name, info in type(model).model_fields.items():
        if get_origin(info.annotation) is not Literal:
            yield name, getattr(model, name)


class Redactor:
    """Knows the secrets of a run, replaces them in output and finds them in files."""

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self._labels: dict[str, str] = {}
        self._pattern: tuple[int, re.Pattern[str]] | None = None
        for name, value in (secrets or {}).items():
            self.add(name, value)

    def add(self, name: str, value: str) -> None:
        """Learn a secret; ``name`` (a setting, never a value) labels it in output."""
        for form in forms(value):
            self._labels.setdefault(form, name)

    def redact(self, text: str) -> str:
        """The text with each secret replaced by ``[redacted NAME]``."""
        pattern = self._compiled()
        return pattern.sub(lambda match: f"[redacted {self._labels[match[0]]}]", text) if pattern else text

    def found_in(self, text: str) -> list[str]:
        """The names of the secrets that stand in the text, in any form."""
        pattern = self._compiled()
        return sorted({self._labels[match] for match in pattern.findall(text)}) if pattern else []

    @overload
    def redact_tree(self, value: str) -> str: ...
    @overload
    def redact_tree(self, value: Any) -> Any: ...
    def redact_tree(self, value: Any) -> Any:
        """Redact every string in nested mappings and sequences, keys included."""
        if isinstance(value, Enum):
            return value  # a word of ours: what the value of a secret is must not change an outcome
        if isinstance(value, BaseModel):
            return value.model_copy(update={name: self.redact_tree(item) for name, item in _free_text(value)})
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, Mapping):
            return {self.redact_tree(key): self.redact_tree(item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.redact_tree(item) for item in value]
        return value

    def _compiled(self) -> re.Pattern[str] | None:
        # Labels are only ever added. The pattern is kept with their number, so that one
        # that another thread added meanwhile is not missed.
        known, pattern = self._pattern or (0, None)
        if known != len(self._labels):
            # Longest first: an encoded form must not be cut short by a form that it contains.
            ordered = sorted(self._labels, key=len, reverse=True)
            pattern = re.compile("|".join(map(re.escape, ordered)))
            self._pattern = (len(ordered), pattern)
        return pattern
