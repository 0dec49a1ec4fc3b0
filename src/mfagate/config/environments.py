"""Expand environments: ``[integrations.NAME.environments.ENVIRONMENT]`` overrides keys of the table NAME.

The file is expanded before it is validated: each environment becomes an ordinary integration named
``NAME/ENVIRONMENT``, and :class:`Tables` finds the line that a key of it was written on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mfagate.config.nearest import nearest_to
from mfagate.core.toml_lines import KeyPath

KEY = "environments"

_MOST_CHARACTERS = 64
"""Limit of the whole name, because the history stores no more."""

SET_ONCE = {
    "provider": "is set in [integrations.{name}] already, and all environments use one provider: remove this line, "
    "or give the other provider its own integration",
    "waivers": "are set in [integrations.{name}] already: a waiver there holds in every environment, and one here "
    "only in {environment}; keep all of them in one of the two places",
}
"""Keys that may be set in the integration or in its environments, but not in both."""


class Environment(StrEnum):
    """The environment of an integration. mfagate only reads in production."""

    PRODUCTION = "production"
    STAGING = "staging"
    SANDBOX = "sandbox"
    DEVELOPMENT = "development"

    @property
    def is_production(self) -> bool:
        """Whether real users depend on it."""
        return self is Environment.PRODUCTION


@dataclass(frozen=True, slots=True)
class Tables:
    """The two tables of an expanded integration: their key paths in the file, and their values."""

    own: KeyPath
    shared: KeyPath
    own_values: Mapping[str, Any] = field(repr=False)
    shared_values: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Expanded:
    """A document in which every environment is an integration.

    Args:
        document: The document without any table of environments.
        tables: The tables of each expanded integration, by its name.
        faults: Errors in tables of environments: a key path of the file, and a message.
    """

    document: dict[str, Any]
    tables: Mapping[str, Tables]
    faults: tuple[tuple[KeyPath, str], ...]


def base_name(name: str) -> str:
    """Return ``duo`` for ``duo`` and for ``duo/production``."""
    return name.partition("/")[0]


def expanded(document: Mapping[str, Any], *, flat: bool = False) -> Expanded:
    """Make an integration of each environment. The document itself is not changed.

    With ``flat``, names in the file may already be expanded.
    """
    integrations = document.get("integrations")
    if not isinstance(integrations, dict):
        return Expanded(dict(document), {}, ())
    found: dict[str, Any] = {}
    tables: dict[str, Tables] = {}
    faults: list[tuple[KeyPath, str]] = []
    for name, table in integrations.items():
        faults += (wrong := [] if flat else [*_faults(name, table)])
        if not isinstance(table, dict) or KEY not in table:
            if not wrong:
                found[name] = deepcopy(table)
            continue
        shared = {key: value for key, value in table.items() if key not in (KEY, "environment")}
        for environment, own in _usable(table[KEY]):
            whole = f"{name}/{environment}"
            found[whole] = {**merged(shared, own), "environment": environment}
            tables[whole] = Tables(("integrations", name, KEY, environment), ("integrations", name), own, shared)
    return Expanded({**document, "integrations": found}, tables, tuple(faults))


def merged(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Override single keys, and tables key by key. Replace anything else, such as a list, as a whole."""
    result = deepcopy(dict(shared))
    for key, value in own.items():
        before = result.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            result[key] = merged(before, value)
        else:
            result[key] = deepcopy(value)
    return result


def _usable(environments: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the environments that can be read; the others are faults."""
    for environment, own in environments.items() if isinstance(environments, dict) else ():
        if environment in list(Environment) and isinstance(own, dict):
            yield environment, {key: value for key, value in own.items() if key not in (KEY, "environment")}


def _faults(name: str, table: Any) -> Iterator[tuple[KeyPath, str]]:
    path: KeyPath = ("integrations", name)
    if "/" in name:
        base, _, environment = name.partition("/")
        yield path, f"a name must not contain '/': write an environment as [integrations.{base}.{KEY}.{environment}]"
    if not isinstance(table, dict):
        return
    if isinstance(table.get("environment"), dict):
        yield (*path, "environment"), f"must be a word in quotes; tables are written [integrations.{name}.{KEY}.…]"
    elif KEY in table and "environment" in table:
        message = (
            f"cannot be set beside [integrations.{name}.{KEY}], whose tables say where the integration is used: "
            f"remove this line, and write a table [integrations.{name}.{KEY}.ENVIRONMENT] for each environment"
        )
        yield (*path, "environment"), message
    if KEY in table:
        yield from _environment_faults(name, table)


def _environment_faults(name: str, table: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    path: KeyPath = ("integrations", name, KEY)
    environments = table[KEY]
    if not isinstance(environments, dict):
        yield path, f"must hold tables: write [integrations.{name}.{KEY}.production]"
        return
    if not environments:
        yield path, f"has no environment: write [integrations.{name}.{KEY}.production]"
    for environment, own in environments.items():
        where = (*path, environment)
        if environment not in list(Environment):
            known = ", ".join(Environment)
            yield where, f"no environment has this name{nearest_to(environment, map(str, Environment))}; known: {known}"
        elif not isinstance(own, dict):
            yield where, f"must be a table: write [integrations.{name}.{KEY}.{environment}]"
        elif len(f"{name}/{environment}") > _MOST_CHARACTERS:
            yield where, f"{name}/{environment} is longer than {_MOST_CHARACTERS} characters: shorten {name}"
        else:
            yield from _own_faults(name, where, table, own)


def _own_faults(
    name: str, where: KeyPath, table: Mapping[str, Any], own: Mapping[str, Any]
) -> Iterator[tuple[KeyPath, str]]:
    environment = where[-1]
    for key in ("environment", KEY):
        if key in own:
            yield (*where, key), f"is not allowed here: the table's name, {environment}, sets it. Remove it"
    for key, message in SET_ONCE.items():
        if key in own and key in table:
            yield (*where, key), message.format(name=name, environment=environment)
