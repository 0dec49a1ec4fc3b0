"""``--override``: exit code 0, the verdict as it is, and the reason in every report."""

from __future__ import annotations

import subprocess
import sys
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.app.override import as_recorded, says_why
from mfagate.core.foreign import harmless
from mfagate.sandbox import Running
from mfagate.sandbox.faulty_proxy import always, faulty_proxy
from mfagate.secrets.redaction import Redactor
from mfagate.testing import CommandResult

from ..support.project import Project


@pytest.fixture
def broken(project: Project) -> Project:
    """A project that must not be deployed, as shows offline."""
    project.settings["admin_key"] = "env:NOBODY"
    return project


def recorded(project: Project, result: CommandResult) -> list[str]:
    """The reason in each report, that on the console last."""
    junit = ElementTree.parse(project.folder / "junit.xml")
    values = [one.get("value") for one in junit.iter("property") if one.get("name") == "override"]
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("overridden")]
    return [result.report["run"]["override"], *map(str, values), line.partition(": ")[2]]


@pytest.mark.parametrize("command", ["check", "gate"])
def test_every_report_has_the_reason_and_the_verdict_stays(broken: Project, command: str) -> None:
    result = broken.run(command, "--override", "incident 4711")
    assert (result.exit_code, result.report["verdict"]) == (0, "fail")
    assert result.first["cause"] == "config.reference-unresolved"
    assert recorded(broken, result) == ["incident 4711"] * 3
    assert result.stdout.startswith("FAIL: do not deploy\noverridden: incident 4711\n")
    suite = next(ElementTree.parse(broken.folder / "junit.xml").iter("testsuite"))
    assert suite.get("failures") == "1"


def test_an_inconclusive_verdict_too(project: Project, server: Running) -> None:
    with faulty_proxy(server.endpoint, always(503, b"")) as before:
        project.settings["url"] = before.url
        result = project.run("gate", "--override", "it is down, and the fix must go out")
    assert (result.exit_code, result.report["verdict"]) == (0, "inconclusive")
    assert len(recorded(project, result)) == 3


def test_where_nothing_was_checked_too(project: Project) -> None:
    result = project.run("gate", "--environment", "production", "--override", "incident 4711")
    assert (result.exit_code, result.report["cause"]) == (0, "gate.nothing-checked")
    assert recorded(project, result) == ["incident 4711"] * 3


def test_an_override_that_was_not_needed_is_recorded_as_that(project: Project) -> None:
    result = project.run("check", "--override", "just in case")
    assert (result.exit_code, result.report["verdict"]) == (0, "pass")
    assert "overridden (unnecessarily): just in case" in result.stdout


def test_secrets_in_the_reason_are_redacted(broken: Project) -> None:
    result = broken.run("check", "--override", f"the key {broken.env['VALIDATE']} was approved")
    assert result.exit_code == 0
    assert recorded(broken, result) == ["the key [redacted validate_key] was approved"] * 3


def test_a_reason_cannot_pass_for_a_verdict(broken: Project) -> None:
    result = broken.run("check", "--override", "approved\n\x1b[1A\rPASS: deploy")
    assert recorded(broken, result) == [r"approved \x1b[1A PASS: deploy"] * 3
    assert "\x1b" not in result.stdout


def test_bytes_that_are_no_text_do_no_harm(broken: Project) -> None:
    broken.write()
    command = [sys.executable, "-m", "mfagate", "check", "--output", "json", "--override"]
    done = subprocess.run([*map(str.encode, command), b"caf\xe9 4711"], cwd=broken.folder, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b'"override": "caf\\\\udce9 4711"' in done.stdout


@given(reason=st.text(), secret=st.text("abc \t\n", min_size=4).filter(lambda one: len(one.strip()) >= 4))
def test_what_is_recorded_is_one_line_without_the_secret(reason: str, secret: str) -> None:
    redactor = Redactor({"key": secret})
    kept = as_recorded(f"{reason}{secret}{reason}", redactor)
    assert harmless(kept) == kept
    assert "[redacted key]" in kept
    assert kept.strip() == kept


@given(st.text())
def test_a_reason_says_something_or_is_refused(reason: str) -> None:
    assert says_why(reason + "4711")
    assert not says_why("".join(character for character in reason if not character.isalnum()))


@pytest.mark.parametrize("option", ["--overide", "--override-reason", "--provider", "--overwrite", "--over"])
def test_a_misspelt_option_does_not_lead_to_the_override(project: Project, option: str) -> None:
    result = project.execute("check", option, "duo")
    assert result.exit_code == 2
    assert "--override" not in result.stderr.replace(option, "")
