"""Temporary folders with keys are removed with their owner, however it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mfagate.leftovers.folders import _remove, remove_abandoned, temporary_folder

OWNER = """
import sys
from mfagate.leftovers.folders import temporary_folder
with temporary_folder("sandbox") as folder:
    (folder / "sandbox.env").write_text("key='c4n4ry'")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of the machine."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_the_folder_of_a_killed_owner_is_removed_and_that_of_a_living_one_stays(temporary: Path) -> None:
    command = [sys.executable, "-c", OWNER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        folder = Path(owner.stdout.readline().strip())
        remove_abandoned()
        assert (folder / "sandbox.env").exists()
        assert folder.stat().st_mode & 0o777 == 0o700
        owner.kill()
        owner.wait()
        assert (folder / "sandbox.env").exists()
        remove_abandoned()
        assert not list(temporary.iterdir())


def test_a_folder_whose_removal_was_killed_is_recognised(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def kill(folder: Path, ignore_errors: bool = False) -> None:
        raise Killed

    with temporary_folder("sandbox") as kept:
        for name in ("0", "sandbox.env", "zz"):
            (kept / name).write_text("c4n4ry")
        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr("mfagate.leftovers.folders.shutil.rmtree", kill)
            _remove(kept)
        assert [path.name for path in kept.iterdir()] == [".mfagate-owner"]


def test_a_folder_is_removed_at_the_end(temporary: Path) -> None:
    with temporary_folder() as folder:
        (folder / "key").write_text("c4n4ry")
        remove_abandoned()
        assert folder.parent == temporary
        assert (folder / "key").exists()
    assert not list(temporary.iterdir())


def test_a_folder_with_a_similar_name_is_kept(temporary: Path) -> None:
    (temporary / "mfagate-notes").mkdir()
    (temporary / "mfagate-notes" / "todo").write_text("mine")
    (temporary / "mfagate-file").write_text("mine")
    elsewhere = temporary / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".mfagate-owner").write_text("")
    (temporary / "mfagate-link").symlink_to(elsewhere)
    (temporary / "mfagate-of-a-link").mkdir()
    (temporary / "mfagate-of-a-link" / ".mfagate-owner").symlink_to(elsewhere / ".mfagate-owner")
    before = sorted(temporary.rglob("*"))
    remove_abandoned()
    assert sorted(temporary.rglob("*")) == before


def test_a_missing_temporary_folder_is_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere/at/all")
    remove_abandoned()


def test_the_next_command_removes_what_a_killed_sandbox_left(temporary: Path) -> None:
    """Kill the whole command while its keys are on the disk."""
    command = [sys.executable, "-m", "mfagate", "sandbox", "duo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=temporary) as killed:
        assert killed.stdout is not None
        shown = killed.stdout.readline() + killed.stdout.readline()
        assert "Its keys are in" in shown
        (keys,) = temporary.glob("mfagate-sandbox-*/sandbox.env")
        secret = next(line for line in keys.read_text().splitlines() if line.startswith("secret_key="))
        killed.kill()
    assert keys.exists()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=temporary) as following:
        assert following.stdout is not None
        assert "is running at" in following.stdout.readline()
        assert not keys.parent.exists()
        following.send_signal(signal.SIGINT)
    assert following.returncode == 130
    assert not list(temporary.glob("mfagate-*"))
    assert not [path for path in temporary.rglob("*") if path.is_file() and secret in path.read_text(errors="replace")]
