"""Paths of files relative to the root of the repository.

Code hosts need them to show a finding beside its line.
"""

from __future__ import annotations

import os.path
from pathlib import Path

from mfagate.core.files import open_regular


def root() -> Path:
    """Return the root of the repository around the working directory, or the working directory itself."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)


def from_root(file: str, folder: Path) -> str | None:
    """Return the path relative to a folder, with slashes; None if the file is outside of it."""
    try:
        return absolute(file).relative_to(folder).as_posix()
    except ValueError:
        return None


def absolute(file: str) -> Path:
    """Return the absolute path without following links: a link in the repository is a file of the repository."""
    return Path(os.path.abspath(file))  # noqa: PTH100 - Path.absolute keeps "..", resolve follows links


def line_of_text(file: str, text: str) -> int | None:
    """Return the number of the first line that contains a text, from 1; None if there is no such line or file."""
    try:
        with open_regular(Path(file)) as opened:
            lines = opened.read().decode("utf-8").splitlines()
    except (OSError, ValueError):
        return None
    return next((number for number, line in enumerate(lines, 1) if text in line), None)
