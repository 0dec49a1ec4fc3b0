"""A table of the configuration with its references resolved, each value with its origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from mfagate.config.model import Integration
from mfagate.core.finding import Location
from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import Stores


@dataclass(frozen=True, slots=True)
class Value:
    """One value about to be deployed.

    ``value`` is None if the reference points at nothing (``error`` says why) or
    at what is not to be had here (``deferred``). ``key_location`` is the line
    in ``integrations.toml``, ``location`` the line that holds the value itself.
    ``next_step`` is what to do about an ``error``. ``misread`` says which other programs
    read something else from the same file.
    """

    name: str
    key_location: Location
    value: Any = field(default=None, repr=False)
    reference: Reference | None = None
    location: Location | None = None
    error: str | None = None
    deferred: bool = False
    next_step: str | None = None
    misread: Sequence[str] = ()
    stores: Stores | None = field(default=None, repr=False, compare=False)

    def again(self) -> str:
        """Read the value again; the last one counts where that fails, as while a file is being replaced."""
        if self.reference is not None and self.stores is not None:
            with suppress(Unresolved):
                return str(self.stores.resolve(self.reference).value)
        return str(self.value)

    @property
    def change_here(self) -> Location:
        """The line a person has to change."""
        return self.location or self.key_location

    @property
    def read_from(self) -> str:
        """The reference, or the file for a literal; never the value."""
        return str(self.reference) if self.reference else str(self.key_location)


def resolve_table(
    integration: Integration, table: str, stores: Stores, *, sandbox_running: bool, defer_unresolved: bool = False
) -> Mapping[str, Value]:
    """Resolve every value of ``integration.TABLE``; nothing is raised, errors are kept per value.

    ``defer_unresolved`` is for machines that hold no secrets: a reference that
    points at nothing there is no fault.
    """
    entries: Mapping[str, Any] = getattr(integration, table)
    if not isinstance(entries, Mapping):
        entries = {name: value for name, value in entries if value is not None}
    values = [
        resolved(name, raw, integration.locate(table, name), stores, sandbox_running=sandbox_running)
        for name, raw in entries.items()
    ]
    return _by_name(values, defer_unresolved=defer_unresolved)


def _by_name(values: Sequence[Value], *, defer_unresolved: bool) -> Mapping[str, Value]:
    if defer_unresolved:
        values = [replace(value, error=None, deferred=True) if value.error else value for value in values]
    return {value.name: value for value in values}


def resolve_files(
    integration: Integration, names: Sequence[str], stores: Stores, *, defer_unresolved: bool = False
) -> Mapping[str, Value]:
    """Resolve keys of the integration's own table that are the path of a file, or a reference."""
    values = [
        resolved(name, str(as_reference(raw)), integration.locate(name), stores)
        for name in names
        if (raw := getattr(integration, name)) is not None
    ]
    return _by_name(values, defer_unresolved=defer_unresolved)


def as_reference(raw: str) -> Reference:
    """Return the reference that a text is, or that reads the file of this path."""
    return Reference.parse(raw) or Reference("file", raw)


def resolved(name: str, raw: Any, key_location: Location, stores: Stores, *, sandbox_running: bool = False) -> Value:
    """Resolve one value; an error is kept in it."""
    reference = Reference.parse(raw) if isinstance(raw, str) else None
    if reference is None:
        return Value(name, key_location, value=raw)
    if reference.scheme == "sandbox" and not sandbox_running:
        return Value(name, key_location, reference=reference, deferred=True)
    try:
        found = stores.resolve(reference)
    except Unresolved as error:
        return Value(
            name,
            key_location,
            reference=reference,
            location=error.location,
            error=str(error),
            next_step=error.next_step,
        )
    return Value(
        name,
        key_location,
        value=found.value,
        reference=reference,
        location=found.location,
        misread=found.misread,
        stores=stores,
    )
