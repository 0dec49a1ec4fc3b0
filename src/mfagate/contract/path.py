"""Paths into a JSON body, as Pact writes them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_MOST_DIGITS = 10
# One step: .name or .*, ['name'], [0] or [*]
_STEP = re.compile(r"\.([^.\[\]]+)|\['([^']*)'\]|\[(\d+|\*)\]")


def steps(path: str) -> list[str | int]:
    """``$.l[0].x`` as ``["l", 0, "x"]``; a wildcard is ``"*"``."""
    return [
        int(index) if index.isdigit() and len(index) < _MOST_DIGITS else dotted or quoted or index
        for dotted, quoted, index in _STEP.findall(path)
    ]


def at(document: Any, where: Sequence[str | int]) -> Any:
    """What stands there.

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
