"""Start the program of a sandbox, wait until it is ready, and always stop it."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from mfagate.core.foreign import quoted
from mfagate.core.numbers import whole
from mfagate.leftovers.folders import remove_abandoned, temporary_folder
from mfagate.sandbox import BETWEEN_MESSAGES, Running, SandboxError

# What a Python program needs to start, and to see the same clock under libfaketime. No other variable is passed on:
# the environment contains the credentials that are being checked.
_ENVIRONMENT: tuple[str, ...] = (
    "FAKETIME",
    "FAKETIME_DONT_FAKE_MONOTONIC",
    "HOME",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "PATH",
    "PYTHONHOME",
    "PYTHONPATH",
    "TMPDIR",
    "TZ",
    BETWEEN_MESSAGES,
)
_LOG_LINES = 20


@contextmanager
def supervise(
    program: Path, name: str, *, faults: Path | None = None, start_seconds: float = 60.0, stop_seconds: float = 5.0
) -> Iterator[Running]:
    """Run a Python program that uses :mod:`mfagate.sandbox.child` while the context lasts.

    The program gets an empty directory and almost no environment variables. Directories left by
    killed runs are removed first. Threads may call this at the same time.

    Args:
        program: The file of the program.
        name: Its name in messages.
        faults: The file that lists its faults.
        start_seconds: How long to wait until it is ready.
        stop_seconds: How long it may take to end before it is killed.

    Raises:
        SandboxError: The program ended, or was not ready in time; the message ends with the last
            lines of its log.
    """
    remove_abandoned()
    with temporary_folder() as directory:
        log = directory / "log"
        process = _start(program, log, str(directory), *([str(faults)] if faults else []))
        try:
            yield _wait_until_ready(process, name, start_seconds, log)
        finally:
            _stop(process, stop_seconds)


def _start(program: Path, log: Path, directory: str, *more: str) -> subprocess.Popen[bytes]:
    environment = {key: os.environ[key] for key in _ENVIRONMENT if key in os.environ}
    if whole(environment.get(BETWEEN_MESSAGES, "0")) is None:
        raise SandboxError(f"{BETWEEN_MESSAGES} is not a whole number of seconds")
    with log.open("wb") as stderr:
        return subprocess.Popen(  # noqa: S603 - a program of ours, and no shell
            # -P: a file in the program's folder or the current folder must not shadow a library.
            [sys.executable, "-P", str(program), directory, *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            cwd=directory,
            env=environment,
            # Ctrl-C in the terminal must not reach the child: this process decides when it ends.
            start_new_session=True,
        )


def _wait_until_ready(process: subprocess.Popen[bytes], name: str, seconds: float, log: Path) -> Running:
    assert process.stdout is not None
    with process.stdout as announcements:
        line = _read_line(announcements, time.monotonic() + seconds)
    if line is None:
        raise SandboxError(f"{name} was not ready within {seconds:g} s.{_tail(log)}")
    try:
        ready = json.loads(line)
        return Running(ready["endpoint"], ready["values"], frozenset(ready["secrets"]), ready["ca_bundle"])
    except (ValueError, LookupError, TypeError):
        raise SandboxError(f"{name} could not be started.{_tail(log)}") from None


def _read_line(stream: IO[bytes], deadline: float) -> bytes | None:
    """Return the stream up to its first newline or its end, or None when the time is up."""
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while selector.select(max(0.0, deadline - time.monotonic())):
            part = os.read(stream.fileno(), 65536)
            line += part
            if not part or part.endswith(b"\n"):
                return line
    return None


def _tail(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").splitlines()[-_LOG_LINES:]
    return f" Its log ends with: {' | '.join(map(quoted, lines))}" if lines else ""


def _stop(process: subprocess.Popen[bytes], seconds: float) -> None:
    """End the child's whole session; a second Ctrl-C ends the grace period."""
    try:
        _signal(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    finally:
        _signal(process, signal.SIGKILL)
        process.wait()
        if process.stdin is not None:
            process.stdin.close()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    # After wait(), the pid may belong to another process.
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
