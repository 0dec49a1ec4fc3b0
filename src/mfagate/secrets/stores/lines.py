"""Line numbers of values inside structured files, for the report's "change this line"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mfagate.toml_lines import TomlLines


def toml_line(text: str, keys: Sequence[str]) -> int | None:
    """The line of a dotted key of a TOML text, counted from 1."""
    return TomlLines(text).line(tuple(keys))


def yaml_line(text: str, keys: Sequence[str]) -> int | None:
    """The line of a dotted key of a YAML or JSON text, counted from 1."""
    import yaml

    try:
        node: Any = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError):
        return None
    line = None
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == key), None)
            if pair is None:
                return None
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and key.isdecimal() and int(key) < len(node.value):
            node = node.value[int(key)]
            line = node.start_mark.line + 1
        else:
            return None
    return line
