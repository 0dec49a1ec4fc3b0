"""Run commands in forks of a process that has imported them, because an interpreter takes most of a second to start.

A fork has its own state, signals and exit code, as any process has. The one difference is that all modules are
imported. A command whose environment changes how an interpreter starts gets an interpreter of its own.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, NoReturn

from mfagate.secrets.fingerprint import OF_THIS_PROCESS

_AT_START = ("FAKETIME", "LANG", "LC_", "LD_", "MALLOC", "OPENSSL", "PYTHON", "TZ")
"""Variables that begin like this are read when an interpreter starts or a library is loaded."""

_MEASURED = ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
"""These start coverage in an interpreter. It starts in the forks, and not in the process that is forked."""

_LONGEST_REQUEST = 1 << 20


_STARTED_WITH = dict(os.environ)


def can_run(env: Mapping[str, str]) -> bool:
    """Return whether an interpreter would start in this environment as it started in that of this process."""
    return _at_start(env) == _at_start(_STARTED_WITH)


def run(arguments: Sequence[str], folder: Path, env: Mapping[str, str], seconds: float) -> tuple[int, str, str]:
    """Return the exit code, the output and the errors of ``mfagate`` with these arguments.

    Raises:
        subprocess.TimeoutExpired: The command took more than ``seconds``; it was killed.
    """
    try:
        process = _idle.pop()
    except IndexError:
        process = _Preloaded()
    result = process.run(arguments, folder, env, seconds)
    _idle.append(process)
    return result


class _Preloaded:
    """A process that runs one command at a time, each in a fork."""

    def __init__(self) -> None:
        self._connection, other = socket.socketpair()
        with other:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", __name__, str(other.fileno())],
                env={name: value for name, value in _STARTED_WITH.items() if name not in _MEASURED},
                stdin=subprocess.DEVNULL,
                pass_fds=[other.fileno()],
                start_new_session=True,
            )
        atexit.register(self._close)

    def run(
        self, arguments: Sequence[str], folder: Path, env: Mapping[str, str], seconds: float
    ) -> tuple[int, str, str]:
        request = json.dumps({"arguments": arguments, "folder": str(folder), "env": dict(env)}).encode()
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            self._connection.settimeout(seconds)
            try:
                socket.send_fds(self._connection, [request], [out.fileno(), err.fileno()])
                code = int(self._connection.recv(16))
            except TimeoutError:
                self._close()
                raise subprocess.TimeoutExpired(["mfagate", *arguments], seconds) from None
            out.seek(0)
            err.seek(0)
            return code, out.read(), err.read()

    def _close(self) -> None:
        """End the process, and the command that it runs."""
        self._connection.close()
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        atexit.unregister(self._close)


_idle: list[_Preloaded] = []


def _at_start(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(_AT_START)}


def _serve(connection: socket.socket) -> None:
    _import_everything()
    # What is imported stays in memory that all forks share.
    gc.collect()
    gc.freeze()
    while True:
        request, streams, _, _ = socket.recv_fds(connection, _LONGEST_REQUEST, 2)
        if not request:
            return
        child = os.fork()
        if child == 0:
            connection.close()
            _run(json.loads(request), streams)
        for stream in streams:
            os.close(stream)
        _, status = os.waitpid(child, 0)
        connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())


def _import_everything() -> None:
    import mfagate

    modules = [module.name for module in walk_packages(mfagate.__path__, "mfagate.")]
    for name in ["coverage", *modules]:
        if not name.endswith(("__main__", ".plugin")):
            with suppress(ImportError):  # Modules of extras that are not installed.
                import_module(name)


def _run(request: dict[str, Any], streams: list[int]) -> NoReturn:
    try:
        for number, stream in enumerate(streams, 1):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["env"])
        sys.argv = ["mfagate", *request["arguments"]]
        sys.path[0] = request["folder"]
        if any(name in os.environ for name in _MEASURED):
            import_module("coverage").process_startup()
        # Each process has a key of its own, but this one has the key of the process that it was forked from.
        object.__setattr__(OF_THIS_PROCESS, "text", secrets.token_hex(32))
        # As ``python -m mfagate`` does: what tests use is below the command line, and does not import it.
        import_module("mfagate.__main__").main()
    finally:
        # The command ends the process. What comes here is an error before it began.
        traceback.print_exc()
        os._exit(1)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
