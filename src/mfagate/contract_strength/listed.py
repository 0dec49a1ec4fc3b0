"""Find the words that a contract lists for a place. The contract allows each of them, so the proof tries each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_LISTED = re.compile(
    r"\^?(?:\\A)?"
    r"(?P<before>(?:[^\\()|\[\]{}*+?.^$]|\\[^A-Za-z0-9])*)"
    r"\((?:\?[a-z]*:)?(?P<words>(?:[^\\()\[\]{}*+?.^$]|\\[^A-Za-z0-9])*)\)"
    r"(?P<after>(?:[^\\()|\[\]{}*+?.^$]|\\[^A-Za-z0-9])*)"
    r"\$?(?:\\Z)?",
    re.DOTALL,
)
"""A pattern of literal text with one group of literal words."""


def listed(rules: Mapping[str, Any], path: str, example: Any) -> Iterator[Any]:
    """Yield every word that a pattern lists for a place, as a number if the example is a number.

    Args:
        rules: The rules of the body, by path.
        path: The place, with indexes.
        example: The value that the example has there.
    """
    for written, rule in _flat(rules):
        if not _pattern(written).fullmatch(path):
            continue
        for matcher in rule["matchers"]:
            for word in _words(matcher["regex"]) if matcher["match"] == "regex" else ():
                is_number = type(example) is int and word.isascii() and word.isdecimal()
                yield int(word) if is_number else word


def _words(pattern: str) -> Iterator[str]:
    match = _LISTED.fullmatch(pattern)
    if match is None:
        return
    before, after = _literal(match["before"]), _literal(match["after"])
    yield from (f"{before}{_literal(word)}{after}" for word in re.findall(r"(?:[^\\|]|\\.)+", match["words"]))


def _literal(escaped: str) -> str:
    return re.sub(r"\\(.)", r"\1", escaped, flags=re.DOTALL)


def _flat(rules: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each rule with its path, including the rules of an element that a list must contain."""
    for path, rule in rules.items():
        yield path, rule
        for matcher in rule["matchers"]:
            for number, variant in enumerate(matcher.get("variants", ())):
                for inner, each in _flat(variant.get("rules", {})):
                    yield f"{path}[{variant.get('index', number)}]{inner.removeprefix('$')}", each


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.escape(path).replace(r"\[\*\]", r"\[\d+\]").replace(r"\.\*", r"\.[^.\[\]]+"))
