"""JSON as RFC 8259 has it, for readers whose decisions depend on it.

Python's reader accepts more than JSON: ``NaN``, numbers beyond every float, half of a
surrogate pair, any depth. Pact's core accepts none of these, so an answer that contains one is
outside every contract.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import Any, NoReturn

DEEPEST = 127
"""Levels of nesting that Pact's core reads (serde_json's recursion limit of 128)."""


def loads(body: bytes) -> Any:
    """Return the value that a body holds.

    Raises:
        ValueError: It is not JSON in UTF-8 without a byte order mark, is nested more deeply
            than :data:`DEEPEST`, or holds a number that no float can be.
    """
    text = body.decode("utf-8")
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_float, parse_int=_int)
        # Half of a surrogate pair can be escaped, and cannot be written.
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("JSON nested too deeply") from None
    if depth(value) > DEEPEST:
        raise ValueError("JSON nested too deeply")
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _float(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError("a number is too large")
    return value


def _int(text: str) -> int:
    _float(text)
    return int(text)


def depth(value: Any) -> int:
    """Return the levels of nesting, without recursion, because the value may be deep."""
    levels, level = 0, [value]
    while level := [each for each in level if isinstance(each, dict | list)]:
        levels += 1
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return levels
