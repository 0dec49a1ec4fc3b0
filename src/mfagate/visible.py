"""Text of others, made harmless for eyes, terminals and logs.

A provider's message may hold escape sequences that repaint a terminal, and marks
that turn the direction of the text around. All of them are shown instead of sent.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

from pydantic import BaseModel

from mfagate.result import Report

_LAYOUT = frozenset("\n\t")
_JOINERS = frozenset("\u200c\u200d")
"""Persian and some emoji need them; they move nothing."""


def visible(text: str) -> str:
    """The text with every other invisible character spelt out, such as ``\\x1b``."""
    if text.isprintable():
        return text
    return "".join(map(_shown, text.replace("\r\n", "\n")))


def _shown(character: str) -> str:
    harmless = character.isprintable() or character in _LAYOUT or character in _JOINERS
    if harmless or unicodedata.category(character) == "Zs":
        return character
    return character.encode("unicode_escape").decode("ascii")


def visible_report(report: Report) -> Report:
    """The same report with every text of it visible."""
    made: Report = visible_tree(report)
    return made


def visible_tree(value: Any) -> Any:
    """Models, dataclasses, mappings and sequences with every text in them visible."""
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, BaseModel):
        return value.model_copy(update={name: visible_tree(getattr(value, name)) for name in type(value).model_fields})
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: visible_tree(getattr(value, one.name)) for one in fields(value)})
    if isinstance(value, Mapping):
        return {visible_tree(key): visible_tree(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(visible_tree(item) for item in value)
    if isinstance(value, list):
        return [visible_tree(item) for item in value]
    return value
