"""Paths into a JSON body, as Pact writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

_MOST_DIGITS = 10
# One step: .name or .*, ['name'], [0] or [*]
_STEP = re.compile(r"\.([^.\[\]]+)|\['([^']*)'\]|\[(\d+|\*)\]")
_PATH = re.compile(rf"\$(?:{_STEP.pattern})+")


def steps(path: str) -> list[str | int]:
    """``$.l[0].x`` as ``["l", 0, "x"]``; a wildcard is ``"*"``."""
    return [
        int(index) if index.isdigit() and len(index) < _MOST_DIGITS else dotted or quoted or index
        for dotted, quoted, index in _STEP.findall(path)
    ]


def is_of_one_place(path: str) -> bool:
    """Return whether a path leads to one place below the root: it has steps, and no wildcard."""
    return _PATH.fullmatch(path) is not None and "*" not in steps(path)


def at(document: Any, where: Sequence[str | int]) -> Any:
    """Return the value at the path.

    Raises:
        LookupError: Nothing does.
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
    """Yield every place of a document with its value, from the outside in."""
    yield where, document
    if isinstance(document, dict | list):
        for step, value in document.items() if isinstance(document, dict) else enumerate(document):
            yield from walk(value, (*where, step))


def put(document: Any, where: Sequence[str | int], value: Any) -> Any:
    """Return a copy of the document that has another value at a place."""
    if not where:
        return value
    copy = document.copy()
    copy[where[0]] = put(document[where[0]], where[1:], value)
    return copy


def as_text(value: Any) -> str:
    """Write a JSON value as text, a text as it is."""
    return value if isinstance(value, str) else json.dumps(value)


def written(where: Sequence[str | int]) -> str:
    """Write the steps of a place as Pact does: the opposite of :func:`steps`."""
    return "$" + "".join(map(_step, where))


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if step.replace("_", "a").isalnum() and step.isascii() else f"['{step}']"
