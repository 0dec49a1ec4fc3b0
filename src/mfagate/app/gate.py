"""Plan, run, verdict: all selected integrations at once, each up its own ladder."""

from __future__ import annotations

import logging
import os
import re
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Protocol

from mfagate import __version__
from mfagate.app.correlate import add_peer_evidence, blamed, documented_once
from mfagate.app.override import as_recorded
from mfagate.cassettes.writer import require_vcrpy
from mfagate.checks import Stage, network, run_checks
from mfagate.checks.cleanup import Cleanup
from mfagate.checks.context import CheckContext
from mfagate.checks.reach import Sighting, is_stopped
from mfagate.checks.results import internal_error
from mfagate.checks.tables import ResolvedTables
from mfagate.checks.waivers import Waivers
from mfagate.config.model import Configuration, GateOptions, Integration, LoginClient
from mfagate.config.resolved import Value, resolve_files, resolve_table
from mfagate.config.secrecy import Secrecy, teach_unknown
from mfagate.core import check_ids, git
from mfagate.core.causes import CauseFamily, CauseId, Outcome, family_of
from mfagate.core.causes import load as load_cause
from mfagate.core.finding import Finding
from mfagate.core.foreign import hiding, quoted
from mfagate.core.result import (
    ChangedSince,
    Check,
    ContractCoverage,
    IntegrationReport,
    Measured,
    Report,
    ReportLocation,
    Run,
    SkipReason,
    Summary,
    TargetKind,
    Verdict,
)
from mfagate.core.workers import Workers
from mfagate.history.comparison import NO_HISTORY, Comparison
from mfagate.history.past import LastPass, PriorRuns
from mfagate.inspection.identity import CERTIFICATE, KEY
from mfagate.inspection.other_names import meant_by
from mfagate.inspection.settings import InspectedSettings
from mfagate.inspection.shared import shared_credentials
from mfagate.leftovers.folders import remove_abandoned
from mfagate.providers import registry
from mfagate.providers.base import Provider
from mfagate.sandbox import Running, SandboxError
from mfagate.secrets.credentials import learn_addresses, learn_surroundings
from mfagate.secrets.fingerprint import fingerprint, key_in_use
from mfagate.secrets.redaction import Redactor
from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import StoreContext, Stores
from mfagate.transport.stalls import STALLS

if TYPE_CHECKING:
    from mfagate.history.keeper import HistoryReader

_MOST_WORKERS = 32
"""Integrations that wait for their providers at the same time. More gained nothing with 1,000 of them on two
processors, and made the threads wait for each other."""

_SANDBOX_STEP = (
    "Read what the sandbox says in this message. Where it names an extra or a command to install, run that; where it"
    " quotes a log, mend what the last lines of the log name. `mfagate doctor` lists what the sandbox lacks here, and"
    " `mfagate sandbox PROVIDER` starts it alone."
)
"""The sandbox's own message says what is missing; the selection of the run is in order."""

log = logging.getLogger("mfagate")


class Progress(Protocol):
    """Told what happens while it happens, from several threads."""

    def started(self, integration: str, doing: str) -> None:
        """Something that takes a while has begun."""

    def checked(self, integration: str, check: Check) -> None:
        """One check is done."""

    def finished(self, report: IntegrationReport) -> None:
        """One integration is done."""


class Silent:
    """Progress that nobody watches."""

    def started(self, integration: str, doing: str) -> None:
        """Say nothing."""

    def checked(self, integration: str, check: Check) -> None:
        """Say nothing."""

    def finished(self, report: IntegrationReport) -> None:
        """Say nothing."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What an integration shows beside its report: how far its requests came, and what its checks exonerate."""

    sightings: Sequence[Sighting]
    cleared: Sequence[str]


