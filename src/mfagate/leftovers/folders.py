"""Make private temporary folders for keys; a later process removes them if their owner was killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mfagate.core.files import NotOurs, open_private

_PREFIX = "mfagate-"
_OWNER = ".mfagate-owner"


@contextmanager
def temporary_folder(kind: str = "") -> Iterator[Path]:
    """Make an empty folder with mode 0700, and remove it at the end.

    ``kind`` becomes part of its name.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{kind}-" if kind else _PREFIX))
    owner = -1
    try:
        owner = _own(folder)
        yield folder
    finally:
        _remove(folder)
        if owner >= 0:
            os.close(owner)


def _own(folder: Path) -> int:
    """Lock a file in the folder until this process ends. The file gets its final name once it is locked."""
    new = folder / f"{_OWNER}.new"
    owner = open_private(new, os.O_CREAT | os.O_EXCL)
    fcntl.flock(owner, fcntl.LOCK_EX)
    new.rename(folder / _OWNER)
    return owner


def remove_abandoned() -> None:
    """Remove the folders that killed processes of this user left; never raise."""
    with suppress(OSError):
        for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            with suppress(OSError, NotOurs):
                _remove_if_abandoned(folder)


def _remove_if_abandoned(folder: Path) -> None:
    if folder.lstat().st_uid != os.getuid() or folder.is_symlink():
        return
    owner = open_private(folder / _OWNER)
    try:
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)  # Fails while the owner lives.
        _remove(folder)
    finally:
        os.close(owner)


def _remove(folder: Path) -> None:
    """Remove a folder; its owner file last, because this process may be killed."""
    with suppress(OSError):
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != _OWNER:
                with suppress(OSError):
                    path.unlink()
    shutil.rmtree(folder, ignore_errors=True)
