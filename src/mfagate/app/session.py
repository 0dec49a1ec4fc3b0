"""Prepare the checks: what all integrations of a run share, and the inputs of the checks of each one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mfagate.checks.cleanup import Cleanup
from mfagate.checks.context import CheckContext
from mfagate.checks.limits import AccountLimits
from mfagate.checks.tables import ResolvedTables
from mfagate.checks.waivers import Waivers
from mfagate.config.model import Configuration, Integration, LoginClient
from mfagate.config.resolved import Value, resolve_files, resolve_table
from mfagate.config.secrecy import Secrecy, teach_unknown
from mfagate.core.finding import Finding
from mfagate.core.foreign import hiding
from mfagate.core.result import Check, IntegrationReport
from mfagate.history.prior_runs import PriorRuns
from mfagate.inspection.identity import CERTIFICATE, KEY
from mfagate.inspection.other_names import meant_by
from mfagate.inspection.settings import InspectedSettings
from mfagate.providers import registry
from mfagate.providers.provider import InstalledProvider
from mfagate.sandbox import Running
from mfagate.sandbox import registry as sandboxes
from mfagate.secrets.credentials import learn_addresses, learn_surroundings
from mfagate.secrets.fingerprint import fingerprint, key_in_use
from mfagate.secrets.redaction import Redactor
from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import StoreContext, Stores


class Progress:
    """Receives the events of a run, from several threads. This class ignores them."""

    def started(self, integration: str, doing: str) -> None:
        """Handle the start of something that takes a while."""

    def checked(self, integration: str, check: Check) -> None:
        """Handle the end of one check."""

    def finished(self, report: IntegrationReport) -> None:
        """Handle the end of one integration."""


@dataclass(slots=True)
class Session:
    """What all integrations of a run share: options, secrets to redact, sandboxes to stop."""

    configuration: Configuration
    redactor: Redactor = field(default_factory=Redactor)
    progress: Progress = field(default_factory=Progress)
    sandboxes: ExitStack = field(default_factory=ExitStack)
    without_secrets: bool = False
    faults: Mapping[str, Sequence[str]] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    running: Mapping[str, Running] = field(default_factory=dict)
    """Sandboxes that the caller starts and stops, by integration."""
    started: dict[str, Running] = field(default_factory=dict)
    """Sandboxes that this run started, by integration."""
    parsed: dict[tuple[str, Path], Any] = field(default_factory=dict, repr=False)
    """Cache of files with secrets: see :class:`~mfagate.secrets.stores.StoreContext`."""
    cleanup: Cleanup = field(default_factory=Cleanup.of_environment)
    limits: AccountLimits = field(default_factory=AccountLimits)

    def __post_init__(self) -> None:
        learn_surroundings(self.redactor, self.configuration.text, self.environ, sys.argv[1:])
        self.redactor.add("fingerprint key", key_in_use().text)
        self._learn_addresses()

    def _learn_addresses(self) -> None:
        """Learn the addresses of the history and of [notify], which may come from a store."""
        stores = self.stores(self.configuration.path.parent)
        notify = self.configuration.notify
        for text in (self.configuration.history.url, notify.report_url, *notify.urls):
            reference = Reference.parse(text) if text is not None else None
            if reference is None:
                continue  # The text of the configuration has been learnt.
            with suppress(Unresolved):  # It is reported when it is used.
                address = str(stores.resolve(reference).value)
                learn_addresses(self.redactor, str(reference), address, whole=text in notify.urls)

    def stores(self, base: Path, running: Running | None = None) -> Stores:
        """Return the secret stores, with references relative to a folder."""
        return Stores(StoreContext(base, self.environ, running.values if running else {}, self.parsed))

    def resolve(self, integration: Integration, table: str, running: Running | None) -> Mapping[str, Value]:
        """Resolve one table of an integration, and add its secrets to the redactor."""
        values = resolve_table(
            integration,
            table,
            self.stores(integration.base, running),
            sandbox_running=running is not None or not integration.uses_sandbox,
            defer_unresolved=self.without_secrets,
        )
        _secrecy(registry.get(integration.provider), table, values).teach(self.redactor, values)
        teach_unknown(self.redactor, integration.unknown_values)
        return values

    def exists(self, integration: Integration, reference: Reference) -> bool:
        """Return whether a reference of an integration has a value."""
        try:
            self.stores(integration.base).resolve(reference)
        except Unresolved:
            return False
        return True

    def client_certificate(self, integration: Integration) -> Mapping[str, Value]:
        """Resolve the client certificate of an integration and its key, and add them to the redactor."""
        names = (CERTIFICATE, KEY)
        stores = self.stores(integration.base)
        values = resolve_files(integration, names, stores, defer_unresolved=self.without_secrets)
        Secrecy(names, names).teach(self.redactor, values)
        return values

    def inspect(self, integration: Integration, running: Running | None = None) -> InspectedSettings:
        """Resolve the settings of an integration for inspection."""
        values = self.resolve(integration, "settings", running)

        def exists(reference: Reference) -> bool:
            return self.exists(integration, reference)

        return InspectedSettings(integration, registry.get(integration.provider).settings, values, exists=exists)


def _secrecy(provider: InstalledProvider, table: str, names: Iterable[str]) -> Secrecy:
    """Return which values of a table the provider declares as secret or public, also under other names of a setting."""
    match table:
        case "test_data":
            return Secrecy(provider.test_secrets, provider.test_data, fingerprinted=True)
        case "expect":
            return Secrecy((), provider.expectations, fingerprinted=True)
        case "client":
            return Secrecy((), LoginClient.model_fields)
    secrets = provider.settings.secrets()
    meant = {name: found.field for name in names if (found := meant_by(name, provider.settings)) is not None}
    public = {name for name, field in meant.items() if field not in secrets}
    return Secrecy(secrets, {*provider.settings.model_fields, *public})


@contextmanager
def prepared(
    session: Session,
    integration: Integration,
    *,
    live: bool,
    shared: Sequence[Finding] = (),
    prior: PriorRuns | None = None,
) -> Iterator[CheckContext]:
    """Prepare the inputs of the checks, and start the sandbox of the integration if the run is live.

    Args:
        session: The run.
        integration: The integration to check.
        live: Whether requests will be sent.
        shared: Findings from the comparison with other integrations.
        prior: Results of earlier runs.

    Raises:
        SandboxError: The sandbox did not start.
    """
    provider = registry.get(integration.provider)
    running = session.running.get(integration.name)
    if running is None and live and integration.uses_sandbox:
        sandbox = sandboxes.get(integration.provider)
        session.progress.started(integration.name, f"starting a local {provider.title}")
        # The session owns it, so that an interrupt in the main thread also stops it.
        running = session.sandboxes.enter_context(sandbox.start(session.faults.get(integration.name)))
        session.started[integration.name] = running
    with hiding(session.redactor.redact):
        options = session.configuration.gate
        yield CheckContext(
            integration,
            provider,
            options,
            session.redactor,
            Waivers(integration, options),
            _tables(session, integration, running),
            endpoint=running.endpoint if running else integration.endpoint,
            ca_bundle=Path(running.ca_bundle) if running and running.ca_bundle else None,
            cleanup=session.cleanup,
            limits=session.limits,
            shared=shared,
            prior=prior or PriorRuns(),
        )


def _tables(session: Session, integration: Integration, running: Running | None) -> ResolvedTables:
    if running is not None:
        for name in running.secrets:
            session.redactor.add(f"sandbox {name}", running.values[name])
    settings = session.inspect(integration, running)
    expect = session.resolve(integration, "expect", running)
    client = session.resolve(integration, "client", running)
    control = None
    if integration.control:
        values = session.resolve(integration, "control", running)
        control = InspectedSettings(integration, registry.get(integration.provider).settings, values, table="control")
    test_data = session.resolve(integration, "test_data", running)
    return ResolvedTables(settings, control, client, expect, test_data, session.client_certificate(integration))


def fingerprints(context: CheckContext) -> dict[str, str]:
    """Return the fingerprint of each value that was read, by setting.

    Values of a sandbox are omitted, because they differ in each run.
    """
    integration, resolved = context.integration, context.tables
    tables = {
        "": resolved.settings.values,
        "control.": resolved.control.values if resolved.control else {},
        "expect.": resolved.expect,
    }
    prints = {
        f"{table}{name}": fingerprint(str(value.value))
        for table, values in tables.items()
        for name, value in values.items()
        if value.value not in (None, "") and not (value.reference and value.reference.scheme == "sandbox")
    }
    if integration.endpoint is not None and not integration.uses_sandbox:
        prints["endpoint"] = fingerprint(integration.endpoint)
    return prints
