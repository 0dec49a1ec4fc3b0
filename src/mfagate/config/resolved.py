"""Resolve the references of a table; each value keeps its origin."""

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

    ``value`` is None if the reference cannot be resolved (``error`` says why) or
    is not available here (``deferred``). ``key_location`` is the line
    in ``integrations.toml``, ``location`` the line that holds the value itself.
    ``next_step`` says what to do about an ``error``. ``misread`` says which other programs
    read another value from the same file.
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
        """Read the value again; keep the last one if that fails, as during the replacement of a file."""
        if self.reference is not None and self.stores is not None:
            with suppress(Unresolved):
                return str(self.stores.resolve(self.reference).value)
        return str(self.value)

    @property
    def change_here(self) -> Location:
        """The line to change."""
        return self.location or self.key_location

    @property
    def read_from(self) -> str:
        """The reference, or the file for a literal; never the value."""
        return str(self.reference) if self.reference else str(self.key_location)


def resolve_table(
    integration: Integration, table: str, stores: Stores, *, sandbox_running: bool, defer_unresolved: bool = False
) -> Mapping[str, Value]:
    """Resolve every value of ``integration.TABLE``; keep errors in the values and raise none.

    ``defer_unresolved`` is for machines without secrets, where an unresolved reference
    is not a fault.
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
    """Resolve keys of the integration's own table that hold the path of a file or a reference."""
    values = [
        resolved(name, str(as_reference(raw)), integration.locate(name), stores)
        for name in names
        if (raw := getattr(integration, name)) is not None
    ]
    return _by_name(values, defer_unresolved=defer_unresolved)


def as_reference(raw: str) -> Reference:
    """Return the reference in a text, or one that reads the file of this path."""
    return Reference.parse(raw) or Reference("file", raw)


def resolved(name: str, raw: Any, key_location: Location, stores: Stores, *, sandbox_running: bool = False) -> Value:
    """Resolve one value; keep an error in it."""
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
