"""Where the files of a report lie, as seen from the root of the repository.

Code hosts show a finding beside its line only if they are told the path from there.
"""

from __future__ import annotations

import os.path
from pathlib import Path

from mfagate.core.files import open_regular


def root() -> Path:
    """The folder of the repository around the working directory; without one, that directory."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)


def from_root(file: str, folder: Path) -> str | None:
    """The path from the folder, with slashes; None where the file lies outside of it."""
    try:
        return absolute(file).relative_to(folder).as_posix()
    except ValueError:
        return None


def absolute(file: str) -> Path:
    """The whole path. A link inside the repository stays a file of it, wherever it leads."""
    return Path(os.path.abspath(file))  # noqa: PTH100 - Path.absolute keeps "..", resolve follows links


def line_of_text(file: str, text: str) -> int | None:
    """The first line that holds the text, counted from 1; None where there is none, or no such file."""
    try:
        with open_regular(Path(file)) as opened:
            lines = opened.read().decode("utf-8").splitlines()
    except (OSError, ValueError):
        return None
    return next((number for number, line in enumerate(lines, 1) if text in line), None)
