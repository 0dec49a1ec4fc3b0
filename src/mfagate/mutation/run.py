"""Run each mutant through the checks of the gate, against sandboxes that all mutants share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from mfagate.app.session import Session, prepared
from mfagate.checks import Stage, configuration, identity, interactions, run_checks
from mfagate.checks.context import CheckContext
from mfagate.config.load import ConfigError, load
from mfagate.config.model import Configuration, Integration
from mfagate.config.shapes import is_loopback
from mfagate.core import check_ids
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.foreign import harmless
from mfagate.core.result import Check
from mfagate.inspection.settings import InspectedSettings
from mfagate.inspection.shared import shared_credentials
from mfagate.leftovers.folders import temporary_folder
from mfagate.mutation.copy import Copy
from mfagate.mutation.layout import MutatedProject, NotMutable, project_of, shared_sandboxes
from mfagate.mutation.model import REFUSED, Class, Mutant, MutantResult, MutantStatus
from mfagate.providers import registry
from mfagate.sandbox import Running
from mfagate.sandbox import registry as sandboxes

_WORKERS = 4

_OTHER_ACCOUNTS = (Class.WRONG_VALUE, Class.STALE, Class.REFERENCE, Class.ADDRESS)
"""Edits that may lead to another account."""

_CLOSED_PORT = 1
"""No server uses tcpmux any more."""


@contextmanager
def opened(configuration_: Configuration, integrations: Sequence[Integration]) -> Iterator[MutatedProject]:
    """Start the sandboxes, and stop them at the end.

    Raises:
        NotMutable: The configuration cannot be moved to sandboxes.
        SandboxError: A sandbox did not start.
    """
    owners = shared_sandboxes(integrations)
    providers = {integration.name: integration.provider for integration in integrations}
    with ExitStack() as stack:

        def start(name: str) -> Running:
            return stack.enter_context(sandboxes.get(providers[name]).start())

        first = sorted(set(owners.values()))
        with ThreadPoolExecutor(max_workers=max(1, len(first))) as pool:
            started = dict(zip(first, pool.map(start, first), strict=True))
        running = {name: started[owner] for name, owner in owners.items()}
        yield project_of(configuration_, integrations, running)


@dataclass(slots=True)
class Runner:
    """Runs the mutants of one project; with ``live``, also against the sandboxes if they pass offline."""

    project: MutatedProject
    live: bool = True
    _contracts: Mapping[int, threading.Lock] = field(init=False)
    _baseline: Mapping[str, _BaselineRun] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        # Interactions change the provider's data, so each sandbox runs those of one integration at a time.
        self._contracts = {id(sandbox): threading.Lock() for sandbox in self.project.running.values()}

    def confirm(self) -> None:
        """Check that the unedited copy passes; if it does not, the edited copies prove nothing.

        Raises:
            NotMutable: It does not.
        """
        baseline = {}
        for name in self.project.integrations:
            try:
                seen = self._look(self.project.original, name, None)
            except ConfigError as error:
                raise NotMutable(f"the copy for the sandbox cannot be read: {error.problems[0].message}") from None
            if seen.red is not None:
                raise NotMutable(
                    f"{name} does not pass on the sandbox without edits: {seen.red.message} ({seen.red.cause})"
                )
            baseline[name] = seen
        self._baseline = baseline

    def run(
        self, mutants: Iterable[Mutant], on_result: Callable[[MutantResult], object] = lambda result: None
    ) -> list[MutantResult]:
        """Return the results in the order of the mutants. Call ``on_result`` with each as soon as it is known.

        Raises:
            NotMutable: The unedited copy no longer passes, so edits may have been caught for another reason.
        """

        def run(mutant: Mutant) -> MutantResult:
            result = self._run(mutant)
            on_result(result)
            return result

        with ThreadPoolExecutor(max_workers=_WORKERS, thread_name_prefix="mutant") as pool:
            results = list(pool.map(run, mutants))
        if self.live:
            self._confirm_again()
        return results

    def _confirm_again(self) -> None:
        """Detect a dead sandbox, which would refuse every edit. Skip the interactions, which may lock a test user."""
        for name in self.project.integrations:
            with self._prepared(self.project.original, name) as (state, session):
                checks = run_checks(state, Stage.PROBE).checks
            red = next((session.redactor.redact_tree(check) for check in checks if check.outcome.is_red), None)
            if red is not None:
                why = f"{harmless(red.message)} ({red.cause})"
                raise NotMutable(f"{name} no longer passes on the sandbox, so the results are not reliable: {why}")

    def _run(self, mutant: Mutant) -> MutantResult:
        started = time.perf_counter()

        def result(
            status: MutantStatus, cause: str | None = None, message: str = "", *, only_warned: bool = False
        ) -> MutantResult:
            return MutantResult(
                mutant, status, cause, harmless(message), round(time.perf_counter() - started, 3), only_warned
            )

        harmful = mutant.operator.harmful
        baseline = self._baseline[mutant.integration]
        try:
            seen = self._look(mutant.copy, mutant.integration, baseline)
        except ConfigError as error:
            # Its messages never quote a value. The folder of the copy is left out.
            problem = error.problems[0]
            # A copy of environments has other line numbers than the user's file.
            line = "" if "/" in mutant.integration else f"line {problem.location.line}: "
            message = f"{line}{problem.key} {problem.message}"
            return result(MutantStatus.CAUGHT_OFFLINE if harmful else MutantStatus.REFUSED, REFUSED, message)
        if harmful and seen.read == baseline.read:
            return result(MutantStatus.EQUIVALENT)
        known = [check for check in seen.beyond(baseline) if check.cause in mutant.expected]
        red = seen.red or next((check for check in known if check.outcome is Outcome.WARN), None)
        if red is None:
            accepted = [f"a waiver accepts {check.cause} until {check.waiver.until}" for check in known if check.waiver]
            why = "".join(accepted[:1]) or (self._unpinned(mutant) if harmful else "")
            return result(MutantStatus.SURVIVED if harmful else MutantStatus.GREEN, message=why)
        caught = MutantStatus.CAUGHT_OFFLINE if red.id == check_ids.CONFIGURATION else MutantStatus.CAUGHT_LIVE
        status = caught if harmful else MutantStatus.REFUSED
        return result(status, str(red.cause), red.message, only_warned=seen.red is None)

    def _unpinned(self, mutant: Mutant) -> str:
        """Return why another account passes, if the edit can lead to one; otherwise an empty text."""
        integration = self.project.integrations[mutant.integration]
        provider = registry.get(integration.provider)
        if not self.live or mutant.operator.kind not in _OTHER_ACCOUNTS:
            return ""
        if not provider.expectations:
            return f"{provider.title}'s answers do not identify the account"
        if identity.is_pinned(provider, integration.expect):
            return ""
        keys = ", ".join(sorted(provider.identifying()))
        return (
            f"{integration.head('expect')} does not name the expected account, so another account passes "
            f"({CauseId.CONFIG_IDENTITY_UNPINNED}): fill in {keys}"
        )

    def _look(self, copy: Copy, name: str, baseline: _BaselineRun | None) -> _BaselineRun:
        """Run the checks of a copy, as far as they get.

        Raises:
            ConfigError: The file cannot be read.
        """
        with self._prepared(copy, name) as (state, session):
            seen = _BaselineRun(_read(state))
            checks = [state.waivers.applied(check) for check in configuration.run(state)]
            is_red = any(check.outcome.is_red for check in checks)
            typed = state.tables.typed if not is_red else None
            if typed is not None:
                seen.base_url = state.provider.api.base_url(typed.settings)
                # With the same values, the provider would get the same requests.
                same = baseline is not None and seen.read == baseline.read
                if self.live and not same:
                    original = seen.base_url if baseline is None else baseline.base_url
                    endpoint = _leads_to(seen.base_url, original, self.project.running[name].endpoint)
                    checks += self._check_live(replace(state, endpoint=endpoint), name, is_baseline=baseline is None)
            seen.checks = [session.redactor.redact_tree(check) for check in checks]
            return seen

    @contextmanager
    def _prepared(self, copy: Copy, name: str) -> Iterator[tuple[CheckContext, Session]]:
        with temporary_folder("mutant") as folder:
            loaded = load(copy.write(folder), registry.names(), flat=True)
            integration = _at_home(loaded.integrations[name], self.project.integrations[name])
            session = Session(loaded, environ=copy.environ, running=self.project.running)
            shared = _shared(session, loaded, self.project.integrations, name)
            with prepared(session, integration, live=True, shared=shared) as state:
                yield state, session

    def _check_live(self, state: CheckContext, name: str, *, is_baseline: bool) -> list[Check]:
        run = run_checks(state, Stage.PROBE)
        checks = run.checks
        if run.live is not None and not any(check.outcome.is_red for check in checks):
            with self._contracts[id(self.project.running[name])]:
                answered = [state.waivers.applied(check) for check in interactions.run(run.live)]
                if not is_baseline and any(check.outcome.is_red for check in answered):
                    # Earlier requests may have locked a test user: failures of the unedited copy are not the edit's.
                    known = self._control(name)
                    answered = [check for check in answered if (check.subject, check.cause) not in known]
                checks += answered
        return checks

    def _control(self, name: str) -> set[tuple[str | None, str | None]]:
        """Return the current failures of the unedited copy's interactions."""
        with self._prepared(self.project.original, name) as (state, _):
            live = run_checks(state, Stage.PROBE).live
            checks = interactions.run(live) if live is not None else []
            return {(check.subject, check.cause) for check in checks if state.waivers.stops(check)}


