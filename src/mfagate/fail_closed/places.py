"""The places of a JSON document, each with its path and a function that replaces its value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class BodyPlace:
    """A place of a document. The functions return a changed copy of the whole document.

    Args:
        path: Its path as Pact writes it, such as ``$.a[0]['@b']``.
        value: Its value.
        put: Replaces the value.
        keys: The keys that lead to it from the root.
        name: Its name in the object that contains it; None for items of lists and the root, as for ``drop`` and
            ``rename``.
        drop: Removes it.
        rename: Gives it another name.
        unwrap: Replaces it by its own fields, if it is an object in another object.
    """

    path: str
    value: Any
    put: Callable[[Any], Any]
    keys: tuple[str | int, ...] = ()
    name: str | None = None
    drop: Callable[[], Any] | None = None
    rename: Callable[[str], Any] | None = None
    unwrap: Callable[[], Any] | None = None

    @property
    def is_leaf(self) -> bool:
        """Whether it contains no other place."""
        return not isinstance(self.value, dict | list)


def places(document: Any) -> Iterator[BodyPlace]:
    """Yield every place of a document, from the outside in."""
    yield from _within(BodyPlace("$", document, lambda value: value))


def _within(place: BodyPlace) -> Iterator[BodyPlace]:
    yield place
    if isinstance(place.value, dict):
        for name in place.value:
            yield from _within(_member(place, name))
    elif isinstance(place.value, list):
        for index in range(len(place.value)):
            yield from _within(_item(place, index))


def _member(parent: BodyPlace, name: str) -> BodyPlace:
    fields: dict[str, Any] = parent.value

    def put(value: Any) -> Any:
        return parent.put({**fields, name: value})

    def drop() -> Any:
        return parent.put({key: value for key, value in fields.items() if key != name})

    def rename(other: str) -> Any:
        return parent.put({other if key == name else key: value for key, value in fields.items()})

    def unwrap() -> Any:
        return parent.put({key: value for key, value in fields.items() if key != name} | fields[name])

    inner = unwrap if isinstance(fields[name], dict) else None
    return BodyPlace(parent.path + step(name), fields[name], put, (*parent.keys, name), name, drop, rename, inner)


def _item(parent: BodyPlace, index: int) -> BodyPlace:
    items: list[Any] = parent.value

    def put(value: Any) -> Any:
        return parent.put([*items[:index], value, *items[index + 1 :]])

    return BodyPlace(f"{parent.path}[{index}]", items[index], put, (*parent.keys, index))


def restored(document: Any, original: BodyPlace) -> Any:
    """Return the document with the value that a place has in another document, if it has such a place."""
    if not original.keys:
        return original.value
    first, *rest = original.keys
    is_within = isinstance(document, dict) or (
        isinstance(document, list) and isinstance(first, int) and first < len(document)
    )
    if not is_within or isinstance(document, dict) is isinstance(first, int):
        return document
    inner = BodyPlace(original.path, original.value, original.put, tuple(rest))
    copy = document.copy()
    if not rest or not isinstance(document, dict) or first in document:
        copy[first] = restored(document.get(first) if isinstance(document, dict) else document[first], inner)
    return copy


def step(name: str) -> str:
    """Return a key as a step of a path."""
    return f".{name}" if name.replace("_", "a").isalnum() and name.isascii() else f"['{name}']"
