"""The contracts that the referee verifies: every matcher used for JSON APIs, and what else V4 allows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pact import Pact, match


def _answer(pact: Pact, description: str, status: int = 200) -> Any:
    return pact.upon_receiving(description).with_request("GET", "/").will_respond_with(status)


def _status_class(interaction: Any, status: int, allowed: str | list[int]) -> None:
    """Status classes have no public call in pact-python 4.2."""
    import pact_ffi

    matcher = {"pact:matcher:type": "statusCode", "status": allowed, "value": status}
    pact_ffi.response_status_v2(interaction._handle, json.dumps(matcher))


def describe(pact: Pact) -> None:
    """The interactions that pact-python can write."""
    values = _answer(pact, "values").with_body(
        {
            "equal": {"text": "x", "number": 1, "list": [1, "two"]},
            "like": match.like({"a": 1, "b": "text", "c": None}),
            "regex": match.regex("ACCEPT", regex="^(ACCEPT|REJECT|CHALLENGE)$"),
            "integer": match.int(3),
            "decimal": match.decimal(1.5),
            "number": match.number(3),
            "boolean": match.bool(True),
            "null": match.none(),
            "include": match.includes("needle"),
            "datetime": match.datetime("2026-01-01T00:00:00", "%Y-%m-%dT%H:%M:%S"),
            "nothing": None,
        },
        "application/json",
    )
    _status_class(values, 200, "success")
    collections = _answer(pact, "collections").with_body(
        {
            "each": match.each_like({"q": match.int(1), "name": "x"}, min=1),
            "few": match.each_like(match.str("x"), min=1, max=3),
            "keys": match.each_key_matches({"abc": 1}, rules=match.regex("abc", regex="^[a-z]+$")),
            "values": match.each_value_matches({"abc": 1}, rules=match.int(1)),
            "contains": match.array_containing([match.int(1), {"type": "push"}]),
        },
        "application/json",
    )
    _status_class(collections, 200, [200, 401])
    uuid = match.uuid("9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d")
    _answer(pact, "list", 201).with_body(match.each_like({"id": uuid}, min=1), "application/json")
    _answer(pact, "charset").with_body({"ok": True}, "application/json; charset=utf-8")
    headers = (
        _answer(pact, "headers", 302)
        .with_header("Location", match.regex("https://a.test/x", regex=r"^https://[a-z.]+/\w+$"))
        .with_header("Retry-After", match.int(3))
        .with_header("Vary", "Accept, Origin")
        .with_header("Cache-Control", match.like("no-store"))
        .with_header("X-Request-Id", "a, b")
        .with_header("Set-Cookie", "a=1")
    )
    headers.with_header("Set-Cookie", "b=2")
    _answer(pact, "text").with_body("pong 1", "text/plain")
    _answer(pact, "no body", 204)
    _answer(pact, "null body").with_body(None, "application/json")
    media_type = match.regex("application/json", regex=r"^(application|text)/(.*\+)?json")
    _answer(pact, "any JSON").with_header("Content-Type", media_type).with_body(
        {"a": match.like("x")}, "application/json"
    )


def write(directory: Path, describe: Callable[[Pact], object] = describe) -> Path:
    """Write the pact that a function describes, and return the file."""
    pact = Pact("auth-service", "provider").with_specification("V4")
    describe(pact)
    pact.write_file(directory)
    return directory / "auth-service-provider.json"


def _rule(*matchers: dict[str, Any], combine: str = "AND") -> dict[str, Any]:
    return {"combine": combine, "matchers": list(matchers)}


_WORD = {"match": "regex", "regex": "^[a-z]+$"}

# What pact-python does not write, but other Pact libraries do.
RESPONSES_BY_OTHERS: dict[str, dict[str, Any]] = {
    "untyped JSON": {"status": 200, "body": {"content": {"a": 1}, "contentType": "application/json"}},
    "untyped charset": {"body": {"content": {"a": 1}, "contentType": "application/json; charset=utf-8"}},
    "untyped text": {"body": {"content": "pong", "contentType": "text/plain"}},
    "nothing known": {"body": {"content": "<p>pong</p>"}},
    "empty body": {"body": {"content": ""}},
    "null": {"body": None},
    "JSON text": {"body": {"content": "pong", "contentType": "application/json"}},
    "ruled text": {
        "body": {"content": "pong", "contentType": "text/plain"},
        "matchingRules": {"body": {"$": _rule(_WORD)}},
    },
    "form": {"body": {"content": "a=1&b=2", "contentType": "application/x-www-form-urlencoded"}},
    "bare status rule": {"matchingRules": {"status": _rule({"match": "statusCode", "status": "nonError"})}},
    "integer status": {"matchingRules": {"status": {"": _rule({"match": "integer"})}}},
    "two rules": {
        "headers": {"X-Word": ["a"], "x-either": ["a"], "X-Exact": ["a,b"], "X-Numbered": ["1", "2"]},
        "matchingRules": {
            "header": {
                "x-word": _rule(_WORD, {"match": "include", "value": "a"}),
                "X-Either": _rule({"match": "integer"}, _WORD, combine="OR"),
                "X-Exact": _rule({"match": "equality"}),
                "X-Numbered[1]": _rule({"match": "integer"}),
            },
        },
    },
    "either value": {
        "body": {"content": {"a": 1, "b": {"c": [1]}}, "contentType": "application/json"},
        "matchingRules": {
            "body": {
                "$.a": _rule({"match": "integer"}, {"match": "null"}, combine="OR"),
                "$.b": _rule({"match": "type"}),
                "$.b.c[*]": _rule({"match": "notEmpty"}),
            },
        },
    },
}


def by_others() -> dict[str, Any]:
    """A pact file of :data:`RESPONSES_BY_OTHERS`."""
    return {
        "consumer": {"name": "auth-service"},
        "provider": {"name": "provider"},
        "interactions": [
            {
                "type": "Synchronous/HTTP",
                "description": description,
                "request": {"method": "GET", "path": "/"},
                "response": response,
            }
            for description, response in RESPONSES_BY_OTHERS.items()
        ],
        "metadata": {"pactSpecification": {"version": "4.0"}},
    }
