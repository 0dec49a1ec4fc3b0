"""The supervisor with a tiny child program in place of a provider."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier
from typing import Any

import psutil  # type: ignore[import-untyped, unused-ignore]
import pytest

from mfagate.sandbox import BETWEEN_MESSAGES, Running, SandboxError
from mfagate.sandbox.supervisor import supervise

PROGRAM = """
import json, os, signal, sys, time
from pathlib import Path
from mfagate.sandbox import Running
from mfagate.sandbox.child import attach
child = attach()
Path(PIDS, str(os.getpid())).touch()
{before}
values = {{"pid": str(os.getpid()), "directory": str(child.directory)}}
values["environment"] = json.dumps(dict(os.environ))
child.ready(Running("http://127.0.0.1:9", values, frozenset({{"environment"}})))
time.sleep(600)
"""

PARENT = """
import json, os, sys, time
from pathlib import Path
from mfagate.sandbox.supervisor import supervise
with supervise(Path(sys.argv[1]), "The sandbox") as running:
    if "fork" in sys.argv and not (sibling := os.fork()):
        time.sleep(600)
    print(json.dumps({"sibling": sibling if "fork" in sys.argv else 0, **running.values}), flush=True)
    time.sleep(600)
"""

MakeProgram = Callable[..., Path]
Check = Callable[[], None]


@pytest.fixture
def pids(tmp_path: Path) -> Path:
    """Where a child program leaves its pid as soon as it runs."""
    (tmp_path / "pids").mkdir()
    return tmp_path / "pids"


@pytest.fixture
def make_program(tmp_path: Path, pids: Path) -> MakeProgram:
    def make(before: str = "") -> Path:
        program = tmp_path / "program.py"
        program.write_text(PROGRAM.format(before=before).replace("PIDS", repr(str(pids))))
        return program

    return make


@pytest.fixture(autouse=True)
def temporary_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which sandboxes make theirs: empty again whenever they are gone."""
    directory = tmp_path / "tmp"
    directory.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(directory))
    monkeypatch.setenv("TMPDIR", str(directory))
    return directory


@pytest.fixture
def assert_nothing_left(pids: Path, temporary_directory: Path) -> Check:
    def check() -> None:
        started = [int(path.name) for path in pids.iterdir()]
        assert started
        deadline = time.monotonic() + 20
        while any(map(is_alive, started)) or any(temporary_directory.iterdir()):
            assert time.monotonic() < deadline, (started, list(temporary_directory.iterdir()))
            time.sleep(0.01)

    return check


def is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_hands_out_what_the_child_announces(make_program: MakeProgram, assert_nothing_left: Check) -> None:
    with supervise(make_program(), "The sandbox") as running:
        assert running.endpoint == "http://127.0.0.1:9"
        assert running.secrets == {"environment"}
        assert is_alive(int(running.values["pid"]))
        assert Path(running.values["directory"]).is_dir()
    assert_nothing_left()


def test_representation_shows_no_value() -> None:
    assert "s3cret" not in repr(Running("http://127.0.0.1:9", {"key": "s3cret"}, frozenset({"key"})))


