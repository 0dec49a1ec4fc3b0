"""Line numbers inside a JSON text, for the place that a person has to change."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s"{}\[\],:]+')

Where = tuple[str | int, ...]


def line_of(text: str, where: Sequence[str | int]) -> int | None:
    """The line, counted from 1, on which the value at ``where`` begins, or what holds it if there is none.

    Of a repeated key the last one counts.
    """
    steps = tuple(where)
    wanted = {steps[:length] for length in range(len(steps) + 1)}
    found = {place: position for place, position in _values(text) if place in wanted}
    nearest = max(found, key=len, default=None)
    return None if nearest is None else text.count("\n", 0, found[nearest]) + 1


def _values(text: str) -> Iterator[tuple[Where, int]]:
    """Every value of a JSON text with its place and its position; the text has been parsed before."""
    steps: list[str | int] = []
    key_is_next = False
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign in ("}", "]"):
            steps.pop()
            key_is_next = False
        elif sign == ",":
            key_is_next = isinstance(steps[-1], str)
            if not key_is_next:
                steps[-1] = int(steps[-1]) + 1
        elif key_is_next and sign.startswith('"'):
            steps[-1], key_is_next = json.loads(sign), False
        elif sign != ":":
            yield tuple(steps), token.start()
            if sign in ("{", "["):
                steps.append("" if sign == "{" else 0)
                key_is_next = sign == "{"
