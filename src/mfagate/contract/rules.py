"""The matching rules of a pact, checked for what Pact's core would ignore or mistake.

The core drops rules that it cannot read and takes unknown matchers for those of a
plugin; a contract that checks less than it says is worse than an error.
https://github.com/pact-foundation/pact-specification/tree/version-4#matching-rules-definitions
"""

from __future__ import annotations

from typing import Any

from mfagate.contract.node import Node

# Every matcher of the core, with the member it cannot do without (pact_models, MatchingRule::create).
_MATCHERS = {
    "arrayContains": "variants",
    "boolean": None,
    "contentType": "value",
    "date": None,
    "datetime": None,
    "decimal": None,
    "eachKey": "rules",
    "eachValue": "rules",
    "equality": None,
    "include": "value",
    "integer": None,
    "max": "max",
    "min": "min",
    "notEmpty": None,
    "null": None,
    "number": None,
    "real": None,
    "regex": "regex",
    "semver": None,
    "statusCode": "status",
    "time": None,
    "timestamp": None,
    "type": None,
    "values": None,
}


def rule(node: Node) -> dict[str, Any]:
    """``{"combine": "AND", "matchers": [...]}``, checked."""
    if node.get("combine", "AND").value not in ("AND", "OR"):
        raise node.get("combine").error('has to be "AND" or "OR"')
    matchers = list(node.get("matchers").items())
    if not matchers:
        raise node.get("matchers").error("is empty: remove the rule or add a matcher")
    for matcher in matchers:
        _check(matcher)
    return node.a(dict)


def category(node: Node) -> dict[str, Any]:
    """Rules by path or name, checked."""
    return {key: rule(each) for key, each in node.members()}


def _check(matcher: Node) -> None:
    name = matcher.get("match", "").a(str)
    if name not in _MATCHERS:
        raise matcher.get("match").error(f"is {name!r}, which is not a matcher that Pact knows")
    needs = _MATCHERS[name]
    if needs is not None and needs not in matcher.value:
        raise matcher.error(f"is a {name} matcher and needs {needs!r}")
    for bound in ("min", "max"):
        if matcher.get(bound, 0).a(int) < 0:
            raise matcher.get(bound).error("has to be 0 or more")
    if name == "regex":
        matcher.get("regex").a(str)
    elif name in ("eachKey", "eachValue"):
        for each in matcher.get("rules").items():
            _check(each)
    elif name == "arrayContains":
        for variant in matcher.get("variants").items():
            variant.get("index", 0).a(int)
            category(variant.get("rules", {}))
