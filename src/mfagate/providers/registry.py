"""Finding installed providers: ours and other packages' through the same entry point."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from mfagate.providers.base import Provider

GROUP = "mfagate.providers"


class ProviderError(Exception):
    """An installed provider cannot be used; the message names its package."""


@cache
def _found() -> Mapping[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def names() -> list[str]:
    """The names of all installed providers."""
    return sorted(_found())


@cache
def get(name: str) -> Provider:
    """The provider of that name.

    Raises:
        ProviderError: Its package cannot be imported, or offers something else.
    """
    entry = _found()[name]
    package = entry.dist.name if entry.dist else entry.value
    try:
        provider = entry.load()
    except Exception as error:
        raise ProviderError(f"the provider {name!r} of the package {package} cannot be loaded: {error}") from error
    if not isinstance(provider, Provider):
        raise ProviderError(f"{entry.value} of the package {package} is not a mfagate Provider")
    return provider


def all_providers() -> dict[str, Provider]:
    """Every installed provider by name."""
    return {name: get(name) for name in names()}
