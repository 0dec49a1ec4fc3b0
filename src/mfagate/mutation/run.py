"""Running mutants: each through the very rungs of the gate, against sandboxes that all of them share."""

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
from mfagate.sandbox import Running, SandboxError
from mfagate.sandbox import registry as sandboxes

_WORKERS = 4

_OTHER_ACCOUNTS = (Class.WRONG_VALUE, Class.STALE, Class.REFERENCE, Class.ADDRESS)
"""Edits after which another account may answer."""

_CLOSED_PORT = 1
"""Nobody listens on tcpmux any more."""


@contextmanager
def opened(configuration_: Configuration, integrations: Sequence[Integration]) -> Iterator[MutatedProject]:
    """Start the sandboxes, and stop them when the context is left.

    Raises:
        NotMutable: The configuration cannot be moved to sandboxes.
        SandboxError: One did not start.
    """
    owners = shared_sandboxes(integrations)
    by_name = {one.name: one for one in integrations}
    with ExitStack() as stack:

        def start(name: str) -> Running:
            return stack.enter_context(sandboxes.get(by_name[name].provider).start())

        first = sorted(set(owners.values()))
        with ThreadPoolExecutor(max_workers=max(1, len(first))) as pool:
            started = dict(zip(first, pool.map(start, first), strict=True))
        running = {name: started[owner] for name, owner in owners.items()}
        yield project_of(configuration_, integrations, running)


@dataclass(slots=True)
class Runner:
    """Runs mutants of one project. ``live`` asks the sandboxes what passes offline."""

    project: MutatedProject
    live: bool = True
    _contracts: Mapping[int, threading.Lock] = field(init=False)
    _baseline: Mapping[str, _BaselineRun] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        # Interactions change what the provider knows: one integration at a time has a sandbox for them.
        self._contracts = {id(one): threading.Lock() for one in self.project.running.values()}

    def confirm(self) -> None:
        """See that the unedited copy passes, without which nothing can be said of the edited ones.

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
                raise NotMutable(f"{name} does not pass on the sandbox unedited: {seen.red.message} ({seen.red.cause})")
            baseline[name] = seen
        self._baseline = baseline

    def run(self, mutants: Iterable[Mutant], tell: Callable[[MutantResult], None] | None = None) -> list[MutantResult]:
        """Return the results in the order of the mutants; ``tell`` is called with each as soon as it is known.

        Raises:
            NotMutable: The unedited copy no longer passes, so what was caught was perhaps not caught for its edit.
        """

        def one(mutant: Mutant) -> MutantResult:
            result = self._run(mutant)
            if tell is not None:
                tell(result)
            return result

        with ThreadPoolExecutor(max_workers=_WORKERS, thread_name_prefix="mutant") as pool:
            results = list(pool.map(one, mutants))
        if self.live:
            self._confirm_again()
        return results

    def _confirm_again(self) -> None:
        """Detect a dead sandbox, which would refuse every edit. Interactions are left out: they tire a user."""
        for name in self.project.integrations:
            with self._prepared(self.project.original, name) as (state, session):
                checks = run_checks(state, Stage.PROBE).checks
            red = next((session.redactor.redact_tree(check) for check in checks if check.outcome.is_red), None)
            if red is not None:
                why = f"{harmless(red.message)} ({red.cause})"
                raise NotMutable(f"{name} passes on the sandbox no longer, so nothing is known of the edits: {why}")

    def _run(self, mutant: Mutant) -> MutantResult:
        started = time.perf_counter()

        def result(
            fate: MutantStatus, cause: str | None = None, message: str = "", *, only_warned: bool = False
        ) -> MutantResult:
            return MutantResult(
                mutant, fate, cause, harmless(message), round(time.perf_counter() - started, 3), only_warned
            )

        harmful = mutant.operator.harmful
        baseline = self._baseline[mutant.integration]
        try:
            seen = self._look(mutant.copy, mutant.integration, baseline)
        except ConfigError as error:
            # Its messages never quote a value; the folder of the copy would say nothing.
            problem = error.problems[0]
            # A copy of environments has other lines than the user's file.
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
        fate = caught if harmful else MutantStatus.REFUSED
        return result(fate, str(red.cause), red.message, only_warned=seen.red is None)

    def _unpinned(self, mutant: Mutant) -> str:
        """Return what lets another account pass, if the edit can lead to one; empty if it is something else."""
        integration = self.project.integrations[mutant.integration]
        provider = registry.get(integration.provider)
        if not self.live or mutant.operator.kind not in _OTHER_ACCOUNTS:
            return ""
        if not provider.expectations:
            return f"{provider.title}'s answers do not tell whose account it is"
        if identity.is_pinned(provider, integration.expect):
            return ""
        keys = ", ".join(sorted(provider.identifying()))
        return (
            f"{integration.head('expect')} does not say whose account must answer, so that of another one passes "
            f"({CauseId.CONFIG_IDENTITY_UNPINNED}): fill in {keys}"
        )

    def _look(self, copy: Copy, name: str, baseline: _BaselineRun | None) -> _BaselineRun:
        """Climb as far as it goes.

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
                # If the same values are read, the provider would be sent the same requests.
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
                    # A test user may be tired of those before: what the unedited copy meets as well is not the edit's.
                    known = self._control(name)
                    answered = [check for check in answered if (check.subject, check.cause) not in known]
                checks += answered
        return checks

    def _control(self, name: str) -> set[tuple[str | None, str | None]]:
        """Return what the interactions of the unedited copy meet now."""
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
        """Return the problems that the unedited copy does not have: only these come from the edit."""
        known = {(check.subject, check.cause, check.message) for check in baseline.checks}
        return [check for check in self.checks if (check.subject, check.cause, check.message) not in known]


