"""Somebody starts with mfagate in a repository of their own."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import jsonschema
import pytest
import yaml

from mfagate import schemas

from ..support.project import REPOSITORY


def init(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mfagate", "init", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)


def check(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mfagate", "check", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


SHIPPED = sorted(entry.name for entry in distribution("mfagate").entry_points if entry.group == "mfagate.providers")


@pytest.mark.parametrize("name", SHIPPED)
def test_each_provider_starts_sound(tmp_path: Path, name: str) -> None:
    """Its secrets are not here yet, and everything else is in order."""
    assert init(tmp_path, "--provider", name).returncode == 0
    document = tomllib.loads((tmp_path / "integrations.toml").read_text())
    jsonschema.validate(document, schemas.config(), cls=jsonschema.Draft202012Validator)
    result = check(tmp_path, "--without-secrets")
    assert result.returncode == 0, result.stdout
    unset = check(tmp_path)
    assert (unset.returncode, "config.reference-unresolved" in unset.stdout) == (1, True)


TEMPLATES = REPOSITORY / "ci/templates"
KINDS = sorted(path.name for path in TEMPLATES.iterdir())


def pipeline_of(folder: Path, ci: str, *arguments: str) -> dict[str, str]:
    """What a project gets for its CI, by path."""
    assert init(folder, "--ci", ci, *arguments).returncode == 0
    started = ("integrations.toml", "contracts/", "cassettes/")
    return {path: text.decode() for path, text in everything(folder).items() if not path.startswith(started)}


def test_each_kind_can_be_asked_for(tmp_path: Path) -> None:
    result = init(tmp_path, "--provider", "duo", "--ci", "?")
    assert all(f"'{kind}'" in result.stderr for kind in KINDS), result.stderr


@pytest.mark.parametrize("ci", KINDS)
def test_what_is_pasted_is_what_init_writes(tmp_path: Path, ci: str) -> None:
    """The templates are the files for Duo in production."""
    templates = {path: text.decode() for path, text in everything(TEMPLATES / ci).items()}
    assert pipeline_of(tmp_path, ci, "--provider", "duo") == templates


@pytest.mark.parametrize("ci", KINDS)
def test_a_pipeline_is_for_these_providers(tmp_path: Path, ci: str) -> None:
    written = pipeline_of(tmp_path, ci, "--provider", "okta", "--provider", "twilio", "--environment", "staging")
    text = "\n".join(written.values())
    assert "DUO" not in text
    # On a command line, and in the list of arguments of a container.
    selected = [re.findall(r"--environment,? (\w+)", one) for one in (text, "\n".join(_texts(ci)))]
    assert selected == [["staging"] * len(selected[1]), ["production"] * len(selected[1])]
    assert bool(selected[1]) == (ci != "pre-commit")
    integrations = tomllib.loads((tmp_path / "integrations.toml").read_text())["integrations"].values()
    names = [value.removeprefix("env:") for one in integrations for value in one["settings"].values()]
    if any("DUO_HOST" in template for template in _texts(ci)):
        assert all(text.count(name) >= 1 for name in names)
    for path, content in written.items():
        if path.endswith((".yml", ".yaml")):
            assert all(isinstance(document, dict | list) for document in yaml.safe_load_all(content)), path


def _texts(ci: str) -> list[str]:
    return [text.decode() for text in everything(TEMPLATES / ci).values()]


def test_a_configuration_that_exists_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "integrations.toml").write_text("# mine\n")
    result = init(tmp_path, "--provider", "duo", "--ci", "github")
    assert (result.returncode, result.stdout) == (2, "")
    assert "exists already; nothing was written" in result.stderr
    assert everything(tmp_path) == {"integrations.toml": b"# mine\n"}


def test_other_files_that_exist_are_kept_and_said(tmp_path: Path) -> None:
    mine = tmp_path / "contracts/duo/auth-service-duo.json"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    result = init(tmp_path, "--provider", "duo")
    assert result.returncode == 0
    assert "kept  contracts/duo/auth-service-duo.json" in result.stdout
    assert mine.read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name the providers with --provider NAME; installed: "),
        (["--provider", "dou"], "did you mean 'duo'?"),
        (["--provider", "duo", "--environment", "prod"], "'prod' is not one of"),
        (["--provider", "duo", "--ci", "travis"], "'travis' is not one of"),
        (["file", "--provider", "duo"], "is a file"),
        (["file/below", "--provider", "duo"], "cannot be written"),
    ],
)
def test_bad_input_writes_nothing(tmp_path: Path, arguments: list[str], words: str) -> None:
    (tmp_path / "file").write_text("")
    result = init(tmp_path, *arguments)
    assert (result.returncode, words in result.stderr, "Traceback" in result.stderr) == (2, True, False), result.stderr
    assert everything(tmp_path) == {"file": b""}


def _answered(folder: Path, *answers: str) -> tuple[int, str]:
    """Run it on a terminal and type the answers, one a question; an empty one is Ctrl-C."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execv(sys.executable, [sys.executable, "-m", "mfagate", "init"])
    shown, waiting, deadline, interrupt_at = "", list(answers), time.monotonic() + 30, float("inf")
    while (now := time.monotonic()) < deadline:
        try:
            if select.select([terminal], [], [], 0.1)[0]:
                shown += os.read(terminal, 4096).decode()
            if now > interrupt_at:
                # Once more, as a person would: one that comes before readline waits is lost on it.
                os.write(terminal, b"\x03")
                interrupt_at = now + 1
        except OSError:
            break
        if waiting and shown.rstrip(" ").endswith(":"):
            answer = waiting.pop(0)
            shown += "\n"
            if answer:
                os.write(terminal, f"{answer}\n".encode())
            else:
                interrupt_at = now
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown


def test_on_a_terminal_it_asks(tmp_path: Path) -> None:
    code, shown = _answered(tmp_path, "duo, privacyidea", "staging", "github")
    assert code == 0, shown
    document = tomllib.loads((tmp_path / "integrations.toml").read_text())
    assert {one["environment"] for one in document["integrations"].values()} == {"staging"}
    assert list(document["integrations"]) == ["duo", "privacyidea"]
    assert (tmp_path / ".github/workflows/mfagate.yml").exists()


def test_ctrl_c_at_a_question_writes_nothing(tmp_path: Path) -> None:
    code, shown = _answered(tmp_path, "duo", "")
    assert (code, "Traceback" in shown) == (130, False), shown
    assert everything(tmp_path) == {}