@dataclass(slots=True)
class Session:
    """What all integrations of a run share: options, secrets to hide, sandboxes to stop."""

    configuration: Configuration
    redactor: Redactor = field(default_factory=Redactor)
    progress: Progress = field(default_factory=Silent)
    sandboxes: ExitStack = field(default_factory=ExitStack)
    without_secrets: bool = False
    faults: Mapping[str, Sequence[str]] = field(default_factory=dict)
    pasts: Mapping[str, PriorRuns] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    running: Mapping[str, Running] = field(default_factory=dict)
    """Sandboxes that somebody else started and stops, by integration."""
    started: dict[str, Running] = field(default_factory=dict)
    """Those of this run."""
    parsed: dict[tuple[str, Path], Any] = field(default_factory=dict, repr=False)
    """Files of secrets that were read, see :class:`~mfagate.secrets.stores.StoreContext`."""
    cleanup: Cleanup = field(default_factory=Cleanup.of_environment)
    seen: dict[str, Seen] = field(default_factory=dict)
    """Of each integration that was examined, by name."""

    def __post_init__(self) -> None:
        learn_surroundings(self.redactor, self.configuration.text, self.environ, sys.argv[1:])
        self.redactor.add("fingerprint key", key_in_use().text)
        self._learn_addressees()

    def _learn_addressees(self) -> None:
        """Learn where the history is and who is notified: their addresses may come out of a store."""
        stores = self.stores(self.configuration.path.parent)
        notify = self.configuration.notify
        for text in (self.configuration.history.url, notify.report_url, *notify.urls):
            reference = Reference.parse(text) if text is not None else None
            if reference is None:
                continue  # The text of the file is known.
            with suppress(Unresolved):  # It is reported where it is needed.
                address = str(stores.resolve(reference).value)
                learn_addresses(self.redactor, str(reference), address, whole=text in notify.urls)

    def stores(self, base: Path, running: Running | None = None) -> Stores:
        """Return what resolves references: paths in them begin at ``base``."""
        return Stores(StoreContext(base, self.environ, running.values if running else {}, self.parsed))

    def resolve(self, integration: Integration, table: str, running: Running | None) -> Mapping[str, Value]:
        """Resolve one table of an integration. What is secret in it is known to the redactor from then on."""
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

    def existence(self, integration: Integration) -> Callable[[Reference], bool]:
        """Return a function that tells whether a reference points at something; no value leaves it."""
        stores = self.stores(integration.base)

        def exists(reference: Reference) -> bool:
            try:
                stores.resolve(reference)
            except Unresolved:
                return False
            return True

        return exists

    def client_certificate(self, integration: Integration) -> Mapping[str, Value]:
        """Resolve the client certificate of an integration, and its key, which the redactor knows from then on."""
        names = (CERTIFICATE, KEY)
        values = resolve_files(integration, names, self.stores(integration.base), defer_unresolved=self.without_secrets)
        Secrecy(names, names).teach(self.redactor, values)
        return values


def _secrecy(provider: Provider, table: str, names: Iterable[str]) -> Secrecy:
    """Return what the provider declares about the values of one of its tables, whatever name a setting has there."""
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