@dataclass(slots=True)
class _BaselineRun:
    read: Any
    base_url: str = ""
    checks: list[Check] = field(default_factory=list)

    @property
    def red(self) -> Check | None:
        return next((check for check in self.checks if check.outcome.is_red), None)

    def beyond(self, baseline: _BaselineRun) -> list[Check]:
        """Return the problems that the unedited copy does not have, which the edit has caused."""
        known = {(check.subject, check.cause, check.message) for check in baseline.checks}
        return [check for check in self.checks if (check.subject, check.cause, check.message) not in known]


def _at_home(copied: Integration, mine: Integration) -> Integration:
    """Return the integration with the user's own contract and CA bundle, which no edit changes."""
    bundle = mine.base / mine.ca_bundle if mine.ca_bundle else None
    paths = {"contract": mine.contract_path.absolute(), "cassettes": mine.cassettes_path.absolute()}
    # A sandbox requests no certificate, and the copy contains no secret of the user.
    without = dict.fromkeys(("client_certificate", "client_key"))
    return copied.model_copy(update={**paths, **without, "ca_bundle": bundle})


def _read(state: CheckContext) -> Any:
    """Return everything that the gate's result depends on, to see whether an edit changed anything."""
    settings = state.tables.settings.values
    tables = (settings, state.tables.expect, state.tables.client, state.tables.test_data)
    rest = state.integration.model_dump(exclude={"settings", "expect", "client", "test_data", "documentation"})
    values = [{name: (value.value, value.error, value.deferred) for name, value in table.items()} for table in tables]
    secrets = state.provider.settings.secrets()
    literal = {name for name, value in settings.items() if value.reference is None and name in secrets}
    return values, rest, state.integration.unknown_keys, literal


