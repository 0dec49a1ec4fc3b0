"""``--changed-since``: find the integrations that a change in git affects, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mfagate.config.environments import Expanded, expanded
from mfagate.config.model import Configuration, Integration
from mfagate.config.resolved import as_reference
from mfagate.core.git import Tree, open_tree
from mfagate.core.result import ChangedSince
from mfagate.core.toml_lines import dotted, parse
from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import file_of

_TABLES_WITH_REFERENCES = ("settings", "expect", "control", "test_data")


def since(revision: str, configuration: Configuration, selected: Sequence[Integration]) -> ChangedSince:
    """Return which selected integrations differ from a git revision, and why.

    Raises:
        GitError: git cannot compare them; the message says what to do.
    """
    tree = open_tree(configuration.path.absolute().parent, revision)
    before, now = expanded(_before(tree, configuration.path)), expanded(parse(configuration.text))
    for_all = [*_for_all(before.document, now.document, configuration.path)]
    reasons = {integration.name: [*for_all, *_reasons(integration, tree, before, now)] for integration in selected}
    return ChangedSince(
        revision=revision,
        commit=tree.commit,
        changed={name: found for name, found in reasons.items() if found},
        unchanged=[name for name, found in reasons.items() if not found],
        removed=[name for name in _integrations(before.document) if name not in configuration.integrations],
    )


def _before(tree: Tree, path: Path) -> Mapping[str, Any]:
    """Return the configuration at the revision; empty if there is none, or it cannot be read."""
    try:
        return parse(tree.text(path) or "")
    except ValueError:  # not TOML
        return {}


def _integrations(document: Mapping[str, Any]) -> Mapping[str, Any]:
    found = document.get("integrations")
    return found if isinstance(found, Mapping) else {}


def _for_all(before: Mapping[str, Any], now: Mapping[str, Any], path: Path) -> Iterator[str]:
    for key in sorted((before.keys() | now.keys()) - {"integrations"}):
        if not _same(before.get(key), now.get(key)):
            yield f"[{key}] of {path.name}"


def _reasons(integration: Integration, tree: Tree, before: Expanded, now: Expanded) -> Iterator[str]:
    table_before, table_now = (_integrations(version.document).get(integration.name) for version in (before, now))
    if not _same(table_before, table_now):
        yield from _changed_tables(integration.name, before, now)
    for path in dict.fromkeys(files(integration)):
        if tree.differs(path):
            yield _shown(path, integration.base)


def _changed_tables(name: str, before: Expanded, now: Expanded) -> Iterator[str]:
    """Name the tables that changed. With environments, these may be the environment's table and the shared table."""
    old, new = before.tables.get(name), now.tables.get(name)
    if old is None or new is None:
        yield f"[{dotted(('integrations', name) if new is None else new.own)}]"
        return
    if not _same(old.own_values, new.own_values):
        yield f"[{dotted(new.own)}]"
    if not _same(old.shared_values, new.shared_values):
        yield f"[{dotted(new.shared)}]"


def _same(value: Any, other: Any) -> bool:
    """Return whether two TOML values are equal. For Python, ``true`` and ``1`` would be equal."""
    if isinstance(value, Mapping) and isinstance(other, Mapping):
        return value.keys() == other.keys() and all(_same(item, other[key]) for key, item in value.items())
    if isinstance(value, list) and isinstance(other, list):
        return len(value) == len(other) and all(map(_same, value, other))
    return type(value) is type(other) and value == other


def inputs(configuration: Configuration) -> Iterator[Path]:
    """Yield the configuration file, and the files that its integrations need."""
    yield configuration.path
    for integration in configuration.integrations.values():
        yield from files(integration)


def files(integration: Integration) -> Iterator[Path]:
    """Yield the files that an integration needs: contract, recordings, authorities, secrets."""
    yield integration.contract_path
    yield integration.cassettes_path
    if integration.ca_bundle is not None:
        yield integration.base / integration.ca_bundle
    references = [Reference.parse(value) for value in _values(integration)]
    references += [
        as_reference(raw) for raw in (integration.client_certificate, integration.client_key) if raw is not None
    ]
    for reference in references:
        if reference is None:
            continue
        try:
            path = file_of(reference, integration.base)
        except Unresolved:
            continue  # The check of the configuration reports it.
        if path is not None:
            yield path


def _values(integration: Integration) -> Iterator[str]:
    for table in _TABLES_WITH_REFERENCES:
        yield from getattr(integration, table).values()
    yield from (value for value in integration.client.model_dump().values() if isinstance(value, str))


def _shown(path: Path, base: Path) -> str:
    """Return a path relative to the folder of the configuration, if it is below that folder."""
    return str(path.relative_to(base) if path.is_relative_to(base) else path)
