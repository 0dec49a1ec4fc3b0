"""Find programs that tests need and that pip does not install with the project.

If a program is missing, a test is skipped on a person's machine. In CI it fails, because a skipped test proves nothing.
At its end ``./ci/test`` lists what was not tested, and the command that installs what is missing.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest

INSTALL = "./ci/programs"
"""The command that installs every program that the tests need, on Debian or Ubuntu with root or sudo."""

NOTES = "MFAGATE_NOT_TESTED"
"""The environment variable with the file to which ``missing`` adds a line for each test that was not run."""


def in_ci(environment: Mapping[str, str]) -> bool:
    """Return whether this is a CI machine, where no test may be skipped because a program is missing."""
    return environment.get("CI", "").lower() in ("1", "true")


def missing(what: str, command: str) -> NoReturn:
    """Skip a test that needs something that is not installed; in CI, fail the test.

    Args:
        what: The name of the missing program, library or module.
        command: The command that installs it.
    """
    reason = f"missing: {what}; to test it: {command}"
    if in_ci(os.environ):
        pytest.fail(reason, pytrace=False)
    if notes := os.environ.get(NOTES):
        with Path(notes).open("a") as file:
            file.write(f"{what}\t{command}\n")
    pytest.skip(reason)


def find_program(*names: str, folders: str | None = None) -> str | None:
    """Return the path of the first of these programs that is in PATH or in the folder of this Python."""
    beside = str(Path(sys.executable).parent)
    path = os.pathsep.join([beside, os.environ.get("PATH", ""), *filter(None, [folders])])
    return next((found for name in names if (found := shutil.which(name, path=path))), None)


def require_program(*names: str, package: str, command: str = INSTALL, folders: str | None = None) -> str:
    """Return the path of the first of these programs that is installed.

    Args:
        names: Names under which the program may be installed.
        package: The Debian, PyPI or npm package that contains it.
        command: The command that installs the package.
        folders: More folders to search, separated as in PATH.
    """
    return find_program(*names, folders=folders) or missing(f"{names[0]} (package {package})", command)


def require_library(name: str, package: str, pattern: str) -> str:
    """Return the path of a library that matches a pattern below ``/usr/lib``."""
    found = sorted(Path("/usr/lib").glob(pattern)) + sorted(Path("/usr/local/lib").glob(pattern))
    return str(found[0]) if found else missing(f"{name} (package {package})", INSTALL)


def require_module(name: str) -> ModuleType:
    """Return a module of the dependency group ``test``."""
    try:
        return import_module(name)
    except ImportError:
        missing(f"{name} (Python module)", "pip install --group test")
