"""``--changed-since``: which integrations a change in git concerns, and by what."""

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
    """Which of the selected integrations are not as they were at a revision of git, and by what.

    Raises:
        GitError: git cannot tell; the message says what to do.
    """
    tree = open_tree(configuration.path.absolute().parent, revision)
    before, now = expanded(_before(tree, configuration.path)), expanded(parse(configuration.text))
    for_all = [*_for_all(before.document, now.document, configuration.path)]
    reasons = {one.name: [*for_all, *_reasons(one, tree, before, now)] for one in selected}
    return ChangedSince(
        revision=revision,
        commit=tree.commit,
        changed={name: found for name, found in reasons.items() if found},
        unchanged=[name for name, found in reasons.items() if not found],
        removed=[name for name in _integrations(before.document) if name not in configuration.integrations],
    )


def _before(tree: Tree, path: Path) -> Mapping[str, Any]:
    """The configuration at the revision; empty where there was none, or none that could be read."""
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


def _reasons(one: Integration, tree: Tree, before: Expanded, now: Expanded) -> Iterator[str]:
    table_before, table_now = (_integrations(each.document).get(one.name) for each in (before, now))
    if not _same(table_before, table_now):
        yield from _changed_tables(one.name, before, now)
    for path in dict.fromkeys(files(one)):
        if tree.differs(path):
            yield _shown(path, one.base)


def _changed_tables(name: str, before: Expanded, now: Expanded) -> Iterator[str]:
    """Name the tables that changed: with environments, that of the environment, the shared one, or both."""
    old, new = before.tables.get(name), now.tables.get(name)
    if old is None or new is None:
        yield f"[{dotted(('integrations', name) if new is None else new.own)}]"
        return
    if not _same(old.own_values, new.own_values):
        yield f"[{dotted(new.own)}]"
    if not _same(old.shared_values, new.shared_values):
        yield f"[{dotted(new.shared)}]"


def _same(one: Any, other: Any) -> bool:
    """Whether two values of TOML are the same; for Python, ``true`` and ``1`` would be."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and one == other


def inputs(configuration: Configuration) -> Iterator[Path]:
    """Yield the configuration file, and the files that its integrations are checked with."""
    yield configuration.path
    for one in configuration.integrations.values():
        yield from files(one)


def files(one: Integration) -> Iterator[Path]:
    """What an integration is checked with beside its own table: contract, recordings, authorities, secrets."""
    yield one.contract_path
    yield one.cassettes_path
    if one.ca_bundle is not None:
        yield one.base / one.ca_bundle
    references = [Reference.parse(value) for value in _values(one)]
    references += [as_reference(raw) for raw in (one.client_certificate, one.client_key) if raw is not None]
    for reference in references:
        if reference is None:
            continue
        try:
            path = file_of(reference, one.base)
        except Unresolved:
            continue  # a finding of the check, whenever it is made
        if path is not None:
            yield path


def _values(one: Integration) -> Iterator[str]:
    for table in _TABLES_WITH_REFERENCES:
        yield from getattr(one, table).values()
    yield from (value for value in one.client.model_dump().values() if isinstance(value, str))


def _shown(path: Path, base: Path) -> str:
    """As the configuration names it, where it does so from its own folder."""
    return str(path.relative_to(base) if path.is_relative_to(base) else path)
