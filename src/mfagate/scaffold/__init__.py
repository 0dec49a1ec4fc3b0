"""Files to start with: a project (``mfagate init``), or the package of a provider (``mfagate new-provider``)."""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from mfagate.app.errors import MfagateError
from mfagate.core.files import write_atomically


class ScaffoldRefused(MfagateError):
    """Nothing was written. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Written:
    """Relative paths of new files, of existing files that were kept, and of existing files that were added to."""

    new: tuple[Path, ...]
    kept: tuple[Path, ...]
    changed: tuple[Path, ...] = ()


def write(folder: Path, files: Mapping[Path, str], changed: Mapping[Path, str] | None = None) -> Written:
    """Write the files that do not exist yet. If one cannot be written, remove those before it.

    Args:
        folder: Where the files are.
        files: The text of each file. Existing files are kept.
        changed: The new text of an existing file, at most one.

    Raises:
        ScaffoldRefused: A path has the wrong type, or a folder or file cannot be written.
    """
    for path in files:
        _require_free(folder / path)
    kept = tuple(path for path in files if (folder / path).exists())
    new = tuple(path for path in files if path not in kept)
    with ExitStack() as undo:
        try:
            for path in new:
                _make_folders((folder / path).parent, undo)
                # A dangling link is kept, and its target is created.
                made = Path(os.path.realpath(folder / path))
                write_atomically(folder / path, files[path])
                undo.callback(made.unlink, missing_ok=True)
            for path, text in (changed or {}).items():
                write_atomically(folder / path, text)
        except OSError as error:
            where = error.filename or folder
            raise ScaffoldRefused(f"{where} cannot be written: {error.strerror or error}; {_NOTHING}") from None
        undo.pop_all()
    return Written(new, kept, tuple(changed or {}))


_NOTHING = "nothing was written"


def _require_free(path: Path) -> None:
    """Refuse a path that is not a file, or below something that is not a folder.

    Raises:
        ScaffoldRefused: It is such a path.
    """
    try:
        if path.exists() and not path.is_file():
            raise ScaffoldRefused(
                f"{path} is a folder or a device, but a file of this name is needed: move it; {_NOTHING}"
            )
        blocking = next((parent for parent in path.parents if parent.exists() and not parent.is_dir()), None)
    except OSError as error:
        raise ScaffoldRefused(f"{path} cannot be used: {error.strerror or error}; {_NOTHING}") from None
    if blocking is not None:
        raise ScaffoldRefused(f"{blocking} is a file, but a folder of this name is needed: move it; {_NOTHING}")


def _make_folders(folder: Path, undo: ExitStack) -> None:
    """Make a folder and its parents. When ``undo`` is closed, remove those that are empty."""
    for path in reversed([folder, *folder.parents]):
        if not path.is_dir():
            path.mkdir()
            undo.callback(_remove, path)


def _remove(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
