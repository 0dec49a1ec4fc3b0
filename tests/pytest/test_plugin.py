"""The gate as pytest items, run in a pytest of its own."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import junitparser
import pytest

from ..support.project import REPOSITORY, Project


@pytest.fixture
def checked(project: Project, monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester) -> Project:
    """A project in the folder where pytest is run."""
    project.write()
    for path in project.folder.iterdir():
        if path != pytester.path:
            path.rename(pytester.path / path.name)
    project.folder = pytester.path
    for name, value in project.env.items():
        monkeypatch.setenv(name, value)
    return project


def test_the_checks_are_items(checked: Project, pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("--mfagate", "check", "-v")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["integrations.toml::mfa::configuration PASSED*", "*cassette?OTP accepted? PASSED*"])
    assert result.parseoutcomes()["passed"] == 8


def test_other_tests_run_only_when_named(checked: Project, pytester: pytest.Pytester) -> None:
    path = pytester.makepyfile("def test_mine(): pass")
    assert pytester.runpytest_subprocess("--mfagate", "check").parseoutcomes()["passed"] == 8
    assert pytester.runpytest_subprocess("--mfagate", "check", path).parseoutcomes()["passed"] == 9
    assert pytester.runpytest_subprocess(path).parseoutcomes()["passed"] == 1


def test_a_live_gate_with_xdist_and_junit(checked: Project, pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess(
        "--mfagate", "gate", "-n", "2", "--dist", "loadfile", "--junitxml", "junit.xml"
    )
    assert result.ret == 0
    outcomes = result.parseoutcomes()
    assert (outcomes["passed"], outcomes["skipped"]) == (18, 2)
    suite = next(iter(junitparser.JUnitXml.fromfile(str(pytester.path / "junit.xml"))))
    assert suite.tests == 20


@pytest.mark.parametrize(
    ("selection", "number"),
    [(["-k", "wrong"], 1), (["-m", "mfagate"], 8), (["-k", "staging and configuration"], 1)],
)
def test_selection(checked: Project, pytester: pytest.Pytester, selection: list[str], number: int) -> None:
    assert pytester.runpytest_subprocess("--mfagate", "check", *selection).parseoutcomes()["passed"] == number


def test_a_failure_reads_like_the_report(
    checked: Project, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = checked.env["VALIDATE"]
    monkeypatch.setenv("VALIDATE", key[:-1])
    result = pytester.runpytest_subprocess("--mfagate", "gate")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*config.malformed-value*", "*change here: *integrations.toml:9*", "*next step: *"])
    shown = result.stdout.str()
    assert "Traceback" not in shown
    assert ".py:" not in shown
    assert key[:-1] not in shown
    outcomes = result.parseoutcomes()
    assert outcomes["failed"] == 1
    assert outcomes["skipped"] == 18


def test_an_override_lets_a_failure_through_and_says_so(
    checked: Project, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = checked.env["VALIDATE"]
    monkeypatch.setenv("VALIDATE", key[:-1])
    arguments = ("--mfagate", "gate", "--mfagate-override", f"incident 4711, not {key[:-1]}", "--junitxml", "junit.xml")
    result = pytester.runpytest_subprocess(*arguments)
    assert result.ret == 0
    assert {name: result.parseoutcomes().get(name) for name in ("xfailed", "failed", "skipped")} == {
        "xfailed": 1,
        "failed": None,
        "skipped": 18,
    }
    told = "config.malformed-value overridden: incident 4711, not [redacted validate_key]"
    result.stdout.fnmatch_lines(["*mfagate: let through*", "*::configuration: " + told.replace("[", "[[]")])
    written = (pytester.path / "junit.xml").read_text()
    assert f'name="mfagate overridden" value="{told}"' in written
    assert key[:-1] not in result.stdout.str() + result.stderr.str() + written
    assert pytester.runpytest_subprocess(*arguments, "--runxfail").ret == 1


def test_a_configuration_without_integrations_is_an_error(pytester: pytest.Pytester) -> None:
    (pytester.path / "integrations.toml").write_text("# nothing yet\n")
    result = pytester.runpytest_subprocess("--mfagate", "check")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*integrations.toml has no integrations*mfagate init*"])
    assert "Traceback" not in result.stdout.str()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--mfagate", "check", "--mfagate-override", " "], "give a reason"),
        (["--mfagate-override", "because"], "no effect without --mfagate"),
    ],
)
def test_an_override_that_makes_no_sense_is_refused(
    checked: Project, pytester: pytest.Pytester, arguments: list[str], says: str
) -> None:
    result = pytester.runpytest_subprocess(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{says}*"])


@pytest.mark.parametrize("workers", [(), ("-n", "2", "--dist", "loadscope")])
def test_a_waived_finding_passes_and_is_reported(
    checked: Project, pytester: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    checked.settings |= {
        "environment": "production",
        "tables": '[integrations.mfa.client]\nwhen_unavailable = "allow"\n[[integrations.mfa.waivers]]\n'
        f'cause = "config.fails-open"\nreason = "not {checked.env["VALIDATE"]}"\nowner = "Ada"\nuntil = {tomorrow}\n',
    }
    checked.write()
    result = pytester.runpytest_subprocess("--mfagate", "check", "-rP", "--junitxml", "junit.xml", *workers)
    assert result.ret == 0
    told = f"waived until {tomorrow} by Ada: not [redacted validate_key] (config.fails-open)"
    result.stdout.fnmatch_lines(["*mfagate: let through*", "*::configuration: " + told.replace("[", "[[]")])
    shown = result.stdout.str()
    assert "waived: client.when_unavailable lets users in" in shown
    assert "warn: the waiver for config.fails-open ends on" in shown
    assert f'value="{told}"' in (pytester.path / "junit.xml").read_text()
    assert checked.env["VALIDATE"] not in shown + (pytester.path / "junit.xml").read_text()


def test_an_unreadable_configuration_is_a_readable_error(pytester: pytest.Pytester) -> None:
    (pytester.path / "integrations.toml").write_text("[integrations.a]\nprovider = 5\n")
    result = pytester.runpytest_subprocess("--mfagate", "check")
    assert result.ret == 2
    result.stdout.fnmatch_lines(["*integrations.toml:2: integrations.a.provider: must be a string in quotes*"])


def test_a_run_is_kept_in_the_history_with_its_warnings(checked: Project, pytester: pytest.Pytester) -> None:
    arguments = ("--mfagate", "check", "-k", "configuration", "--mfagate-history")
    assert pytester.runpytest_subprocess(*arguments, "runs.db").ret == 0
    with closing(sqlite3.connect(pytester.path / "runs.db")) as history:
        assert history.execute("SELECT stage, verdict FROM runs").fetchall() == [("check", "pass")]
    result = pytester.runpytest_subprocess(*arguments, "integrations.toml/runs.db")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*mfagate: warnings*", "*integrations.toml/runs.db*The verdict is not affected.*"])


def test_options_that_cannot_be_used_are_a_readable_error(checked: Project, pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("--mfagate", "check", "--mfagate-notify")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*set urls in [[]notify[]] in *integrations.toml*"])
    assert "Traceback" not in result.stdout.str()


@pytest.fixture
def consumer(pytester: pytest.Pytester) -> Path:
    """The consumer tests of this repository and the pact that they wrote."""
    return Path(shutil.copytree(REPOSITORY / "contracts/privacyidea", pytester.path / "consumer"))


def test_consumer_tests_agree_with_the_committed_pact(consumer: Path, pytester: pytest.Pytester) -> None:
    assert pytester.runpytest_subprocess("consumer").parseoutcomes() == {"passed": 22}


def test_a_pact_that_is_out_of_date_is_an_error(consumer: Path, pytester: pytest.Pytester) -> None:
    pact = consumer / "auth-service-privacyidea.json"
    committed = pact.read_bytes()
    pact.write_text(pact.read_text().replace("904", "905"))
    result = pytester.runpytest_subprocess("consumer")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*they differ in: unknown user*", "*--mfagate-update-pacts*"])
    assert pytester.runpytest_subprocess("consumer", "--mfagate-update-pacts").ret == 0
    assert pact.read_bytes() == committed


def test_a_client_that_sends_something_else_is_shown(consumer: Path, pytester: pytest.Pytester) -> None:
    test = consumer / "test_privacyidea_contract.py"
    test.write_text(test.read_text().replace('"&".join(', '"extra=1&" + "&".join('))
    result = pytester.runpytest_subprocess("consumer", "-k", "unknown_user")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*the client sent another request, or none*"])


WEAK = """
import requests
from pact import match

