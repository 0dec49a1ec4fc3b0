"""The contracts and recordings that mfagate ships."""

from __future__ import annotations

from pathlib import Path

import mfagate


def shipped_folder() -> Path:
    """Where the contracts and recordings of the shipped providers are: in the package, or in a checkout."""
    package = Path(mfagate.__file__).parent
    installed = package / "shipped"
    return installed if installed.is_dir() else package.parents[1]


def ships_contract(provider: str) -> bool:
    """Return whether a contract with this provider ships."""
    return any((shipped_folder() / "contracts" / provider).glob("*.json"))
