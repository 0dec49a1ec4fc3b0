"""Read files of any kind, and replace files without losing data."""

from __future__ import annotations

import errno
import os
import re
import select
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from mfagate.core.resources import shortage_of

_DESCRIPTOR = re.compile(r"/dev/(stdout|stderr|fd/\d+)|/proc/[^/]+/fd/\d+")


class Unreadable(Exception):
    """A file cannot be used; the message completes "PATH …" and quotes nothing from the file.

    ``missing`` is true if there is no file; ``line`` is the first line that is not text.
    """

    def __init__(self, reason: str, *, missing: bool = False, line: int | None = None) -> None:
        super().__init__(reason)
        self.missing = missing
        self.line = line


class NotOurs(Exception):
    """Other users can access a folder or file; the message completes "PATH …"."""


class OutOfResources(Unreadable):
    """This machine had no descriptor or memory left for a file; nothing is wrong with the file."""


_USUAL_BYTES = 1 << 16
_READER_SECONDS = 3.0
"""How long to wait for a reader to open a pipe."""

_STALLED_SECONDS = 30.0
"""How long the reader of a pipe may pause."""


_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file to read it. Reading anything else, such as a pipe, may never end.

    Raises:
        OSError: It is missing, a folder, a pipe, a device, a socket, or not ours to read.
    """
    return os.fdopen(_descriptor(path, os.O_RDONLY), "rb")


def _descriptor(path: Path, flags: int) -> int:
    # It is opened without waiting for the other end of a pipe, and checked through the descriptor, which always
    # refers to the same file.
    try:
        descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket, or a pipe that is opened for writing and has no reader
            _require_regular(path, path.stat().st_mode)
        raise
    except UnicodeEncodeError:
        reason = f"its name cannot be written in {sys.getfilesystemencoding()}, the encoding of this locale"
        raise OSError(errno.EILSEQ, reason, str(path)) from None
    try:
        _require_regular(path, os.fstat(descriptor).st_mode)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def require_regular(path: Path) -> None:
    """Refuse a file that another library is about to open, if opening it might never end.

    Raises:
        OSError: As in :func:`open_regular`.
    """
    open_regular(path).close()


def require_appendable(path: Path) -> None:
    """Refuse a file that another library is about to append to, if that might never end; make it if it is missing.

    Raises:
        OSError: As in :func:`open_regular`.
    """
    os.close(_descriptor(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT))


def make_private_folder(folder: Path) -> None:
    """Make a folder if it is missing, and check that only this user can read or change its content.

    Raises:
        NotOurs: It is a link or not a folder, another user can use it, or it cannot be written.
        OSError: This machine ran out of a resource.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if shortage_of(error) is not None:
            raise
        raise NotOurs(f"cannot be used: {error.strerror or error}") from None
    try:
        status = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if status.st_uid != os.geteuid():
        raise NotOurs("belongs to another user")
    if status.st_mode & 0o077:
        raise NotOurs("can be read or changed by other users (run chmod 700)")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise NotOurs("cannot be written")


def open_private(path: Path, flags: int = 0) -> int:
    """Open a regular file of this user for reading and writing. Make a new file private, and follow no link.

    Raises:
        NotOurs: It is a link, or belongs to another user.
        OSError: As in :func:`open_regular`.
    """
    descriptor = _not_a_link(path, os.O_RDWR | flags)
    if os.fstat(descriptor).st_uid != os.geteuid():
        os.close(descriptor)
        raise NotOurs("belongs to another user")
    return descriptor


def _not_a_link(path: Path, flags: int) -> int:
    try:
        return _descriptor(path, flags | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NotOurs("is a link") from None
        raise


def read_private(path: Path, limit: int) -> str:
    """Read a file that only this user can read and change, at most ``limit`` bytes of it. Follow no link.

    Raises:
        NotOurs: It is a link, belongs to another user, or other users can read or change it.
        OSError: As in :func:`open_regular`.
        ValueError: It is not UTF-8.
    """
    descriptor = _not_a_link(path, os.O_RDONLY)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if os.geteuid() not in (0, status.st_uid):
            raise NotOurs("belongs to another user")
        if status.st_mode & 0o077:
            raise NotOurs("can be read or changed by other users (run chmod 600)")
        return file.read(limit).decode()


_NO_HARD_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)


