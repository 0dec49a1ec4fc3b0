"""Changes of single fields of a JSON answer, as providers make them from one day to the next."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Edit = Callable[[dict[str, Any], str], None]


def edited(body: bytes, kind: str, argument: str) -> bytes:
    """The body with one kind of change at a field; unchanged where it is no JSON or has no such field."""
    try:
        document = json.loads(body)
    except ValueError:
        return body
    if kind == "added":
        if isinstance(document, dict):
            document[argument] = "new"
    elif kind == "value":
        name, _, value = argument.partition("=")
        _at(document, name, lambda parent, key: parent.__setitem__(key, _as_json(value)))
    else:
        _at(document, argument, _EDITS[kind])
    return json.dumps(document).encode()


def _at(document: Any, field: str, edit: Edit) -> None:
    """Apply to the fields of that name at any depth, and if there is none to those of that dotted path.

    A name may have dots itself, as ``@odata.type`` has. A path goes through all items of a list.
    """
    if not _everywhere(document, field, edit):
        _along(document, field.split("."), edit)


def _along(node: Any, steps: list[str], edit: Edit) -> None:
    if isinstance(node, list):
        for item in node:
            _along(item, steps, edit)
    elif isinstance(node, dict) and steps[0] in node:
        if len(steps) == 1:
            edit(node, steps[0])
        else:
            _along(node[steps[0]], steps[1:], edit)


def _everywhere(node: Any, name: str, edit: Edit) -> bool:
    """Whether there was any."""
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
    """The same information in another type, as sloppy serialisers give it."""
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


_EDITS: dict[str, Edit] = {
    "removed": lambda parent, key: parent.__delitem__(key),
    "renamed": _rename,
    "nulled": lambda parent, key: parent.__setitem__(key, None),
    "retyped": lambda parent, key: parent.__setitem__(key, _retyped(parent[key])),
    "wrapped": lambda parent, key: parent.__setitem__(key, [parent[key]]),
}
