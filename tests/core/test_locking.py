"""Locks lie in a folder that is ours alone, say who holds them, and are waited for no longer than there is time."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.programs import missing

from mfagate.core.locking import Held, NotPrivate, locked, private_folder


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def never() -> bool:
    return False


def at_once() -> bool:
    return True


HOLD = """
import sys
from mfagate.core.locking import locked
sys.argv = ["/usr/bin/mfagate", "gate", "--history", "postgresql://u:s3cret@h/x"]
with locked("users", lambda: True):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process() -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_the_holder_is_named() -> None:
    with another_process() as process, pytest.raises(Held) as raised, locked("users", at_once):
        pass
    assert f"process {process.pid} (mfagate gate), since 20" in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_it_is_free_when_its_holder_was_killed() -> None:
    with another_process() as process:
        process.kill()
        process.wait()
        with locked("users", never):
            pass


def test_it_is_waited_for() -> None:
    with another_process() as process:
        tries: list[int] = []

        def is_too_late() -> bool:
            tries.append(1)
            if len(tries) == 3:
                process.kill()
                process.wait()
            return False

        with locked("users", is_too_late):
            assert len(tries) >= 3


@pytest.mark.parametrize("given", ["another", "/no/such/folder"])
@pytest.mark.parametrize("holder_has_it", [True, False])
def test_runs_with_other_variables_exclude_each_other(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, given: str, holder_has_it: bool
) -> None:
    """A scheduled run has no XDG_RUNTIME_DIR, or not that of a person who is logged in."""
    (runtime / "another").mkdir(mode=0o700)
    folders = [str(runtime), str(runtime / given)]
    ours, theirs = folders if holder_has_it else reversed(folders)
    monkeypatch.setenv("XDG_RUNTIME_DIR", theirs)
    with another_process() as process:
        monkeypatch.setenv("XDG_RUNTIME_DIR", ours)
        with pytest.raises(Held, match=f"process {process.pid} "), locked("users", at_once):
            pass
    with locked("users", never):
        pass


def test_a_common_folder_that_somebody_else_took_is_left_alone(runtime: Path) -> None:
    taken = runtime / "tmp" / f"mfagate-{os.geteuid()}"
    taken.write_text("content")
    with locked("users", at_once), pytest.raises(Held), locked("users", at_once):
        pass
    assert taken.read_text() == "content"


def test_another_name_is_another_lock() -> None:
    with another_process(), locked("others", at_once):
        pass


def test_two_threads_of_one_process_exclude_each_other() -> None:
    seen: list[str] = []

    def other() -> None:
        try:
            with locked("users", at_once):
                seen.append("in")
        except Held as held:
            seen.append(str(held))

    with locked("users", never):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert f"process {os.getpid()}" in seen[0]


@pytest.mark.parametrize(
    "note", [b"", b"{", b"[]", b'{"pid": "x"}', b"\xff" * 5000, b'{"pid":1,"since":1e400,"command":""}']
)
def test_a_note_that_cannot_be_read(note: bytes) -> None:
    with locked("users", never):
        (private_folder() / "users.lock").write_bytes(note)
        with pytest.raises(Held, match="another run of mfagate"), locked("users", at_once):
            pass


def test_a_note_is_made_harmless() -> None:
    with locked("users", never):
        note = b'{"pid": 1, "since": 1, "command": "a\\u001b[31m\\n::error::\\u202e"}'
        (private_folder() / "users.lock").write_bytes(note)
        with pytest.raises(Held) as raised, locked("users", at_once):
            pass
    assert str(raised.value).isprintable()


def test_the_folder_and_the_file_are_ours_alone() -> None:
    before = os.umask(0)
    try:
        with locked("users", never):
            folder = private_folder()
            assert folder.stat().st_mode & 0o777 == 0o700
            assert (folder / "users.lock").stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)


def test_a_link_is_not_followed(runtime: Path) -> None:
    folder = private_folder()
    precious = runtime / "precious"
    precious.write_text("content")
    (folder / "users.lock").symlink_to(precious)
    with pytest.raises(NotPrivate, match="is a link"), locked("users", never):
        pass
    assert precious.read_text() == "content"


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_what_is_no_file_is_no_lock(kind: str) -> None:
    path = private_folder() / "users.lock"
    os.mkfifo(path) if kind == "pipe" else path.mkdir()
    with pytest.raises(NotPrivate), locked("users", never):
        pass


@pytest.mark.parametrize("kind", ["link", "file", "open to all"])
def test_a_folder_that_is_not_ours_alone(runtime: Path, kind: str) -> None:
    folder = runtime / "mfagate"
    if kind == "link":
        (runtime / "elsewhere").mkdir(mode=0o700)
        folder.symlink_to(runtime / "elsewhere")
    elif kind == "file":
        folder.write_text("")
    else:
        folder.mkdir()
        folder.chmod(0o777)
    with pytest.raises(NotPrivate, match="XDG_RUNTIME_DIR"), locked("users", never):
        pass


def test_a_folder_of_another_user(runtime: Path) -> None:
    if os.geteuid() != 0:
        missing("the right to give a folder away", "run the tests as root")
    folder = runtime / "mfagate"
    folder.mkdir(mode=0o700)
    os.chown(folder, 12345, 12345)
    with pytest.raises(NotPrivate, match="another user"):
        private_folder()


@pytest.mark.parametrize("given", ["", "relative", "/no/such/folder", "/tmp"])
def test_without_a_runtime_folder_there_is_one_for_each_user(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", given)
    assert str(os.geteuid()) in str(private_folder())
