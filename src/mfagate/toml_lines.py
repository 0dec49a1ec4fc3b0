"""Line numbers of the keys of a TOML text; the standard parser gives none."""

from __future__ import annotations

from functools import cached_property
from typing import Any

KeyPath = tuple[str, ...]


class TomlLines:
    """An index from key paths to lines, made when it is first asked."""

    def __init__(self, text: str) -> None:
        self._text = text

    def line(self, path: KeyPath) -> int | None:
        """The line of the key, or of the nearest table around it, counted from 1."""
        while path:
            if path in self._index:
                return self._index[path]
            path = path[:-1]
        return None

    @cached_property
    def _index(self) -> dict[KeyPath, int]:
        import tree_sitter_toml
        from tree_sitter import Language, Parser

        tree = Parser(Language(tree_sitter_toml.language())).parse(self._text.encode("utf-8", "surrogatepass"))
        index: dict[KeyPath, int] = {}
        for node in tree.root_node.children:
            if node.type in ("table", "table_array_element"):
                prefix: KeyPath = ()
                for child in node.named_children:
                    if child.type == "pair":
                        _add_pair(index, prefix, child)
                    elif child.type in _KEY_TYPES:
                        prefix = _key(child)
                        index.setdefault(prefix, child.start_point[0] + 1)
            elif node.type == "pair":
                _add_pair(index, (), node)
        return index


_KEY_TYPES = ("bare_key", "quoted_key", "dotted_key")


def _key(node: Any) -> KeyPath:
    if node.type == "dotted_key":
        return tuple(part for child in node.named_children for part in _key(child))
    text = node.text.decode("utf-8", "replace")
    return (text.strip("\"'"),) if node.type == "quoted_key" else (text,)


def _add_pair(index: dict[KeyPath, int], prefix: KeyPath, pair: Any) -> None:
    named = pair.named_children
    if len(named) < 2:
        return
    path = prefix + _key(named[0])
    line = named[0].start_point[0] + 1
    for length in range(len(prefix) + 1, len(path) + 1):
        index.setdefault(path[:length], line)
    if named[1].type == "inline_table":
        for child in named[1].named_children:
            if child.type == "pair":
                _add_pair(index, path, child)
