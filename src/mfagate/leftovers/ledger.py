"""Record on this machine what a run makes and sends, before it makes or sends it.

There is one file for each run and target, and one line for each entry. Each entry is on disk before the request is
sent. A run locks its file while it lives, so a file that can be locked belongs to a run that has ended.
"""

from __future__ import annotations

import copy
import errno
import fcntl
import hashlib
import json
import os
import tempfile
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from mfagate.core.files import NotOurs, make_private_folder, open_private
from mfagate.core.resources import shortage_of
from mfagate.leftovers.marks import Mark, short_run

_NAMED = "named-"
"""The prefix of the records of runs with a name, which may be repeated."""

_KEPT_SECONDS = 7 * 86400.0
"""The longest time to keep the record of a target that is not used again, or of a named run with messages."""


@dataclass(frozen=True, slots=True)
class Thing:
    """An object at a provider. ``kind`` is the provider's term for it; ``name`` identifies it for removal."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class NotRecorded(Exception):
    """The record cannot be written, so nothing may be made; the message contains the next step."""


class AlreadySent(Exception):
    """This message was already sent in this run."""


def folder_of(provider: str) -> Path:
    """Return the private folder with the records of one provider.

    Raises:
        NotRecorded: The folder cannot be written.
    """
    return _private(state_folder() / "leftovers" / hashlib.sha256(provider.encode()).hexdigest()[:16])


def state_folder() -> Path:
    """Return ``$XDG_STATE_HOME/mfagate`` or ``~/.local/state/mfagate``.

    This follows https://specifications.freedesktop.org/basedir/. Without a home folder, it is a folder of this user in
    the temporary folder.
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
    """The combined entries of a record.

    ``things`` are those that may exist, each with whether the provider has confirmed it.
    """

    target: str = ""
    things: dict[Thing, bool] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)

    def apply(self, what: str, first: str, second: str) -> None:
        """Apply one entry."""
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


@dataclass(slots=True)
class _Record:
    """The record of one run at one target: its file, if there is one, and the entries in it."""

    run: str
    path: Path | None = None
    file: int = -1
    refusal: str | None = None
    entries: _Entries = field(default_factory=_Entries)
    lock: threading.Lock = field(default_factory=threading.Lock)
    was_interrupted: bool = False

    def write(self, what: str, first: str, second: str = "") -> None:
        """Write one entry to the disk, and apply it.

        Raises:
            NotRecorded: It cannot be written.
        """
        with self.lock:
            if self.refusal is not None:
                raise NotRecorded(self.refusal)
            if self.path is not None:
                try:
                    _append(self.file, what, first, second)
                    os.fsync(self.file)
                except OSError as error:
                    raise NotRecorded(f"{self.path} cannot be written: {error.strerror}") from None
            self.entries.apply(what, first, second)


