"""The child's side of the supervision: what the program of a sandbox calls.

The parent holds the other end of the child's stdin and never writes to it. When the parent
ends, even by a crash, that end closes and the child ends too. A parent-death signal does not
work here, because Linux ties it to the *thread* that started the child
(https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html).
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
    """A supervised process.

    ``directory`` belongs to it and is removed when it ends. ``faults`` is the file that lists its
    faults, or None if it was started without.
    """

    directory: Path
    _announcements: int
    faults: Path | None = None

    def ready(self, running: Running) -> None:
        """Announce to the parent, once, that ``running.endpoint`` answers requests."""
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
    """Tie this process to its parent. Call this first, before anything can print.

    The first command-line argument is the directory, the second the file of the faults. Without
    arguments, when a person starts the program, it creates its own directory.
    """
    if len(sys.argv) > 1:
        directory = Path(sys.argv[1])
    else:
        directory = Path(tempfile.mkdtemp(prefix="mfagate-"))
        atexit.register(shutil.rmtree, directory, ignore_errors=True)
    threading.Thread(target=_end_with_parent, args=(directory, os.getppid()), daemon=True).start()
    announcements = os.dup(sys.stdout.fileno())
    # Output of the provider must not be mistaken for the announcement.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return Child(directory, announcements, Path(sys.argv[2]) if len(sys.argv) > 2 else None)


def _end_with_parent(directory: Path, parent: int) -> None:
    stdin = sys.stdin.fileno()
    # A process forked from the parent may outlive it and hold the pipe open, so the parent's pid is checked as well.
    while os.getppid() == parent:
        readable, _, _ = select.select([stdin], [], [], 1.0)
        if readable and not os.read(stdin, 1024):
            break
    _remove(directory)
    os._exit(0)


def _remove(directory: Path) -> None:
    # Other threads of the program may still write files there; the next attempt removes those.
    for _ in range(_MOST_TRIES):
        shutil.rmtree(directory, ignore_errors=True)
        if not directory.exists():
            return
        time.sleep(0.01)
