"""``mfagate new-provider``: an installable package with a working provider, and tests for its invented parts."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from pathlib import Path
from string import Template

from mfagate.providers import registry
from mfagate.scaffold import ScaffoldRefused, Written, write

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

_TEMPLATES = Path(__file__).with_name("provider")


def new_provider(parent: Path, name: str, title: str | None) -> tuple[Path, Written]:
    """Write the package ``mfagate-NAME`` below ``parent``.

    Raises:
        ScaffoldRefused: The name is malformed or taken, or the folder exists or cannot be written.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise ScaffoldRefused(
            f"{name!r} cannot be the name of a provider: use lower-case letters and digits, with single hyphens between"
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
    files = {_place(path, words): path.read_text("utf-8") for path in sorted(_TEMPLATES.rglob("*.tmpl"))}
    return folder, write(folder, {place: Template(text).substitute(words) for place, text in files.items()})


def _place(template: Path, words: Mapping[str, str]) -> Path:
    """Return the path of a template's file in the package."""
    path = template.relative_to(_TEMPLATES).with_suffix("")
    if path.parts[0] == "contracts":
        return Path("contracts", words["name"], f"test_{words['module']}_contract.py")
    return Path("src", words["package"], path.name) if path.parts[0] == "src" else path
