"""Locks between the runs on one machine, and the private folder in which they lie.

A lock is held through ``flock``, so that it ends with its process however that ends. The file stays:
whoever removed it would let two holders in, one with the old file and one with the new.
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

from mfagate.files import NotOurs, make_private_folder, open_private
from mfagate.resources import shortage_of

_BETWEEN_TRIES_SECONDS = 0.05
_LARGEST_NOTE = 4096


class NotPrivate(Exception):
    """The place for locks is not ours alone; the message says what to do."""


class Held(Exception):
    """Another run has the lock; the message says which."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock: its process, its command, and the time at which it got the lock."""

    pid: int
    since: datetime
    command: str

    def __str__(self) -> str:
        return f"process {self.pid} ({self.command}), since {self.since:%Y-%m-%d %H:%M:%S} UTC"


def private_folder() -> Path:
    """The folder for files of this user's runs, which nobody else can read, change or replace.

    Raises:
        NotPrivate: Somebody else owns it or may write to it.
    """
    return _ours(_place())


def _ours(folder: Path) -> Path:
    """Make the folder where it is missing, and make sure that it is ours alone."""
    try:
        make_private_folder(folder)
    except NotOurs as fault:
        raise NotPrivate(
            f"the folder {folder} for locks {fault}; remove it, or set XDG_RUNTIME_DIR to a folder of your own"
        ) from None
    return folder


def _place() -> Path:
    """As of the XDG base directory specification; without one, a folder with the user's number in its name."""
    given = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}"
    runtime = Path(given)
    try:
        status = runtime.stat()
        # Whoever may write there could put another folder in the place of ours.
        private = status.st_uid == os.geteuid() and not status.st_mode & 0o022
        usable = runtime.is_absolute() and private and os.access(runtime, os.W_OK)
    except (OSError, ValueError):
        usable = False
    return runtime / "mfagate" if usable else _common_place()


def _common_place() -> Path:
    return Path(tempfile.gettempdir(), f"mfagate-{os.geteuid()}")


@contextmanager
def locked(name: str, is_too_late: Callable[[], bool]) -> Iterator[None]:
    """Hold the lock of this name; wait for it until ``is_too_late`` says so.

    Raises:
        Held: Another run still has it then.
        NotPrivate: There is no place for it that is ours alone.
    """
    with ExitStack() as stack:
        for folder in _folders():
            stack.enter_context(_locked(folder / f"{name}.lock", is_too_late))
        yield


def _folders() -> Iterator[Path]:
    """The private folder, and the one in which runs with other variables look for us.

    A scheduled run often has no ``XDG_RUNTIME_DIR``, and the folder that it names for a person
    may begin and end with their session. All take the folders in this order, so that none of
    them waits for another in a circle.
    """
    private = private_folder()
    yield private
    # Somebody else may have taken that name. The lock in the private folder is held by then.
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
    """The program and its command; no options, whose values may be secrets."""
    path, first, *_ = [*sys.argv, "", ""]
    program = re.sub(r"[^A-Za-z0-9_.-]", "", Path(path).name)[:60].replace("__main__.py", "mfagate") or "python"
    return f"{program} {first}" if re.fullmatch(r"[a-z][a-z-]{0,30}", first) else program


def _holder(descriptor: int) -> Holder | None:
    """What the holder wrote; None if that is not there yet, or is something else."""
    try:
        note = json.loads(os.pread(descriptor, _LARGEST_NOTE, 0))
        pid, since, command = int(note["pid"]), float(note["since"]), str(note["command"])
        shown = "".join(sign for sign in command[:80] if sign.isascii() and sign.isprintable())
        return Holder(pid, datetime.fromtimestamp(since, UTC), shown)
    except (OSError, ValueError, LookupError, TypeError, OverflowError):
        return None
