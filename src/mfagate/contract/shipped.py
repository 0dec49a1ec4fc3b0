"""The contracts and recordings that mfagate ships."""

from __future__ import annotations

from pathlib import Path

import mfagate


def shipped_folder() -> Path:
    """Return the folder of the shipped contracts and recordings: in the package, or in a checkout."""
    package = Path(mfagate.__file__).parent
    installed = package / "shipped"
    return installed if installed.is_dir() else package.parents[1]


def ships_contract(provider: str) -> bool:
    """Return whether a contract with this provider ships."""
    return any((shipped_folder() / "contracts" / provider).glob("*.json"))