from mfagate.contract.consumer import JSON, any_number_of, only_objects

PROVIDER = "duo"


def factors(pact, body):
    interaction = pact.interaction("factors").with_request("GET", "/factors").will_respond_with(200)
    return interaction.with_body(body, JSON)


def ask(pact):
    with pact.serve() as url:
        assert requests.get(f"{url}/factors", timeout=5).json()


def test_weak(pact):
    factors(pact, {"factors": match.each_like({"type": "totp"})})
    ask(pact)


def test_strong(pact):
    only_objects(factors(pact, {"factors": match.array_containing([{"type": "totp"}])}), "$.factors")
    ask(pact)


def test_meant(pact):
    factors(pact, {"factors": any_number_of({"type": match.str("totp")})})
    ask(pact)
"""


def test_a_consumer_test_that_checks_less_than_it_shows_fails_and_says_what_to_write(pytester: pytest.Pytester) -> None:
    (pytester.path / "test_weak.py").write_text(WEAK)
    result = pytester.runpytest_subprocess("test_weak.py", "--mfagate-update-pacts")
    result.assert_outcomes(failed=1, passed=2)
    result.stdout.fnmatch_lines(
        [
            "*the answer of 'factors' checks less than it shows:",
            "*$.factors may be empty",
            "*$.factors?0?.type may have any value of its type",
            "*match.each_like(..., min=1)*",
            "*match.regex(*",
        ]
    )
