"""Line numbers of values inside structured files, for the report's "change this line"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mfagate.core.toml_lines import TomlLines
from mfagate.core.yaml_text import root_nodes

_MERGE = "tag:yaml.org,2002:merge"


LineOf = Callable[[Sequence[str]], int | None]
"""Returns the line of a key, counted from 1. The text is parsed once for all keys."""


def toml_lines(text: str) -> LineOf:
    """Return the lines of the keys of a TOML text."""
    index = TomlLines(text)
    return lambda keys: index.line(tuple(keys))


def json_lines(text: str) -> LineOf:
    """Return the lines of the keys of a JSON text."""
    # JSON is YAML except for tabs and the escape \/. Replacing them changes no line.
    return yaml_lines(text.replace("\t", " ").replace("\\/", "/ "))


def yaml_lines(text: str, document: int = 0) -> LineOf:
    """Return the lines of the keys of one document of a YAML text, counted from 0."""
    roots = root_nodes(text)
    return lambda keys: _yaml_line(roots[document], keys) if document < len(roots) else None


def _yaml_line(node: Any, keys: Sequence[str]) -> int | None:
    import yaml

    line = None
    for key in keys:
        if isinstance(node, yaml.MappingNode) and (pair := _pair(node, key)) is not None:
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and is_index(key, node.value):
            node = node.value[int(key)]
            line = node.start_mark.line + 1
        else:
            return None
    return line


def is_index(step: str, items: Sequence[Any]) -> bool:
    """Return whether the step of a path is the number of one of the items."""
    return step.isdecimal() and len(step) < 10 and int(step) < len(items)


def _pair(mapping: Any, key: str) -> tuple[Any, Any] | None:
    """Return the last pair with the key, as in the loaded document, or else the pair of a merged mapping."""
    merged: list[Any] = []
    found = None
    for pair in mapping.value:
        if pair[0].tag == _MERGE:
            merged += pair[1].value if pair[1].id == "sequence" else [pair[1]]
        elif pair[0].value == key:
            found = pair
    return found or next((pair for other in merged if (pair := _pair(other, key)) is not None), None)
