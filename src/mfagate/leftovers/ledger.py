"""A record on this machine of what a run makes and sends, written before it is made or sent.

One file for each run and target, a line for each entry, each on the disk before the request leaves. While the run
lives it holds a lock on its file, so that a file that can be locked belongs to a run that has ended.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from mfagate.files import NotOurs, make_private_folder, open_private
from mfagate.leftovers.marks import Mark, short_run
from mfagate.resources import shortage_of

_NAMED = "named-"
"""How the names of the records of runs begin that may be repeated."""

_KEPT_SECONDS = 7 * 86400.0
"""How long a record is kept at most: of a target that is asked no more, or of the messages of a run with a name."""


@dataclass(frozen=True, slots=True)
class Thing:
    """Something at a provider: ``kind`` is the provider's word for it, ``name`` what it is removed by."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class NotRecorded(Exception):
    """There is no record, so nothing may be made; the message says what to do."""


class AlreadySent(Exception):
    """This was sent before in this run."""


def folder_of(provider: str) -> Path:
    """The private folder with the records of one provider.

    Raises:
        NotRecorded: No folder can be written.
    """
    return _private(_state() / "leftovers" / hashlib.sha256(provider.encode()).hexdigest()[:16])


def _state() -> Path:
    """``$XDG_STATE_HOME/mfagate`` or ``~/.local/state/mfagate``, by https://specifications.freedesktop.org/basedir/.

    Without a home, a folder of this user in the temporary folder.
    """
    given = Path(os.environ.get("XDG_STATE_HOME", ""))
    with suppress(RuntimeError, NotRecorded):
        return _private((given if given.is_absolute() else Path.home() / ".local" / "state") / "mfagate")
    return _private(Path(tempfile.gettempdir(), f"mfagate-state-{os.getuid()}"))


def _private(folder: Path) -> Path:
    """Make a folder that nobody else can read or write."""
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        make_private_folder(folder)
    except NotOurs as fault:
        raise NotRecorded(f"{folder} {fault}: set XDG_STATE_HOME to another folder") from None
    except OSError as error:
        if shortage_of(error) is not None:
            raise
        raise NotRecorded(f"{folder} cannot be used ({error.strerror}): set XDG_STATE_HOME to another folder") from None
    return folder


@dataclass(slots=True)
class _Entries:
    """What the entries of a record come to.

    ``things`` are those that may be there; the value is whether the provider has made it.
    """

    target: str = ""
    things: dict[Thing, bool] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)

    def apply(self, what: str, first: str, second: str) -> None:
        """Take in one entry."""
        match what:
            case "target":
                self.target = first
            case "making":
                self.things[Thing(first, second)] = False
            case "made":
                self.things[Thing(first, second)] = True
            case "removed":
                self.things.pop(Thing(first, second), None)
            case "sending":
                self.sent.add(first)
            case "refused":
                self.sent.discard(first)

    @property
    def newest_first(self) -> list[Thing]:
        """The things in the order in which they are removed."""
        return list(self.things)[::-1]


