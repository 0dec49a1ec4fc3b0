"""Breaking changes as injected faults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pact import Pact

from mfagate.contract import Contract, load
from mfagate.contract.consumer import fill
from mfagate.sandbox.faults import Fault
from mfagate.testing.breaking import faults, spread

from ..contract.pacts import write

BODY = {"result": "allow", "count": 1, "list": [{"@odata.type": "push", "kind": "a"}], "words": ["push"], "a,b": "x"}


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    def describe(pact: Pact) -> None:
        asked: Any = pact.upon_receiving("answer").with_request("GET", "/users/1/methods")
        fill(asked, "path", {"": "/users/${user}/methods"})
        asked.will_respond_with(200).with_body(BODY, "application/json")

    return load(write(tmp_path, describe))


@pytest.mark.parametrize(
    ("place", "operator", "value", "fault"),
    [
        ("$.result", "removed", None, "removed:result"),
        ("$.result", "null", None, "nulled:result"),
        ("$.result", "retyped", None, "retyped:result"),
        ("$.result", "empty-text", None, "emptied:result"),
        ("$.result", "other-value", "deny", "reworded:allow=deny"),
        ("$.count", "other-value", 0, "value:count=0"),
        ("$.list", "empty", None, "emptied:list"),
        ("$.list", "other-kind", [None], "value:list=[null]"),
        ("$.list", "other-kind", [None, {}], "mixed:list"),
        ("$.list[0].kind", "removed", None, "removed:list.kind"),
        ("$.list[0]['@odata.type']", "null", None, "nulled:@odata.type"),
        ("$.list[0]['@odata.type']", "other-value", "mfagate-other", 'value:@odata.type="mfagate-other"'),
        ("$.words[0]", "other-value", "mfagate-other", "reworded:push=mfagate-other"),
        ("$", "body", None, "empty"),
        ("status", "status", None, "status:418"),
        ("content-type", "content-type", None, "content-type:text/html"),
    ],
)
def test_a_change_is_a_fault(contract: Contract, place: str, operator: str, value: Any, fault: str) -> None:
    (found,) = faults(contract, [{"interaction": "answer", "breaking": [[place, operator, value]]}])
    assert found == f"{fault},path=/users/"
    assert str(Fault.parse(found)) == found


@pytest.mark.parametrize(
    ("place", "operator", "value"),
    [
        ("$['a,b']", "removed", None),  # a fault is written with commas
        ("$.words[0]", "other-value", "a=b"),
        ("$.list[0]", "null", None),  # only fields have names
        ("$", "reordered", None),
    ],
)
def test_what_no_fault_can_do_is_left_out(contract: Contract, place: str, operator: str, value: Any) -> None:
    assert faults(contract, [{"interaction": "answer", "breaking": [[place, operator, value]]}]) == []


def test_a_path_that_a_state_fills_in_wholly_is_any_path(tmp_path: Path) -> None:
    """A link from an earlier answer, which a client follows."""

    def describe(pact: Pact) -> None:
        asked: Any = pact.upon_receiving("answer").with_request("GET", "/poll/1")
        fill(asked, "path", {"": "${poll}"}).will_respond_with(200).with_body({"a": 1}, "application/json")

    found = faults(load(write(tmp_path, describe)), [{"interaction": "answer", "breaking": [["$.a", "null", None]]}])
    assert found == ["nulled:a,path=/"]
    assert Fault.parse(found[0]).path == "/"


def test_a_few_of_each_kind_are_chosen_first() -> None:
    every = [f"removed:{number}" for number in range(20)] + ["empty", "status:418"]
    assert {fault.partition(":")[0] for fault in spread(every, 3)} == {"removed", "empty", "status"}
    assert len(spread(every, 9)) == 9
    assert spread(every, 9) == spread(every, 9)
    assert spread([], 5) == []
