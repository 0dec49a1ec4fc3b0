"""Pacts of specification 1 to 3, as the libraries of several languages write them.

Each follows files that these libraries wrote, in public repositories: names, order and values are invented.
"""

from __future__ import annotations

from typing import Any

_USER = {"id": 7, "login": "alice", "factors": [{"type": "totp", "active": True}], "note": None, "rate": 1.5}


def _pact(version: Any, *interactions: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a pact; ``version`` is its metadata, or the version of the specification."""
    metadata = version if isinstance(version, dict) else {"pactSpecification": {"version": version}}
    return {
        "consumer": {"name": "login"},
        "provider": {"name": "idp"},
        "interactions": list(interactions),
        "metadata": metadata,
        **more,
    }


def _get(description: str, response: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"description": description, "request": {"method": "get", "path": "/users/7"}, "response": response, **more}


JSON = {"Content-Type": "application/json; charset=utf-8"}

PACTS: dict[str, dict[str, Any]] = {
    # https://github.com/pact-foundation/pact-ruby, and pact-js and pact-python before they used Pact's core
    "ruby 2": _pact(
        "2.0.0",
        _get(
            "a user",
            {
                "status": 200,
                "headers": JSON,
                "body": _USER,
                "matchingRules": {
                    "$.headers.Content-Type": {"match": "regex", "regex": "application\\/json.*"},
                    "$.body.id": {"match": "type"},
                    "$.body.login": {"match": "regex", "regex": "^[a-z]+$"},
                    "$.body.factors": {"min": 1},
                    "$.body.factors[*].*": {"match": "type"},
                    "$.body.factors[*].type": {"match": "regex", "regex": "totp|push"},
                },
            },
            providerState="alice exists",
        ),
        _get("an array", {"status": 200, "headers": JSON, "body": [1], "matchingRules": {"$.body": {"min": 1}}}),
    ),
    "ruby, state in snake case, no metadata": {
        **_pact({}, _get("a user", {"status": 200, "body": {"message": "sun"}}, provider_state="it is day")),
        "metadata": None,
    },
    # https://github.com/pact-foundation/pact-jvm with PactSpecVersion.V2 and V3
    "jvm 2": _pact(
        {"pact-specification": {"version": "2.0.0"}, "pact-jvm": {"version": "3.3.3"}},
        _get(
            "a user",
            {
                "status": 200,
                "headers": {"Content-Type": "application/json", "X-Trace": "abc, def"},
                "body": _USER,
                "responseMatchingRules": {
                    "$.body.id": {"match": "integer"},
                    "$.body.rate": {"match": "decimal"},
                    "$.body.login": {"match": "type"},
                    "$.body['factors']": {"min": "1", "match": "type"},
                    "$.header.X-Trace": {"regex": "[a-z, ]+"},
                },
            },
        ),
    ),
    "jvm 3": _pact(
        {"pactSpecification": {"version": "3.0.0"}, "pact-jvm": {"version": "4.1.7"}},
        _get(
            "a user",
            {
                "status": 200,
                "headers": {"Content-Type": "application/json; charset=UTF-8"},
                "body": {**_USER, "at": "2026-01-01T10:00:00", "day": "2026-01-01"},
                "matchingRules": {
                    "header": {
                        "Content-Type": {
                            "matchers": [{"match": "regex", "regex": "application/json(;\\s?charset=[\\w\\-]+)?"}],
                            "combine": "AND",
                        }
                    },
                    "body": {
                        "$.id": {"matchers": [{"match": "integer"}], "combine": "AND"},
                        "$.rate": {"matchers": [{"match": "number"}], "combine": "and"},
                        "$.login": {"matchers": [{"match": "type"}, {"match": "regex", "regex": "^al.*$"}]},
                        "$.factors": {"matchers": [{"match": "type", "min": 1, "max": 3}], "combine": "AND"},
                        "$.factors[*].type": {"matchers": [{"match": "include", "value": "t"}], "combine": "AND"},
                        "$.at": {"matchers": [{"match": "timestamp", "timestamp": "yyyy-MM-dd'T'HH:mm:ss"}]},
                        "$.day": {"matchers": [{"match": "date", "date": "yyyy-MM-dd"}], "combine": "AND"},
                        "$.note": {"matchers": [{"match": "null"}, {"match": "type"}], "combine": "OR"},
                    },
                },
                "generators": {"body": {"$.id": {"type": "RandomInt", "min": 0, "max": 9}}},
            },
            providerStates=[{"name": "alice exists", "params": {"user": "alice"}}, {"name": "it is day"}],
        ),
    ),
    "jvm 3, headers as lists": _pact(
        "3.0.0",
        _get("html", {"status": 200, "headers": {"Content-Type": ["text/html"]}, "body": '"That is some good."'}),
    ),
    # pact-js 9 and before: https://github.com/pact-foundation/pact-js/blob/master/docs/matching.md
    "js 2": _pact(
        "2.0.0",
        _get(
            "the users",
            {
                "status": 200,
                "headers": {"Content-Type": "application/hal+json"},
                "body": {"users": [_USER]},
                "matchingRules": {
                    "$.body": {"match": "type"},
                    "$.body.users": {"min": 1},
                    "$.body.users[*].*": {"match": "type"},
                    "$.body.users[*].factors": {"min": 1, "match": "type"},
                    "$.body['users'][*]['login']": {"match": "regex", "regex": "^a.*$"},
                },
            },
        ),
    ),
    # https://github.com/pact-foundation/pact-go/tree/master/examples: one description, several states
    "go 2": _pact(
        "2.0.0",
        *(
            _get("a login", {"status": status, "headers": {**JSON, "X-Auth-Token": "1"}, "body": {"user": {"id": 1}},
                             "matchingRules": {
                                 "$.headers.Content-Type": {"match": "regex", "regex": "application\\/json.*"},
                                 "$.headers.X-Auth-Token": {"match": "type"},
                                 "$.body.user.id": {"match": "type"}}}, providerState=state)
            for status, state in ((200, "alice exists"), (404, "alice does not exist"))
        ),
    ),
    "go 3": _pact(
        "3.0.0",
        _get("a user", {"status": 200, "headers": {"X-Auth-Token": "1"}, "body": {"names": ["a", 1]}, "matchingRules": {
            "header": {"$.X-Auth-Token": {"combine": "AND", "matchers": [{"match": "regex", "regex": "[0-9]+"}]}},
            "body": {"$.names": {"combine": "AND", "matchers": [{"match": "arrayContains", "variants": [
                {"index": 0, "rules": {"$": {"combine": "AND", "matchers": [{"match": "type"}]}}},
                {"index": 1, "rules": {"$": {"combine": "AND", "matchers": [{"match": "integer"}]}}}]}]}}}}),
    ),
    # Rules of version 2 in a pact of version 3
    "mixed": _pact(
        "3.0.0",
        _get("a check", {"status": 200, "headers": JSON, "body": {"time": 1},
                         "matchingRules": {"$.body.time": {"match": "type"}}}),
    ),
    "status rules": _pact(
        "3.0.0",
        _get("any success", {"status": 201, "matchingRules": {
            "status": {"matchers": [{"match": "statusCode", "status": "success"}], "combine": "AND"}}}),
    ),
    "bodies": _pact(
        "2.0.0",
        _get("none", {"status": 204}),
        _get("null", {"status": 200, "body": None}),
        _get("empty", {"status": 200, "body": ""}),
        _get("text", {"status": 200, "headers": {"Content-Type": "text/plain"}, "body": "pong"}),
        _get("text without a type", {"status": 200, "body": "pong"}),
        _get("an object without a type", {"status": 200, "body": {"a": 1}}),
        _get("a list without a type", {"status": 200, "body": [1, "a"]}),
        _get("an object in a text", {"status": 200, "headers": JSON, "body": '{"a": 1}'}),
        _get("a text as JSON", {"status": 200, "headers": JSON, "body": "pong"}),
        _get("a text in quotes as JSON", {"status": 200, "headers": JSON, "body": '"pong"'}),
        _get("a number", {"status": 200, "headers": JSON, "body": 5}),
        _get("a form", {"status": 200, "headers": {"Content-Type": "application/x-www-form-urlencoded"},
                        "body": "a=1&b=2"}),
        _get("markup", {"status": 200, "headers": {"Content-Type": "application/xml"}, "body": "<a>1</a>"}),
    ),
    "version 1": _pact("1.0.0", _get("a user", {"status": 200, "headers": JSON, "body": {"id": 1}})),
    "version named at the top": _pact({"pactSpecificationVersion": "2.0.0"}, _get("a user", {"status": 404})),
}  # fmt: skip
