"""Files to start with: somebody's own project (``mfagate init``), a provider's package (``mfagate new-provider``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mfagate.files import write_atomically


class Refused(Exception):
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

    Raises:
        Refused: A folder cannot be made, or a file cannot be written.
    """
    kept = tuple(path for path in files if (folder / path).exists())
    new = tuple(path for path in files if path not in kept)
    try:
        for path in new:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / path, files[path])
        for path, text in (changed or {}).items():
            write_atomically(folder / path, text)
    except OSError as error:
        raise Refused(f"{error.filename or folder} cannot be written: {error.strerror or error}") from None
    return Written(new, kept, tuple(changed or {}))
