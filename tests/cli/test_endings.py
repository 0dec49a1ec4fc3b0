"""However a run ends, its verdict is known: on stderr if it cannot be written where it was asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from mfagate.testing import CommandResult

from ..support.project import Project


@pytest.fixture
def red(project: Project) -> Project:
    """A project of which ``check`` finds something."""
    project.settings["validate_key"] = "env:NOWHERE"
    return project


def check(project: Project, *arguments: str) -> CommandResult:
    project.write()
    result = project.execute("check", "--integration", "mfa", *arguments)
    assert "Traceback" not in result.stderr
    return result


def blocked(folder: Path, kind: str) -> str:
    """A path that is accepted when the run begins, and cannot be written when it ends."""
    if kind == "full disk":
        return "/dev/full"
    if kind == "name too long":
        return "x" * 300
    if kind == "loop":
        (folder / "loop").symlink_to("loop")
        return "loop"
    if kind == "pipe":
        os.mkfifo(folder / "pipe")
        return "pipe"
    assert kind == "no rights"
    return "/proc/report.json"


@pytest.mark.parametrize(
    ("kind", "name"),
    [("full disk", "json"), ("full disk", "html"), ("full disk", "console"), ("name too long", "json"),
     ("loop", "json"), ("pipe", "json"), ("no rights", "sarif")],
)  # fmt: skip
def test_a_file_that_cannot_be_written(red: Project, kind: str, name: str) -> None:
    path = blocked(red.folder, kind)
    result = check(red, "--output", f"{name}={path}", "--output", "markdown=other.md")
    assert result.exit_code == 2
    assert path in result.stderr
    assert "cannot be written" in result.stderr
    assert "the verdict is: FAIL" in result.stderr
    assert (red.folder / "other.md").exists(), "what can be written is written"
    if name != "console":
        assert result.stdout.startswith("FAIL"), "the console report is not lost either"


def test_a_pass_is_named_too(project: Project) -> None:
    result = check(project, "--output", "json=/dev/full")
    assert (result.exit_code, "the verdict is: PASS" in result.stderr) == (2, True)


@pytest.mark.parametrize("name", ["console", "json", "github", "sarif"])
def test_an_output_that_cannot_be_written(red: Project, name: str) -> None:
    red.write()
    command = f"{sys.executable} -m mfagate check --output {name} --output junit=junit.xml > /dev/full"
    done = subprocess.run(
        ["sh", "-c", command], cwd=red.folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "the output cannot be written: No space left on device" in done.stderr
    assert "the verdict is: FAIL" in done.stderr
    assert done.stderr.count("Error") == 1
    assert (red.folder / "junit.xml").exists()


def test_a_reader_who_went_away_learns_the_verdict_on_stderr(red: Project) -> None:
    red.write()
    command = f"{sys.executable} -m mfagate check --output json | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=red.folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, "the verdict is: FAIL" in done.stderr) == (2, True)


@pytest.mark.parametrize("instruction", ["bash_source", "bash_complete", "zsh_source", "fish_complete", "nonsense", ""])
def test_the_variable_of_completions_makes_no_green_run(red: Project, instruction: str) -> None:
    red.write()
    env = {"_MFAGATE_COMPLETE": instruction, "COMP_WORDS": "mfagate check", "COMP_CWORD": "1"}
    result = red.execute("check", **env)
    assert (result.exit_code, result.stdout.splitlines()[0].partition(":")[0]) == (1, "FAIL")


def test_the_shell_still_completes(project: Project) -> None:
    project.write()
    env = {"_MFAGATE_COMPLETE": "bash_complete", "COMP_WORDS": "mfagate gate --integration ", "COMP_CWORD": "3"}
    result = project.execute(**env)
    assert (result.exit_code, result.stdout) == (0, "plain,mfa\n")


@pytest.mark.parametrize("text", ["//user:pw@h/x", "user:pw@h/x", ":/user:pw@h/x", "postgresql//user:pw@h/x"])
def test_a_history_that_is_none(project: Project, text: str) -> None:
    project.write()
    for command in ("gate", "history"):
        result = project.execute(command, "--history", text.replace("pw", "hunter22"))
        assert result.exit_code != 0 or command != "history"
        assert "hunter22" not in result.stdout + result.stderr
        assert "Traceback" not in result.stderr
        assert "neither a path nor a postgresql:// URL" in result.stdout + result.stderr
    assert [path.name for path in project.folder.iterdir() if "user" in path.name] == []


LONG = "x" * 5000


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "--config", LONG],
        ["gate", "--config", f"{LONG}/integrations.toml"],
        ["check", "--output", f"json={LONG}"],
        ["check", "--output", f"json={LONG}/report.json"],
        ["check", "--integration", LONG],
        ["gate", "--fault", f"{LONG}=latency"],
        ["check", "--changed-since", LONG],
        ["nightly", "--history", LONG],
        ["nightly", "--history", f"{LONG}/history.db"],
        ["history", "--history", LONG],
        ["history", LONG],
        ["scan", LONG],
        ["explain", LONG],
        ["init", "--config", LONG],
        ["init", LONG],
        ["init", LONG, "--provider", "duo"],
        ["init", "--provider", "duo", "--ci", "github", "--source", LONG],
        ["doctor", "--output", f"json={LONG}"],
        ["doctor", "--integration", LONG],
        ["new-provider", LONG],
        ["mutate", "--config", LONG],
        ["sandbox", LONG],
        ["sandbox", "duo", "--env-file", LONG],
        ["sandbox", "duo", "--fault-file", LONG],
        [LONG],
    ],
    ids=lambda arguments: " ".join(arguments).replace(LONG, "LONG"),
)
def test_a_name_that_is_too_long(project: Project, arguments: list[str]) -> None:
    project.write()
    result = project.execute(*arguments)
    assert "Traceback" not in result.stderr
    assert result.exit_code in (1, 2, 3) or (arguments[0] == "nightly" and "warning" in result.stderr)
    assert result.stderr.strip() or result.stdout.strip()


@pytest.mark.parametrize("key", ["contract", "cassettes", "ca_bundle", "validate_key"])
@pytest.mark.parametrize("long", [LONG, "/".join(["x" * 100] * 60)])
def test_a_name_in_the_configuration_that_is_too_long(project: Project, key: str, long: str) -> None:
    project.settings |= {"validate_key": f"file:{long}"} if key == "validate_key" else {"more": f'{key} = "{long}"'}
    result = check_command(project, ["check", "--output", "gitlab=gitlab.json"])
    assert result.exit_code == 1
    assert "internal-error" not in result.stdout


def check_command(project: Project, command: list[str]) -> CommandResult:
    result = project.run(*command)
    assert "Traceback" not in result.stderr
    return result


def test_an_integration_with_a_long_name(project: Project) -> None:
    text = project.text().replace("integrations.mfa", f"integrations.{LONG}")
    (project.folder / "long.toml").write_text(text)
    for command in ("check", "nightly"):
        result = project.execute(command, "--config", "long.toml", "--output", "html=report.html")
        assert "Traceback" not in result.stderr
        assert "internal-error" not in result.stdout


def test_a_description_that_is_too_long_for_a_recording(project: Project) -> None:
    """The name of the file is made of it."""
    good = (project.folder / "contracts/privacyidea/auth-service-privacyidea.json").read_text()
    (project.folder / "long.json").write_text(good.replace('"wrong OTP"', f'"{LONG}"'))
    project.settings["more"] = 'contract = "long.json"'
    result = check_command(project, ["check"])
    assert (result.exit_code, "internal-error" in result.stdout) == (1, False)


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "--output", "json=integrations.toml"],
        ["check", "--output", "json=./sub/../integrations.toml"],
        ["check", "--output", "json=link.toml"],
        ["check", "--output", "html=keys.env"],
        ["check", "--output", "junit=ca.pem"],
        ["gate", "--output", "json=runs.db", "--history", "runs.db"],
        ["nightly", "--output", "json=.mfagate/history.db"],
        ["mutate", "--output", "json=integrations.toml"],
        ["history", "--output", "json=integrations.toml"],
        ["history", "--output", "json=.mfagate/history.db"],
    ],
    ids=" ".join,
)
def test_an_output_that_would_overwrite_what_the_command_uses(project: Project, arguments: Sequence[str]) -> None:
    project.settings["validate_key"] = "dotenv:keys.env#KEY"
    project.settings["more"] = 'ca_bundle = "ca.pem"'
    project.write()
    (project.folder / "sub").mkdir()
    (project.folder / ".mfagate").mkdir()
    (project.folder / "link.toml").symlink_to("integrations.toml")
    for name in ("keys.env", "ca.pem", "runs.db", ".mfagate/history.db"):
        (project.folder / name).write_text("KEY=x\n")
    before = {path: path.read_bytes() for path in project.folder.rglob("*") if path.is_file()}
    result = project.execute(*arguments)
    path = next(one.partition("=")[2] for one in arguments if "=" in one)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.strip() == (
        f"Error: {Path(path)} is used by this command and would be overwritten: name another path"
    )
    assert {path: path.read_bytes() for path in project.folder.rglob("*") if path.is_file()} == before


def test_two_outputs_with_one_path(project: Project) -> None:
    result = check(project, "--output", "json=report", "--output", "junit=./report")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.strip() == "Error: two outputs have the path report: give each a path of its own"
    assert not (project.folder / "report").exists()
    discarded = check(project, "--output", "json=/dev/null", "--output", "junit=/dev/null")
    assert discarded.exit_code == 0


def test_a_report_may_replace_the_one_of_the_last_run(project: Project) -> None:
    for _ in range(2):
        assert check(project, "--output", "json=report.json").exit_code == 0
