"""The things and messages of a run are recorded on disk before they are made or sent, and remain after it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mfagate.leftovers import ledger as module
from mfagate.leftovers.ledger import AlreadySent, Ledger, NotRecorded, Thing, abandoned, folder_of

USER = Thing("user", "mfagate-1")
OTHER = Thing("user", "mfagate-2")

KILLED = """
import os, signal, sys
from pathlib import Path
from mfagate.leftovers.ledger import Ledger, Thing
ledger = Ledger(sys.argv[2] or None, Path(sys.argv[1]))
ledger.making(Thing("user", "mfagate-1"))
ledger.made(Thing("user", "mfagate-1"))
ledger.making(Thing("user", "mfagate-2"))
ledger.sending("code sent")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where records are kept."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


def killed_run(folder: Path, name: str = "") -> None:
    """A run that made two users and sent a message, and was killed."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder), name], check=False)
    assert done.returncode == -9


def left(folder: Path) -> list[Thing]:
    return [thing for record in abandoned(folder) for thing in record.things]


def test_what_a_killed_run_made_is_found_until_it_is_removed() -> None:
    folder = folder_of("okta")
    killed_run(folder)
    assert left(folder) == [OTHER, USER]
    for record in abandoned(folder):
        record.removed(OTHER)
    assert left(folder) == [USER]
    for record in abandoned(folder):
        record.removed(USER)
    assert not list(folder.iterdir())


def test_the_record_of_a_running_run_is_not_touched() -> None:
    folder = folder_of("okta")
    living = Ledger(None, folder)
    living.making(USER)
    assert left(folder) == []
    living.close()
    assert left(folder) == [USER]


def test_a_run_that_removed_everything_leaves_no_record() -> None:
    folder = folder_of("okta")
    one = Ledger(None, folder)
    one.making(USER)
    one.made(USER)
    one.sending("code sent")
    one.removed(USER)
    one.close()
    assert not list(folder.iterdir())


def test_the_entry_is_on_the_disk_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_of("okta")
    one = Ledger(None, folder)
    seen: list[str] = []
    (path,) = folder.iterdir()
    monkeypatch.setattr(os, "fsync", lambda file: seen.append(path.read_text()))
    one.making(USER)
    assert seen == ['["target", "", ""]\n["making", "user", "mfagate-1"]\n']


def test_a_line_that_was_cut_off_is_ignored() -> None:
    folder = folder_of("okta")
    killed_run(folder)
    (path,) = folder.iterdir()
    path.write_bytes(path.read_bytes() + b'["making", "user", "mfag')
    assert left(folder) == [OTHER, USER]
    path.write_bytes(b'\xff\xfe[]\n7\n"x"\n' + path.read_bytes())
    assert left(folder) == [OTHER, USER]


def test_an_entry_after_half_a_line_is_read() -> None:
    folder = folder_of("okta")
    killed_run(folder)
    (path,) = folder.iterdir()
    path.write_bytes(path.read_bytes() + b'["making", "user", "mfag')
    for record in abandoned(folder):
        record.removed(OTHER)
    assert left(folder) == [USER]


def test_an_entry_that_was_written_by_half_is_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A nearly full disk stores only the beginning of a line."""
    folder = folder_of("okta")
    one = Ledger(None, folder)
    write = os.write
    with monkeypatch.context() as patch, pytest.raises(NotRecorded, match="cannot be written: No space left"):
        patch.setattr(os, "write", lambda file, line: write(file, line[:9]))
        one.making(USER)
    assert one.things == []
    one.making(OTHER)
    one.close()
    assert left(folder) == [OTHER]


def test_a_run_with_a_name_finds_what_it_sent() -> None:
    folder = folder_of("okta")
    killed_run(folder, "pipeline 7")
    again = Ledger("pipeline 7", folder)
    assert again.things == [OTHER, USER]
    with pytest.raises(AlreadySent):
        again.sending("code sent")
    again.sending("push sent")
    again.not_sent("push sent")
    again.sending("push sent")
    for thing in again.things:
        again.removed(thing)
    again.close()
    # Messages stay recorded for a while.
    assert not left(folder)
    with pytest.raises(AlreadySent):
        Ledger("pipeline 7", folder).sending("code sent")
    Ledger("pipeline 8", folder).sending("code sent")


def test_messages_are_forgotten_after_a_week() -> None:
    folder = folder_of("okta")
    killed_run(folder, "pipeline 7")
    (path,) = folder.iterdir()
    for record in abandoned(folder):
        for thing in record.things:
            record.removed(thing)
    assert path.exists()
    os.utime(path, (0, 0))
    assert left(folder) == []
    assert not path.exists()


def test_two_runs_of_one_name_at_once() -> None:
    folder = folder_of("okta")
    first = Ledger("pipeline 7", folder)
    with pytest.raises(NotRecorded, match="a run with this name is in progress"):
        Ledger("pipeline 7", folder)
    first.close()
    Ledger("pipeline 7", folder).close()


def test_what_may_still_be_made_stays_recorded() -> None:
    folder = folder_of("okta")
    one = Ledger(None, folder)
    one.making(USER)
    one.made(USER)
    one.making(OTHER)
    one.interrupted()
    one.removed(USER)
    one.removed(OTHER)
    one.close()
    assert left(folder) == [OTHER]


def test_nothing_is_made_without_a_record() -> None:
    with pytest.raises(NotRecorded, match="the disk is full"):
        Ledger(refusal="the disk is full").making(USER)
    folder = folder_of("okta")
    closed = Ledger(None, folder)
    closed.close()
    with pytest.raises(NotRecorded):
        closed.making(USER)


def test_folders_are_private(state: Path) -> None:
    folder = folder_of("okta")
    assert (folder.stat().st_mode & 0o777, (state / "mfagate").stat().st_mode & 0o777) == (0o700, 0o700)
    assert folder_of("duo") != folder
    assert folder_of("okta") == folder
    Ledger(None, folder).making(USER)
    (record,) = folder.iterdir()
    assert record.stat().st_mode & 0o777 == 0o600
    folder.chmod(0o755)
    with pytest.raises(NotRecorded, match="can be read or changed by other users"):
        folder_of("okta")


def test_a_folder_that_is_a_link_is_not_used(state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    state.mkdir()
    (state / "mfagate").symlink_to(elsewhere)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    assert folder_of("okta").is_relative_to(tmp_path / "tmp")
    assert not list(elsewhere.iterdir())


def test_a_record_that_is_a_link_is_not_written(tmp_path: Path) -> None:
    folder = folder_of("okta")
    victim = tmp_path / "victim"
    victim.write_text("mine\n")
    (folder / "x.jsonl").symlink_to(victim)
    assert left(folder) == []
    assert victim.read_text() == "mine\n"


def test_a_record_that_is_a_pipe_is_not_waited_for() -> None:
    folder = folder_of("okta")
    killed_run(folder)
    for name in ("0.jsonl", "z.jsonl"):
        os.mkfifo(folder / name)
    assert left(folder) == [OTHER, USER]


def test_without_a_home_the_temporary_folder_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert folder_of("okta").is_relative_to(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", "/proc/nowhere")
    with pytest.raises(NotRecorded, match="set XDG_STATE_HOME"):
        folder_of("okta")


def test_a_relative_state_home_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the specification requires."""
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert module.folder_of("okta").is_relative_to(tmp_path / ".local" / "state")
