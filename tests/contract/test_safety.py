"""A pact with a request that could go to another server is refused when it is read, with the line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mfagate.contract import ContractError, StateValueError, UnsafeValueError, load
from mfagate.contract.lines import line_of
from mfagate.core.causes import CauseId
from mfagate.core.origins import path_fault
from tests.core.test_origins import ELSEWHERE, TEXT
from tests.support.project import REPOSITORY

Text = st.text(st.characters(codec="utf-8"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | Text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(Text, inner, max_size=4),
    max_leaves=12,
)


def write(folder: Path, request: dict[str, Any]) -> Path:
    good = {"description": "good", "request": {"path": "/good"}, "response": {"status": 200}}
    bad = {"description": "bad", "request": request, "response": {"status": 200}}
    document = {
        "consumer": {"name": "c"},
        "provider": {"name": "p"},
        "interactions": [good, bad],
        "metadata": {"pactSpecification": {"version": "4.0"}},
    }
    path = folder / "pact.json"
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")
    return path


def refused(path: Path) -> ContractError:
    with pytest.raises(ContractError) as raised:
        load(path)
    return raised.value


@pytest.mark.parametrize("text", [path for path in ELSEWHERE if "\ud800" not in path])
def test_a_path_that_leads_elsewhere(tmp_path: Path, text: str) -> None:
    error = refused(write(tmp_path, {"method": "GET", "path": text}))
    assert error.cause is CauseId.CONTRACT_UNSAFE_PATH
    lines = (tmp_path / "pact.json").read_text().splitlines()
    assert error.line is not None
    assert lines[error.line - 1] == f'    "path": {json.dumps(text)}'
    assert "evil" not in str(error), "what somebody else wrote is not quoted"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Host", "evil.example"),
        ("hOST", "evil.example"),
        ("X-Forwarded-Host", "evil.example"),
        ("X_Forwarded_Host", "evil.example"),
        ("Forwarded", "host=evil.example"),
        ("X-Original-URL", "/admin"),
        ("X-Rewrite-Url", "/admin"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("Proxy-Authorization", "Basic Zm9v"),
        ("Proxy-Connection", "keep-alive"),
        ("Transfer-Encoding", "chunked"),
        ("Content-Length", "5"),
        ("Connection", "Authorization"),
        ("Upgrade", "h2c"),
        ("TE", "trailers"),
        ("Expect", "100-continue"),
        ("X-A", "b\r\nHost: evil.example"),
        ("X-A", "b\nc"),
        ("X-A", "b\x00c"),
        ("X-A", "b\u2028c"),
        ("X-A: b\r\nHost", "evil.example"),
        ("Host ", "evil.example"),
        ("", "evil.example"),
    ],
)
def test_a_header_that_leads_elsewhere(tmp_path: Path, name: str, value: str) -> None:
    error = refused(write(tmp_path, {"path": "/a", "headers": {"Accept": "*/*", name: [value]}}))
    assert error.cause is CauseId.CONTRACT_UNSAFE_PATH
    lines = (tmp_path / "pact.json").read_text().splitlines()
    assert error.line is not None
    assert lines[error.line - 1].strip().startswith(json.dumps(name))
    generator = {"type": "ProviderState", "expression": "${x}"}
    generated = {"path": "/a", "generators": {"header": {name: generator}}}
    if "b" not in value or name != "X-A":
        assert refused(write(tmp_path, generated)).cause is CauseId.CONTRACT_UNSAFE_PATH


@pytest.mark.parametrize("name", ["Authorization", "Date", "X-Duo-Date", "X-Forwarded-For", "Accept", "Cookie"])
def test_a_header_that_is_sent(tmp_path: Path, name: str) -> None:
    """A credential of the contract's own goes where every request goes: to the target."""
    load(write(tmp_path, {"path": "/a", "headers": {name: ["Bearer made-up"]}}))


@pytest.mark.parametrize("method", ["CONNECT", "trace", "GET / HTTP/1.1\r\nHost: evil", "", "GET "])
def test_a_method_that_is_not_valid_or_for_proxies(tmp_path: Path, method: str) -> None:
    assert refused(write(tmp_path, {"path": "/a", "method": method})).cause is CauseId.CONTRACT_UNSAFE_PATH


def build(folder: Path, request: dict[str, Any], value: str) -> Any:
    return load(write(folder, request)).interactions[1].build_request({"x": value})


def generated(expression: str, part: str = "path") -> dict[str, Any]:
    generator = {"type": "ProviderState", "expression": expression}
    return {"path": "/a", "generators": {part: generator if part == "path" else {"X-A": generator}}}


QUOTED = ("/a b", "/a?b", "/a#b", "/a\u00a0b", "/a\u2028b", "/a\u202eb")
"""Percent-encoded, they are ordinary characters, and a user's name may contain them."""


@pytest.mark.parametrize("text", [text for text in ELSEWHERE if text not in QUOTED and "\ud800" not in text])
def test_a_value_of_a_state_that_leads_elsewhere(tmp_path: Path, text: str) -> None:
    with pytest.raises(UnsafeValueError) as raised:
        build(tmp_path, generated("${x}"), text)
    assert raised.value.part == ("generators", "path")
    assert "evil" not in str(raised.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(TEXT)
def test_any_value_of_a_state(tmp_path: Path, text: str) -> None:
    for expression in ("${x}", "/users/${x}/factors"):
        try:
            built = build(tmp_path, generated(expression), text)
        except StateValueError:
            continue
        assert path_fault(built.url) is None


@pytest.mark.parametrize("part", ["path", "header"])
def test_half_a_character(tmp_path: Path, part: str) -> None:
    """A provider's JSON may contain it, but no request can."""
    with pytest.raises(StateValueError, match="half a surrogate pair"):
        build(tmp_path, generated("${x}", part), "/\ud800")


@pytest.mark.parametrize("value", ["b\r\nHost: evil", "b\nc", "b\x7f", "\u20ac"])
def test_a_value_that_is_two_headers(tmp_path: Path, value: str) -> None:
    with pytest.raises(UnsafeValueError) as raised:
        build(tmp_path, generated("${x}", "header"), value)
    assert raised.value.part == ("generators", "header", "X-A")


def test_all_shipped_contracts_are_read() -> None:
    found = [*REPOSITORY.glob("contracts/*/*.json"), *REPOSITORY.glob("examples/*/contracts/*/*.json")]
    assert len(found) >= 7
    for path in found:
        for interaction in load(path).interactions:
            assert path_fault(interaction.request.path) is None


def places(value: Any, where: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    yield where, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*where, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*where, index))


@given(JSON, st.sampled_from([None, 1]))
def test_the_line_of_every_value(document: Any, indent: int | None) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    lines = text.split("\n")
    for where, value in places(document):
        line = line_of(text, where)
        assert line is not None
        begins = json.dumps(value, ensure_ascii=False)
        assert (begins[0] if isinstance(value, dict | list) else begins) in lines[line - 1]
        if where and isinstance(where[-1], str):
            assert json.dumps(where[-1], ensure_ascii=False) in lines[line - 1]


def test_of_a_key_that_is_there_twice_the_last_one_counts() -> None:
    """Like the reader of the document."""
    assert line_of('{"a": 1,\n"a": {"b":\n[0, 2]}}', ("a", "b", 1)) == 3
    assert line_of('{"a": 1}', ("b",)) == 1