def create_private(path: Path, text: str) -> bool:
    """Create a file for this user alone, with its whole content, unless it exists. Return whether it was created.

    Raises:
        OSError: It cannot be written.
    """
    with _temporary(path.parent, text) as temporary:
        try:
            path.hardlink_to(temporary)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            return _create_exclusively(path, text)
    return True


@contextmanager
def _temporary(folder: Path, text: str) -> Iterator[Path]:
    """Write a private file, and remove it at the end if it is still there."""
    handle, name = tempfile.mkstemp(dir=folder, prefix=".mfagate-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _create_exclusively(path: Path, text: str) -> bool:
    """Create the file on a file system without hard links: for a moment, it exists and is empty."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return False
    try:
        os.write(descriptor, text.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return True


def _require_regular(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    kind = next((name for is_one, name in _KINDS if is_one(mode)), None)
    if kind is not None:
        raise OSError(errno.EINVAL, f"it is {kind}, not a regular file", str(path))


def read_text(path: Path, limit: int) -> str:
    """Return a whole text file of at most ``limit`` bytes; a byte order mark is kept.

    Raises:
        OutOfResources: This machine has no descriptor or memory left.
        Unreadable: It is missing, larger, no regular file, not ours to read, or not UTF-8.
    """
    try:
        with open_regular(path) as file:
            # Nearly all files are small, and a read of ``limit`` bytes would allocate them all.
            content = file.read(_USUAL_BYTES)
            if len(content) == _USUAL_BYTES:
                content += file.read(limit + 1 - _USUAL_BYTES)
    except OSError as error:
        if shortage_of(error) is not None:
            raise OutOfResources(f"cannot be read: {error.strerror}") from error
        missing = isinstance(error, FileNotFoundError)
        raise Unreadable(f"cannot be read: {error.strerror or error}", missing=missing) from None
    except ValueError as error:
        raise Unreadable(f"cannot be read: {error}") from None
    if len(content) > limit:
        raise Unreadable(f"is larger than {limit >> 20} MiB")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable("is not text in UTF-8", line=content[: error.start].count(b"\n") + 1) from None


def write_atomically(path: Path, text: str) -> None:
    """Write a temporary file, then rename it over the file; a symbolic link keeps its target.

    Write directly to a terminal, a pipe or a device such as ``/dev/null``.

    Raises:
        OSError: The folder or the file cannot be written; the old content stays.
    """
    if _is_stream(path):
        append(path, text)
        return
    path = _resolved(path)
    with _temporary(path.parent, text) as temporary:
        temporary.chmod(path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~_umask())
        temporary.replace(path)


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except RuntimeError:  # until Python 3.13
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from None


def append(path: Path, text: str) -> None:
    """Append to a file, which is created if it is missing, or write to a pipe or a device.

    Raises:
        OSError: It cannot be written, or it is a pipe without a reader.
    """
    # /dev/stdout may also be a file that already has content.
    descriptor = _opened_to_append(path)
    try:
        _write_all(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, content: bytes) -> None:
    """Write to a non-blocking descriptor, as long as its reader keeps reading."""
    left = memoryview(content)
    writable = select.poll()
    writable.register(descriptor, select.POLLOUT)
    while left:
        if not writable.poll(_STALLED_SECONDS * 1000):
            raise OSError(errno.ETIMEDOUT, "its reader has stopped reading")
        left = left[os.write(descriptor, left) :]


def _opened_to_append(path: Path) -> int:
    """Open it without waiting forever, unlike a plain ``open`` of a pipe without a reader."""
    until = time.monotonic() + _READER_SECONDS
    flags = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    if not path.exists():
        flags |= os.O_CREAT  # Linux may refuse O_CREAT on an existing pipe (fs.protected_fifos).
    while True:
        try:
            return os.open(path, flags, 0o666)
        except OSError as error:
            if error.errno != errno.ENXIO or not path.is_fifo():
                raise
            if time.monotonic() > until:
                raise OSError(errno.ENXIO, "no process reads this pipe", str(path)) from None
        time.sleep(0.02)


def _is_stream(path: Path) -> bool:
    """Return whether a rename over it would destroy it: a device, a pipe, or a name of an open descriptor."""
    return path.exists() and (not path.is_file() or _DESCRIPTOR.fullmatch(str(path.absolute())) is not None)


_umask_lock = threading.Lock()


def _umask() -> int:
    # The mask can be read only by setting it: two threads at once would read each other's 0 and keep it.
    with _umask_lock:
        mask = os.umask(0)
        os.umask(mask)
    return mask