def run(
    configuration: Configuration,
    integrations: Sequence[Integration],
    stage: Stage,
    *,
    progress: Progress | None = None,
    override: str | None = None,
    executor: Executor | None = None,
    without_secrets: bool = False,
    faults: Mapping[str, Sequence[str]] | None = None,
    changed_since: ChangedSince | None = None,
    pasts: Mapping[str, PriorRuns] | None = None,
    earlier: HistoryReader | None = None,
) -> Report:
    """Climb every ladder and make one report of it, with every secret redacted.

    ``executor`` runs the integrations, in threads by default: live work waits on
    the network. Another one must share this process's memory.
    ``without_secrets`` leaves out what a reference that cannot be read here would
    have held. ``faults`` are what goes wrong in the sandbox of an integration: see :mod:`mfagate.app.fault_options`.
    ``changed_since`` says why only these integrations were selected: see :mod:`mfagate.app.changed_since`.
    ``pasts`` are what earlier nights tell of each integration; what the next one is to know is put there.
    ``earlier`` knows the last run in which an integration passed; its key is to be in use.
    KeyboardInterrupt passes through once every sandbox is stopped.

    Raises:
        ProviderError: The package of a provider cannot be used.
        MissingExtra: What the stage needs is not installed.
    """
    started = datetime.now(UTC)
    for one in integrations:
        registry.get(one.provider)
    if stage is Stage.RECORD:
        require_vcrpy()
    if stage is not Stage.CHECK:
        remove_abandoned()
    session = Session(
        configuration,
        progress=progress or Silent(),
        without_secrets=without_secrets,
        faults=faults or {},
        pasts=pasts or {},
    )
    shared = _shared_credentials(session, integrations)
    # Read now, because it is needed when nothing can be opened any more.
    load_cause(CauseId.GATE_RESOURCES)
    pool = executor or Workers(_most_workers(stage, len(integrations)))
    try:
        with STALLS.measured(), session.sandboxes:
            jobs = [pool.submit(_examine, session, one, stage, shared.get(one.name, [])) for one in integrations]
            try:
                reports = _correlated(session, [job.result() for job in jobs], integrations)
            except (KeyboardInterrupt, SystemExit):
                # While its sandboxes still answer.
                session.cleanup.interrupt()
                _tell_what_is_left(session)
                raise
    finally:
        if executor is None:
            # Not waiting: after Ctrl-C a thread may sit in an exchange until its deadline.
            pool.shutdown(wait=False, cancel_futures=True)
    reports = _with_comparisons(reports, earlier, started)
    recorded = None if override is None else as_recorded(override, session.redactor)
    warnings = [*_idle(session), *_left(session)]
    report = _report(stage, started, reports, recorded, changed_since, configuration.path, warnings)
    for past in session.pasts.values():
        past.shapes = session.redactor.redact_tree(past.shapes)
    redacted: Report = session.redactor.redact_tree(report)
    return redacted


def _correlated(
    session: Session, reports: Sequence[IntegrationReport], integrations: Sequence[Integration]
) -> list[IntegrationReport]:
    """Return the reports, judged once more with what all of them show together."""
    examined = [session.seen[one.name] for one in integrations if one.name in session.seen]
    sightings = [one for seen in examined for one in seen.sightings]
    witness = _witness(session.configuration.gate, sightings)
    sightings += [witness] if witness is not None else []
    together = blamed(documented_once(reports), sightings)
    decided = [
        after if after is before else _decided(after, session.seen[after.name].cleared)
        for before, after in zip(reports, together, strict=True)
    ]
    return add_peer_evidence(decided, integrations, sightings)


def _witness(options: GateOptions, sightings: Sequence[Sighting]) -> Sighting | None:
    """Ask the host that the file names for this, if one of an integration was not reached."""
    if options.witness_host is None or not any(map(is_stopped, sightings)):
        return None
    from mfagate.providers.signing import unsigned
    from mfagate.transport import CaBundleError, Transport

    request = unsigned("HEAD", f"https://{options.witness_host}/")
    with suppress(CaBundleError):  # Each integration that uses the bundle reports it.
        return Sighting.of(Transport().send(request))
    return None


def _with_comparisons(
    reports: Sequence[IntegrationReport], earlier: HistoryReader | None, started: datetime
) -> list[IntegrationReport]:
    """Say of each value that may be the reason of a problem whether an integration passed with it before."""
    comparison = Comparison(started.date(), key_in_use().identifier)
    if earlier is None:
        return [comparison.added(report, lambda name: LastPass(NO_HISTORY)) for report in reports]
    if earlier.chosen.trouble is not None:
        comparison = replace(comparison, why_no_key=earlier.chosen.trouble)
    return [comparison.added(report, earlier.last_pass) for report in reports]


def _fingerprints(context: CheckContext) -> dict[str, str]:
    """Return the fingerprint of each value that was read, by its setting; a sandbox has others in each run."""
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


def _most_workers(stage: Stage, integrations: int) -> int:
    """Offline there is nothing to wait for, and threads would only take turns."""
    return 1 if stage is Stage.CHECK else max(1, min(integrations, _MOST_WORKERS))


