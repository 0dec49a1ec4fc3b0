"""Single fields of an answer, changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mfagate.sandbox.faults.body import edited

BODY: dict[str, Any] = {
    "stat": "OK",
    "response": {"result": "allow", "n": 1, "ok": True, "list": [{"result": "x"}], "none": None},
}


def after(kind: str, argument: str, body: Any = BODY) -> Any:
    return json.loads(edited(json.dumps(body).encode(), kind, argument))


@pytest.mark.parametrize(
    ("kind", "argument", "expected"),
    [
        ("removed", "stat", {"response": BODY["response"]}),
        ("removed", "nothing.here", BODY),
        ("renamed", "stat", {"stat_v2": "OK", "response": BODY["response"]}),
        ("nulled", "response", {"stat": "OK", "response": None}),
        ("retyped", "response.n", {"stat": "OK", "response": {**BODY["response"], "n": "1"}}),
        ("retyped", "ok", {"stat": "OK", "response": {**BODY["response"], "ok": "true"}}),
        ("retyped", "stat", {"stat": {"value": "OK"}, "response": BODY["response"]}),
        ("wrapped", "stat", {"stat": ["OK"], "response": BODY["response"]}),
        ("value", "stat=FAIL", {"stat": "FAIL", "response": BODY["response"]}),
        ("value", "stat=[1,null]", {"stat": [1, None], "response": BODY["response"]}),
        ("added", "x", {**BODY, "x": "new"}),
    ],
)  # fmt: skip
def test_edits(kind: str, argument: str, expected: Any) -> None:
    assert after(kind, argument) == expected


def test_a_name_is_found_at_any_depth_and_a_path_only_there() -> None:
    assert "result" not in json.dumps(after("removed", "result"))
    assert after("removed", "response.result")["response"]["list"] == [{"result": "x"}]


@pytest.mark.parametrize("body", [b"", b"{", b"<html>", b"\xff"])
def test_what_is_no_json_stays(body: bytes) -> None:
    assert edited(body, "removed", "stat") == body
