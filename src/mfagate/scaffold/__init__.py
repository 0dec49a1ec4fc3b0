"""Files to start with: somebody's own project (``mfagate init``), a provider's package (``mfagate new-provider``)."""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from mfagate.app.errors import MfagateError
from mfagate.core.files import write_atomically


class ScaffoldRefused(MfagateError):
    """Nothing was written; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written, and what was there already and therefore kept. Paths are relative.

    ``changed`` are files that exist and got something added.
    """

    new: tuple[Path, ...]
    kept: tuple[Path, ...]
    changed: tuple[Path, ...] = ()


def write(folder: Path, files: Mapping[Path, str], changed: Mapping[Path, str] | None = None) -> Written:
    """Write those files that do not exist yet; a file that exists is never touched, unless it is in ``changed``.

    If one of them cannot be written, those before it are removed again. ``changed`` is at most one file.

    Raises:
        ScaffoldRefused: A path is of the wrong kind, a folder cannot be made, or a file cannot be written.
    """
    for path in files:
        _require_free(folder / path)
    kept = tuple(path for path in files if (folder / path).exists())
    new = tuple(path for path in files if path not in kept)
    with ExitStack() as undo:
        try:
            for path in new:
                _make_folders((folder / path).parent, undo)
                # A link that points at nothing is kept, and what it points at is made.
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
    """Make sure that a path is a file or free, and what is above it a folder or free.

    Raises:
        ScaffoldRefused: It is not.
    """
    try:
        if path.exists() and not path.is_file():
            raise ScaffoldRefused(
                f"{path} is a folder or a device, and a file of this name is needed: move it; {_NOTHING}"
            )
        blocking = next((one for one in path.parents if one.exists() and not one.is_dir()), None)
    except OSError as error:
        raise ScaffoldRefused(f"{path} cannot be used: {error.strerror or error}; {_NOTHING}") from None
    if blocking is not None:
        raise ScaffoldRefused(f"{blocking} is a file, and a folder of this name is needed: move it; {_NOTHING}")


def _make_folders(folder: Path, undo: ExitStack) -> None:
    """Make a folder and those above it, and remove them again if they are empty when ``undo`` is closed."""
    for one in reversed([folder, *folder.parents]):
        if not one.is_dir():
            one.mkdir()
            undo.callback(_remove, one)


def _remove(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
