"""Single fields of an answer, changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.sandbox.faults.body import edited

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)

BODY: dict[str, Any] = {
    "stat": "OK",
    "response": {"result": "allow", "n": 1, "ok": True, "list": [{"result": "x"}], "none": None},
}


def after(kind: str, argument: str, body: Any = BODY) -> Any:
    """None where there was nothing to change."""
    changed = edited(json.dumps(body).encode(), kind, argument)
    return None if changed is None else json.loads(changed)


@pytest.mark.parametrize(
    ("kind", "argument", "expected"),
    [
        ("removed", "stat", {"response": BODY["response"]}),
        ("removed", "nothing.here", None),
        ("renamed", "stat", {"stat_v2": "OK", "response": BODY["response"]}),
        ("nulled", "response", {"stat": "OK", "response": None}),
        ("retyped", "response.n", {"stat": "OK", "response": {**BODY["response"], "n": "1"}}),
        ("retyped", "ok", {"stat": "OK", "response": {**BODY["response"], "ok": "true"}}),
        ("retyped", "stat", {"stat": {"value": "OK"}, "response": BODY["response"]}),
        ("wrapped", "stat", {"stat": ["OK"], "response": BODY["response"]}),
        ("value", "stat=FAIL", {"stat": "FAIL", "response": BODY["response"]}),
        ("value", "stat=[1,null]", {"stat": [1, None], "response": BODY["response"]}),
        ("emptied", "response.list", {"stat": "OK", "response": {**BODY["response"], "list": []}}),
        ("emptied", "response", {"stat": "OK", "response": {}}),
        ("emptied", "stat", {"stat": "", "response": BODY["response"]}),
        ("emptied", "n", BODY),
        ("emptied", "nothing", None),
        ("mixed", "list", {"stat": "OK", "response": {**BODY["response"], "list": [0, {"result": "x"}]}}),
        ("mixed", "stat", BODY),
        ("reworded", "x=y", {"stat": "OK", "response": {**BODY["response"], "list": [{"result": "y"}]}}),
        ("reworded", "nothing=y", None),
        ("added", "x", {**BODY, "x": "new"}),
    ],
)  # fmt: skip
def test_edits(kind: str, argument: str, expected: Any) -> None:
    assert after(kind, argument) == expected


def test_a_name_is_found_at_any_depth_and_a_path_only_there() -> None:
    assert "result" not in json.dumps(after("removed", "result"))
    assert after("removed", "response.result")["response"]["list"] == [{"result": "x"}]


def test_a_name_may_have_dots_and_a_path_goes_through_lists() -> None:
    document = {"value": [{"@odata.type": "a", "owner": {"id": 1}}, {"@odata.type": "b", "owner": {"id": 2}}], "id": 3}
    assert after("nulled", "@odata.type", document)["value"][1] == {"@odata.type": None, "owner": {"id": 2}}
    seen = after("removed", "value.owner.id", document)
    assert seen == {"value": [{"@odata.type": "a", "owner": {}}, {"@odata.type": "b", "owner": {}}], "id": 3}
    assert after("removed", "value.nobody.id", document) is None


@given(document=JSON, name=st.sampled_from("abc"), kind=st.sampled_from(["removed", "renamed", "nulled", "wrapped"]))
def test_a_field_that_is_gone_is_gone_everywhere(document: Any, name: str, kind: str) -> None:
    seen = after(kind, name, document)
    assert count(document if seen is None else seen, name, kind) == 0


def count(node: Any, name: str, kind: str) -> int:
    """How many fields of the name are as they were."""
    if isinstance(node, list):
        return sum(count(item, name, kind) for item in node)
    if not isinstance(node, dict):
        return 0
    changed = {"nulled": lambda value: value is None, "wrapped": lambda value: isinstance(value, list)}
    own = name in node and not changed.get(kind, lambda value: False)(node[name])
    return own + sum(count(value, name, kind) for value in node.values())


@pytest.mark.parametrize("body", [b"", b"{", b"<html>", b"\xff"])
def test_what_is_no_json_stays(body: bytes) -> None:
    assert edited(body, "removed", "stat") is None
