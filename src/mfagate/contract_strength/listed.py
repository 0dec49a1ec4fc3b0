"""Find the words that a contract lists for a place: the proof tries each, because the contract allows each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mfagate.contract.path import steps
from mfagate.contract.weak_rules import names, places_of_rules

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
    place = tuple(steps(path))
    for rule_path, rule in places_of_rules(rules):
        for matcher in rule["matchers"] if names(rule_path, place) else ():
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
