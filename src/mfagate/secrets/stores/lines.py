"""Line numbers of values inside structured files, for the report's "change this line"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mfagate.toml_lines import TomlLines
from mfagate.yaml_text import root_node

_MERGE = "tag:yaml.org,2002:merge"


def toml_line(text: str, keys: Sequence[str]) -> int | None:
    """The line of a dotted key of a TOML text, counted from 1."""
    return TomlLines(text).line(tuple(keys))


def json_line(text: str, keys: Sequence[str]) -> int | None:
    """The line of a dotted key of a JSON text, counted from 1."""
    # JSON is YAML but for tabs and the escape \/; neither is changed by this in its line.
    return yaml_line(text.replace("\t", " ").replace("\\/", "/ "), keys)


def yaml_line(text: str, keys: Sequence[str]) -> int | None:
    """The line of a dotted key of a YAML text, counted from 1."""
    import yaml

    node: Any = root_node(text)
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
    """Whether the step of a path names one of the items."""
    return step.isdecimal() and len(step) < 10 and int(step) < len(items)


def _pair(mapping: Any, key: str) -> tuple[Any, Any] | None:
    """Key and value, the last one as in the document read; else that of a mapping merged into this one."""
    merged: list[Any] = []
    found = None
    for pair in mapping.value:
        if pair[0].tag == _MERGE:
            merged += pair[1].value if pair[1].id == "sequence" else [pair[1]]
        elif pair[0].value == key:
            found = pair
    return found or next((pair for other in merged if (pair := _pair(other, key)) is not None), None)
