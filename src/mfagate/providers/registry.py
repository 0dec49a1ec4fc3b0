"""Find the installed providers, through the entry point group ``mfagate.providers``."""

from __future__ import annotations

from typing import TypeGuard

from mfagate.core.plugins import PluginError, Plugins
from mfagate.providers.provider import InstalledProvider, Provider


class ProviderError(PluginError):
    """An installed provider cannot be used; the message names its package."""


def _is_provider(found: object) -> TypeGuard[InstalledProvider]:
    return isinstance(found, Provider)


_PROVIDERS = Plugins("mfagate.providers", "provider", _is_provider, ProviderError)

names = _PROVIDERS.names
"""Return the names of all installed providers."""

get = _PROVIDERS.get
"""Return the provider of that name."""


def all_providers() -> dict[str, InstalledProvider]:
    """Return every installed provider by name."""
    return {name: get(name) for name in names()}
