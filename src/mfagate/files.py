"""Replacing files so that nothing is lost when writing fails."""

from __future__ import annotations

import os
import re
import tempfile
import threading
from pathlib import Path

_DESCRIPTOR = re.compile(r"/dev/(stdout|stderr|fd/\d+)|/proc/[^/]+/fd/\d+")


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
