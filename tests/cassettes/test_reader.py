"""Recordings with any content are read or refused, and vcrpy reads ours."""

from __future__ import annotations

import re
import warnings
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.project import REPOSITORY

from mfagate.cassettes.reader import CassetteError, CassetteOrigin, load, path_for
from mfagate.core.foreign.parsing import raw

TAPE = """\
interactions:
- request: {method: GET, uri: 'https://x.invalid/', headers: {}, body: null}
  response: {status: {code: 200}, headers: {a: b}, body: {string: x}}
"""

LAUGHS = "a0: &a0 [lol]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))

SHIPPED = REPOSITORY / "cassettes/privacyidea"


def test_a_shipped_recording() -> None:
    cassette = load(path_for(SHIPPED, "OTP accepted"))
    (exchange,) = cassette.exchanges
    assert exchange.response is not None
    assert exchange.request.method == "POST"
    assert exchange.response.json()["result"]["authentication"] == "ACCEPT"
    assert cassette.recorded_from is CassetteOrigin.PROVIDER
    assert cassette.recorded_at is not None
    assert cassette.age_days(date(9999, 1, 1)) == (date(9999, 1, 1) - cassette.recorded_at).days


def test_vcrpy_replays_it() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        vcr: Any = import_module("vcr")

    with vcr.use_cassette(str(path_for(SHIPPED, "wrong OTP")), record_mode="none"):
        answer = requests.post("https://privacyidea.invalid/validate/check", data={"any": "thing"}, timeout=5)
    assert answer.json()["result"]["authentication"] == "REJECT"


def test_a_recording_of_vcrpy_itself_has_no_date(tmp_path: Path) -> None:
    path = tmp_path / "foreign.yaml"
    lines = path_for(SHIPPED, "OTP accepted").read_text().splitlines()
    path.write_text("\n".join(lines[4:]))
    cassette = load(path)
    assert (cassette.recorded_at, cassette.recorded_from, len(cassette.exchanges)) == (None, None, 1)


@pytest.mark.parametrize(
    ("description", "name"),
    [("OTP accepted", "otp-accepted.yaml"), ("a/b: c (d)", "a-b-c-d.yaml"), ("../x", "x.yaml")],
)
def test_file_names(description: str, name: str) -> None:
    assert path_for(Path("tapes"), description) == Path("tapes", name)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"a: [", id="not YAML"),
        pytest.param(b"text", id="text"),
        pytest.param(b"interactions: 5", id="number"),
        pytest.param(b"interactions: [{request: {}}]", id="no answer"),
        pytest.param(b"interactions: []\nmfagate: {recorded_from: moon}", id="origin"),
        pytest.param(b"interactions: []\nmfagate: {recorded_at: soon}", id="date"),
        pytest.param(b"\xff\xfe", id="binary"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b" " * (9 << 20), id="9 MB"),
        pytest.param(b"a: 1\n---\na: 1\n", id="two documents"),
        pytest.param(b"interactions: !!bool maybe", id="tag that does not fit"),
        pytest.param(b"interactions: !!python/object:os.system x", id="object"),
        pytest.param(b"interactions: {a: b}", id="mapping"),
        pytest.param(b"interactions: [5]", id="item that is no mapping"),
        pytest.param(b"interactions: []\nmfagate: [1]", id="list about"),
        pytest.param(TAPE.replace("200", ".inf").encode(), id="infinite status"),
        pytest.param(TAPE.replace("200", "soon").encode(), id="status that is no number"),
        pytest.param(TAPE.replace("a: b", "a: [[b]]").encode(), id="nested header"),
        pytest.param(TAPE.replace("GET", "[GET]").encode(), id="method that is no text"),
        pytest.param(TAPE.replace("string: x", "string: {a: b}").encode(), id="body that is no text"),
        pytest.param((LAUGHS + TAPE.replace("a: b", "a: *a9")).encode(), id="billion laughs"),
        pytest.param((TAPE.replace("- request", "- &one\n  request") + "- *one\n" * 1000).encode(), id="1,001 aliases"),
    ],
)
def test_a_file_that_is_not_a_cassette(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(CassetteError, match=r"a\.yaml") as refused:
        load(path)
    assert not re.search(r"Error|None|\bstr\b|\bdict\b|object", str(refused.value).replace("an object", ""))


def test_the_shortest_cassette(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(TAPE)
    (exchange,) = load(path).exchanges
    assert exchange.response is not None
    assert (exchange.response.status, raw(exchange.response.headers["a"]), exchange.response.body) == (200, "b", b"x")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.yaml")
    with pytest.raises(CassetteError):
        load(tmp_path)
    with pytest.raises(CassetteError):
        load(tmp_path / "nul\0.yaml")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=100) | st.text("interactons:[]{} \n-&*!", max_size=60).map(str.encode))
def test_any_content_is_read_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    try:
        load(path)
    except CassetteError as error:
        assert str(path) in str(error)
