"""The list of changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pact import Pact

from mfagate.contract import Interaction, load
from mfagate.contract.consumer import respond_with_any_of
from mfagate.contract_strength import AnswerChange, ChangeOperator, changes
from mfagate.fail_closed import ProviderAnswer

from ..contract.pacts import write

BODY = {"word": "push", "flag": True, "count": 3, "list": [{"a": "x"}, {"a": "y"}], "none": None, "empty": []}


def interaction(folder: Path, body: Any = BODY, *statuses: int) -> Interaction:
    def describe(pact: Pact) -> None:
        asked: Any = pact.upon_receiving("answer").with_request("GET", "/")
        respond_with_any_of(asked, *(statuses or (200,)))
        asked.with_header("X-Id", "1").with_body(body, "application/json")

    return load(write(folder, describe)).interactions[0]


@pytest.fixture
def tried(tmp_path: Path) -> list[AnswerChange]:
    return list(changes(interaction(tmp_path)))


def after(tried: list[AnswerChange], place: str, operator: ChangeOperator) -> list[Any]:
    return [change.after for change in tried if (change.place, change.operator) == (place, operator)]


@pytest.mark.parametrize(
    ("place", "operator", "value"),
    [
        ("$.word", ChangeOperator.NULL, None),
        ("$.word", ChangeOperator.EMPTY_TEXT, ""),
        ("$.word", ChangeOperator.OTHER_VALUE, "mfagate-other"),
        ("$.word", ChangeOperator.OTHER_VALUE, "PUSH"),
        ("$.word", ChangeOperator.RETYPED, 1),
        ("$.word", ChangeOperator.RETYPED, True),
        ("$.word", ChangeOperator.RETYPED, ["push"]),
        ("$.word", ChangeOperator.RETYPED, {"value": "push"}),
        ("$.flag", ChangeOperator.OTHER_VALUE, False),
        ("$.flag", ChangeOperator.RETYPED, "true"),
        ("$.flag", ChangeOperator.RETYPED, 1),
        ("$.count", ChangeOperator.OTHER_VALUE, 0),
        ("$.count", ChangeOperator.RETYPED, "3"),
        ("$.list", ChangeOperator.EMPTY, []),
        ("$.list", ChangeOperator.OTHER_KIND, [None]),
        ("$.list", ChangeOperator.OTHER_KIND, [{"a": "x"}, {"a": "y"}, None]),
        ("$.list", ChangeOperator.OTHER_KIND, [None, {"a": "x"}, {"a": "y"}]),
        ("$.list", ChangeOperator.MORE, [{"a": "x"}, {"a": "y"}, {"a": "mfagate-other"}]),
        ("$.list", ChangeOperator.MORE, [{}, {"a": "x"}, {"a": "y"}]),
        ("$.list", ChangeOperator.MORE, [{"a": []}, {"a": "x"}, {"a": "y"}]),
        ("$.list", ChangeOperator.REORDERED, [{"a": "y"}, {"a": "x"}]),
        ("$.list", ChangeOperator.RETYPED, {"a": "x"}),
        ("$.list[0]", ChangeOperator.EMPTY, {}),
        ("$.none", ChangeOperator.RETYPED, "mfagate-other"),
        ("$.empty", ChangeOperator.OTHER_KIND, [{}]),
    ],
)
def test_each_operator(tried: list[AnswerChange], place: str, operator: ChangeOperator, value: Any) -> None:
    assert json.dumps(value) in [json.dumps(each) for each in after(tried, place, operator)]


def test_everything_can_be_missing(tried: list[AnswerChange]) -> None:
    removed = {change.place for change in tried if change.operator is ChangeOperator.REMOVED}
    assert removed == {
        "$.word", "$.flag", "$.count", "$.list", "$.list[0]", "$.list[1]", "$.list[0].a", "$.list[1].a", "$.none",
        "$.empty",
    }  # fmt: skip


def test_no_change_is_tried_twice_or_is_none(tmp_path: Path) -> None:
    asked = interaction(tmp_path)
    example = ProviderAnswer.example(asked)
    answers = [change.answer for change in changes(asked)]
    assert example not in answers
    per_place = [(change.place, change.answer) for change in changes(asked)]
    assert len(per_place) == len(set(per_place))


def test_statuses_of_the_same_and_of_other_classes(tmp_path: Path) -> None:
    tried = [change.answer.status for change in changes(interaction(tmp_path, BODY, 401, 418))]
    assert {200, 204, 302, 400, 403, 404, 418, 429, 500, 503} <= set(tried)
    assert tried.count(418) == 1


def test_an_answer_that_has_no_body_by_rule_has_none(tried: list[AnswerChange]) -> None:
    assert all(change.answer.body == b"" for change in tried if change.answer.status in (204, 304))


def test_headers_and_content_types(tried: list[AnswerChange]) -> None:
    kinds = {dict(change.answer.headers).get("Content-Type") for change in tried}
    assert {None, "text/html", "application/problem+json", "application/json; charset=utf-8"} <= kinds
    assert {change.words for change in tried if change.place == "header X-Id"} == {
        "the header X-Id is missing",
        "the header X-Id is mfagate-other",
    }


def test_what_the_same_request_is_answered_elsewhere(tmp_path: Path) -> None:
    asked = interaction(tmp_path / "one")
    neighbour = interaction(tmp_path / "other", {"word": "deny", "list": [{"b": 1}], "count": "three"})
    tried = list(changes(asked, [neighbour]))
    assert "deny" in after(tried, "$.word", ChangeOperator.OTHER_VALUE)
    assert [{"b": 1}] in after(tried, "$.list", ChangeOperator.MORE)
    assert "three" in after(tried, "$.count", ChangeOperator.RETYPED)


def test_a_body_that_is_not_json(tmp_path: Path) -> None:
    def describe(pact: Pact) -> None:
        asked = pact.upon_receiving("answer").with_request("GET", "/")
        asked.will_respond_with(200).with_body("pong", "text/plain")

    tried = list(changes(load(write(tmp_path, describe)).interactions[0]))
    assert {change.place for change in tried} == {"$", "status", "content-type"}
