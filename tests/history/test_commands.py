"""The history of gate runs, and the command that shows it."""

from __future__ import annotations

import csv
import io
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mfagate.sandbox import Running

from ..support.duo import Duo, emulator
from ..support.postgres import PASSWORD, Server, postgres
from ..support.programs import missing


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with emulator() as started:
        yield started


@pytest.fixture
def duo(tmp_path: Path, running: Running) -> Duo:
    return Duo(tmp_path, running)


def test_a_run_is_stored_and_shown(duo: Duo) -> None:
    first = duo.run("gate", "--history", "runs.db")
    assert (first.exit_code, first.report["run"]["warnings"], first.stderr) == (0, [], "")
    duo.run("gate", "--history", "runs.db")
    run_id = first.report["run"]["id"]
    shown = duo.execute("history", "--history", "runs.db")
    assert run_id[:8] in shown.stdout
    assert len(shown.stdout.splitlines()) == 3
    one = duo.execute("history", "--history", "runs.db", run_id[:8]).stdout
    assert f"run {run_id}" in one
    assert "processing" in one
    kept = json.loads(duo.execute("history", "--history", "runs.db", "--output", "json", "--limit", "1").stdout)
    assert [run["id"] == run_id for run in kept["runs"]] == [False]
    duo.execute("history", "--history", "runs.db", "--output", "csv=runs.csv")
    rows = list(csv.DictReader(io.StringIO((duo.folder / "runs.csv").read_text())))
    assert [row["verdict"] for row in rows] == ["pass", "pass"]


def test_measurements_are_in_the_report(duo: Duo) -> None:
    measured = duo.run("gate").first["measured"]
    assert len(measured) > 5
    assert {"processing", "connect"} <= measured[0]["phases"].keys()
    assert all(one["cause"] is None and one["attempt"] == 1 and "?" not in one["request"] for one in measured)


def test_a_history_in_postgresql(duo: Duo) -> None:
    with postgres() as server:
        url = server.new_database("gate")
        duo.write()
        text = duo.text().replace("[integrations.duo]", '[history]\nurl = "env:HISTORY"\n\n[integrations.duo]', 1)
        duo._text = text
        key = "0123456789abcdef0123456789abcdef"
        result = duo.run("gate", "--history", "env:HISTORY", HISTORY=url, MFAGATE_FINGERPRINT_KEY=key)
        assert (result.exit_code, result.stderr) == (0, "")
        assert "duo" in duo.execute("history", HISTORY=url).stdout
    # The server is stopped now.
    result = duo.run("gate", "--history", "env:HISTORY", HISTORY=url)
    assert result.exit_code == 0
    (warning,) = result.report["run"]["warnings"]
    assert warning.startswith("the history env:HISTORY cannot be read")
    assert "check the host and the port, and that the server is running" in warning
    assert result.stderr == f"warning: {warning}\n"
    assert duo.execute("history", HISTORY=url).exit_code == 2


def test_a_wrong_password(duo: Duo) -> None:
    with postgres() as server:
        wrong = Server(server.port, f"{PASSWORD}x")
        result = duo.run("gate", "--history", wrong.url())
    assert result.exit_code == 0
    assert "postgresql://mfagate:***@127.0.0.1" in result.stderr
    assert "correct the user and the password" in result.stderr


def spoil(path: Path, how: str) -> None:
    path.parent.mkdir(exist_ok=True)
    if how == "folder":
        path.mkdir()
    elif how == "other":
        path.write_text("this is no database" * 100)
    elif how == "newer":
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("CREATE TABLE mfagate_history (version INTEGER)")
            connection.execute("INSERT INTO mfagate_history VALUES (99)")
    elif how == "behind a file":
        path.parent.rmdir()
        path.parent.write_text("")


@pytest.mark.parametrize(
    ("how", "remedy"),
    [
        ("folder", "make the folder and the file accessible"),
        ("other", "move it away to begin a new history"),
        ("newer", "update mfagate"),
        ("behind a file", "name another location with --history"),
    ],
)
def test_a_history_that_cannot_be_used(duo: Duo, how: str, remedy: str) -> None:
    """The verdict does not change, and the warning says what to do."""
    spoil(duo.folder / "kept" / "runs.db", how)
    result = duo.run("gate", "--history", "kept/runs.db")
    assert (result.exit_code, result.report["verdict"]) == (0, "pass")
    assert len(result.report["run"]["warnings"]) == 1
    assert remedy in result.stderr
    assert "Traceback" not in result.stderr
    listed = duo.execute("history", "--history", "kept/runs.db")
    assert listed.exit_code == 2
    assert "Traceback" not in listed.stderr


def test_a_damaged_history(duo: Duo) -> None:
    """Pages in the middle of a valid file are overwritten."""
    assert duo.run("gate", "--history", "runs.db").stderr == ""
    path = duo.folder / "runs.db"
    content = bytearray(path.read_bytes())
    content[4096:] = b"\x55" * (len(content) - 4096)
    path.write_bytes(content)
    result = duo.run("gate", "--history", "runs.db")
    assert result.exit_code == 0
    assert "move it away to begin a new history" in result.stderr


