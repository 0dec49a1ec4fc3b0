"""Check the matching rules of a pact for rules that Pact's core would ignore or misunderstand.

The core drops rules that it cannot read, and treats unknown matchers as a plugin's. A contract that checks less than it
states is worse than an error.
https://github.com/pact-foundation/pact-specification/tree/version-4#matching-rules-definitions
"""

from __future__ import annotations

from typing import Any

from mfagate.contract.node import Node

# The matchers of the core, and the member that some need (pact_models, MatchingRule::create).
_PLAIN = frozenset(
    {
        "boolean", "date", "datetime", "decimal", "equality", "integer", "notEmpty", "null", "number", "real", "semver",
        "time", "timestamp", "type", "values",
    }
)  # fmt: skip
_NEEDS = {
    "arrayContains": "variants", "contentType": "value", "eachKey": "rules", "eachValue": "rules", "include": "value",
    "max": "max", "min": "min", "regex": "regex", "statusCode": "status",
}  # fmt: skip


def rule(node: Node) -> dict[str, Any]:
    """Return a checked rule: ``{"combine": "AND", "matchers": [...]}``."""
    if node.get("combine", "AND").value not in ("AND", "OR"):
        raise node.get("combine").error('must be "AND" or "OR"')
    matchers = list(node.get("matchers").items())
    if not matchers:
        raise node.get("matchers").error("is empty: remove the rule or add a matcher")
    for matcher in matchers:
        _check(matcher)
    return node.a(dict)


def category(node: Node) -> dict[str, Any]:
    """Return checked rules by path or name."""
    return {key: rule(member) for key, member in node.members()}


def _check(matcher: Node) -> None:
    name = matcher.get("match", "").a(str)
    if name not in _NEEDS and name not in _PLAIN:
        raise matcher.get("match").error(f"is {name!r}, which is not a matcher that Pact knows")
    needs = _NEEDS.get(name)
    if needs is not None and needs not in matcher.value:
        raise matcher.error(f"is a {name} matcher and needs {needs!r}")
    for bound in ("min", "max"):
        if matcher.get(bound, 0).a(int) < 0:
            raise matcher.get(bound).error("must be 0 or more")
    if name == "regex":
        matcher.get("regex").a(str)
    elif name in ("eachKey", "eachValue"):
        for inner in matcher.get("rules").items():
            _check(inner)
    elif name == "arrayContains":
        for variant in matcher.get("variants").items():
            variant.get("index", 0).a(int)
            category(variant.get("rules", {}))
