"""Workflow commands for GitHub Actions, and the summary of the step."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.core.causes import Outcome
from mfagate.core.result import Report
from mfagate.report import github
from mfagate.report.formats import Output

from .conftest import HOSTILE, Offline, hostile_check, report_of


@dataclass
class Command:
    name: str
    properties: dict[str, str]
    data: str


def _unescaped(text: str, *, of_property: bool) -> str:
    pairs = [("%0D", "\r"), ("%0A", "\n"), *([("%3A", ":"), ("%2C", ",")] if of_property else []), ("%25", "%")]
    for escaped, sign in pairs:
        text = text.replace(escaped, sign)
    return text


def read(log: str) -> list[Command]:
    """Return the commands that the runner executes, parsed like ActionCommand.cs of github.com/actions/runner."""
    commands: list[Command] = []
    stopped: str | None = None
    for line in re.split("\r\n|\r|\n", log):
        match = re.match(r"\s*::([a-z-]+|mfagate-[0-9a-f-]+)(?: ([^:]*))?::(.*)", line)
        if match is None:
            assert stopped is not None or "##[" not in line, "the old form is read anywhere in a line"
            continue
        name, properties, data = match.groups()
        if stopped is not None:
            stopped = None if name == stopped else stopped
        elif name == "stop-commands":
            stopped = data
        else:
            given = dict(one.split("=", 1) for one in (properties or "").split(",") if one)
            unescaped = {key: _unescaped(value, of_property=True) for key, value in given.items()}
            commands.append(Command(name, unescaped, _unescaped(data, of_property=False)))
    assert stopped is None
    return commands


def test_a_command_annotates_the_lines(offline: Offline) -> None:
    offline.write()
    done = offline.execute("check", "--output", "github")
    first, *others = read(done.stdout)
    assert (first.name, first.properties["title"]) == ("error", "duo-us: config.reference-unresolved")
    assert (first.properties["file"], first.properties["line"]) == (
        "integrations.toml",
        str(offline.line_of("secret_key")),
    )
    assert "Next step: " in first.data
    kinds = {one.properties["title"]: one.name for one in others}
    assert kinds | {"duo-us: config.timeout-budget": "warning", "duo-eu: config.fails-open (waived)": "notice"} == kinds
    assert "FAIL: do not deploy" in done.stdout


def test_foreign_text_contains_no_commands(hostile: Report) -> None:
    commands = read(Output("github").render(hostile))
    assert [one.name for one in commands] == ["error", "warning", "notice"]


@given(st.text() | st.sampled_from([HOSTILE, "::mfagate-x::", "%0A::error::"]))
def test_the_runner_unescapes_the_text(text: str) -> None:
    report = report_of(hostile_check(message=text, next_step=None))
    (command,) = read(github.render(report))
    assert command.data.split("\nTalk to:")[0] == text


def test_ten_annotations_of_a_kind_most_urgent_first() -> None:
    warnings = [hostile_check("w", outcome=Outcome.WARN, subject=str(number)) for number in range(12)]
    failures = [hostile_check("f", subject=str(number)) for number in range(11)]
    log = github.render(report_of(*warnings, *failures))
    names = [one.name for one in read(log)]
    assert names == ["error"] * 10 + ["warning"] * 10
    assert "left out: 1 of kind error, 2 of kind warning" in log


def test_the_summary_is_appended(offline: Offline) -> None:
    summary = offline.folder / "summary.md"
    summary.write_text("of an earlier step\n")
    offline.write()
    offline.execute("check", "--output", "github=log.txt", GITHUB_STEP_SUMMARY=str(summary))
    text = summary.read_text()
    assert text.startswith("of an earlier step\n")
    assert "## FAIL: do not deploy" in text


def test_a_summary_that_cannot_be_written_changes_no_verdict(offline: Offline) -> None:
    offline.write()
    missing = Path("no", "such", "folder")
    done = offline.execute("check", "--output", "github", GITHUB_STEP_SUMMARY=str(missing))
    assert (done.exit_code, "summary of the step cannot be written" in done.stderr) == (1, True)


@pytest.mark.parametrize("name", ["console", "sarif"])
def test_other_formats_do_not_write_the_summary(offline: Offline, name: str) -> None:
    offline.write()
    offline.execute("check", "--output", name, GITHUB_STEP_SUMMARY="summary.md")
    assert not (offline.folder / "summary.md").exists()
