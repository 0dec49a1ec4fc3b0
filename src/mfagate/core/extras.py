"""Which extras are installed, and the command that adds one to this installation.

mfagate is not on a public index: its bare name would install whatever another person publishes under it.
"""

from __future__ import annotations

import json
import shlex
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from typing import Any
from urllib.parse import unquote, urlsplit

from mfagate.core.version import __version__

MODULES = {
    "gate": (
        *("click", "cryptography", "dotenv", "jwt", "pact_ffi", "phonenumbers", "requests", "rich"),
        *("tree_sitter", "tree_sitter_hcl", "tree_sitter_toml"),
    ),
    "emulator": ("werkzeug", "trustme"),
    "sandbox": ("privacyidea",),
    "record": ("vcr",),
    "pytest": ("pytest", "hypothesis"),
    "html": ("jinja2",),
    "notify": ("apprise",),
    "history": ("sqlalchemy",),
    "postgresql": ("sqlalchemy", "psycopg"),
}
"""The modules that each extra of pyproject.toml brings."""


def missing(extra: str) -> list[str]:
    """Return the modules of an extra that are not installed. Nothing is imported."""
    return [module for module in MODULES[extra] if find_spec(module) is None]


def needs(what: str, extra: str) -> str:
    """Say what to install before something can be used."""
    return f"{what} needs {' and '.join(missing(extra)) or extra}: {install_command(extra)}"


def install_command(extra: str) -> str:
    """Return the command that adds an extra, from the place that this installation came from."""
    return f"pip install {shlex.quote(_requirement(extra))} (or [all], which brings every extra)"


def pinned_origin() -> str | None:
    """Return the git URL and the commit that this installation came from; None if it came from elsewhere."""
    found = _direct_url()
    revision = found.get("vcs_info", {})
    if revision.get("vcs") != "git" or not revision.get("commit_id"):
        return None
    return f"git+{found['url']}@{revision['commit_id']}"


def _requirement(extra: str) -> str:
    url = str(_direct_url().get("url", ""))
    if origin := pinned_origin():
        return f"mfagate[{extra}] @ {origin}"
    if url.startswith("file:"):
        return f"{unquote(urlsplit(url).path)}[{extra}]"
    return f"mfagate[{extra}] @ {url}" if url else f"mfagate[{extra}]=={__version__}"


@cache
def _direct_url() -> dict[str, Any]:
    """Read what the installer recorded; empty for an installation from an index.

    https://packaging.python.org/en/latest/specifications/direct-url/
    """
    try:
        found = json.loads(distribution("mfagate").read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("vcs_info", {}), dict) else {}
