"""Find what a pact shows in an example answer and does not check.

A rule of Pact on a list or an object holds for everything inside it (it *cascades*): ``each_like``
of pact-python writes a ``type`` rule, below which every word may be any other word, and without
``min`` the list may be empty. Which rules cascade, and how far, is decided by Pact's core, so this
module asks the core: it changes one place of the example at a time and looks whether the contract
still accepts the answer. A pact says that it means this with a rule of the place itself: ``min: 0``
of a list, any rule of a value.
https://github.com/pact-foundation/pact-specification/tree/version-2#matching-rules (cascading)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mfagate.contract.core import CompiledExpectation
from mfagate.contract.path import put, steps, walk, written
from mfagate.contract.response import ExpectedResponse

Steps = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class WeakPlace:
    """A place of the example answer that the contract does not check as the example suggests.

    ``path`` is a JSON path. ``is_list`` distinguishes a list that may be empty from a value that
    may be another one.
    """

    path: str
    is_list: bool

    def __str__(self) -> str:
        return f"{self.path} may be empty" if self.is_list else f"{self.path} may have any value of its type"


def weak_places(response: ExpectedResponse) -> list[WeakPlace]:
    """Return the weak places of an answer's JSON body, in the order of the example.

    Raises:
        ContractError: Pact's core does not understand a matching rule.
    """
    if not response.body or response.media_type is None or not response.media_type.is_json:
        return []
    document = json.loads(response.body)
    if not _has_rule_of_a_container(document, response.body_rules):
        return []  # Only the rule of a list or an object reaches other places.
    expectation = CompiledExpectation(str(response.media_type), response.body, response.body_rules, response.where)
    own = tuple(_own_rules((), response.body_rules))

    def accepts(where: Steps, value: Any) -> bool:
        return not expectation.mismatches(json.dumps(put(document, where, value)))

    return list(_weak(document, own, accepts))


def _weak(document: Any, own: Sequence[tuple[Steps, Any]], accepts: Any) -> Iterator[WeakPlace]:
    for where, value in walk(document):
        rules = [rule for path, rule in own if _names(path, where)]
        if isinstance(value, list):
            if value and not any(map(_allows_none, rules)) and accepts(where, []):
                yield WeakPlace(written(where), is_list=True)
        elif not isinstance(value, dict) and not rules and any(accepts(where, other) for other in _others(value)):
            yield WeakPlace(written(where), is_list=False)


def _has_rule_of_a_container(document: Any, rules: Mapping[str, Any]) -> bool:
    paths = [tuple(steps(path)) for path in rules]
    containers = [where for where, value in walk(document) if isinstance(value, dict | list)]
    return any(_names(path, where) for path in paths for where in containers)


def _own_rules(root: Steps, rules: Mapping[str, Any]) -> Iterator[tuple[Steps, Any]]:
    """Yield each rule with the place that it is written for; ``root`` leads to the document of the rules."""
    for path, rule in rules.items():
        where = (*root, *steps(path))
        yield where, rule
        for matcher in rule["matchers"]:
            if matcher["match"] == "eachValue":
                yield (*where, "*"), rule
            for variant in matcher.get("variants", ()):
                yield from _own_rules((*where, variant.get("index", 0)), variant.get("rules", {}))


def _names(path: Steps, where: Steps) -> bool:
    return len(path) == len(where) and all(step in ("*", here) for step, here in zip(path, where, strict=True))


def _allows_none(rule: Mapping[str, Any]) -> bool:
    return any(matcher.get("min") == 0 for matcher in rule["matchers"])


def _others(value: Any) -> tuple[Any, ...]:
    """Return other values of the same type."""
    match value:
        case bool():
            return (not value,)
        case int() | float():
            return (value + 1,)
        case str():
            return (f"{value}{value[-1:] or 'x'}", f"x{value}", value.swapcase() if value.swapcase() != value else "x")
        case _:
            return ()