def _shared_credentials(session: Session, integrations: Sequence[Integration]) -> Mapping[str, list[Finding]]:
    """Looked for before all else, because it needs every integration's settings at once."""
    with suppress(Exception):  # What cannot be read at all is reported by the integration itself.
        return shared_credentials([_inspected(session, one, None) for one in integrations])
    return {}


def _report(
    stage: Stage,
    started: datetime,
    reports: list[IntegrationReport],
    override: str | None,
    changed_since: ChangedSince | None,
    configuration: Path,
    warnings: list[str],
) -> Report:
    unchanged = changed_since is not None and bool(changed_since.unchanged)
    nothing = not reports and not unchanged
    return Report(
        run=Run(
            id=str(uuid.uuid4()),
            stage=stage.value,
            started=started,
            finished=datetime.now(UTC),
            version=__version__,
            override=override,
            changed_since=changed_since,
            configuration=str(configuration),
            commit=None if stage is Stage.CHECK else git.commit_of(configuration, os.environ),
            fingerprint_key=key_in_use().identifier,
            warnings=warnings,
        ),
        verdict=Verdict.FAIL if nothing else Verdict.of(report.verdict for report in reports),
        cause=CauseId.GATE_NOTHING_CHECKED if nothing else None,
        summary=Summary.of(check for report in reports for check in report.checks),
        integrations=reports,
    )


def _idle(session: Session) -> list[str]:
    """Of a drill in which nothing went wrong, a pass says nothing."""
    return [
        f"{name}: the fault {fault} has done nothing: no request was one that it strikes, or no answer had the field"
        for name, running in session.started.items()
        for fault in running.idle_faults()
    ]


def _left(session: Session) -> list[str]:
    return [f"not removed: {thing}; the next run on this machine tries again" for thing in session.cleanup.left]


def _tell_what_is_left(session: Session) -> None:
    """There will be no report."""
    with hiding(session.redactor.redact):
        for warning in _left(session):
            log.warning("%s", quoted(warning))


def _examine(session: Session, integration: Integration, stage: Stage, shared: list[Finding]) -> IntegrationReport:
    with hiding(session.redactor.redact):
        return _examined(session, integration, stage, shared)


def _examined(session: Session, integration: Integration, stage: Stage, shared: list[Finding]) -> IntegrationReport:
    def on_check(check: Check) -> None:
        session.progress.checked(integration.name, check)

    cleared: list[str] = []
    about_waivers: list[Check] = []
    measured: list[Measured] = []
    sightings: list[Sighting] = []
    coverage: ContractCoverage | None = None
    prints: dict[str, str] = {}
    target: TargetKind = "sandbox" if integration.uses_sandbox else "provider"
    try:
        with prepared(session, integration, live=stage is not Stage.CHECK, shared=shared) as context:
            prints = _fingerprints(context)
            session.progress.started(integration.name, f"checking {context.provider.title}")
            run = run_checks(context, stage, on_check)
            checks, cleared, measured = run.checks, run.exonerated, run.transcript.measured
            target = context.target_kind()
            if run.live is not None:
                target = run.live.target_kind
                sightings = [*network.sightings(run.live)]
                context.prior.shapes = {**context.prior.shapes, **run.live.evidence.shapes}
            coverage = _coverage(context, stage, checks)
            about_waivers = [*context.waivers.review(checks)]
    except SandboxError as error:
        finding = Finding(
            CauseId.GATE_NOTHING_CHECKED,
            f"the local sandbox did not start, so nothing was checked: {error}",
            {"endpoint": "sandbox"},
            integration.locate("endpoint"),
            next_step=_SANDBOX_STEP.replace("PROVIDER", integration.provider),
        )
        checks = [Check.from_finding(check_ids.SANDBOX, finding)]
    except Exception as error:  # noqa: BLE001 - a defect in one integration must not stop the others
        checks = [internal_error(integration, session.redactor, check_ids.GATE, error)]
    session.seen[integration.name] = Seen(sightings, cleared)
    checks = [_addressed(integration, check) for check in checks]
    checks += [*_too_few(integration, checks, coverage), *_partly_asked(integration, coverage), *about_waivers]
    faults = session.faults.get(integration.name, ())
    report = _integration_report(integration, checks, cleared, target, faults, measured)
    report = report.model_copy(update={"contract": coverage, "fingerprints": prints})
    session.progress.finished(report)
    return report


