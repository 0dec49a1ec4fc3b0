"""TOML with line numbers, and without surprises; the standard parser gives neither."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

KeyPath = tuple[str, ...]


class Span(NamedTuple):
    """The position of a key and its value in the text, as byte offsets in UTF-8."""

    key: int
    key_end: int
    value: int
    value_end: int


_MOST_DIGITS = 4300
"""Python's limit for a decimal number."""

_LONG_NUMBER = re.compile(rf"[0-9_]{{{_MOST_DIGITS + 1},}}")

_BARE = re.compile(r"[A-Za-z0-9_-]+")

_LONG_KEY = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){32}""")
"""A dotted key of more than 32 parts, for which the standard parser takes quadratic time and memory."""


class TomlError(ValueError):
    """The text is not TOML. The message quotes no value; ``line`` counts from 1 where it is known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        self.line = line
        super().__init__(message)


def parse(text: str) -> dict[str, Any]:
    """Return the document.

    Raises:
        TomlError: It is not TOML, or too large or too deep for a file that a person writes.
    """
    if (key := _LONG_KEY.search(text)) is not None:
        raise TomlError("is nested too deeply", _line_at(text, key.start()))
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # The parser's message may quote a key or one character, and never a value.
        message, _, position = str(error).partition(" (at ")
        number = position.removeprefix("line ").partition(",")[0]
        line = int(number) if number.isdecimal() else _line_at(text, len(text))
        raise TomlError(f"is not TOML: {message[:1].lower()}{message[1:]}", line) from None
    except ValueError:
        number_found = _LONG_NUMBER.search(text)
        line_of_number = _line_at(text, number_found.start()) if number_found else None
        raise TomlError("contains a number with too many digits", line_of_number) from None
    except RecursionError:
        raise TomlError("is nested too deeply") from None


def string(value: str) -> str:
    """Write a basic string."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def dotted(keys: KeyPath) -> str:
    """Write a key path."""
    return ".".join(key if _BARE.fullmatch(key) else string(key) for key in keys)


def _line_at(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


class TomlLines:
    """An index from key paths to lines, built on first use. Items of arrays count from "0"."""

    def __init__(self, text: str) -> None:
        self._text = text

    def line(self, path: KeyPath) -> int | None:
        """Return the line of the key, or of the nearest table around it, counted from 1."""
        while path:
            line = self._index.written.get(path) or self._index.implied.get(path)
            if line is not None:
                return line
            path = path[:-1]
        return None

    def depth(self, path: KeyPath) -> int:
        """Return how many steps of the path the file has."""
        while path and path not in self._index.written and path not in self._index.implied:
            path = path[:-1]
        return len(path)

    def written(self) -> Mapping[KeyPath, int]:
        """Return the line of each key and table that has a line of its own."""
        return self._index.written

    def spans(self) -> Mapping[KeyPath, Span]:
        """Return the position of each key with a value, in the order of the text."""
        return self._index.spans

    @cached_property
    def _index(self) -> _Index:
        import tree_sitter_toml
        from tree_sitter import Language, Parser

        tree = Parser(Language(tree_sitter_toml.language())).parse(self._text.encode("utf-8", "surrogatepass"))
        return _Index(tree.root_node)


class _Index:
    """``written`` are keys that have their own line; ``implied`` are tables that only occur in a dotted key."""

    def __init__(self, root: Any) -> None:
        self.written: dict[KeyPath, int] = {}
        self.implied: dict[KeyPath, int] = {}
        self.spans: dict[KeyPath, Span] = {}
        self._items: dict[KeyPath, int] = {}
        for node in _children(root):
            if node.type == "pair":
                self._add_pair((), node)
            elif node.type in ("table", "table_array_element"):
                self._add_table(node)

    def _add_table(self, node: Any) -> None:
        header, *pairs = _children(node)
        *around, last = _key(header)
        path: KeyPath = ()
        for key in around:
            path = self._latest_item((*path, key))
        path = (*path, last)
        self._add(path, header)
        if node.type == "table_array_element":
            self._items[path] = self._items.get(path, -1) + 1
            path = (*path, str(self._items[path]))
            self._add(path, header)
        for pair in pairs:
            self._add_pair(path, pair)

    def _latest_item(self, path: KeyPath) -> KeyPath:
        """``[a.b]`` below ``[[a]]`` belongs to the item of ``a`` that came last."""
        return (*path, str(self._items[path])) if path in self._items else path

    def _add_pair(self, prefix: KeyPath, pair: Any) -> None:
        key, *value = _children(pair)
        path = (*prefix, *_key(key))
        self._add(path, key)
        for node in value:
            self.spans.setdefault(path, Span(key.start_byte, key.end_byte, node.start_byte, node.end_byte))
            self._add_value(path, node)

    def _add_value(self, path: KeyPath, node: Any) -> None:
        if node.type == "inline_table":
            for pair in _children(node):
                self._add_pair(path, pair)
        elif node.type == "array":
            for number, item in enumerate(_children(node)):
                self._add((*path, str(number)), item)
                self._add_value((*path, str(number)), item)

    def _add(self, path: KeyPath, node: Any) -> None:
        line = node.start_point[0] + 1
        self.written.setdefault(path, line)
        for length in range(1, len(path)):
            self.implied.setdefault(path[:length], line)


def _children(node: Any) -> Iterator[Any]:
    return (child for child in node.named_children if child.type != "comment")


def _key(node: Any) -> KeyPath:
    if node.type == "dotted_key":
        return tuple(part for child in node.named_children for part in _key(child))
    text = node.text.decode("utf-8", "replace")
    return tuple(tomllib.loads(f"{text} = 0")) if node.type == "quoted_key" else (text,)
