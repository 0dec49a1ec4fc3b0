"""Reading pact files: their contents, and their faults."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pact import Pact, match

from mfagate.contract import Contract, ContractError, ProviderState, load

Write = Callable[[Callable[[Any], object]], Path]


@pytest.fixture
def contract(write_pact: Write) -> Contract:
    def describe(pact: Pact) -> None:
        push = pact.upon_receiving("a push").given("alice has a phone", user="alice").given("it is day")
        push.with_request("POST", "/push").will_respond_with(200).with_body({"id": match.int(1)})
        push.set_key("push").set_pending(pending=True)
        ping = pact.upon_receiving("a ping").with_request("GET", "/ping").will_respond_with(204)
        ping.set_comment("mfagate", {"safe-in-production": True}).set_comment("text", ["other"])
        pact.with_metadata("team", {"name": "identity"})

    return load(write_pact(describe), provider="provider")


def test_a_contract_names_its_parties(contract: Contract) -> None:
    assert (contract.consumer, contract.provider) == ("auth-service", "provider")
    assert contract.path.name == "auth-service-provider.json"


def test_interactions_come_in_file_order_with_what_the_pact_says_of_them(contract: Contract) -> None:
    ping, push = contract.interactions
    assert (ping.description, push.description) == ("a ping", "a push")
    assert push.states == (ProviderState("alice has a phone", {"user": "alice"}), ProviderState("it is day"))
    assert (ping.pending, push.pending) == (False, True)
    assert (ping.safe_in_production, push.safe_in_production) == (True, False)


VALID: dict[str, Any] = {
    "consumer": {"name": "auth-service"},
    "provider": {"name": "duo"},
    "interactions": [{"type": "Synchronous/HTTP", "description": "a ping", "request": {}, "response": {}}],
    "metadata": {"pactSpecification": {"version": "4.0"}},
}


def _with(path: str, value: Any) -> dict[str, Any]:
    """``VALID`` with ``value`` at a dotted path; absent members are made."""
    document = deepcopy(VALID)
    *parents, last = path.split(".")
    node: Any = document
    for step in parents:
        node = node[int(step)] if isinstance(node, list) else node.setdefault(step, {})
    node[last] = value
    return document


def _rules(*matchers: Any) -> dict[str, Any]:
    return _with("interactions.0.response.matchingRules.body", {"$.a": {"matchers": list(matchers)}})


RESPONSE = "interactions.0.response"
BROKEN = {
    "an array": ([], "is not a pact"),
    "a number": (0, "is not a pact"),
    "a text": ("pact", "is not a pact"),
    "another JSON file": ({"name": "package"}, "is not a pact"),
    "no consumer": (_with("consumer", None), "consumer.name must be a string"),
    "no interactions": (_with("interactions", []), "run the consumer tests"),
    "other provider": (_with("provider.name", "okta"), "a contract with 'okta', not with 'duo'"),
    "message": (_with("interactions.0.type", "Asynchronous/Messages"), "('a ping') is of type"),
    "twice": (_with("interactions", VALID["interactions"] * 2), "two interactions described as 'a ping'"),
    "no description": (_with("interactions.0.description", 3), "interactions[0].description must be"),
    "unsafe flag": (
        _with("interactions.0.comments.mfagate", {"safe-in-production": "yes"}),
        "safe-in-production must be true or false",
    ),
    "status text": (_with(f"{RESPONSE}.status", "200"), "response.status must be a whole number"),
    "status 99": (_with(f"{RESPONSE}.status", 99), "response.status is not an HTTP status"),
    "header number": (_with(f"{RESPONSE}.headers", {"X-A": [1]}), "headers['X-A'][0] must be a string"),
    "header empty": (_with(f"{RESPONSE}.headers", {"X-A": []}), "headers['X-A'] is empty"),
    "body of V3": (_with(f"{RESPONSE}.body", {"a": 1}), 'has no "content"'),
    "binary body": (_with(f"{RESPONSE}.body", {"content": "/w==", "encoded": "base64"}), "binary body"),
    "not base64": (_with(f"{RESPONSE}.body", {"content": "ä", "encoded": "base64"}), "is not base64"),
    "NUL": (_with(f"{RESPONSE}.body", {"content": "a\0b"}), "NUL"),
    "matcher in body": (
        _with(f"{RESPONSE}.body", {"content": {"pact:matcher:type": "type"}}),
        "matcher inside its body",
    ),
    "query": (_with("interactions.0.request.query", {"a": [{}]}), "query['a'][0] must be a string"),
    "generator": (
        _with("interactions.0.request.generators.query", {"a": {"type": "ProviderState"}}),
        "expression must be a string",
    ),
    "unknown matcher": (_rules({"match": "luhn"}), "is 'luhn', which is not a matcher"),
    "nested matcher": (
        _rules({"match": "eachValue", "rules": [{"match": "luhn"}]}),
        "rules[0].match is 'luhn'",
    ),
    "incomplete matcher": (_rules({"match": "regex"}), "is a regex matcher and needs 'regex'"),
    "no matchers": (_rules(), "matchers is empty"),
    "matcher text": (_rules("type"), "matchers[0] must be an object"),
    "minimum": (_rules({"match": "type", "min": -1}), "min must be 0 or more"),
    "combination": (
        _with(f"{RESPONSE}.matchingRules.status", {"combine": "XOR", "matchers": [{"match": "type"}]}),
        'must be "AND" or "OR"',
    ),
}


@pytest.mark.parametrize(("document", "problem"), BROKEN.values(), ids=BROKEN)
def test_a_broken_contract_is_an_error_that_names_the_place(document: Any, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "duo.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ContractError) as raised:
        load(path, provider="duo")
    assert str(raised.value).startswith(str(path))
    assert problem in str(raised.value)


@pytest.mark.parametrize(
    ("content", "problem"),
    {
        "cut": (json.dumps(VALID)[:-40].encode(), "was cut off"),
        "empty": (b"", "was cut off"),
        "yaml": (b"consumer: a\n", "is not JSON"),
        "latin": (b'{"consumer": "\xe9"}', "is not text in UTF-8"),
        "infinite": (b'{"interactions": [1e999]}', "is not JSON that Pact can read"),
        "surrogate": (b'{"interactions": "\\ud800"}', "is not JSON that Pact can read"),
        "long number": (b'{"interactions": ' + b"1" * 5000 + b"}", "is not JSON that Pact can read"),
        "deep": (b"[" * 200 + b"]" * 200, "nested more than 100 levels"),
        "very deep": (b"[" * 200_000, "is not JSON"),
        "large": (b" " * (16 * 1024 * 1024 + 1), "larger than 16 MiB"),
    }.values(),
)
def test_a_file_that_is_not_json_is_an_error(content: bytes, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "pact.json"
    path.write_bytes(content)
    with pytest.raises(ContractError, match=problem):
        load(path)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="No such file"):
        load(tmp_path / "none.json")
    with pytest.raises(ContractError, match="Is a directory"):
        load(tmp_path)


SCRATCH = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@SCRATCH
@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pact.json"
    path.write_bytes(content)
    with pytest.raises(ContractError):
        load(path)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
PLACES = st.sampled_from(
    [
        "consumer",
        "interactions",
        "metadata",
        *(
            f"interactions.0.{place}"
            for place in (
                "comments",
                "providerStates",
                "request",
                "request.body",
                "request.generators",
                "request.generators.body",
                "request.generators.path",
                "request.headers",
                "request.query",
                "response",
                "response.body",
                "response.headers",
                "response.matchingRules",
                "response.matchingRules.body",
                "response.matchingRules.header",
                "response.matchingRules.status",
            )
        ),
    ]
)


@SCRATCH
@given(PLACES, ANY_JSON)
def test_no_value_in_any_place_raises_anything_else(tmp_path: Path, place: str, value: Any) -> None:
    path = tmp_path / "pact.json"
    path.write_text(json.dumps(_with(place, value)), encoding="utf-8")
    try:
        load(path)
    except ContractError as error:
        assert str(path) in str(error)