@contextmanager
def prepared(
    session: Session, integration: Integration, *, live: bool, shared: Sequence[Finding] = ()
) -> Iterator[CheckContext]:
    """Make the inputs of the checks, with the sandbox running if the integration uses one.

    Args:
        session: The run.
        integration: What is to be checked.
        live: Whether requests are to be sent.
        shared: Findings that only a comparison with other integrations shows.

    Raises:
        SandboxError: It did not start.
    """
    provider = registry.get(integration.provider)
    running = session.running.get(integration.name)
    if running is None and live and integration.uses_sandbox:
        sandbox = provider.sandbox()
        if sandbox is None:
            raise SandboxError(f"{provider.title} has no local sandbox; set endpoint to a URL")
        session.progress.started(integration.name, f"starting a local {provider.title}")
        # The session owns it, so that an interrupt in the main thread stops it too.
        running = session.sandboxes.enter_context(sandbox.start(session.faults.get(integration.name)))
        session.started[integration.name] = running
    with hiding(session.redactor.redact):
        yield _context(session, integration, provider, running, shared)


def _inspected(session: Session, integration: Integration, running: Running | None) -> InspectedSettings:
    provider = registry.get(integration.provider)
    values = session.resolve(integration, "settings", running)
    return InspectedSettings(integration, provider.settings, values, exists=session.existence(integration))


def _context(
    session: Session,
    integration: Integration,
    provider: Provider,
    running: Running | None,
    shared: Sequence[Finding],
) -> CheckContext:
    if running is not None:
        for name in running.secrets:
            session.redactor.add(f"sandbox {name}", running.values[name])
    settings = _inspected(session, integration, running)
    expect = session.resolve(integration, "expect", running)
    client = session.resolve(integration, "client", running)
    control = None
    if integration.control:
        values = session.resolve(integration, "control", running)
        control = InspectedSettings(integration, provider.settings, values, table="control")
    test_data = session.resolve(integration, "test_data", running)
    certificate = session.client_certificate(integration)
    options = session.configuration.gate
    return CheckContext(
        integration,
        provider,
        options,
        session.redactor,
        Waivers(integration, options),
        ResolvedTables(settings, control, client, expect, test_data, certificate),
        endpoint=running.endpoint if running else integration.endpoint,
        ca_bundle=Path(running.ca_bundle) if running and running.ca_bundle else None,
        cleanup=session.cleanup,
        shared=shared,
        prior=session.pasts.get(integration.name, PriorRuns()),
    )


def _coverage(context: CheckContext, stage: Stage, checks: Sequence[Check]) -> ContractCoverage | None:
    """Count how much of the contract was asked; None for a stage that does not ask, or without a contract."""
    was_read = any(check.id == check_ids.CONTRACT_FILE and not check.is_skipped for check in checks)
    if not was_read or stage not in (Stage.GATE, Stage.NIGHTLY):
        return None
    asked = [check for check in checks if check.id == check_ids.CONTRACT_INTERACTION]
    with suppress(Exception):  # The check of the contract reports what cannot be read.
        return ContractCoverage.of(len(context.contract.interactions), asked)
    return None


def _partly_asked(integration: Integration, coverage: ContractCoverage | None) -> Iterator[Check]:
    """Warn if nothing of the contract was asked although the environment allows more than probes."""
    could = (SkipReason.NO_TEST_DATA, SkipReason.SETTING_ABSENT, SkipReason.TOO_SOON)
    if coverage is None or coverage.asked or not any(coverage.skipped.get(reason) for reason in could):
        return
    finding = Finding(
        CauseId.GATE_PARTLY_ASKED,
        f"none of the contract's {coverage.interactions} interactions was asked: only probes were sent",
        {"not asked": coverage.reasons},
        integration.locate(),
    )
    yield Check.from_finding(check_ids.GATE, finding, subject="contract")


