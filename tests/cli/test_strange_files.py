"""A pipe, a device or a socket where a file is named: refused at once with a message, and never waited for."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ..support.project import Project

KINDS = {"pipe": "a named pipe", "socket": "a socket", "device": "a device"}

Make = Callable[[str], Path]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(kind: str, tmp_path: Path) -> Iterator[Make]:
    """Makes one at a path below the project."""
    with ExitStack() as stack:

        def make(name: str) -> Path:
            path = tmp_path / name
            path.unlink(missing_ok=True)
            if kind == "pipe":
                os.mkfifo(path)
            elif kind == "device":
                path.symlink_to("/dev/zero")
            else:
                listening = stack.enter_context(socket.socket(socket.AF_UNIX))
                here = Path.cwd()
                os.chdir(tmp_path)  # The path of a socket has at most 107 bytes.
                try:
                    listening.bind(name)
                finally:
                    os.chdir(here)
            return path

        yield make


def test_a_configuration(project: Project, make: Make, kind: str) -> None:
    make("strange.toml")
    result = project.execute("check", "--config", "strange.toml")
    assert (result.exit_code, "Traceback" in result.stderr) == (2, False)
    assert KINDS[kind] in result.stderr


@pytest.mark.parametrize(
    ("settings", "cause"),
    [
        ({"validate_key": "file:strange"}, "config.reference-unresolved"),
        ({"validate_key": "dotenv:strange#KEY"}, "config.reference-unresolved"),
        ({"validate_key": "k8s-secret:strange#mfa/token"}, "config.reference-unresolved"),
        ({"validate_key": "json:strange#key"}, "config.reference-unresolved"),
        ({"more": 'contract = "strange"'}, "contract.out-of-date"),
        ({"more": 'ca_bundle = "strange"'}, "config.reference-unresolved"),
    ],
)
def test_a_file_that_the_configuration_names(
    project: Project, make: Make, kind: str, settings: dict[str, str], cause: str
) -> None:
    make("strange")
    project.settings |= settings
    result = project.run("check")
    assert (result.exit_code, result.first["cause"]) == (1, cause)
    assert KINDS[kind] in str(result.first_red)


def test_a_folder_of_authorities_with_one_in_it(project: Project, make: Make) -> None:
    """OpenSSL would open it during a handshake."""
    (project.folder / "authorities").mkdir()
    make("authorities/0a1b2c3d.0")
    project.settings["more"] = 'ca_bundle = "authorities"'
    result = project.run("check")
    assert (result.exit_code, result.first["cause"]) == (1, "config.reference-unresolved")
    assert "0a1b2c3d.0" in str(result.first_red)


def test_a_recording(project: Project, make: Make, kind: str) -> None:
    shipped = (project.folder / "cassettes").resolve() / "privacyidea"
    folder = project.folder / "tapes"
    folder.mkdir()
    for path in shipped.glob("*.yaml"):
        (folder / path.name).write_bytes(path.read_bytes())
    make("tapes/otp-accepted.yaml")
    project.settings["more"] = 'cassettes = "tapes"'
    result = project.run("check")
    assert (result.exit_code, result.first["cause"]) == (1, "cassette.contract-mismatch")
    assert KINDS[kind] in str(result.first_red)
    scanned = project.execute("scan", "tapes")
    assert (scanned.exit_code, KINDS[kind] in scanned.stdout) == (3, True)


def test_a_history(project: Project, make: Make, kind: str) -> None:
    make("strange")
    project.write()
    result = project.execute("history", "--history", "strange")
    assert (result.exit_code, "Traceback" in result.stderr) == (2, False)
    assert KINDS[kind] in result.stderr


def test_a_pipe_for_a_report_that_nobody_reads(project: Project) -> None:
    os.mkfifo(project.folder / "pipe")
    project.write()
    result = project.execute("check", "--output", "json=pipe")
    assert (result.exit_code, "no process reads this pipe" in result.stderr) == (2, True)


def test_a_pipe_for_the_summary_of_the_step(project: Project) -> None:
    """Nobody reads it: the command ends all the same, with the exit code of its verdict."""
    os.mkfifo(project.folder / "pipe")
    project.write()
    result = project.execute("check", "--output", "github", GITHUB_STEP_SUMMARY="pipe")
    assert result.exit_code == 0
    assert "the summary of the step cannot be written: no process reads this pipe" in result.stderr


def test_a_summary_of_the_step_that_is_not_there_yet(project: Project) -> None:
    project.write()
    for _ in range(2):
        assert project.execute("check", "--output", "github", GITHUB_STEP_SUMMARY="summary.md").exit_code == 0
    assert (project.folder / "summary.md").read_text().count("## PASS") == 2


def test_a_file_for_the_keys_of_a_sandbox(project: Project, make: Make, kind: str) -> None:
    """Keys are for a file that its owner alone can read."""
    make("strange")
    result = project.execute("sandbox", "duo", "--env-file", "strange")
    assert (result.exit_code, "Traceback" in result.stderr) == (2, False)
    assert KINDS[kind] in result.stderr


def test_a_configuration_for_the_pytest_plugin(project: Project, make: Make) -> None:
    make("strange.toml")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--mfagate", "check"]
    done = subprocess.run(
        [*command, "--mfagate-config", "strange.toml"],
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode not in (0, 5)
    assert "not found" in done.stdout + done.stderr


@pytest.mark.parametrize("path", ["strange", "no/such/folder"])
def test_a_log_of_session_keys(project: Project, make: Make, path: str) -> None:
    """urllib3 has OpenSSL open it for each client, and OpenSSL would wait for a pipe."""
    make("strange")
    project.settings["url"] = "https://127.0.0.1:9"
    result = project.run("gate", SSLKEYLOGFILE=path)
    assert (result.exit_code, result.first["cause"]) == (1, "config.reference-unresolved")
    assert "SSLKEYLOGFILE" in result.first_red["message"]
    assert "Traceback" not in result.stderr
