"""``json:``, ``yaml:`` and ``toml:PATH#a.b``: one value inside a structured file."""

from __future__ import annotations

import json
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from mfagate.result import Location
from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import Resolved, StoreContext, full_path, read_file
from mfagate.secrets.stores.lines import is_index, json_lines, toml_lines, yaml_lines
from mfagate.toml_lines import parse as parse_toml
from mfagate.yaml_text import documents


class Store:
    """Reads documents relative to the configuration file, each once."""

    def __init__(self, context: StoreContext) -> None:
        self._context = context
        self._base = context.base

    def resolve(self, reference: Reference) -> Resolved:
        """The scalar at the dotted path; list items are addressed by number."""
        path, dotted = reference.path_and_fragment(f"{reference.scheme}:deploy.{reference.scheme}#mfa.key")
        full = full_path(self._base, path, reference)
        text, document = self._context.once(reference.scheme, full, lambda: self._read(reference, path))
        value = follow(document, dotted, reference)
        line_of = self._context.once(f"lines of {reference.scheme}", full, lambda: _LINES[reference.scheme](text))
        return Resolved(value, Location(full, line_of(dotted.split("."))))

    def _read(self, reference: Reference, path: str) -> tuple[str, Any]:
        text = read_file(self._base, path, reference)
        try:
            return text, _PARSERS[reference.scheme](text.removeprefix("\ufeff"))
        except _SeveralDocuments:
            raise Unresolved(f"{reference}: {path} holds several documents; one of one document is needed") from None
        except (ValueError, RecursionError) as error:
            # Parsers quote the offending text, which may be a secret: keep the position only.
            raise Unresolved(f"{reference}: {path} is not valid {reference.scheme}{_position(error)}") from None


class _SeveralDocuments(Exception):
    pass


def follow(document: Any, dotted: str, reference: Reference) -> Any:
    """Walk a dotted path down to a scalar.

    Raises:
        Unresolved: A step is missing, or the end is not a scalar.
    """
    value = document
    walked: list[str] = []
    for step in dotted.split("."):
        if isinstance(value, dict) and (key := _key(value, step)) is not None:
            value = value[key]
        elif isinstance(value, list) and is_index(step, value):
            value = value[int(step)]
        else:
            nearest = get_close_matches(step, [str(key) for key in value], n=1) if isinstance(value, dict) else []
            hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
            raise Unresolved(f"{reference}: there is no {step!r} under {'.'.join(walked) or 'the top'}{hint}")
        walked.append(step)
    if value is None or isinstance(value, dict | list):
        raise Unresolved(f"{reference}: {dotted} holds {_kind(value)}, not a value")
    return value


def _key(table: dict[Any, Any], step: str) -> Any:
    """The key that is written like the step: YAML reads ``1:`` as a number."""
    return step if step in table else next((key for key in table if type(key) is int and str(key) == step), None)


def _kind(value: Any) -> str:
    return "a table" if isinstance(value, dict) else "a list" if isinstance(value, list) else "nothing"


def _position(error: Exception) -> str:
    line = getattr(error, "lineno", None) or getattr(error, "line", None)
    return f" (line {line})" if line else ""


def _parse_yaml(text: str) -> Any:
    found = documents(text)
    if len(found) > 1:
        raise _SeveralDocuments
    return found[0] if found else None


_PARSERS: dict[str, Callable[[str], Any]] = {"json": json.loads, "yaml": _parse_yaml, "toml": parse_toml}

_LINES = {"json": json_lines, "yaml": yaml_lines, "toml": toml_lines}