def test_child_does_not_get_our_environment(make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUO_SECRET_KEY", "s3cret")
    with supervise(make_program(), "The sandbox") as running:
        environment = json.loads(running.values["environment"])
    assert "DUO_SECRET_KEY" not in environment
    assert environment["PATH"] == os.environ["PATH"]


@pytest.mark.parametrize("seconds", ["soon", "", "-1", "nan", "0.5", "9" * 5000])
def test_a_bad_interval_between_messages_is_refused(
    make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch, seconds: str
) -> None:
    monkeypatch.setenv(BETWEEN_MESSAGES, seconds)
    with (
        pytest.raises(SandboxError, match=f"{BETWEEN_MESSAGES} is not a whole number"),
        supervise(make_program(), "it"),
    ):
        pass


def test_files_beside_the_program_shadow_no_library(
    make_program: MakeProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secrets.py").write_text("raise RuntimeError('the wrong module')")
    monkeypatch.chdir(tmp_path)
    with supervise(make_program("import secrets"), "The sandbox"):
        pass


def test_stray_print_is_not_taken_for_the_announcement(make_program: MakeProgram) -> None:
    with supervise(make_program("print('welcome', flush=True)"), "The sandbox") as running:
        assert running.endpoint == "http://127.0.0.1:9"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_stopped_after_an_exception(
    make_program: MakeProgram, assert_nothing_left: Check, error: type[BaseException]
) -> None:
    with pytest.raises(error), supervise(make_program(), "The sandbox"):
        raise error
    assert_nothing_left()


def test_child_that_ignores_termination_is_killed(make_program: MakeProgram, assert_nothing_left: Check) -> None:
    program = make_program("signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    with supervise(program, "The sandbox", stop_seconds=0.1):
        pass
    assert_nothing_left()


def test_several_at_once(make_program: MakeProgram, assert_nothing_left: Check) -> None:
    program, all_running = make_program(), Barrier(4)

    def run(_: int) -> str:
        with supervise(program, "The sandbox") as running:
            all_running.wait(30)
            return running.values["directory"]

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(run, range(4)))) == 4
    assert_nothing_left()


def test_failed_start_shows_the_end_of_the_log(make_program: MakeProgram, assert_nothing_left: Check) -> None:
    program = make_program("print(*range(100), sep='\\n'); sys.exit('no licence')")
    with pytest.raises(SandboxError) as caught, supervise(program, "The sandbox"):
        pytest.fail("it did not start")
    message = str(caught.value)
    assert message.startswith("The sandbox could not be started. Its log ends with: 81 | 82 | ")
    assert message.endswith(" | 99 | no licence")
    assert_nothing_left()


@pytest.mark.parametrize("announcement", ["[]", '{"endpoint": "http://127.0.0.1:9"}', "hello"])
def test_other_announcement_is_a_failed_start(tmp_path: Path, announcement: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(f"print({announcement!r}, flush=True)\nimport time; time.sleep(600)")
    with pytest.raises(SandboxError, match="could not be started"), supervise(program, "The sandbox"):
        pytest.fail("it did not start")


def test_start_takes_too_long(make_program: MakeProgram, pids: Path, assert_nothing_left: Check) -> None:
    program = make_program("print('loading', file=sys.stderr, flush=True); time.sleep(600)")
    with (
        pytest.raises(SandboxError) as caught,
        supervise(program, "The sandbox", start_seconds=2),
    ):
        pytest.fail("it did not start")
    assert str(caught.value) == "The sandbox was not ready within 2 s. Its log ends with: loading"
    assert_nothing_left()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_stopped_when_the_parent_is(make_program: MakeProgram, assert_nothing_left: Check, name: str) -> None:
    parent, _ = start_parent(make_program())
    # To the group, as a terminal does: the child must not be hit before its parent.
    os.killpg(parent.pid, getattr(signal, name))
    parent.wait(timeout=30)
    assert_nothing_left()


def test_stopped_although_a_process_forked_from_the_parent_lives_on(
    make_program: MakeProgram, assert_nothing_left: Check
) -> None:
    parent, values = start_parent(make_program(), "fork")
    try:
        parent.kill()
        parent.wait(timeout=30)
        assert_nothing_left()
        assert is_alive(values["sibling"])
    finally:
        with suppress(ProcessLookupError):
            os.kill(values["sibling"], signal.SIGKILL)


def test_started_by_hand_and_interrupted(make_program: MakeProgram, assert_nothing_left: Check) -> None:
    arguments = [sys.executable, str(make_program())]
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["endpoint"] == "http://127.0.0.1:9"
        process.send_signal(signal.SIGINT)
    assert_nothing_left()


def start_parent(program: Path, *options: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    """A program of its own that supervises ``program``; the values it was handed."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(program), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout is not None
    with parent.stdout:
        return parent, json.loads(parent.stdout.readline())
