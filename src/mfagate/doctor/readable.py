"""What can be read: contracts, recordings, certificate authorities, and the source of each value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mfagate.checks.contract_file import missing_contract
from mfagate.config.model import Integration
from mfagate.config.resolved import Value
from mfagate.contract import ContractError
from mfagate.contract import load as load_contract
from mfagate.core.causes import load as load_cause
from mfagate.core.files import Unreadable, read_text
from mfagate.doctor.findings import Area, Item, Readiness
from mfagate.providers import registry
from mfagate.secrets.reference import Reference

Tables = Mapping[str, Mapping[str, Mapping[str, Value]]]
"""The resolved values, by integration and table."""


def readable(integrations: Sequence[Integration], tables: Tables, *, without_secrets: bool) -> Iterator[Item]:
    """Yield one item for each file and each reference."""
    for path, one in {one.contract_path: one for one in integrations}.items():
        try:
            found = load_contract(path, provider=one.provider)
        except ContractError as error:
            step = missing_contract(one, registry.get(one.provider).title) or load_cause(error.cause).next_step
            yield Item(Area.READABLE, f"contract of {one.provider}", Readiness.NO, str(error), step)
        else:
            detail = f"{path}: {len(found.interactions)} interactions"
            yield Item(Area.READABLE, f"contract of {one.provider}", Readiness.YES, detail)
    yield from map(_recordings, {one.cassettes_path: one for one in integrations}.values())
    for one in integrations:
        if one.ca_bundle is not None:
            yield _authorities(one)
    yield from _references(tables, without_secrets=without_secrets)


def _recordings(one: Integration) -> Item:
    name, path = f"recordings of {one.provider}", one.cassettes_path
    try:
        files = sorted(path.glob("*.yaml"))
        for file in files[:1]:
            read_text(file, 1 << 22)
    except (OSError, Unreadable) as error:
        return Item(Area.READABLE, name, Readiness.NO, f"{path} {error}", f"Allow this user to read {path}.")
    if not files:
        step = f"Record them: mfagate record --integration {one.name}"
        return Item(Area.READABLE, name, Readiness.WARNING, f"{path} has none", step)
    return Item(Area.READABLE, name, Readiness.YES, f"{path}: {len(files)} files")


def _authorities(one: Integration) -> Item:
    from mfagate.transport import CaBundleError, check_bundle

    assert one.ca_bundle is not None, "called only if there is one"
    path = one.base / one.ca_bundle
    try:
        check_bundle(path)
    except CaBundleError as error:
        step = f"Correct ca_bundle at {one.locate('ca_bundle')}."
        return Item(Area.READABLE, f"authorities of {one.name}", Readiness.NO, str(error), step)
    return Item(Area.READABLE, f"authorities of {one.name}", Readiness.YES, str(path))


def _references(tables: Tables, *, without_secrets: bool) -> Iterator[Item]:
    users: dict[Reference, list[str]] = {}
    values: dict[Reference, Value] = {}
    for integration, by_table in tables.items():
        for table, own in by_table.items():
            for name, value in own.items():
                if value.reference is not None and value.reference.scheme != "sandbox":
                    users.setdefault(value.reference, []).append(".".join(filter(None, (integration, table, name))))
                    values.setdefault(value.reference, value)
    unset = [one.locator for one, value in values.items() if one.scheme == "env" and value.error is not None]
    for reference, value in values.items():
        used = ", ".join(users[reference])
        if value.error is None:
            yield Item(Area.READABLE, str(reference), Readiness.YES, used)
        elif without_secrets:
            yield Item(Area.READABLE, str(reference), Readiness.WARNING, f"{used}: {value.error}")
        else:
            yield Item(
                Area.READABLE, str(reference), Readiness.NO, f"{used}: {value.error}", _step(reference, value, unset)
            )


def _step(reference: Reference, value: Value, unset: Sequence[str]) -> str:
    if reference.scheme == "env":
        file = value.key_location.file
        return f"Set {', '.join(unset)} in the environment of mfagate, or name other sources of these values in {file}."
    return f"Create what {reference} names, allow this user to read it, or name another source at {value.key_location}."
