"""Shapes of responses, and their differences."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Headers, Response
from mfagate.drift import Shape, differences, enumerated, from_json, merged, of_answer, to_json
from mfagate.drift.shape import of_json

ANSWER = {
    "stat": "OK",
    "response": {"result": "auth", "devices": [{"type": "phone", "number": "+1"}, {"type": "token"}], "last": None},
}
WORDS = {"$.response.result": frozenset({"auth", "deny"})}


def found(known: Any, seen: Any, *used: str) -> list[tuple[str, str]]:
    result = differences(of_json(known), of_json(seen), used=set(used), words=WORDS)
    return [(difference.cause.value, difference.path) for difference in result]


def changed(path: str, value: Any = ...) -> dict[str, Any]:
    """Return the response with one value replaced or removed."""
    answer = copy.deepcopy(ANSWER)
    node: Any = answer
    *way, last = [int(step) if step.isdecimal() else step for step in path.split(".")]
    for step in way:
        node = node[step]
    if value is ...:
        del node[last]
    else:
        node[last] = value
    return answer


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (changed("response.new", 1), [("drift.field-added", "$.response.new")]),
        (changed("response.new", {"a": {"b": 1}}), [("drift.field-added", "$.response.new")]),
        (changed("stat"), [("drift.field-removed", "$.stat")]),
        (changed("response"), [("drift.field-removed", "$.response")]),
        (changed("stat", 1), [("drift.type-changed", "$.stat")]),
        (changed("response.devices", "none"), [("drift.type-changed", "$.response.devices")]),
        (changed("response.result", "allow"), [("drift.value-new", "$.response.result")]),
        (changed("response.devices.0.type", 3), [("drift.type-changed", "$.response.devices[*].type")]),
        # No difference: another known word, another sentence, a value instead of null, an item more or less,
        # a field that only some items have, an empty list.
        (changed("response.result", "deny"), []),
        (changed("stat", "FINE"), []),
        (changed("response.last", {"at": 1}), []),
        (changed("stat", None), []),
        (changed("response.devices", [{"type": "phone"}]), []),
        (changed("response.devices", [{"type": "phone", "number": "+2"}] * 3), []),
        (changed("response.devices", []), []),
    ],
)
def test_differences(answer: Any, expected: list[tuple[str, str]]) -> None:
    assert found(ANSWER, answer) == expected


def test_fields_of_the_contract_are_not_reported_again() -> None:
    assert found(ANSWER, changed("stat"), "$.stat") == []
    assert found(ANSWER, changed("stat", 1), "$.stat") == []


def test_keys_that_are_identifiers_are_one_field() -> None:
    assert found({"a": {"4711": {"x": 1}}}, {"a": {"4712": {"x": 2}, "00u1a2b3c4d5e6f7g8h9": {"x": 3}}}) == []


def test_headers() -> None:
    def shape(**headers: str) -> Shape:
        items = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        return of_answer(Response(200, headers=Headers(items)), ("Content-Type", "X-Kept"))

    known = shape(content_type="application/json; charset=utf-8", x_kept="1", x_other="2")
    assert known.keys() == {"header content-type", "header x-kept"}
    seen = shape(content_type="application/problem+json", sunset="Sat, 1 May 2027 00:00:00 GMT")
    result = list(differences(known, seen, used=set(), words={}))
    assert [(one.cause, one.path, one.is_retirement) for one in result] == [
        (CauseId.DRIFT_TYPE_CHANGED, "header content-type", False),
        (CauseId.DRIFT_FIELD_ADDED, "header sunset", True),
        (CauseId.DRIFT_FIELD_REMOVED, "header x-kept", False),
    ]


def test_an_enumeration_repeats_its_values() -> None:
    names = ("Ann", "Bo", "Cy", "Di", "Ed", "Flo", "Gus")
    shapes = [of_json({"r": "allow" if name < "D" else "deny", "name": name, "id": "a1"}) for name in names]
    assert enumerated(shapes[:-1]) == {}
    assert enumerated(shapes) == {"$.r": frozenset({"allow", "deny"})}


@pytest.mark.parametrize("number", [12, 13])
def test_a_field_with_many_words_is_not_an_enumeration(number: int) -> None:
    shapes = [of_json({"r": f"word_{chr(ord('a') + index % number)}"}) for index in range(40)]
    assert ("$.r" in enumerated(shapes)) is (number == 12)
    known = shapes[0]
    for shape in shapes[1:]:
        known = merged(known, shape)
    assert ("$.r" in enumerated([known])) is (number == 12)


@pytest.mark.parametrize(
    "value", ["9f8a2c1d", "2026-10-01T02:00:00Z", "d2hhdGV2ZXI0Mg==", "https://a.example/x1", "4711"]
)
def test_values_that_always_change_are_not_words(value: str) -> None:
    shapes = [of_json({"r": word}) for word in (*["allow", "deny"] * 5, value)]
    assert enumerated(shapes[:-1]) == {"$.r": frozenset({"allow", "deny"})}
    assert enumerated(shapes) == {}


def test_several_runs_teach_an_enumeration() -> None:
    known = of_json({"r": "active"})
    for _ in range(6):
        assert enumerated([known]) == {}
        known = merged(known, of_json({"r": "active"}))
    words = enumerated([known])
    assert words == {"$.r": frozenset({"active"})}
    (difference,) = differences(known, of_json({"r": "locked"}), used=set(), words=words)
    assert (difference.cause, difference.known, difference.seen) == (CauseId.DRIFT_VALUE_NEW, "active", "locked")


def test_a_value_that_we_sent_is_neither_new_nor_known() -> None:
    known, words = of_json({"r": "active"}), {"$.r": frozenset({"active"})}
    assert list(differences(known, of_json({"r": "alice"}), used=set(), words=words, own={"alice"})) == []
    (difference,) = differences(known, of_json({"r": "locked"}), used=set(), words=words, own={"alice"})
    assert (difference.known, difference.seen) == ("active", "locked")


NAMES = st.sampled_from("abcd") | st.text(max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["allow", "deny", "9f8a2c1d"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_a_response_does_not_differ_from_itself(document: Any) -> None:
    shape = of_json(document)
    assert list(differences(shape, shape, used=set(), words=enumerated([shape]))) == []


@given(st.lists(JSON, min_size=1, max_size=4))
def test_a_known_response_is_not_reported_again(documents: list[Any]) -> None:
    """The order of the responses does not matter."""
    known: Shape = of_json(documents[0])
    for document in documents[1:]:
        known = merged(known, of_json(document))
    for document in documents:
        seen = of_json(document)
        assert list(differences(known, seen, used=set(), words=enumerated([known, known]))) == []


@given(JSON)
def test_a_shape_is_stored_unchanged(document: Any) -> None:
    shape = of_json(document)
    assert from_json(json.loads(json.dumps(to_json(shape)))) == shape


def test_very_deep_nesting() -> None:
    document: Any = 1
    for _ in range(300):
        document = [document]
    assert len(of_json(document)) < 100
