"""Tables of the names that other software has for a provider's settings."""

from __future__ import annotations

from collections.abc import Mapping


def by_other_name(names: Mapping[str, str]) -> dict[str, str]:
    """Return the setting of each foreign name, from the foreign names of each setting (separated by spaces)."""
    return {other: setting for setting, others in names.items() for other in others.split()}
