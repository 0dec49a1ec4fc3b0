"""``mfagate new-provider``: an installable package with a provider that works, and tests for what is made up in it."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from importlib.resources import files as package_files
from pathlib import Path
from string import Template

from mfagate.providers import registry
from mfagate.scaffold import ScaffoldRefused, Written, write

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

_FILES = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "integrations.toml": "integrations.toml",
    "src/__init__.py": "src/{package}/__init__.py",
    "src/provider.py": "src/{package}/provider.py",
    "src/dialect.py": "src/{package}/dialect.py",
    "src/probes.py": "src/{package}/probes.py",
    "src/settings.py": "src/{package}/settings.py",
    "src/auth.py": "src/{package}/auth.py",
    "src/errors.py": "src/{package}/errors.py",
    "src/client.py": "src/{package}/client.py",
    "src/states.py": "src/{package}/states.py",
    "src/faults.py": "src/{package}/faults.py",
    "src/emulator.py": "src/{package}/emulator.py",
    "src/sandbox.py": "src/{package}/sandbox.py",
    "contracts/test_contract.py": "contracts/{name}/test_{module}_contract.py",
    "tests/test_gaps.py": "tests/test_gaps.py",
    "tests/test_suite.py": "tests/test_suite.py",
}
"""Template and place of each file."""


def new_provider(parent: Path, name: str, title: str | None) -> tuple[Path, Written]:
    """Write the package ``mfagate-NAME`` below ``parent``.

    Raises:
        ScaffoldRefused: The name cannot be one, is taken, or the folder exists or cannot be written.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise ScaffoldRefused(
            f"{name!r} cannot be a provider's name: small letters and digits, with single hyphens inside"
        )
    if name in registry.names():
        raise ScaffoldRefused(f"there is a provider named {name!r} already")
    folder = parent / f"mfagate-{name}"
    if folder.exists():
        raise ScaffoldRefused(f"{folder} exists already; nothing was written")
    words = {
        "name": name,
        "NAME": name.replace("-", "_").upper(),
        "Class": "".join(part.capitalize() for part in name.split("-")),
        "package": f"mfagate_{name.replace('-', '_')}",
        "module": name.replace("-", "_"),
        "title": title or " ".join(part.capitalize() for part in name.split("-")),
    }
    return folder, write(folder, {Path(place.format(**words)): _filled(file, words) for file, place in _FILES.items()})


def _filled(file: str, words: Mapping[str, str]) -> str:
    template = package_files("mfagate.scaffold") / "provider" / f"{file}.tmpl"
    return Template(template.read_text("utf-8")).substitute(words)
