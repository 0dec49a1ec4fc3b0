"""The env file of ``mfagate sandbox``: quotes only where a value needs them."""

from __future__ import annotations

import io

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from mfagate.app.serve_sandbox import _line


@pytest.mark.parametrize(
    "value", ["DIXXXXXXXXXXXXXXXXXX", "http://127.0.0.1:4711", "+4915112345678", "a@b.example", "QUJD=="]
)
def test_a_plain_value_has_no_quotes(value: str) -> None:
    assert _line("NAME", value) == f"NAME={value}\n"


@pytest.mark.parametrize("value", ["two words", "a#b", "a$b", 'a"b', "", "line\nline", "a\\b", "a;b"])
def test_another_value_is_quoted(value: str) -> None:
    assert _line("NAME", value) == f"NAME='{value}'\n"


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="'\\")))
def test_python_dotenv_reads_what_was_written(value: str) -> None:
    assert dotenv_values(stream=io.StringIO(_line("NAME", value)), interpolate=False) == {"NAME": value}
