"""Whole reports made harmless: every text in them, whoever wrote it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

from pydantic import BaseModel

from mfagate.foreign import harmless
from mfagate.result import Report


def visible_report(report: Report) -> Report:
    """The same report with every text of it harmless: on one line, and nothing invisible in it."""
    made: Report = visible_tree(report)
    return made


def encodable_report(report: Report) -> Report:
    """The same report with a sign of its own (U+FFFD) for halves of surrogate pairs, which UTF-8 cannot hold.

    JSON of a provider may hold them, escaped, and a path that is not UTF-8 has its bytes as such.
    """
    made: Report = _changed(report, lambda text: _HALVES.sub("\ufffd", text))
    return made


_HALVES = re.compile("[\ud800-\udfff]")


def visible_tree(value: Any) -> Any:
    """Models, dataclasses, mappings and sequences with every text in them harmless."""
    return _changed(value, harmless)


def _changed(value: Any, text: Callable[[str], str]) -> Any:
    """The same tree with a change of every text in it."""
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return text(value)
    if isinstance(value, BaseModel):
        names = type(value).model_fields
        return value.model_copy(update={name: _changed(getattr(value, name), text) for name in names})
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: _changed(getattr(value, one.name), text) for one in fields(value)})
    if isinstance(value, Mapping):
        return {_changed(key, text): _changed(item, text) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_changed(item, text) for item in value)
    if isinstance(value, list):
        return [_changed(item, text) for item in value]
    return value