def _too_few(integration: Integration, checks: list[Check], coverage: ContractCoverage | None) -> Iterator[Check]:
    """Zero checks, or fewer than the file asks for, are a failure and never a green run."""
    asked, least = (coverage.asked if coverage else 0), integration.minimum_interactions or 0
    if coverage is not None and asked < least:
        finding = Finding(
            CauseId.GATE_NOTHING_CHECKED,
            f"{asked} interactions of the contract were asked, but at least {least} are expected",
            {"asked": asked, "expected at least": least, "not asked": coverage.reasons},
            integration.locate("minimum_interactions"),
        )
        yield Check.from_finding(check_ids.GATE, finding, subject="contract")
    # Accepted or not, what could not be known was not checked.
    ran = sum(check.outcome is not Outcome.SKIPPED and not _accepted_unknown(check) for check in checks)
    wanted = integration.minimum_checks or 1
    if ran < wanted:
        finding = Finding(
            CauseId.GATE_NOTHING_CHECKED,
            f"{ran} checks ran, but at least {wanted} are expected",
            {"ran": ran, "expected at least": wanted, "skipped": len(checks) - ran},
            integration.locate("minimum_checks"),
        )
        yield Check.from_finding(check_ids.GATE, finding)


def _accepted_unknown(check: Check) -> bool:
    return check.waiver is not None and check.found is Outcome.INCONCLUSIVE


def _addressed(integration: Integration, check: Check) -> Check:
    """Return the check with the integration's own name in the next step, where the catalogue says NAME."""
    if check.next_step is None or "NAME" not in check.next_step:
        return check
    step = re.sub(r"\[integrations\.NAME\.(\w+)\]", lambda found: integration.heads(found[1]), check.next_step)
    step = step.replace("--integration NAME", f"--integration {quote(integration.name)}")
    return check.model_copy(update={"next_step": step})


def _is_answered_login(check: Check) -> bool:
    """Whether the provider answered a request of the contract: a login was reproduced without any database."""
    if check.id not in (check_ids.CONTRACT_INTERACTION, check_ids.RECORDING) or check.subject is None:
        return False
    if check.cause in (CauseId.CONTRACT_UNSAFE_PATH, CauseId.CONTRACT_STATE_UNAVAILABLE):
        return False  # Nothing was sent.
    return check.outcome is Outcome.PASS or (
        check.found is Outcome.FAIL and family_of(check.cause) is CauseFamily.CONTRACT
    )


def _passed(summary: Summary) -> str:
    warnings = f", {summary.warn} with a warning" if summary.warn else ""
    return f"{summary.passed} checks passed{warnings}" + (f", {summary.waived} waived" if summary.waived else "")


def _integration_report(
    integration: Integration,
    checks: list[Check],
    cleared: list[str],
    target: TargetKind,
    faults: Sequence[str],
    measured: list[Measured],
) -> IntegrationReport:
    report = IntegrationReport(
        name=integration.name,
        provider=integration.provider,
        environment=integration.environment.value,
        target=target,
        share_of_users=integration.share_of_users,
        owner=integration.documentation.owner,
        runbook=integration.documentation.runbook,
        location=ReportLocation.of(integration.locate()),
        verdict=Verdict.of(check.outcome for check in checks),
        faults=list(faults),
        headline=_passed(Summary.of(checks)),
        checks=checks,
        measured=measured,
    )
    return _decided(report, cleared)


def _decided(report: IntegrationReport, cleared: Sequence[str]) -> IntegrationReport:
    """Return the report with verdict, cause and headline of its checks."""
    report = report.model_copy(update={"verdict": Verdict.of(check.outcome for check in report.checks)})
    red = report.deciding
    if red is None or red.cause is None:
        return report
    observed = {*cleared, "database"} if any(map(_is_answered_login, report.checks)) else set(cleared)
    exonerated = [name for name in load_cause(red.cause).exonerates if name in observed]
    return report.model_copy(update={"cause": red.cause, "headline": red.message, "exonerated": exonerated})
