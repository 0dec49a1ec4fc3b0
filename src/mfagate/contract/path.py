"""Paths into a JSON body, as Pact writes them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

# One step: .name or .*, ['name'], [0] or [*]
_STEP = re.compile(r"\.([^.\[\]]+)|\['([^']*)'\]|\[(\d+|\*)\]")


def steps(path: str) -> list[str | int]:
    """``$.l[0].x`` as ``["l", 0, "x"]``; a wildcard is ``"*"``."""
    return [
        int(index) if index.isdigit() else dotted or quoted or index for dotted, quoted, index in _STEP.findall(path)
    ]


def at(document: Any, where: Sequence[str | int]) -> Any:
    """What stands there.

    Raises:
        LookupError: Nothing does.
    """
    for step in where:
        members = dict(enumerate(document)) if isinstance(document, list) else document
        if not isinstance(members, dict):
            raise LookupError(step)
        document = members[step]
    return document