class Ledger:
    """What one run has made at one target and not removed, and which messages it has sent.

    Without a folder it is kept in memory alone: for a sandbox that ends with the run.
    """

    def __init__(
        self, run: str | None = None, folder: Path | None = None, *, target: str = "", refusal: str | None = None
    ) -> None:
        """``run`` names the run, for a run that may be repeated; a run without a name is never repeated.

        ``target`` is where things are made: whoever asks the same one may remove them by their names alone.

        With a ``refusal``, nothing can be recorded, and that is the reason.

        Raises:
            NotRecorded: The folder cannot be written, or a run of this name is under way.
        """
        self._is_named = run is not None
        name = run or uuid.uuid4().hex
        self._run = short_run(name)
        self._lock = threading.Lock()
        self._entries = _Entries()
        self._path: Path | None = None
        self._file = -1
        self._refusal = refusal
        self.was_interrupted = False
        """Whether a request may still be under way: then what was not there may yet be made, and stays recorded."""
        if folder is not None:
            kind = _NAMED if self._is_named else ""
            shared = hashlib.sha256(f"{name}\n{target}".encode("utf-8", "surrogatepass")).hexdigest()
            self._path = folder / f"{kind}{shared[:32]}.jsonl"
            self._file = _locked(self._path)
            self._entries = _read(self._file)
            self._write("target", target)

    def _write(self, what: str, first: str, second: str = "") -> None:
        with self._lock:
            if self._refusal is not None:
                raise NotRecorded(self._refusal)
            if self._path is not None:
                try:
                    _append(self._file, what, first, second)
                    os.fsync(self._file)
                except OSError as error:
                    raise NotRecorded(f"{self._path} cannot be written: {error.strerror}") from None
            self._entries.apply(what, first, second)

    def mark(self) -> Mark:
        """A new name for something that this run makes."""
        return Mark(self._run)

    @property
    def things(self) -> list[Thing]:
        """What is to be removed, the newest first."""
        with self._lock:
            return self._entries.newest_first

    def making(self, thing: Thing) -> None:
        """Record that a thing is about to be made.

        Raises:
            NotRecorded: It could not be recorded, and must not be made.
        """
        self._write("making", thing.kind, thing.name)

    def made(self, thing: Thing) -> None:
        """Record that the provider made it."""
        self._write("made", thing.kind, thing.name)

    def removed(self, thing: Thing) -> None:
        """Record that it is gone."""
        if self.was_interrupted and not self._entries.things.get(thing, True):
            return
        with suppress(NotRecorded):  # It will be looked for in vain.
            self._write("removed", thing.kind, thing.name)

    def sending(self, message: str) -> None:
        """Record that a message is about to be sent, once.

        Raises:
            AlreadySent: This run has sent it.
            NotRecorded: It could not be recorded, and must not be sent.
        """
        if message in self._entries.sent:
            raise AlreadySent(message)
        self._write("sending", message)

    def not_sent(self, message: str) -> None:
        """Record that a message did not reach the provider, or that the provider says that it sent none."""
        self._write("refused", message)

    def close(self) -> None:
        """End the record. Things that are left stay in it, for the next run on this machine."""
        with self._lock:
            if self._path is None or self._file < 0:
                return
            if not self._entries.things and not (self._is_named and self._entries.sent):
                with suppress(OSError):
                    self._path.unlink()
            os.close(self._file)
            self._file = -1


class Abandoned:
    """The record of a run that has ended: of ``things``, nobody knows whether they are still there."""

    def __init__(self, path: Path, file: int) -> None:
        self._path = path
        self._file = file
        self._is_kept = path.name.startswith(_NAMED)
        self._entries = _read(file)

    @property
    def target(self) -> str:
        """Where the run made them."""
        return self._entries.target

    @property
    def things(self) -> list[Thing]:
        """What is to be removed, the newest first."""
        return self._entries.newest_first

    def removed(self, thing: Thing) -> None:
        """Record that it is gone."""
        self._entries.apply("removed", thing.kind, thing.name)
        with suppress(OSError):
            _append(self._file, "removed", thing.kind, thing.name)

    def close(self) -> None:
        """Delete the record if nothing is left in it, or if it is old."""
        with suppress(OSError):
            age = time.time() - self._path.stat().st_mtime
            if age > _KEPT_SECONDS or not (self._entries.things or self._is_kept):
                self._path.unlink(missing_ok=True)
        os.close(self._file)


def abandoned(folder: Path) -> Iterator[Abandoned]:
    """The records of runs that have ended and have left something, however they ended."""
    for path in sorted(folder.glob("*.jsonl")):
        try:
            record = Abandoned(path, _locked(path))
        except NotRecorded:
            continue  # Its run is under way, or it is no record.
        try:
            yield record
        finally:
            record.close()


def _locked(path: Path) -> int:
    """Open a record and lock it for as long as it is open."""
    try:
        file = open_private(path, os.O_CREAT | os.O_APPEND)
    except NotOurs as fault:
        raise NotRecorded(f"{path} {fault}") from None
    except OSError as error:
        if shortage_of(error) is not None:
            raise
        raise NotRecorded(f"{path} cannot be written: {error.strerror}") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        raise NotRecorded(f"{path} is in use: a run of this name is under way") from None
    # Whoever held the lock until now may have deleted the file.
    with suppress(OSError):
        if os.fstat(file).st_ino == path.stat().st_ino:
            return file
    os.close(file)
    return _locked(path)


def _append(file: int, what: str, first: str, second: str) -> None:
    """Append one entry, in a line of its own.

    Raises:
        OSError: It was not written as a whole.
    """
    line = (json.dumps([what, first, second]) + "\n").encode()
    before = os.fstat(file).st_size
    if os.write(file, line) < len(line):
        os.ftruncate(file, before)  # The next entry must not continue half of this one.
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _read(file: int) -> _Entries:
    """Read the whole lines of a record and cut off half a line: its request was never sent."""
    entries = _Entries()
    with open(file, "rb", closefd=False) as record:
        record.seek(0)
        content = record.read()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        with suppress(OSError):
            os.ftruncate(file, len(whole))
    for line in whole.decode("utf-8", "replace").split("\n"):
        with suppress(ValueError, TypeError):
            what, first, second = json.loads(line)
            entries.apply(str(what), str(first), str(second))
    return entries
