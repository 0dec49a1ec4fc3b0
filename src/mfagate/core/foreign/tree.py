"""Every text in a whole report or document: one walk through models, dataclasses, mappings and lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, Literal, TypeVar, get_origin

from mfagate.core.foreign.harmless import harmless
from mfagate.core.foreign.quoting import ForeignText, quoted

Tree = TypeVar("Tree")


def harmless_tree(tree: Tree) -> Tree:
    """Return the tree with every text harmless: on one line, and nothing invisible in it."""
    return with_texts(tree, harmless)


def encodable_tree(tree: Tree) -> Tree:
    """Return the tree with U+FFFD for halves of surrogate pairs, which UTF-8 cannot hold.

    JSON of a provider may hold them, escaped, and a path that is not UTF-8 has its bytes as such.
    """
    return with_texts(tree, lambda text: _HALVES.sub("\ufffd", text))


_HALVES = re.compile("[\ud800-\udfff]")


def quoted_tree(tree: Any) -> Any:
    """Return the tree with every :class:`ForeignText` quoted; everything else stays."""
    return _changed(tree, lambda leaf: quoted(leaf) if isinstance(leaf, ForeignText) else leaf)


def with_texts(tree: Tree, change: Callable[[str], str]) -> Tree:
    """Return the tree with every text changed, keys included. Words of ours, which are enumerated, stay."""
    changed: Tree = _changed(tree, lambda leaf: change(leaf) if isinstance(leaf, str) else leaf)
    return changed


def _changed(value: Any, leaf: Callable[[Any], Any]) -> Any:
    if isinstance(value, Enum):
        return value  # The value of a secret must not change an outcome.
    if (model_fields := getattr(type(value), "model_fields", None)) is not None:  # pydantic takes long to import
        free = (name for name, info in model_fields.items() if get_origin(info.annotation) is not Literal)
        return value.model_copy(update={name: _changed(getattr(value, name), leaf) for name in free})
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: _changed(getattr(value, one.name), leaf) for one in fields(value)})
    if isinstance(value, Mapping):
        return {_changed(key, leaf): _changed(item, leaf) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_changed(item, leaf) for item in value)
    if isinstance(value, list | set | frozenset):
        return [_changed(item, leaf) for item in value]
    return leaf(value)
