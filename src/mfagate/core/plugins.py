"""Load what installed packages register in an entry point group: ours and third parties' alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from threading import RLock
from typing import Generic, TypeGuard, TypeVar

T = TypeVar("T")

_LOADING = RLock()
"""Held while a plugin is imported: threads that import a package and its modules at once can end in a deadlock."""


class PluginError(Exception):
    """A registered object cannot be used; the message names its package."""


class Plugins(Generic[T]):
    """The objects of one entry point group, each loaded when it is first needed.

    Args:
        group: Name of the entry point group.
        noun: What the group holds, for messages.
        is_valid: Returns whether a loaded object is of the expected type.
        error: Exception to raise for an object that cannot be used.
    """

    def __init__(
        self, group: str, noun: str, is_valid: Callable[[object], TypeGuard[T]], error: type[Exception] = PluginError
    ) -> None:
        self._group = group
        self._noun = noun
        self._is_valid = is_valid
        self._error = error
        self._loaded: dict[str, T] = {}

    @cached_property
    def _entries(self) -> Mapping[str, EntryPoint]:
        return {entry.name: entry for entry in entry_points(group=self._group)}

    def names(self) -> list[str]:
        """Return the registered names, sorted."""
        return sorted(self._entries)

    def get(self, name: str) -> T:
        """Return the object of that name.

        Raises:
            KeyError: No object has that name.
            Exception: The ``error`` of this group: the package cannot be imported, or offers another type.
        """
        with _LOADING:
            if name not in self._loaded:
                self._loaded[name] = self._load(self._entries[name])
            return self._loaded[name]

    def _load(self, entry: EntryPoint) -> T:
        package = entry.dist.name if entry.dist else entry.value
        try:
            found = entry.load()
        except Exception as error:
            raise self._error(
                f"the {self._noun} {entry.name!r} of the package {package} cannot be loaded: {error}"
            ) from error
        if not self._is_valid(found):
            raise self._error(f"{entry.value} of the package {package} is not a mfagate {self._noun.capitalize()}")
        return found
