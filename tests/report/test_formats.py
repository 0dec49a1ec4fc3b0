"""What holds for every format, as whole commands write them."""

from __future__ import annotations

import re

import pytest
from syrupy.assertion import SnapshotAssertion

from mfagate.report.formats import FORMATS, Output
from mfagate.report.visible import visible, visible_report
from mfagate.result import Report

from .conftest import HOSTILE, Offline

VARYING = re.compile(
    r"in \d+\.\d s|\b[0-9a-f]{10}\b|[0-9a-f]{8}-[0-9a-f-]{27}|20\d\d-\d\d-\d\d[T ]?[\d:.]*Z?( UTC)?"
    r"|file:///[^\"]*/|\d\.\d+e[+-]\d\d|(?<=} )\d+\.\d{2,}|(?<=\"seconds\": )[\d.]+|(?<=time=\")[\d.]+"
)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_whole_command(offline: Offline, name: str, snapshot: SnapshotAssertion) -> None:
    text, done = offline.report_in(name)
    assert done.exit_code == 1
    # The catalogue has tests of its own.
    text = re.sub(r'(?s)"rules": \[.*?\n          \]', '"rules": …', text)
    text = re.sub(r"(?s)<style>.*?</style>", "<style>…</style>", text)
    text = re.sub(r"sha256-[^']+", "sha256-…", text)
    assert VARYING.sub("…", text) == snapshot


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_goes_to_stdout_too(offline: Offline, name: str) -> None:
    offline.write()
    done = offline.execute("check", "--output", name)
    assert (done.exit_code, bool(done.stdout)) == (1, True), done.stderr


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_the_help_lists_it(offline: Offline, name: str) -> None:
    for command in ("check", "gate"):
        assert re.search(rf"\b{name}\b", offline.execute(command, "--help").stdout)


def test_a_misspelt_format_gets_the_nearest_name(offline: Offline) -> None:
    offline.write()
    done = offline.execute("check", "--output", "sarfi=x")
    assert (done.exit_code, "did you mean 'sarif'" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [("html", "jinja2", "html"), ("openmetrics", "prometheus_client", "metrics")],
)
def test_a_missing_extra_is_told_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, name: str, package: str, extra: str
) -> None:
    monkeypatch.setattr("mfagate.report.formats.find_spec", lambda asked: None if asked == package else object())
    with pytest.raises(ValueError, match=re.escape(f"{package}: pip install 'mfagate[{extra}]'")):
        Output.parse(name)


@pytest.mark.parametrize("name", sorted({*FORMATS} - {"json"}))
def test_no_control_character_comes_through(hostile: Report, name: str) -> None:
    text = Output(name).render(hostile)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u2028\u202a-\u202e\u2066-\u2069]", text)
    assert "日本語" in text or "\\u65e5" in text
    text.encode("utf-8")


def test_invisible_text_is_spelt_out() -> None:
    assert visible("a\x1b[31m\u202eb\r\nc\td") == "a\\x1b[31m\\u202eb\nc\td"
    assert visible("\ud800") == "\\ud800"
    assert visible("Grüße 日本語 \u00a0👩\u200d🚀") == "Grüße 日本語 \u00a0👩\u200d🚀"


def test_a_visible_report_is_the_same_report_otherwise(hostile: Report) -> None:
    shown = visible_report(hostile)
    assert visible_report(shown) == shown
    assert shown.integrations[0].checks[0].message == visible(HOSTILE)
    assert shown.run == hostile.run


def test_the_exit_code_stands_in_the_report(offline: Offline) -> None:
    assert offline.run("check").report["run"]["exit_code"] == 1
    assert offline.run("check", "--override", "approved by the lead").report["run"]["exit_code"] == 0
