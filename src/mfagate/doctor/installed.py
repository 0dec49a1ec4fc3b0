"""What is installed: mfagate, Python, the extras, and the programs that sandboxes and ``--changed-since`` need."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from mfagate.config.model import Configuration, Integration
from mfagate.core import version
from mfagate.core.extras import install_command, missing
from mfagate.doctor.findings import Area, Item, Readiness

_PURPOSES = {
    "emulator": "sandboxes of hosted providers",
    "sandbox": "the sandbox of privacyIDEA",
    "record": "mfagate record",
    "pytest": "pytest --mfagate, consumer tests, proofs",
    "html": "--output html",
    "notify": "--notify",
    "history": "mfagate nightly, mfagate history",
    "postgresql": "a history in PostgreSQL",
}
"""The purpose of each extra, except of the gate itself, to which this command belongs."""


def installed(configuration: Configuration | None) -> Iterator[Item]:
    """Yield what is installed. A missing extra is a problem only if the configuration needs it."""
    folder = Path(version.__file__).parents[1]
    yield Item(Area.INSTALLED, "mfagate", Readiness.YES, f"{version.__version__} in {folder}")
    yield Item(Area.INSTALLED, "Python", Readiness.YES, f"{platform.python_version()} at {sys.executable}")
    needed = dict(_needed(configuration)) if configuration else {}
    for extra, purpose in _PURPOSES.items():
        absent = missing(extra)
        if not absent:
            yield Item(Area.INSTALLED, f"extra {extra}", Readiness.YES, purpose)
        elif extra in needed:
            what = f"{needed[extra]} needs {' and '.join(absent)}"
            step = f"Install the extra {extra}: {install_command(extra)}"
            yield Item(Area.INSTALLED, f"extra {extra}", Readiness.NO, what, step)
        else:
            yield Item(Area.INSTALLED, f"extra {extra}", Readiness.NOT_NEEDED, f"not installed; for {purpose}")
    git = shutil.which("git")
    yield Item(
        Area.INSTALLED,
        "git",
        Readiness.YES if git else Readiness.NOT_NEEDED,
        git or "not installed; for --changed-since",
    )


def _needed(configuration: Configuration) -> Iterator[tuple[str, str]]:
    for integration in configuration.integrations.values():
        if integration.uses_sandbox:
            yield _of_sandbox(integration), f'{integration.name} (endpoint = "sandbox")'
    if configuration.notify.urls:
        yield "notify", "[notify]"
    if (configuration.history.url or "").startswith("postgres"):
        yield "postgresql", "[history]"


def _of_sandbox(integration: Integration) -> str:
    return "sandbox" if integration.provider == "privacyidea" else "emulator"
