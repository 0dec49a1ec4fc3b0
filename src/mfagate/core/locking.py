"""Locks between the runs on one machine, and the private folder that contains them.

``flock`` holds a lock, so the lock ends with its process, however the process ends. The file is never
removed, because one run could lock the old file and another run the new one.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mfagate.core.files import NotOurs, make_private_folder, open_private
from mfagate.core.resources import shortage_of

_BETWEEN_TRIES_SECONDS = 0.05
_LARGEST_NOTE = 4096


class NotPrivate(Exception):
    """Other users can access the folder for locks; the message says what to do."""


class Held(Exception):
    """Another run holds the lock; the message names it."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The holder of a lock: its process, its command, and the time at which it got the lock."""

    pid: int
    since: datetime
    command: str

    def __str__(self) -> str:
        return f"process {self.pid} ({self.command}), since {self.since:%Y-%m-%d %H:%M:%S} UTC"


def private_folder() -> Path:
    """Return the folder for files of this user's runs, which no other user can read, change or replace.

    Raises:
        NotPrivate: Another user owns it or may write to it.
    """
    return _ours(_place())


def _ours(folder: Path) -> Path:
    """Make the folder if it is missing, and check that no other user has access to it."""
    try:
        make_private_folder(folder)
    except NotOurs as fault:
        raise NotPrivate(
            f"the folder {folder} for locks {fault}; remove it, or set XDG_RUNTIME_DIR to a folder of your own"
        ) from None
    return folder


def _place() -> Path:
    """Return the folder by the XDG base directory specification, or else one with the user's number in its name."""
    given = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}"
    runtime = Path(given)
    try:
        status = runtime.stat()
        # Anybody who may write there could replace our folder.
        private = status.st_uid == os.geteuid() and not status.st_mode & 0o022
        usable = runtime.is_absolute() and private and os.access(runtime, os.W_OK)
    except (OSError, ValueError):
        usable = False
    return runtime / "mfagate" if usable else _common_place()


def _common_place() -> Path:
    return Path(tempfile.gettempdir(), f"mfagate-{os.geteuid()}")


@contextmanager
def locked(name: str, is_too_late: Callable[[], bool]) -> Iterator[None]:
    """Hold the lock with this name. Wait for it until ``is_too_late`` returns true.

    Raises:
        Held: Another run still holds the lock.
        NotPrivate: No private folder can be used for the lock.
    """
    with ExitStack() as stack:
        for folder in _folders():
            stack.enter_context(_locked(folder / f"{name}.lock", is_too_late))
        yield


def _folders() -> Iterator[Path]:
    """Yield the private folder, and the folder that runs with other environment variables use as well.

    A scheduled run often has no ``XDG_RUNTIME_DIR``, and that folder may only exist during a
    user's session. All runs lock the folders in this order, so that there is no deadlock.
    """
    private = private_folder()
    yield private
    # Another user may own a folder with that name. The lock in the private folder is already held.
    with suppress(NotPrivate, OSError):
        common = _ours(_common_place())
        if common != private:
            yield common


@contextmanager
def _locked(path: Path, is_too_late: Callable[[], bool]) -> Iterator[None]:
    try:
        descriptor = open_private(path, os.O_CREAT)
    except NotOurs as fault:
        raise NotPrivate(f"the lock {path} {fault}; remove it") from None
    except OSError as error:
        if shortage_of(error) is not None:
            raise
        raise NotPrivate(f"the lock {path} cannot be opened: {error.strerror or error}; remove it") from None
    try:
        _wait_for(descriptor, is_too_late)
        _write_note(descriptor)
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, is_too_late: Callable[[], bool]) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise NotPrivate(f"this file system has no locks ({error.strerror}): set XDG_RUNTIME_DIR") from None
            if is_too_late():
                raise Held(str(_holder(descriptor) or "another run of mfagate")) from None
            time.sleep(_BETWEEN_TRIES_SECONDS)
        else:
            return


def _write_note(descriptor: int) -> None:
    note = {"pid": os.getpid(), "since": int(time.time()), "command": _command()}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(note).encode(), 0)


def _command() -> str:
    """Return the program and its command, without options, because their values may be secret."""
    path, first, *_ = [*sys.argv, "", ""]
    program = re.sub(r"[^A-Za-z0-9_.-]", "", Path(path).name)[:60].replace("__main__.py", "mfagate") or "python"
    return f"{program} {first}" if re.fullmatch(r"[a-z][a-z-]{0,30}", first) else program


def _holder(descriptor: int) -> Holder | None:
    """Return the note of the holder; None if there is none yet or it cannot be read."""
    try:
        note = json.loads(os.pread(descriptor, _LARGEST_NOTE, 0))
        pid, since, command = int(note["pid"]), float(note["since"]), str(note["command"])
        shown = "".join(sign for sign in command[:80] if sign.isascii() and sign.isprintable())
        return Holder(pid, datetime.fromtimestamp(since, UTC), shown)
    except (OSError, ValueError, LookupError, TypeError, OverflowError):
        return None
