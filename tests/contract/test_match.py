"""Answers compared with a contract: the cause, the place and the message."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pact import Pact, match

from mfagate.contract import ContractError, Interaction, Mismatch, load
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Headers, Response

from . import pacts

JSON = (("Content-Type", "application/json"),)
GOOD: dict[str, Any] = {"result": {"value": True, "status": "ACCEPT"}, "id": 1, "tokens": [{"serial": "T1"}]}


def answer(body: Any = GOOD, status: int = 200, headers: tuple[tuple[str, str], ...] = JSON) -> Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, headers=Headers(headers), body=data)


@pytest.fixture(scope="module")
def interaction(write_pact: Callable[[Callable[[Any], object]], Path]) -> Interaction:
    def describe(pact: Pact) -> None:
        pact.upon_receiving("a code").with_request("POST", "/check").will_respond_with(200).with_body(
            {
                "result": {
                    "value": match.bool(True),
                    "status": match.regex("ACCEPT", regex="ACCEPT|REJECT|CHALLENGE"),
                },
                "id": match.int(1),
                "tokens": match.each_like({"serial": match.like("T1")}, min=1),
            },
            "application/json",
        )

    return load(write_pact(describe)).interactions[0]


def found(mismatches: list[Mismatch]) -> list[tuple[str, str, str]]:
    return [(each.cause.removeprefix("contract."), each.path, each.message) for each in mismatches]


def test_a_good_answer_may_have_further_fields(interaction: Interaction) -> None:
    assert interaction.match(answer()) == []
    assert interaction.match(answer({**GOOD, "more": None}, headers=(*JSON, ("X-More", "1")))) == []
    assert interaction.match(answer(headers=(("content-type", "application/json; charset=utf-8"),))) == []


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (
            answer({**GOOD, "result": {"status": "ACCEPT"}}),
            ("field-missing", "$.result.value", "$.result.value is missing from the answer."),
        ),
        (
            answer({**GOOD, "id": "1"}),
            ("type-changed", "$.id", '$.id is a string ("1"); the contract has an integer (1).'),
        ),
        (
            answer({**GOOD, "id": None}),
            ("type-changed", "$.id", "$.id is null; the contract has an integer (1)."),
        ),
        (
            answer({**GOOD, "result": []}),
            (
                "type-changed",
                "$.result",
                '$.result is a list ([]); the contract has an object ({"status": "ACCEPT", "value": true}).',
            ),
        ),
        (
            answer({**GOOD, "result": {"status": "to be decided", "value": True}}),
            (
                "value-unexpected",
                "$.result.status",
                "$.result.status is \"to be decided\"; the contract requires it to match 'ACCEPT|REJECT|CHALLENGE'.",
            ),
        ),
        (
            answer({**GOOD, "tokens": []}),
            (
                "value-unexpected",
                "$.tokens",
                "$.tokens is []; the contract requires it to have minimum size of 1.",
            ),
        ),
        (answer(status=500), ("status-changed", "status", "The status is 500; the contract has 200.")),
        (
            answer(headers=(("Content-Type", "text/html"),)),
            (
                "header-changed",
                "header Content-Type",
                'The header Content-Type is "text/html"; the contract has "application/json".',
            ),
        ),
        (
            answer(headers=()),
            (
                "header-changed",
                "header Content-Type",
                'The header Content-Type is missing; the contract has "application/json".',
            ),
        ),
        (answer(b""), ("body-unreadable", "$", "The body is empty.")),
        (
            answer(b'{"result": {"va'),
            ("body-unreadable", "$", "The body is not valid JSON; it may have been cut off."),
        ),
        (answer(b'{"result": "\xff"}'), ("body-unreadable", "$", "The body is not UTF-8.")),
        (answer(b"{}\0"), ("body-unreadable", "$", "The body contains a NUL character.")),
        (
            answer(b" <html>Sign in</html>"),
            ("not-json", "$", 'The body is not JSON; it begins with "<html>Sign in</html>".'),
        ),
        (answer(b"null"), ("type-changed", "$", None)),
        (answer(b"[]"), ("type-changed", "$", None)),
        (
            answer({"code": 404}, status=404),
            ("endpoint-retired", "status", "The status is 404 and not 200: the endpoint is gone."),
        ),
        (answer(b"", status=404), ("endpoint-retired", "status", None)),
        (answer(b"gone", status=410), ("endpoint-retired", "status", None)),
        (
            answer(status=500, headers=(*JSON, ("sunset", "Sat, 31 Oct 2026 23:59:59 GMT"))),
            (
                "endpoint-retired",
                "header Sunset",
                "The provider announces the end of this endpoint in its Sunset header.",
            ),
        ),
        # An error in the shape of the API's other answers: the endpoint exists, but a resource is missing.
        (answer({"result": None, "id": 1}, status=404), ("status-changed", "status", None)),
    ],
)
def test_the_cause_and_the_words(
    changed: Response, expected: tuple[str, str, str | None], interaction: Interaction
) -> None:
    cause, path, message = found(interaction.match(changed))[0]
    assert (cause, path) == expected[:2]
    assert message == expected[2] or expected[2] is None


def test_a_truncated_body_is_unreadable(interaction: Interaction) -> None:
    cut = Response(200, headers=Headers(JSON), body=b"{", truncated=True)
    assert found(interaction.match(cut)) == [
        ("body-unreadable", "$", "The body is longer than the limit and was cut off.")
    ]


def test_a_sunset_header_on_a_good_answer_is_no_mismatch(interaction: Interaction) -> None:
    assert interaction.match(answer(headers=(*JSON, ("Deprecation", "@1688169599")))) == []


def test_the_most_informative_mismatch_comes_first(interaction: Interaction) -> None:
    body = {"id": "1", "result": {"status": "NO", "value": True}}
    mismatches = interaction.match(answer(body, status=401, headers=()))
    assert [(each.cause.removeprefix("contract."), each.path) for each in mismatches] == [
        ("status-changed", "status"),
        ("field-missing", "$.tokens"),
        ("type-changed", "$.id"),
        ("value-unexpected", "$.result.status"),
        ("header-changed", "header Content-Type"),
    ]


def test_html_with_an_html_type_is_named_once_as_not_json(interaction: Interaction) -> None:
    page = answer(b"<html></html>", status=502, headers=(("Content-Type", "text/html"),))
    assert [each.cause for each in interaction.match(page)] == [
        CauseId.CONTRACT_STATUS_CHANGED,
        CauseId.CONTRACT_NOT_JSON,
        CauseId.CONTRACT_HEADER_CHANGED,
    ]


SECRET = "s3cr3t-" * 20


@pytest.mark.parametrize(
    "changed",
    [
        answer({**GOOD, "id": SECRET}),
        answer({**GOOD, "result": SECRET}),
        answer({**GOOD, "result": {"value": True, "status": SECRET}}),
        answer({**GOOD, "tokens": {"x": SECRET}}),
        answer({**GOOD, "tokens": [{"serial": [SECRET]}]}),
        answer(SECRET.encode()),
        answer(f"<p>{SECRET}".encode()),
        answer(b"{" + SECRET.encode()),
        answer(headers=(("Content-Type", SECRET),)),
        answer(status=500, headers=(*JSON, ("Sunset", SECRET))),
    ],
)
def test_no_long_value_is_repeated(changed: Response, interaction: Interaction) -> None:
    mismatches = interaction.match(changed)
    assert mismatches
    for each in mismatches:
        assert SECRET[:61] not in repr(each)


def test_a_regular_expression_that_explodes_is_a_mismatch(tmp_path: Path) -> None:
    interaction = _ruled(tmp_path, {"$.a": {"matchers": [{"match": "regex", "regex": "(a+)+$"}]}})
    value = "a" * 40 + "b"
    assert found(interaction.match(answer({"a": value}))) == [
        (
            "value-unexpected",
            "$",
            f'$ is {{"a": "{value}"}}; the contract has a regular expression that takes too many steps on it.',
        )
    ]


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ({"$.a": {"matchers": [{"match": "regex", "regex": "("}]}}, "not a valid regular expression"),
        ({"$.a[": {"matchers": [{"match": "type"}]}}, "Pact cannot read the matching rules"),
    ],
)
def test_rules_that_the_core_refuses_are_an_error_of_the_contract(
    rules: dict[str, Any], problem: str, tmp_path: Path
) -> None:
    interaction = _ruled(tmp_path, rules)
    with pytest.raises(ContractError, match=problem) as raised:
        interaction.match(answer({"a": "b"}))
    assert "pact.json.interactions[0] ('ruled').response" in str(raised.value)


def _ruled(directory: Path, rules: dict[str, Any]) -> Interaction:
    """An interaction whose JSON body is ``{"a": "x"}``, with these rules."""
    document = pacts.by_others()
    body = {"content": {"a": "x"}, "contentType": "application/json"}
    response = {"body": body, "matchingRules": {"body": rules}}
    document["interactions"] = [{"description": "ruled", "request": {}, "response": response}]
    path = directory / "pact.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return load(path).interactions[0]


def test_threads_may_share_an_interaction(interaction: Interaction) -> None:
    answers = [answer(), answer({**GOOD, "id": "1"}), answer(status=500), answer(without("tokens"))] * 100
    alone = [interaction.match(each) for each in answers]
    with ThreadPoolExecutor(8) as executor:
        assert list(executor.map(interaction.match, answers)) == alone


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(list(GOOD)), inner),
)


@settings(deadline=None)
@given(JSON_VALUES, st.integers(100, 599))
def test_any_json_is_matched_or_described(interaction: Interaction, value: Any, status: int) -> None:
    mismatches = interaction.match(answer(value, status=status))
    assert mismatches  # nothing that hypothesis makes up is an answer of the contract
    assert all(mismatch.message.endswith(".") for mismatch in mismatches)


@settings(deadline=None)
@given(st.binary(), st.text(st.characters(codec="latin-1", exclude_categories=["Cc"])))
def test_any_bytes_are_matched_or_described(interaction: Interaction, body: bytes, content_type: str) -> None:
    assert interaction.match(answer(body, headers=(("Content-Type", content_type),)))


def test_pact_is_imported_on_the_first_match_without_usage_reports(tmp_path: Path) -> None:
    path = tmp_path / "pact.json"
    path.write_text(json.dumps(pacts.by_others()), encoding="utf-8")
    program = (
        "import os, sys; from pathlib import Path; from mfagate.contract import load\n"
        "from mfagate.core.exchange import Response\n"
        f"contract = load(Path({str(path)!r})); assert 'pact_ffi' not in sys.modules\n"
        "contract.interactions[0].match(Response(200, body=b'{}'))\n"
        "assert 'pact_ffi' in sys.modules and os.environ['PACT_DO_NOT_TRACK'] == 'true'"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_interaction_that_was_used_may_go_to_another_process(interaction: Interaction) -> None:
    assert interaction.match(answer()) == []
    copied = pickle.loads(pickle.dumps(interaction))
    assert copied.match(answer()) == []
    with ProcessPoolExecutor(1) as executor:
        assert executor.submit(interaction.match, answer(status=500)).result() == interaction.match(answer(status=500))


def test_a_text_body_is_never_of_another_type(tmp_path: Path) -> None:
    document = pacts.by_others()
    path = tmp_path / "pact.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    ruled = next(each for each in load(path).interactions if each.description == "ruled text")
    assert found(ruled.match(answer(b"17", headers=(("Content-Type", "text/plain"),)))) == [
        ("value-unexpected", "$", "$ is \"17\"; the contract requires it to match '^[a-z]+$'.")
    ]
