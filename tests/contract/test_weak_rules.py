"""What a pact shows but does not check, according to Pact's core."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.contract import load, media_type
from mfagate.contract.path import put, steps, walk, written
from mfagate.contract.response import ExpectedResponse
from mfagate.contract.weak_rules import Effort, weak_places
from mfagate.core.exchange import Headers, Response

from ..support.project import REPOSITORY

TYPE, WORD = {"match": "type"}, {"match": "regex", "regex": "^a$"}
FACTOR = {"sid": "YF0", "factor_type": "totp", "status": "verified"}


def response(example: Any, rules: dict[str, Any]) -> ExpectedResponse:
    return ExpectedResponse(
        body=json.dumps(example),
        media_type=media_type.parse("application/json"),
        body_rules={
            path: {"combine": "AND", "matchers": rule if isinstance(rule, list) else [rule]}
            for path, rule in rules.items()
        },
    )


def answer(document: Any) -> Response:
    return Response(200, headers=Headers((("Content-Type", "application/json"),)), body=json.dumps(document).encode())


def weak(example: Any, rules: dict[str, Any]) -> list[str]:
    return [str(place) for place in weak_places(response(example, rules))]


def contains(rules: dict[str, Any]) -> dict[str, Any]:
    own = {path: {"combine": "AND", "matchers": [rule]} for path, rule in rules.items()}
    return {"match": "arrayContains", "variants": [{"index": 0, "rules": own}]}


def test_each_like_without_min_checks_nothing_inside() -> None:
    assert weak({"factors": [FACTOR]}, {"$.factors": TYPE, "$.factors[*].sid": TYPE}) == [
        "$.factors may be empty",
        "$.factors[0].factor_type may have any value of its type",
        "$.factors[0].status may have any value of its type",
    ]


def test_min_demands_an_item_and_nothing_of_its_words() -> None:
    assert weak(["push"], {"$": {"match": "type", "min": 1}}) == ["$[0] may have any value of its type"]


@pytest.mark.parametrize(
    ("example", "rules"),
    [
        pytest.param({"result": "allow", "list": ["a"]}, {}, id="no rule"),
        pytest.param({"result": "allow", "list": ["a"]}, {"$.result": TYPE}, id="the rule of a value"),
        pytest.param(["a"], {"$": {"match": "type", "min": 0}, "$[*]": TYPE}, id="empty on purpose"),
        pytest.param(["a"], {"$": {"match": "type", "min": 1}, "$[*]": WORD}, id="words"),
        pytest.param([FACTOR], {"$": contains({"$.sid": TYPE})}, id="one item"),
        pytest.param([FACTOR], {"$": [contains({"$.sid": TYPE}), TYPE]}, id="one item, and all alike"),
        pytest.param([{"c": ["push"]}], {"$": contains({"$.c": contains({})})}, id="one item within one item"),
        pytest.param({"a": "b"}, {"$": {"match": "eachValue", "rules": [TYPE]}}, id="each value has a rule"),
        pytest.param({"a": None, "l": []}, {"$": TYPE}, id="null and an empty list have no others"),
    ],
)
def test_what_says_what_it_means(example: Any, rules: dict[str, Any]) -> None:
    assert weak(example, rules) == []


@pytest.mark.parametrize(
    "rule", [TYPE, {"match": "notEmpty"}, {"match": "regex", "regex": ".*"}, {"match": "min", "min": 1}]
)
def test_whatever_cascades_in_the_core_is_found(rule: dict[str, Any]) -> None:
    found = weak({"o": {"word": "a", "number": 1, "yes": True, "@odata.type": "t"}}, {"$.o": rule})
    assert len(found) == 4, found
    assert found[-1] == "$.o['@odata.type'] may have any value of its type"


def test_each_key_lets_the_values_be_anything() -> None:
    rule = {"match": "eachKey", "rules": [{"match": "regex", "regex": ".*"}]}
    assert weak({"a": "b"}, {"$": rule}) == ["$.a may have any value of its type"]


def test_a_huge_example_is_given_up() -> None:
    expected = response({"list": [FACTOR] * 1000}, {"$.list": TYPE})
    found = weak_places(expected, Effort(4 * len(expected.body or "") - 1))
    assert [place.path for place in found] == ["$.list", *(f"$.list[0].{name}" for name in FACTOR)]
    assert weak_places(expected, Effort(5)) == []


@pytest.mark.parametrize("path", sorted((REPOSITORY / "contracts").glob("*/*.json")), ids=lambda path: path.parent.name)
def test_the_shipped_contracts_check_what_they_show(path: Any) -> None:
    found = {one.description: weak_places(one.response) for one in load(path).interactions}
    assert {name: places for name, places in found.items() if places} == {}


NAMES = st.sampled_from(["a", "b_c", "@odata.type", "d-e"])
DOCUMENTS = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "a", "word", "123"]) | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def ruled(draw: st.DrawFn) -> tuple[Any, dict[str, Any]]:
    """A document, and a type rule for some of its lists and objects."""
    document = draw(DOCUMENTS.filter(lambda document: document not in (None, "")))
    containers = [written(place) for place, value in walk(document) if isinstance(value, dict | list)]
    chosen = draw(st.sets(st.sampled_from(containers))) if containers else set()
    least = st.sampled_from([TYPE, {"match": "type", "min": 1}, {"match": "type", "min": 0}])
    return document, {path: draw(least) for path in sorted(chosen)}


@given(ruled())
def test_a_weak_place_is_one_that_an_answer_may_change(case: tuple[Any, dict[str, Any]]) -> None:
    document, rules = case
    expected = response(document, rules)
    for place in weak_places(expected):
        changed: list[Any] = [[]] if place.is_list else [f"x{at(document, place.path)}", 99, True, False]
        answers = [answer(put(document, steps(place.path), other)) for other in changed]
        assert any(expected.match(each) == [] for each in answers), place


def at(document: Any, path: str) -> Any:
    for step in steps(path):
        document = document[step]
    return document


@given(ruled())
def test_a_rule_of_its_own_ends_the_weakness(case: tuple[Any, dict[str, Any]]) -> None:
    document, rules = case
    for place in weak_places(response(document, rules)):
        rules = {**rules, place.path: {"match": "type", "min": 0} if place.is_list else TYPE}
    assert weak(document, rules) == []


@given(DOCUMENTS)
def test_the_steps_of_a_path_are_read_as_they_are_written(document: Any) -> None:
    for place, value in walk(document):
        assert tuple(steps(written(place))) == place
        assert at(document, written(place)) == value
        assert put(document, place, value) == document
