"""Reading files that may be anything, and replacing files so that nothing is lost."""

from __future__ import annotations

import os
import re
import tempfile
import threading
from pathlib import Path

from mfagate.resources import shortage_of

_DESCRIPTOR = re.compile(r"/dev/(stdout|stderr|fd/\d+)|/proc/[^/]+/fd/\d+")


class Unreadable(Exception):
    """A file that cannot be used; the text completes "PATH …" and quotes nothing of the file.

    ``missing`` says that there is none; ``line`` is where it stops to be text.
    """

    def __init__(self, reason: str, *, missing: bool = False, line: int | None = None) -> None:
        super().__init__(reason)
        self.missing = missing
        self.line = line


class OutOfResources(Unreadable):
    """A file that this machine had no descriptor or memory left for: nothing is wrong with the file."""


_USUAL_BYTES = 1 << 16


def read_text(path: Path, limit: int) -> str:
    """A whole text file of at most ``limit`` bytes; a byte order mark is kept.

    Raises:
        OutOfResources: This machine has no descriptor or memory left.
        Unreadable: It is missing, larger, a folder, not ours to read, or not UTF-8.
    """
    try:
        with path.open("rb") as file:
            # Nearly all files are small: asking for the limit at once would make room for all of it.
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
    """Write next to the file, then rename over it; a symbolic link keeps pointing where it did.

    What is no file (a terminal, a pipe, ``/dev/null``) is simply written to.

    Raises:
        OSError: The folder or the file cannot be written; the old content stays.
    """
    if _is_stream(path):
        # Appended: /dev/stdout may be a file in which something stands already.
        with path.open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        return
    path = path.resolve()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".mfagate-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        mode = path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~_umask()
        temporary.chmod(mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _is_stream(path: Path) -> bool:
    """Whether renaming a file over it would destroy it: a device, a pipe, or a name of an open descriptor."""
    return path.exists() and (not path.is_file() or _DESCRIPTOR.fullmatch(str(path.absolute())) is not None)


_umask_lock = threading.Lock()


def _umask() -> int:
    # It can be read only by setting it: two threads at once would read each other's 0 and leave it there.
    with _umask_lock:
        mask = os.umask(0)
        os.umask(mask)
    return mask