def test_a_full_disk(duo: Duo) -> None:
    """No file may grow beyond the size of the history: the write fails, and the earlier runs remain."""
    duo.run("gate", "--history", "runs.db")
    size = (duo.folder / "runs.db").stat().st_size
    command = [sys.executable, "-m", "mfagate", "gate", "--history", "runs.db"]
    done = subprocess.run(
        command,
        cwd=duo.folder,
        env={**os.environ, **duo.env, "DUO_HOST": duo._host},
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size // 4, size // 4)),
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("PASS: deploy")
    assert "warning: the history runs.db cannot be" in done.stderr
    assert len(duo.execute("history", "--history", "runs.db").stdout.splitlines()) == 2
    assert duo.run("gate", "--history", "runs.db").stderr == ""


def test_a_read_only_history(duo: Duo) -> None:
    duo.run("gate", "--history", "runs.db")
    connection = sqlite3.connect(duo.folder / "runs.db")
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()
    if os.geteuid() == 0:  # root may write read-only files, so a URL of SQLite makes the database read-only
        subprocess.run(["chattr", "+i", duo.folder / "runs.db"], check=False, capture_output=True)
        if not _immutable(duo.folder / "runs.db"):
            missing("immutable files (chattr +i)", "run the tests as another user than root")
    else:
        (duo.folder / "runs.db").chmod(0o444)
        duo.folder.chmod(0o555)
    try:
        result = duo.execute("gate", "--history", "runs.db")
    finally:
        duo.folder.chmod(0o755)
        if os.geteuid() == 0:
            subprocess.run(["chattr", "-i", duo.folder / "runs.db"], check=False)
    assert result.exit_code == 0
    assert "name another location with --history" in result.stderr


def _immutable(path: Path) -> bool:
    try:
        path.open("r+b").close()
    except PermissionError:
        return True
    return False


def test_two_runs_at_once(duo: Duo) -> None:
    duo.write()
    command = [sys.executable, "-m", "mfagate", "gate", "--history", "runs.db"]
    env = {**os.environ, **duo.env, "DUO_HOST": duo._host}
    both = [
        subprocess.Popen(command, cwd=duo.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for one in both:
        out, err = one.communicate(timeout=60)
        assert (one.returncode, err) == (0, ""), out
    assert len(duo.execute("history", "--history", "runs.db").stdout.splitlines()) == 3


WRITER = """
import sys, uuid
from pathlib import Path
from dataclasses import replace
from mfagate.history import Place
from mfagate.history.store import History
with History.open(Place(shown="runs", path=Path(sys.argv[1]))) as history:
    (run,) = history.runs()
    while True:
        history.record(replace(run, id=str(uuid.uuid4())))
        print(flush=True)
"""


def test_a_process_killed_while_writing_leaves_a_valid_history(duo: Duo) -> None:
    """Kill it at many moments: the history stays valid, and the next run continues."""
    duo.run("gate", "--history", "runs.db")
    path = duo.folder / "runs.db"
    for written in range(1, 6):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        for _ in range(written):
            writer.stdout.readline()
        time.sleep(0.0007 * written)  # somewhere inside the next transaction, or between two
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        with closing(sqlite3.connect(path)) as connection, connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            (runs,) = connection.execute("SELECT count(*) FROM runs").fetchone()
            (states,) = connection.execute("SELECT count(DISTINCT run) FROM integrations").fetchone()
            (samples,) = connection.execute("SELECT count(DISTINCT integration) FROM samples").fetchone()
            assert runs == states == samples
            connection.execute("DELETE FROM runs WHERE number > 1")
            connection.execute("DELETE FROM integrations WHERE run > 1")
            for table in ("problems", "samples", "fingerprints"):
                connection.execute(f"DELETE FROM {table} WHERE integration > 1")
        connection.close()
    assert duo.run("gate", "--history", "runs.db").stderr == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cause", "drift.field-remvoed"], "did you mean 'drift.field-removed'"),
        (["--since", "yesterday"], "write a day, 2026-10-01"),
        (["--limit", "0"], "not in the range"),
        (["--output", "xml"], "write console, json or csv"),
        (["--output", "csv=no/such/folder.csv"], "cannot be written"),
        (["abc"], "no run whose id begins with 'abc'"),
    ],
)
def test_invalid_arguments_are_refused(duo: Duo, arguments: list[str], message: str) -> None:
    duo.run("gate", "--history", "runs.db")
    result = duo.execute("history", "--history", "runs.db", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_a_day_includes_all_its_runs(duo: Duo) -> None:
    started = duo.run("gate", "--history", "runs.db").report["run"]["started"][:10]
    for arguments, number in ((["--since", started], 1), (["--until", started], 1), (["--until", "2020-01-01"], 0)):
        shown = duo.execute("history", "--history", "runs.db", "--output", "json", *arguments).stdout
        assert len(json.loads(shown)["runs"]) == number


def test_a_missing_history_is_refused(duo: Duo) -> None:
    duo.write()
    result = duo.execute("history")
    assert result.exit_code == 2
    assert "`mfagate nightly` creates it" in result.stderr
