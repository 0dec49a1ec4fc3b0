"""Pact's Verifier and mfagate accept and refuse the same answers.

No exceptions are known among answers that HTTP can carry. Where the Verifier itself
crashes there is no verdict to compare: a regular expression of the pact that backtracks
too far, and a ``Content-Type`` header that is not ASCII. mfagate reports the first as a
mismatch and takes the second for an untyped body.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pact import Pact

from mfagate.contract import load

from . import mutations, pacts, referee

REPOSITORY = Path(__file__).parents[2]
COMMITTED = sorted(REPOSITORY.glob("contracts/*/*.json"))
# Answers for each contract; the Verifier takes about 10 ms for one.
MOST = 350


@pytest.fixture
def by_pact_python(write_pact: Callable[[Callable[[Any], object]], Path]) -> Path:
    return write_pact(pacts.describe)


@pytest.fixture
def by_others(tmp_path: Path) -> Path:
    path = tmp_path / "by-others.json"
    path.write_text(json.dumps(pacts.by_others()), encoding="utf-8")
    return path


def assert_agreement(path: Path) -> None:
    interactions = json.loads(path.read_text(encoding="utf-8"))["interactions"]
    contract = load(path)
    most = MOST // len(interactions)
    accepted = refused = 0
    disagreements = []
    for raw, interaction in zip(interactions, contract.interactions, strict=True):
        cases = mutations.cases(raw["response"], most=most)
        verdicts = referee.verdicts(raw, [case.answer for case in cases])
        for case, verdict in zip(cases, verdicts, strict=True):
            mismatches = interaction.match(case.answer)
            if verdict is bool(mismatches):
                disagreements.append((interaction.description, case.label, verdict, mismatches))
            accepted += verdict
            refused += not verdict
    assert disagreements == []
    assert accepted + refused >= 300
    assert accepted >= 40
    assert refused >= 100


def test_agrees_on_what_pact_python_writes(by_pact_python: Path) -> None:
    assert_agreement(by_pact_python)


def test_agrees_on_what_other_libraries_write(by_others: Path) -> None:
    assert_agreement(by_others)


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_agrees_on_the_contracts_of_this_repository(path: Path) -> None:
    assert_agreement(path)


def test_the_referee_can_tell(tmp_path: Path) -> None:
    """A referee that accepts or refuses everything would agree with a broken matcher."""
    interaction = {"request": {"method": "GET", "path": "/"}, "response": {"status": 200}}
    good, bad = (mutations.good_answer({"status": status}) for status in (200, 500))
    assert referee.verdicts(interaction, [good, bad, good]) == [True, False, True]


def _state(expression: str, **more: str) -> dict[str, str]:
    return {"type": "ProviderState", "expression": expression, **more}


STATE_VALUES = {"n": 5, "user": 'bo"b&c', "txid": "T 9", "on": True}


def _describe_requests(pact: Pact) -> None:
    def post(path: str) -> Any:
        number = len(described)
        described.append(path)
        return pact.upon_receiving(f"request {number}").given("values").with_request("POST", path)

    described: list[str] = []
    post("/tx/T1").with_query_parameter("id", "T1").with_query_parameter("id", "T2").with_query_parameter(
        "empty", ""
    ).with_header("X-There", "a").with_generators(
        {
            "path": _state("/tx/${n}"),
            "query": {"id": _state("${n} ${user}"), "absent": _state("${n}")},
            "header": {"X-There": _state("${n}-x"), "X-New": _state("n")},
        },
        part="Request",
    ).will_respond_with(200)
    post("/a-b/é").with_query_parameter("q", "a b+c&d/é").with_body(
        "user=a%20b~*&x", "application/x-www-form-urlencoded"
    ).will_respond_with(200)
    for path in ("$.tag", "$.tag[0]", "$.tag[1]", "$.tag[2]", "$.user", "$.absent", "$"):
        post("/").with_body("user=a&tag=1&tag=2&empty=", "application/x-www-form-urlencoded").with_generators(
            {"body": {path: _state("${txid}")}}, part="Request"
        ).will_respond_with(200)
    post("/").with_body(
        {"n": 1, "m": 1.5, "s": "x", "b": False, "l": [{"a": 1}, {"a": "x"}], "o d": {"q": 1, "r": 2}},
        "application/json",
    ).with_generators(
        {
            "body": {
                "$.n": _state("${n}"),
                "$.m": _state("n"),
                "$.s": _state("a${n}"),
                "$.b": _state("${on}"),
                "$.l[*].a": _state("${user}"),
                "$['o d'].*": _state("${n}", dataType="STRING"),
                "$.absent": _state("${n}"),
            }
        },
        part="Request",
    ).will_respond_with(200)


def test_sends_what_the_verifier_sends(write_pact: Callable[[Callable[[Any], object]], Path]) -> None:
    path = write_pact(_describe_requests)
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in STATE_VALUES.items()}
    for interaction, sent in zip(load(path).interactions, referee.requests_sent(path, STATE_VALUES), strict=True):
        built = interaction.build_request(texts)
        assert (built.method, built.url) == (sent.method, sent.url)
        assert {name: sent.headers.get(name) for name in built.headers} == dict(built.headers)
        if "json" in built.headers.get("Content-Type", ""):
            assert json.loads(built.data) == json.loads(sent.body)
        else:
            assert (built.data or b"") == sent.body
