"""Find what a pact shows in an example answer but does not check.

A Pact rule on a list or an object applies to everything inside it (it *cascades*). ``each_like`` of pact-python writes
a ``type`` rule: every text below it may be any other text, and without ``min`` the list may be empty. Pact's core
decides which rules cascade, and how far. So this module uses the core: it changes one place of the example at a time,
and checks whether the contract still accepts the answer. A rule for the place itself shows that this is intended:
``min: 0`` for a list, any rule for a value.
https://github.com/pact-foundation/pact-specification/tree/version-2#matchers (cascading)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mfagate.contract.core import CompiledExpectation
from mfagate.contract.path import put, steps, walk, written
from mfagate.contract.response import ExpectedResponse

Place = tuple[str | int, ...]
"""The keys and indexes that lead to a value."""


@dataclass(frozen=True, slots=True)
class WeakPlace:
    """A place of the example answer that the contract does not check as the example suggests.

    ``path`` is a JSON path. ``is_list`` distinguishes a list that may be empty from a value that may be any other.
    """

    path: str
    is_list: bool

    def __str__(self) -> str:
        return f"{self.path} may be empty" if self.is_list else f"{self.path} may have any value of its type"


class Effort:
    """Limit how much is compared, so that a huge pact does not delay ``mfagate check``."""

    def __init__(self, characters: int = 1 << 21) -> None:
        self._left = characters

    def spend(self, text: str) -> bool:
        """Return whether the text may still be compared."""
        self._left -= len(text)
        return self._left >= 0


def weak_places(response: ExpectedResponse, effort: Effort | None = None) -> list[WeakPlace]:
    """Return the weak places of an answer's JSON body, in the order of the example.

    Stop when ``effort`` is used up.

    Raises:
        ContractError: Pact's core does not understand a matching rule.
    """
    if not response.body or not response.body_rules or response.media_type is None or not response.media_type.is_json:
        return []
    example = _Example(response, effort or Effort())
    return list(example.weak()) if example.cascades else []


class _Example:
    """The example answer of an interaction, with the rules of its places."""

    def __init__(self, response: ExpectedResponse, effort: Effort) -> None:
        self._response, self._effort = response, effort
        self._document = json.loads(response.body or "null")
        self._rules = list(places_of_rules(response.body_rules))

    @property
    def cascades(self) -> bool:
        """Return whether a list or an object has a rule: only such a rule applies to other places."""
        containers = [place for place, value in walk(self._document) if isinstance(value, dict | list)]
        return any(names(path, place) for path, _ in self._rules for place in containers)

    def weak(self) -> Iterator[WeakPlace]:
        """Yield the weak places."""
        response = self._response
        expected = CompiledExpectation(
            str(response.media_type), response.body or "", response.body_rules, response.where
        )
        for place, value in walk(self._document):
            for other in self._others(place, value):
                text = json.dumps(put(self._document, place, other))
                if not self._effort.spend(text):
                    return
                if not expected.mismatches(text):
                    yield WeakPlace(written(place), isinstance(value, list))
                    break

    def _others(self, place: Place, value: Any) -> tuple[Any, ...]:
        """Return other values to try in this place, which a reader of the example would not expect."""
        rules = [rule for path, rule in self._rules if names(path, place)]
        if isinstance(value, list):
            return ([],) if value and not any(map(_allows_none, rules)) else ()
        return () if rules else _like(value)


def places_of_rules(rules: Mapping[str, Any], root: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Yield each rule with its place; ``root`` is the place of the document that the rules belong to."""
    for path, rule in rules.items():
        place = (*root, *steps(path))
        yield place, rule
        for matcher in rule["matchers"]:
            if matcher["match"] == "eachValue":
                yield (*place, "*"), rule
            for variant in matcher.get("variants", ()):
                yield from places_of_rules(variant.get("rules", {}), (*place, variant.get("index", 0)))


def names(path: Place, place: Place) -> bool:
    """Return whether a rule's path, which may have wildcards, leads to a place."""
    return len(path) == len(place) and all(step in ("*", here) for step, here in zip(path, place, strict=True))


def _allows_none(rule: Mapping[str, Any]) -> bool:
    return any(matcher.get("min") == 0 for matcher in rule["matchers"])


def _like(value: Any) -> tuple[Any, ...]:
    """Return other values of the same type; none for null, lists and objects."""
    match value:
        case bool():
            return (not value,)
        case int() | float():
            return (value + 1,)
        case str():
            return (f"{value}{value[-1:] or 'x'}", f"x{value}")
        case _:
            return ()
