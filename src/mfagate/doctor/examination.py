"""Examine this machine: what is installed, and what can be read, written and reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mfagate.app.run import choose
from mfagate.app.session import Session
from mfagate.config.load import ConfigError, load
from mfagate.config.model import Configuration, Integration
from mfagate.config.resolved import Value, resolved
from mfagate.core.foreign import hiding
from mfagate.doctor.findings import Area, Health, Item, Readiness
from mfagate.doctor.installed import installed
from mfagate.doctor.reachable import reachable
from mfagate.doctor.readable import readable
from mfagate.doctor.writable import writable
from mfagate.providers import registry

_TABLES = ("settings", "control", "expect", "test_data", "client")


@dataclass(frozen=True, slots=True)
class Options:
    """What to examine.

    Args:
        names: Integrations; all if empty.
        environments: Environments; all if empty.
        without_secrets: Whether a value that cannot be read on this machine is only a warning.
        offline: Whether to send nothing.
    """

    names: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    without_secrets: bool = False
    offline: bool = False


def examine(path: Path, options: Options) -> Health:
    """Examine this machine.

    Raises:
        RunRefused: The file has no integration with one of the names.
    """
    try:
        configuration = load(path, registry.names())
    except ConfigError as error:
        return Health([*installed(None), *_unreadable(path, error), *writable(None)])
    integrations = choose(configuration, options.names, options.environments) if configuration.integrations else []
    session = Session(configuration)
    with hiding(session.redactor.redact):
        items = list(_examined(session, configuration, integrations, options))
    redacted: list[Item] = session.redactor.redact_tree(items)
    return Health(redacted)


def _unreadable(path: Path, error: ConfigError) -> Iterator[Item]:
    step = f"Correct {path}, or name another file with --config."
    if not path.exists():
        step = "Make one with: mfagate init --provider NAME; or name another file with --config."
    for problem in error.problems:
        yield Item(Area.READABLE, "configuration", Readiness.NO, str(problem), step)


def _examined(
    session: Session, configuration: Configuration, integrations: Sequence[Integration], options: Options
) -> Iterator[Item]:
    tables = {integration.name: _resolved(session, integration) for integration in integrations}
    addresses = _addresses(session, configuration)
    yield from installed(configuration)
    names = ", ".join(tables)
    if integrations:
        yield Item(Area.READABLE, "configuration", Readiness.YES, f"{configuration.path}: {names}")
    else:
        step = f"Add one with: mfagate init --provider NAME; or select another one of {configuration.path}."
        yield Item(Area.READABLE, "configuration", Readiness.NO, f"{configuration.path}: no integration", step)
    yield from readable(integrations, {**tables, **addresses}, without_secrets=options.without_secrets)
    yield from writable(configuration)
    if not options.offline:
        yield from reachable(integrations, tables)


def _resolved(session: Session, integration: Integration) -> Mapping[str, Mapping[str, Value]]:
    return {table: session.resolve(integration, table, None) for table in _TABLES}


def _addresses(session: Session, configuration: Configuration) -> Mapping[str, Mapping[str, Mapping[str, Value]]]:
    """Resolve the references of ``[history]`` and ``[notify]``; the session has added them to the redactor."""
    stores = session.stores(configuration.path.parent)
    texts = {"history": {"url": configuration.history.url}, "notify": _of_notify(configuration)}
    return {
        table: {
            "": {name: resolved(name, text, configuration.locate(table, name), stores) for name, text in own.items()}
        }
        for table, own in texts.items()
    }


def _of_notify(configuration: Configuration) -> Mapping[str, str | None]:
    notify = configuration.notify
    return {"report_url": notify.report_url, **{f"urls.{number}": url for number, url in enumerate(notify.urls)}}
