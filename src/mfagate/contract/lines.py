"""Find the line of a value in a JSON text, so that an error can name it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s"{}\[\],:]+')

Where = tuple[str | int, ...]


def line_of(text: str, where: Sequence[str | int]) -> int | None:
    """Return the line, counted from 1, on which the value at ``where`` begins.

    If there is no such value, return the line of the value that would contain it. Of repeated keys, the last counts.
    """
    steps = tuple(where)
    wanted = {steps[:length] for length in range(len(steps) + 1)}
    found = {place: position for place, position in _values(text) if place in wanted}
    nearest = max(found, key=len, default=None)
    return None if nearest is None else text.count("\n", 0, found[nearest]) + 1


def _values(text: str) -> Iterator[tuple[Where, int]]:
    """Yield the place and the position of every value of a JSON text, which must be valid."""
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
