"""Change single fields of a JSON answer, as a provider might without notice."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Edit = Callable[[dict[str, Any], str], None]
"""Changes a field of an object, by its name."""

Change = Callable[[Any, str], bool]
"""Changes a document according to the fault's argument, and returns whether it found anything to change."""


def edited(body: bytes, kind: str, argument: str) -> bytes | None:
    """Return the body with one change, or None if it is not JSON or has no such field."""
    try:
        document = json.loads(body)
    except ValueError:
        return None
    return json.dumps(document).encode() if EDITS[kind](document, argument) else None


def _at(edit: Edit) -> Change:
    """Edit the fields of a name at any depth; if there are none, those at a dotted path.

    A name may contain dots, as ``@odata.type`` does. A path leads through all items of a list.
    """

    def change(document: Any, field: str) -> bool:
        return _everywhere(document, field, edit) or _along(document, field.split("."), edit)

    return change


def _along(node: Any, steps: list[str], edit: Edit) -> bool:
    if isinstance(node, list):
        return sum(_along(item, steps, edit) for item in node) > 0
    if not isinstance(node, dict) or steps[0] not in node:
        return False
    if len(steps) > 1:
        return _along(node[steps[0]], steps[1:], edit)
    edit(node, steps[0])
    return True


def _everywhere(node: Any, name: str, edit: Edit) -> bool:
    if isinstance(node, list):
        return sum(_everywhere(item, name, edit) for item in node) > 0
    if not isinstance(node, dict):
        return False
    below = sum(_everywhere(node[key], name, edit) for key in list(node)) > 0
    if name in node:
        edit(node, name)
        return True
    return below


def _as_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _retyped(value: Any) -> Any:
    """Return the same information in another type, as a careless serialiser would."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case str():
            return {"value": value}
        case _:
            return json.dumps(value)


def _rename(parent: dict[str, Any], key: str) -> None:
    parent[f"{key}_v2"] = parent.pop(key)


def _empty(parent: dict[str, Any], key: str) -> None:
    kind = type(parent[key])
    if kind in (list, dict, str):
        parent[key] = kind()


def _mix(parent: dict[str, Any], key: str) -> None:
    """Insert an element of another type into a list: a number, or a string among numbers."""
    value = parent[key]
    if isinstance(value, list):
        numbers = bool(value) and all(isinstance(item, int | float) for item in value)
        parent[key] = ["mfagate" if numbers else 0, *value]


def _reworded(node: Any, argument: str) -> bool:
    """Replace a word wherever it is a whole string."""
    if not isinstance(node, dict | list):
        return False
    word, _, other = argument.partition("=")
    changed = False
    for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
        if value == word:
            node[key] = other
        changed = value == word or _reworded(value, argument) or changed
    return changed


def _added(document: Any, name: str) -> bool:
    if isinstance(document, dict):
        document[name] = "new"
    return isinstance(document, dict)


def _value(document: Any, argument: str) -> bool:
    name, _, value = argument.partition("=")
    return _at(lambda parent, key: parent.__setitem__(key, _as_json(value)))(document, name)


EDITS: dict[str, Change] = {
    "removed": _at(lambda parent, key: parent.__delitem__(key)),
    "renamed": _at(_rename),
    "nulled": _at(lambda parent, key: parent.__setitem__(key, None)),
    "retyped": _at(lambda parent, key: parent.__setitem__(key, _retyped(parent[key]))),
    "wrapped": _at(lambda parent, key: parent.__setitem__(key, [parent[key]])),
    "emptied": _at(_empty),
    "mixed": _at(_mix),
    "reworded": _reworded,
    "value": _value,
    "added": _added,
}