def _shared(session: Session, loaded: Configuration, mine: Mapping[str, Integration], name: str) -> list[Any]:
    """Return the findings that need the integrations of several environments."""
    known = [integration for integration in loaded.integrations.values() if integration.name in mine]
    if len({integration.environment for integration in known}) < 2:
        return []
    inspected = []
    for integration in known:
        values = session.resolve(integration, "settings", session.running.get(integration.name))
        inspected.append(InspectedSettings(integration, registry.get(integration.provider).settings, values))
    return list(shared_credentials(inspected).get(name, []))


def _leads_to(base_url: str, original: str, endpoint: str) -> str | None:
    """Return where an edited address leads: to the sandbox, to a closed port, or to no host.

    A host name other than the sandbox's is moved below ``.invalid``, which never exists (RFC 6761), so that no request
    reaches another server because of a typing mistake.
    """
    if base_url.lower() == original.lower():
        return endpoint
    new, old, to = urlsplit(base_url), urlsplit(original), urlsplit(endpoint)
    if (new.hostname or "") != (old.hostname or ""):
        return f"{new.scheme}://{(new.hostname or 'nowhere').strip('.')}.invalid"
    if new.port != old.port:
        return f"{to.scheme}://{to.hostname}:{_CLOSED_PORT}"
    # The sandbox's own address is edited, so use the edited address.
    return None if is_loopback(original) else endpoint
