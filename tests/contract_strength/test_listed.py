"""The words that a pattern lists."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.contract_strength.listed import listed

LITERAL = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=6)


def rule(pattern: str) -> dict[str, Any]:
    return {"combine": "AND", "matchers": [{"match": "type"}, {"match": "regex", "regex": pattern}]}


@given(before=LITERAL, after=LITERAL, words=st.lists(LITERAL.filter(bool), min_size=2, max_size=4))
def test_literal_words_are_listed(before: str, after: str, words: list[str]) -> None:
    """With any characters: Python escapes them as Pact's patterns do."""
    pattern = f"^{re.escape(before)}({'|'.join(map(re.escape, words))}){re.escape(after)}$"
    assert list(listed({"$.a": rule(pattern)}, "$.a", "x")) == [f"{before}{word}{after}" for word in words]


@pytest.mark.parametrize(
    "pattern", ["^.+$", r"^\\d+$", "^(a|b+)$", "^(a|(b|c))$", "^[ab]$", "^(a|b)?$", "^(a|b)(c|d)$"]
)
def test_a_pattern_that_lists_no_words_lists_none(pattern: str) -> None:
    assert list(listed({"$.a": rule(pattern)}, "$.a", "x")) == []


def test_numbers_are_numbers() -> None:
    rules = {"$.a": rule("^(303|403)$")}
    assert list(listed(rules, "$.a", 303)) == [303, 403]
    assert list(listed(rules, "$.a", "303")) == ["303", "403"]


@pytest.mark.parametrize("path", ["$.list[*].kind", "$.*[0].kind", "$.list[0].kind"])
def test_paths_with_wildcards(path: str) -> None:
    assert list(listed({path: rule("^(a|b)$")}, "$.list[0].kind", "a")) == ["a", "b"]
    assert list(listed({path: rule("^(a|b)$")}, "$.other.kind", "a")) == []


def test_an_element_that_a_list_has_to_contain() -> None:
    variants = [{"index": 0, "rules": {"$['@odata.type']": rule("^#(push|otp)Method$")}}]
    rules = {"$.value": {"combine": "AND", "matchers": [{"match": "arrayContains", "variants": variants}]}}
    assert list(listed(rules, "$.value[0]['@odata.type']", "x")) == ["#pushMethod", "#otpMethod"]