def _at_home(copied: Integration, mine: Integration) -> Integration:
    """With the user's own contract and authorities, which nothing edits."""
    bundle = mine.base / mine.ca_bundle if mine.ca_bundle else None
    paths = {"contract": mine.contract_path.absolute(), "cassettes": mine.cassettes_path.absolute()}
    # A sandbox asks for no certificate, and no secret of the user is in the copy.
    without = dict.fromkeys(("client_certificate", "client_key"))
    return copied.model_copy(update={**paths, **without, "ca_bundle": bundle})


def _read(state: CheckContext) -> Any:
    """Everything that decides how the gate goes, for telling whether an edit changed anything at all."""
    settings = state.tables.settings.values
    tables = (settings, state.tables.expect, state.tables.client, state.tables.test_data)
    rest = state.integration.model_dump(exclude={"settings", "expect", "client", "test_data", "documentation"})
    values = [{name: (value.value, value.error, value.deferred) for name, value in table.items()} for table in tables]
    secrets = state.provider.settings.secrets()
    literal = {name for name, value in settings.items() if value.reference is None and name in secrets}
    return values, rest, state.integration.unknown_keys, literal


def _shared(session: Session, loaded: Configuration, mine: Mapping[str, Integration], name: str) -> list[Any]:
    """Yield findings that need all integrations of several environments."""
    known = [one for one in loaded.integrations.values() if one.name in mine]
    if len({one.environment for one in known}) < 2:
        return []
    subjects = []
    for one in known:
        values = session.resolve(one, "settings", session.running.get(one.name))
        subjects.append(InspectedSettings(one, registry.get(one.provider).settings, values))
    return list(shared_credentials(subjects).get(name, []))


def _leads_to(base_url: str, original: str, endpoint: str) -> str | None:
    """Where an edited address leads, seen from the sandbox: to it, to a closed port, or to no host at all.

    A name other than the sandbox's own is put below ``.invalid``, which never exists
    (RFC 6761): nobody's server is asked for what a typing mistake would have sent there.
    """
    if base_url.lower() == original.lower():
        return endpoint
    new, old, to = urlsplit(base_url), urlsplit(original), urlsplit(endpoint)
    if (new.hostname or "") != (old.hostname or ""):
        return f"{new.scheme}://{(new.hostname or 'nowhere').strip('.')}.invalid"
    if new.port != old.port:
        return f"{to.scheme}://{to.hostname}:{_CLOSED_PORT}"
    # The sandbox's own address is edited: what differs is tried as it is.
    return None if is_loopback(original) else endpoint


__all__ = ["NotMutable", "Runner", "SandboxError", "opened"]
