"""What the message of a mismatch may quote from a live answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.cassettes.scrub import Scrubbing, showable
from mfagate.contract.media_type import parse
from mfagate.contract.path import at, steps
from mfagate.contract.response import ExpectedResponse
from mfagate.core.exchange import Headers, Response

SECRET = "c4n4ry-live-t0ken"
RULES = Scrubbing(secret_fields=frozenset({"seed"}), volatile_fields={"txid": "0000", "time": 1})
EXAMPLE = {"seed": "abc", "txid": "1-2-3", "time": 5, "result": "allow", "deep": [{"seed": "abc"}]}
TYPES = {"$": {"combine": "AND", "matchers": [{"match": "type"}]}}


def messages(answer: Any, rules: dict[str, Any]) -> list[str]:
    expected = ExpectedResponse(200, body=json.dumps(EXAMPLE), media_type=parse("application/json"), body_rules=rules)
    body = answer if isinstance(answer, str) else json.dumps(answer)
    response = Response(200, headers=Headers((("Content-Type", "application/json"),)), body=body.encode())
    return [mismatch.message for mismatch in expected.match(response, lambda document: showable(RULES, document))]


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": {"value": SECRET}},
        {"seed": [SECRET]},
        {"txid": [SECRET]},
        {"deep": [{"seed": {"value": SECRET}}]},
        {"deep": {"seed": SECRET}},
        {"deep": json.dumps({"seed": SECRET})},
        {"result": {"password": SECRET}},
    ],
)
def test_a_secret_is_not_quoted(changed: dict[str, Any]) -> None:
    for rules in (TYPES, {}):
        found = messages({**EXAMPLE, **changed}, rules)
        assert found
        assert SECRET not in " ".join(found)


def test_what_is_no_secret_is_quoted() -> None:
    assert messages({**EXAMPLE, "result": "deny"}, {}) == ['$.result is "deny"; the contract has "allow".']
    assert messages({**EXAMPLE, "time": "late"}, TYPES) == [
        '$.time is a string ("late"); the contract has an integer (5).'
    ]


def test_a_text_in_the_place_of_json_is_not_quoted_but_markup_is() -> None:
    (text,) = messages(f"access_token={SECRET}", TYPES)
    assert SECRET not in text
    (page,) = messages("<html><title>Sign in</title>", TYPES)
    assert "Sign in" in page


NAMES = st.text(st.characters(exclude_characters="'[]"), min_size=1)


@given(NAMES, st.integers(0, 3), NAMES)
def test_a_path_leads_to_its_value(outer: str, index: int, inner: str) -> None:
    document = {outer: [{inner: number} for number in range(4)]}
    assert at(document, steps(f"$['{outer}'][{index}]['{inner}']")) == index
    with pytest.raises(LookupError):
        at(document, steps(f"$['{outer}'].{index}.nothing"))
