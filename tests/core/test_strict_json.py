"""What counts as JSON for a decision: what Pact's core reads, and nothing that Python adds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.contract.media_type import MediaType
from mfagate.contract.response import ExpectedResponse
from mfagate.core import strict_json
from mfagate.core.exchange import Headers, Response

ANYTHING = ExpectedResponse(
    body='{"a": 1}',
    media_type=MediaType("application", "json"),
    body_rules={"$.a": {"combine": "AND", "matchers": [{"match": "notEmpty"}]}},
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def pact_reads(text: bytes) -> bool:
    """Whether Pact's core reads a document with this as one of its fields."""
    answer = Response(200, headers=Headers((("Content-Type", "application/json"),)), body=b'{"a": 1, "b": %s}' % text)
    return not ANYTHING.match(answer)


@given(VALUES)
def test_json_is_read_as_ever(value: Any) -> None:
    assert strict_json.loads(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    "text",
    [
        b"NaN",
        b"-Infinity",
        b"1e400",
        b"-1e400",
        b"9" * 400,
        b"[" * 127 + b"]" * 127,
        b"[" * 100_000,
        b'"\\ud800"',
        b"\xff",
        b"1 2",
        b"'a'",
        b"{",
        b"",
    ],
)
def test_what_pact_does_not_read_is_refused(text: bytes) -> None:
    assert not pact_reads(text)
    with pytest.raises(ValueError):
        strict_json.loads(b'{"a": 1, "b": %s}' % text)


@pytest.mark.parametrize("text", [b"1e300", b"9" * 300, b"[" * 126 + b"]" * 126, b'"\\ud83d\\ude00"', b" 1 "])
def test_what_pact_reads_is_read(text: bytes) -> None:
    assert pact_reads(text)
    strict_json.loads(b'{"a": 1, "b": %s}' % text)


def test_a_byte_order_mark_is_refused() -> None:
    with pytest.raises(ValueError, match="BOM"):
        strict_json.loads(b"\xef\xbb\xbf{}")
