"""The shape of answers: which fields, of which kinds, with which of a few words as values.

A field is named by its path: ``$.response.devices[*].type``, or ``header retry-after``. Keys of an object that are
no names but identifiers (uuids, numbers, long hex) are written ``*``, because they are other ones each time.
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
"""Headers by which an API says that it will go: RFC 9745 and RFC 8594."""

MOST_VALUES = 12
"""A field with more of them is no enumeration."""

FEWEST_ANSWERS = 7
"""A field that was seen in fewer may have another value each time."""

_MOST_ANSWERS = 1000
"""Further ones are not counted."""

_WORD = re.compile(r"[A-Za-z][A-Za-z_.:-]{0,39}")
"""Without digits: identifiers, times, hashes and tokens all have some, or are longer. A sentence has blanks."""

_IDENTIFIER = re.compile(r"[0-9a-fA-F-]{16,}|[0-9]+|(?=.*[0-9])[A-Za-z0-9_-]{16,}")

_DEEPEST = 40


@dataclass(frozen=True, slots=True)
class ShapeField:
    """``kinds`` are those of JSON without null; ``optional`` fields are in some answers and not in others.

    ``values`` are the words that it held, and None where it held anything else, or too many. It was in so many
    ``answers``.
    """

    kinds: frozenset[str] = frozenset()
    values: frozenset[str] | None = frozenset()
    optional: bool = False
    answers: int = 1

    def and_(self, other: ShapeField, *, answers: int = 1) -> ShapeField:
        """Both seen, in so many answers."""
        values = None if self.values is None or other.values is None else self.values | other.values
        if values is not None and len(values) > MOST_VALUES:
            values = None
        return ShapeField(self.kinds | other.kinds, values, self.optional or other.optional, answers)


Shape = Mapping[str, ShapeField]


def of_answer(response: Response, headers: Iterable[str]) -> Shape:
    """Return the shape of an answer with those of its headers that are looked at; only that of JSON has a body."""
    shape = {
        f"{HEADER}{name}": ShapeField(frozenset({_media_type(response) if name == "content-type" else "text"}), None)
        for name in sorted({*(name.lower() for name in headers), *RETIRING})
        if name in response.headers
    }
    try:
        return {**shape, **of_json(response.json())}
    except ValueError:
        return shape


def _media_type(response: Response) -> str:
    return response.shown_type.lower() or "text"


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
    """Of a list's items all that one of them has; what another one lacks is optional."""
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
    """Return the path of what a field is in; of a header, the empty one."""
    if path.startswith(HEADER):
        return ""
    return path[: max(path.rfind("."), path.rfind("["))]


def merged(known: Shape, seen: Shape) -> Shape:
    """Return what is known after one more answer."""
    fields = {path: _both(field, seen[path]) if path in seen else field for path, field in known.items()}
    for path, field in known.items():
        if path not in seen and reached(seen, path):
            fields[path] = replace(field, optional=True)
    for path, field in seen.items():
        if path not in known:
            fields[path] = replace(field, optional=field.optional or reached(known, path))
    return fields


def _both(known: ShapeField, seen: ShapeField) -> ShapeField:
    return known.and_(seen, answers=min(known.answers + seen.answers, _MOST_ANSWERS))


def reached(shape: Shape, path: str) -> bool:
    """Whether a shape would have the field if there were one: what it is in is there, and is not null or empty."""
    if path.endswith(("[*]", ".*")):
        return False  # that a list has no items today is no news
    parent = parent_of(path)
    return parent == "" or (parent in shape and bool(shape[parent].kinds & {"object", "list"}))


def enumerated(shapes: Iterable[Shape]) -> Mapping[str, frozenset[str]]:
    """Return the fields that take one of a few words, with those seen.

    Each was in at least seven answers, and in twice as many answers as it has values.
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
    """As the history keeps it."""
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
    """Return what :func:`to_json` wrote.

    Raises:
        ValueError: It is something else.
    """
    return _SHAPE.validate_python(document)


_SHAPE = TypeAdapter(dict[str, ShapeField])
