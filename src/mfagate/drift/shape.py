"""The shape of responses: their fields, the types of these, and the values of enumerated fields.

A field has a path: ``$.response.devices[*].type``, or ``header retry-after``. Keys of an object that are identifiers
(UUIDs, numbers, long hexadecimal strings) are written ``*``, because they differ in each response.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter

from mfagate.core.exchange import Response

HEADER = "header "

RETIRING = frozenset({"deprecation", "sunset"})
"""Headers that announce the removal of an API: RFC 9745 and RFC 8594."""

MOST_VALUES = 12
"""A field with more values is not an enumeration."""

FEWEST_ANSWERS = 7
"""A field in fewer responses may have a different value each time."""

_MOST_ANSWERS = 1000
"""More responses are not counted."""

_WORD = re.compile(r"[A-Za-z][A-Za-z_.:-]{0,39}")
"""No digits, because identifiers, times, hashes and tokens have some or are longer; no spaces, as in sentences."""

_IDENTIFIER = re.compile(r"[0-9a-fA-F-]{16,}|[0-9]+|(?=.*[0-9])[A-Za-z0-9_-]{16,}")

_DEEPEST = 40


@dataclass(frozen=True, slots=True)
class ShapeField:
    """One field.

    Args:
        kinds: Its JSON types, without null.
        values: The words that it had as values; None if it had other values, or too many.
        optional: Whether some responses lack it.
        answers: How many responses had it.
    """

    kinds: frozenset[str] = frozenset()
    values: frozenset[str] | None = frozenset()
    optional: bool = False
    answers: int = 1

    def and_(self, other: ShapeField, *, answers: int = 1) -> ShapeField:
        """Combine two observations of a field in a number of responses."""
        values = None if self.values is None or other.values is None else self.values | other.values
        if values is not None and len(values) > MOST_VALUES:
            values = None
        return ShapeField(self.kinds | other.kinds, values, self.optional or other.optional, answers)


Shape = Mapping[str, ShapeField]


def of_answer(response: Response, headers: Iterable[str]) -> Shape:
    """Return the shape of a response with the named headers; only a JSON response has a shape of its body."""
    media_type = response.shown_type.lower() or "text"
    shape = {
        f"{HEADER}{name}": ShapeField(frozenset({media_type if name == "content-type" else "text"}), None)
        for name in sorted({*(name.lower() for name in headers), *RETIRING})
        if name in response.headers
    }
    try:
        return {**shape, **of_json(response.json())}
    except ValueError:
        return shape


def of_json(document: Any) -> Shape:
    """Return the shape of a JSON document."""
    return _below("$", document, 0)


def _walk(path: str, node: Any, depth: int) -> Iterator[tuple[str, ShapeField]]:
    kind, values = _kind(node)
    yield path, ShapeField(frozenset({kind} if kind else ()), values)
    if depth == _DEEPEST:
        return
    if isinstance(node, Mapping):
        for name, value in node.items():
            yield from _walk(f"{path}.{'*' if _IDENTIFIER.fullmatch(name) else name}", value, depth + 1)
    elif isinstance(node, list):
        yield from _items([_below(f"{path}[*]", item, depth + 1) for item in node]).items()


def _below(path: str, node: Any, depth: int) -> Shape:
    fields: dict[str, ShapeField] = {}
    for part, found in _walk(path, node, depth):
        fields[part] = fields[part].and_(found) if part in fields else found
    return fields


def _items(items: list[Shape]) -> Shape:
    """Combine the shapes of the items of a list; a field that an item lacks is optional."""
    found: dict[str, ShapeField] = {}
    for number, item in enumerate(items):
        found = dict(merged(found, item)) if number else dict(item)
    return found


def _kind(node: Any) -> tuple[str | None, frozenset[str] | None]:
    match node:
        case None:
            return None, frozenset()
        case bool():
            return "boolean", None
        case int() | float():
            return "number", None
        case str():
            return "string", frozenset({node}) if _WORD.fullmatch(node) else (None if node else frozenset())
        case list():
            return "list", None
    return "object", None


def parent_of(path: str) -> str:
    """Return the path of the parent of a field; empty for a header."""
    if path.startswith(HEADER):
        return ""
    return path[: max(path.rfind("."), path.rfind("["))]


def merged(known: Shape, seen: Shape) -> Shape:
    """Return the known shape after one more response."""
    fields = dict(known)
    for path, field in known.items():
        if path in seen:
            fields[path] = field.and_(seen[path], answers=min(field.answers + seen[path].answers, _MOST_ANSWERS))
        elif reached(seen, path):
            fields[path] = replace(field, optional=True)
    for path, field in seen.items():
        if path not in known:
            fields[path] = replace(field, optional=field.optional or reached(known, path))
    return fields


def reached(shape: Shape, path: str) -> bool:
    """Return whether a shape could have a field: the parent of the field is there, and is not null or empty."""
    if path.endswith(("[*]", ".*")):
        return False  # an empty list is not a difference
    parent = parent_of(path)
    return parent == "" or (parent in shape and bool(shape[parent].kinds & {"object", "list"}))


def enumerated(shapes: Iterable[Shape]) -> Mapping[str, frozenset[str]]:
    """Return the enumerated fields with their known values.

    Each field was in at least seven responses, and in at least twice as many responses as it has values.
    """
    words: dict[str, frozenset[str] | None] = {}
    times: dict[str, int] = {}
    for shape in shapes:
        for path, field in shape.items():
            before = words.get(path, frozenset())
            words[path] = None if before is None or field.values is None else before | field.values
            times[path] = times.get(path, 0) + (field.answers if field.values else 0)
    return {
        path: values
        for path, values in words.items()
        if values and len(values) <= MOST_VALUES and times[path] >= max(FEWEST_ANSWERS, 2 * len(values))
    }


def to_json(shape: Shape) -> dict[str, Any]:
    """Convert a shape to the JSON that the history stores."""
    return {
        path: {
            "kinds": sorted(field.kinds),
            "values": None if field.values is None else sorted(field.values),
            "answers": field.answers,
            **({"optional": True} if field.optional else {}),
        }
        for path, field in sorted(shape.items())
    }


def from_json(document: Any) -> Shape:
    """Read a shape that :func:`to_json` has written.

    Raises:
        ValueError: The document is not a shape.
    """
    return _SHAPE.validate_python(document)


_SHAPE = TypeAdapter(dict[str, ShapeField])
