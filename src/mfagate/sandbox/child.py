"""The child's side of the supervision: what the program of a sandbox calls.

The parent holds the other end of the child's stdin and never writes to it. When
the parent is gone, however it went, that end closes and the child ends itself.
A parent-death signal would not do: Linux ties it to the *thread* that started
the child (https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html).
"""

from __future__ import annotations

import atexit
import json
import os
import select
import shutil
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from mfagate.sandbox import Running

_MOST_TRIES = 100


@dataclass(frozen=True, slots=True)
class Child:
    """A supervised process: ``directory`` is its own and is removed after it.

    ``faults`` is the file that says what goes wrong, where that may be asked for.
    """

    directory: Path
    _announcements: int
    faults: Path | None = None

    def ready(self, running: Running) -> None:
        """Tell the parent, once, that requests to ``running.endpoint`` are answered from now on."""
        line = json.dumps(
            {
                "endpoint": running.endpoint,
                "values": dict(running.values),
                "secrets": sorted(running.secrets),
                "ca_bundle": running.ca_bundle,
            }
        )
        with os.fdopen(self._announcements, "w", encoding="utf-8") as announcements:
            announcements.write(line + "\n")


def attach() -> Child:
    """Tie this process to its parent. To be called first, before anything may print.

    The directory is the first argument; started by hand, without one, the
    program makes its own. The file of the faults is the second.
    """
    if len(sys.argv) > 1:
        directory = Path(sys.argv[1])
    else:
        directory = Path(tempfile.mkdtemp(prefix="mfagate-"))
        atexit.register(shutil.rmtree, directory, ignore_errors=True)
    threading.Thread(target=_end_with_parent, args=(directory, os.getppid()), daemon=True).start()
    announcements = os.dup(sys.stdout.fileno())
    # A stray print of the provider must not be taken for the announcement.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return Child(directory, announcements, Path(sys.argv[2]) if len(sys.argv) > 2 else None)


def _end_with_parent(directory: Path, parent: int) -> None:
    stdin = sys.stdin.fileno()
    # The parent's pid is looked at too: a process forked from the parent may
    # outlive it and hold the pipe open.
    while os.getppid() == parent:
        readable, _, _ = select.select([stdin], [], [], 1.0)
        if readable and not os.read(stdin, 1024):
            break
    _remove(directory)
    os._exit(0)


def _remove(directory: Path) -> None:
    # The program's other threads may still be writing there: what they add meanwhile goes with the next try.
    for _ in range(_MOST_TRIES):
        shutil.rmtree(directory, ignore_errors=True)
        if not directory.exists():
            return
        time.sleep(0.01)
