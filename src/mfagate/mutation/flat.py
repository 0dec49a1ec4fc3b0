"""Write each environment as an integration of its own, for the copy that is edited.

Two environments may read the same line of the file, but their sandboxes have different values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from mfagate.config.environments import expanded
from mfagate.core.toml_lines import KeyPath, dotted, parse, string


def flat(text: str) -> str:
    """Return the text itself if it has no environments, or else an equivalent text without comments."""
    whole = expanded(parse(text))
    return "\n".join(_table((), whole.document)) + "\n" if whole.tables else text


def _table(path: KeyPath, table: Mapping[str, Any]) -> Iterator[str]:
    below = {key: value for key, value in table.items() if isinstance(value, dict) or _is_tables(value)}
    if path:
        yield f"[{dotted(path)}]"
    yield from (f"{dotted((key,))} = {_value(value)}" for key, value in table.items() if key not in below)
    for key, value in below.items():
        if isinstance(value, dict):
            yield from _table((*path, key), value)
        for item in value if isinstance(value, list) else ():
            head, *rest = _table((*path, key), item)
            yield from (f"[{head}]", *rest)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _value(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return string(value)
        case date():
            return value.isoformat()
        case list():
            return f"[{', '.join(map(_value, value))}]"
    return str(value)
