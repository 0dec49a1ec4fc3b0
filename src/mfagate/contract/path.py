"""Paths into a JSON body, as Pact writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

_MOST_DIGITS = 10
# One step: .name or .*, ['name'], [0] or [*].
_STEP = re.compile(r"\.([^.\[\]]+)|\['([^']*)'\]|\[(\d+|\*)\]")
_PATH = re.compile(rf"\$(?:{_STEP.pattern})+")


def steps(path: str) -> list[str | int]:
    """Split a path: ``$.l[0].x`` is ``["l", 0, "x"]``; a wildcard is ``"*"``."""
    return [
        int(index) if index.isdigit() and len(index) < _MOST_DIGITS else dotted or quoted or index
        for dotted, quoted, index in _STEP.findall(path)
    ]


def is_of_one_place(path: str) -> bool:
    """Return whether a path has steps and no wildcard, so that it leads to one place below the root."""
    return _PATH.fullmatch(path) is not None and "*" not in steps(path)


def at(document: Any, where: Sequence[str | int]) -> Any:
    """Return the value at the path.

    Raises:
        LookupError: There is no such value.
    """
    for step in where:
        if isinstance(document, list):
            if not isinstance(step, int) or not step < len(document):
                raise LookupError(step)
        elif not isinstance(document, dict):
            raise LookupError(step)
        document = document[step]
    return document


def walk(document: Any, where: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield the path and the value of every node of a document, parents first."""
    yield where, document
    if isinstance(document, dict | list):
        for step, value in document.items() if isinstance(document, dict) else enumerate(document):
            yield from walk(value, (*where, step))


def put(document: Any, where: Sequence[str | int], value: Any) -> Any:
    """Return a copy of the document with another value at a path."""
    if not where:
        return value
    copy = document.copy()
    copy[where[0]] = put(document[where[0]], where[1:], value)
    return copy


def as_text(value: Any) -> str:
    """Return a JSON value as text; a string without quotes."""
    return value if isinstance(value, str) else json.dumps(value)


def written(where: Sequence[str | int]) -> str:
    """Return steps as a path in Pact's notation: the inverse of :func:`steps`."""
    return "$" + "".join(map(_step, where))


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if step.replace("_", "a").isalnum() and step.isascii() else f"['{step}']"