class Ledger:
    """The record of what one run has made at one target and not removed, and of the messages that it has sent.

    Without a folder, the record is only in memory, for a sandbox that ends with the run. Threads may share it.
    """

    def __init__(
        self, run: str | None = None, folder: Path | None = None, *, target: str = "", refusal: str | None = None
    ) -> None:
        """Open the record of a run.

        Args:
            run: The name of a run that may be repeated; a run without a name is never repeated.
            folder: Where the record is written.
            target: Where things are made. A later run against the same target may remove them by their names.
            refusal: The reason, if nothing can be recorded.

        Raises:
            NotRecorded: The folder cannot be written, or a run with this name is in progress.
        """
        self._is_named = run is not None
        name = run or uuid.uuid4().hex
        self._record = _Record(short_run(name), refusal=refusal)
        self._own: set[Thing] | None = None
        if folder is not None:
            kind = _NAMED if self._is_named else ""
            shared = hashlib.sha256(f"{name}\n{target}".encode("utf-8", "surrogatepass")).hexdigest()
            self._record.path = folder / f"{kind}{shared[:32]}.jsonl"
            self._record.file = _locked(self._record.path)
            self._record.entries = _read(self._record.file)
            self._record.write("target", target)

    def part(self, things: Iterable[Thing] = ()) -> Ledger:
        """Return a ledger with the same record, whose ``things`` are only these and those that are made through it."""
        part = copy.copy(self)
        part._own = set(things)
        return part

    def mark(self) -> Mark:
        """Return a new name for a thing that this run makes."""
        return Mark(self._record.run)

    @property
    def things(self) -> list[Thing]:
        """The things to remove, newest first."""
        with self._record.lock:
            things = self._record.entries.newest_first
        return things if self._own is None else [thing for thing in things if thing in self._own]

    def making(self, thing: Thing) -> None:
        """Record that a thing is about to be made.

        Raises:
            NotRecorded: The thing could not be recorded, so it must not be made.
        """
        if self._own is not None:
            self._own.add(thing)
        self._record.write("making", thing.kind, thing.name)

    def made(self, thing: Thing) -> None:
        """Record that the provider made a thing."""
        self._record.write("made", thing.kind, thing.name)

    def removed(self, thing: Thing) -> None:
        """Record that a thing is removed."""
        record = self._record
        if record.was_interrupted and not record.entries.things.get(thing, True):
            return
        with suppress(NotRecorded):  # A later run will look for it and not find it.
            record.write("removed", thing.kind, thing.name)

    def interrupted(self) -> None:
        """Record that a request may still be in progress.

        It may still make a thing that was not found, so such a thing stays recorded.
        """
        self._record.was_interrupted = True

    def sending(self, message: str) -> None:
        """Record that a message is about to be sent, once.

        Raises:
            AlreadySent: This run has already sent it.
            NotRecorded: The message could not be recorded, so it must not be sent.
        """
        if message in self._record.entries.sent:
            raise AlreadySent(message)
        self._record.write("sending", message)

    def not_sent(self, message: str) -> None:
        """Record that a message did not reach the provider, or that the provider refused to send it."""
        self._record.write("refused", message)

    def close(self) -> None:
        """Close the record. It keeps the remaining things for the next run on this machine."""
        record = self._record
        with record.lock:
            if record.path is None or record.file < 0:
                return
            if not record.entries.things and not (self._is_named and record.entries.sent):
                with suppress(OSError):
                    record.path.unlink()
            os.close(record.file)
            record.file = -1


class Abandoned:
    """The record of a run that has ended. Its ``things`` may or may not still exist."""

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
        """The things to remove, newest first."""
        return self._entries.newest_first

    def removed(self, thing: Thing) -> None:
        """Record that a thing is removed."""
        self._entries.apply("removed", thing.kind, thing.name)
        with suppress(OSError):
            _append(self._file, "removed", thing.kind, thing.name)

    def close(self) -> None:
        """Close the record; delete it if nothing is left in it, or if it is old."""
        with suppress(OSError):
            age = time.time() - self._path.stat().st_mtime
            if age > _KEPT_SECONDS or not (self._entries.things or self._is_kept):
                self._path.unlink(missing_ok=True)
        os.close(self._file)


def abandoned(folder: Path) -> Iterator[Abandoned]:
    """Yield the records of runs that have ended in any way."""
    for path in sorted(folder.glob("*.jsonl")):
        try:
            record = Abandoned(path, _locked(path))
        except NotRecorded:
            continue  # Its run is in progress, or it is not a record.
        try:
            yield record
        finally:
            record.close()


def _locked(path: Path) -> int:
    """Open a record, and lock it for as long as it is open."""
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
        raise NotRecorded(f"{path} is in use: a run with this name is in progress") from None
    # The previous holder of the lock may have deleted the file.
    with suppress(OSError):
        if os.fstat(file).st_ino == path.stat().st_ino:
            return file
    os.close(file)
    return _locked(path)


def _append(file: int, what: str, first: str, second: str) -> None:
    """Append one entry, on its own line.

    Raises:
        OSError: It was not written completely.
    """
    line = (json.dumps([what, first, second]) + "\n").encode()
    before = os.fstat(file).st_size
    if os.write(file, line) < len(line):
        os.ftruncate(file, before)  # The next entry must not continue half of this one.
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _read(file: int) -> _Entries:
    """Read the complete lines of a record. Cut off an incomplete line, because its request was never sent."""
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
