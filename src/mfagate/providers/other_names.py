"""Tables of the names that other software has for a provider's settings."""

from __future__ import annotations


def by_other_name(**others: str) -> dict[str, str]:
    """Return the setting that each foreign name means, from the foreign names of each setting (separated by spaces)."""
    return {name: setting for setting, names in others.items() for name in names.split()}
