"""Run the checks of all selected integrations in parallel, and make the report."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mfagate.app.correlate import add_peer_evidence, blamed, documented_once
from mfagate.app.override import as_recorded
from mfagate.app.session import Progress, Session, fingerprints, prepared
from mfagate.app.verdict import coverage_of, decided, enough_asked, name_integration, report_of
from mfagate.cassettes.writer import require_vcrpy
from mfagate.checks import Stage, network, run_checks
from mfagate.checks.reach import Sighting, is_stopped
from mfagate.checks.results import internal_error
from mfagate.config.model import Configuration, GateOptions, Integration
from mfagate.core import check_ids, git
from mfagate.core.causes import CauseId
from mfagate.core.causes import load as load_cause
from mfagate.core.finding import Finding
from mfagate.core.foreign import hiding, quoted
from mfagate.core.result import (
    ChangedSince,
    Check,
    IntegrationReport,
    Report,
    Run,
    Summary,
    Verdict,
)
from mfagate.core.version import __version__
from mfagate.core.workers import Workers
from mfagate.history.comparison import NO_HISTORY, Comparison
from mfagate.history.prior_runs import LastPass, PriorRuns, Shapes
from mfagate.inspection.shared import shared_credentials
from mfagate.leftovers.folders import remove_abandoned
from mfagate.providers import registry
from mfagate.sandbox import SandboxError
from mfagate.secrets.fingerprint import key_in_use
from mfagate.transport.stalls import STALLS

if TYPE_CHECKING:
    from mfagate.history.recorder import HistoryReader

_MOST_WORKERS = 32
"""Maximum number of integrations that wait for their providers at the same time. With 1,000 integrations on two
processors, more threads gained nothing and waited for each other."""

_SANDBOX_STEP = (
    "Read the message of the sandbox. If it names an extra or a command to install, run that; if it quotes a log, fix"
    " what the last lines of the log report. `mfagate doctor` lists what the sandbox lacks on this machine, and"
    " `mfagate sandbox PROVIDER` starts only the sandbox."
)
"""The next step if a sandbox did not start."""

log = logging.getLogger("mfagate")


@dataclass(frozen=True, slots=True)
class GatePlan:
    """What one run checks, and how.

    Args:
        configuration: The loaded file.
        integrations: The integrations to check.
        stage: Determines the checks.
        override: The reason why every verdict lets the deployment through, for the report.
        without_secrets: Whether to skip values that cannot be read on this machine.
        faults: Faults of each sandbox: see :mod:`mfagate.app.fault_options`.
        changed_since: Why only these integrations were selected: see :mod:`mfagate.app.changed_since`.
        prior: Results of earlier runs, by integration.
        history: Finds the last run in which an integration passed. Its key must be in use.
    """

    configuration: Configuration
    integrations: Sequence[Integration]
    stage: Stage
    override: str | None = None
    without_secrets: bool = False
    faults: Mapping[str, Sequence[str]] = field(default_factory=dict)
    changed_since: ChangedSince | None = None
    prior: Mapping[str, PriorRuns] = field(default_factory=dict)
    history: HistoryReader | None = None


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """The results of a run, with all secrets redacted.

    Args:
        report: The results of the checks.
        learnt: Shapes of answers for the next run to compare with, by integration.
    """

    report: Report
    learnt: Mapping[str, Shapes]


@dataclass(frozen=True, slots=True)
class _Examined:
    """The report on one integration, what its checks exonerate, how far its requests got, and what it learnt."""

    report: IntegrationReport
    cleared: Sequence[str] = ()
    sightings: Sequence[Sighting] = ()
    learnt: Shapes = field(default_factory=dict)


def run(plan: GatePlan, progress: Progress | None = None) -> RunOutcome:
    """Run the checks of every integration, and make one report with all secrets redacted.

    KeyboardInterrupt and SystemExit propagate after every sandbox has stopped.

    Raises:
        ProviderError: The package of a provider cannot be used.
        MissingExtra: A package that the stage needs is not installed.
    """
    started = datetime.now(UTC)
    for integration in plan.integrations:
        registry.get(integration.provider)
    if plan.stage is Stage.RECORD:
        require_vcrpy()
    if plan.stage is not Stage.CHECK:
        remove_abandoned()
    session = Session(
        plan.configuration,
        progress=progress or Progress(),
        without_secrets=plan.without_secrets,
        faults=plan.faults,
    )
    # Loaded now, because it is needed when no more files can be opened.
    load_cause(CauseId.GATE_RESOURCES)
    examined, reports = _examine_all(session, plan)
    report = _report(plan, session, started, _with_comparisons(reports, plan.history, started))
    learnt = {result.report.name: result.learnt for result in examined if result.learnt}
    return RunOutcome(session.redactor.redact_tree(report), session.redactor.redact_tree(learnt))


def _examine_all(session: Session, plan: GatePlan) -> tuple[Sequence[_Examined], Sequence[IntegrationReport]]:
    """Examine the integrations in threads, because live checks wait for the network; then correlate their reports."""
    shared = _shared_credentials(session, plan.integrations)
    pool = Workers(_most_workers(plan.stage, len(plan.integrations)))
    try:
        with STALLS.measured(), session.sandboxes:
            jobs = [
                pool.submit(_examine, session, plan, integration, shared.get(integration.name, []))
                for integration in plan.integrations
            ]
            try:
                examined = [job.result() for job in jobs]
                return examined, _correlated(session.configuration.gate, examined, plan.integrations)
            except (KeyboardInterrupt, SystemExit):
                # Do this while the sandboxes are still running.
                session.cleanup.interrupt()
                _log_what_is_left(session)
                raise
    finally:
        # Do not wait: after Ctrl-C, a thread may be in an exchange until its deadline.
        pool.shutdown(wait=False, cancel_futures=True)


def _correlated(
    options: GateOptions, examined: Sequence[_Examined], integrations: Sequence[Integration]
) -> list[IntegrationReport]:
    """Return the reports, with verdicts that take the results of all integrations into account."""
    sightings = [sighting for result in examined for sighting in result.sightings]
    witness = _witness(options, sightings)
    sightings += [witness] if witness is not None else []
    together = blamed(documented_once([result.report for result in examined]), sightings)
    reports = [
        after if after is before.report else decided(after, before.cleared)
        for before, after in zip(examined, together, strict=True)
    ]
    return add_peer_evidence(reports, integrations, sightings)


def _witness(options: GateOptions, sightings: Sequence[Sighting]) -> Sighting | None:
    """Send a request to the configured witness host, if a host of an integration was not reached."""
    if options.witness_host is None or not any(map(is_stopped, sightings)):
        return None
    from mfagate.providers.signing import unsigned
    from mfagate.transport import CaBundleError, Transport

    request = unsigned("HEAD", f"https://{options.witness_host}/")
    with suppress(CaBundleError):  # Each integration that uses the bundle reports it.
        return Sighting.of(Transport().send(request))
    return None


def _with_comparisons(
    reports: Sequence[IntegrationReport], history: HistoryReader | None, started: datetime
) -> list[IntegrationReport]:
    """Compare each value that may explain a problem with the last run in which the integration passed."""
    comparison = Comparison(started.date(), key_in_use().identifier)
    if history is None:
        return [comparison.added(report, lambda name: LastPass(NO_HISTORY)) for report in reports]
    if history.chosen.trouble is not None:
        comparison = replace(comparison, why_no_key=history.chosen.trouble)
    return [comparison.added(report, history.last_pass) for report in reports]


def _most_workers(stage: Stage, integrations: int) -> int:
    """Return the number of threads; one offline, where nothing waits."""
    return 1 if stage is Stage.CHECK else max(1, min(integrations, _MOST_WORKERS))


def _shared_credentials(session: Session, integrations: Sequence[Integration]) -> Mapping[str, list[Finding]]:
    """Find shared credentials before the checks, because this needs the settings of all integrations."""
    with suppress(Exception):  # An integration reports its own settings that cannot be read.
        return shared_credentials([session.inspect(integration) for integration in integrations])
    return {}


def _report(plan: GatePlan, session: Session, started: datetime, reports: Sequence[IntegrationReport]) -> Report:
    unchanged = plan.changed_since is not None and bool(plan.changed_since.unchanged)
    nothing = not reports and not unchanged
    path = plan.configuration.path
    return Report(
        run=Run(
            id=str(uuid.uuid4()),
            stage=plan.stage.value,
            started=started,
            finished=datetime.now(UTC),
            version=__version__,
            override=None if plan.override is None else as_recorded(plan.override, session.redactor),
            changed_since=plan.changed_since,
            configuration=str(path),
            commit=None if plan.stage is Stage.CHECK else git.commit_of(path, os.environ),
            fingerprint_key=key_in_use().identifier,
            warnings=[*_idle(session), *_left(session)],
        ),
        verdict=Verdict.FAIL if nothing else Verdict.of(report.verdict for report in reports),
        cause=CauseId.GATE_NOTHING_CHECKED if nothing else None,
        summary=Summary.of(check for report in reports for check in report.checks),
        integrations=[*reports],
    )


def _idle(session: Session) -> list[str]:
    """Name the injected faults that never fired, because then a pass proves nothing."""
    return [
        f"{name}: the fault {fault} never fired: no request matched it, or no answer had the field"
        for name, running in session.started.items()
        for fault in running.idle_faults()
    ]


def _left(session: Session) -> list[str]:
    return [f"not removed: {thing}; the next run on this machine tries again" for thing in session.cleanup.left]


def _log_what_is_left(session: Session) -> None:
    """Log what was not removed, because an interrupted run has no report."""
    with hiding(session.redactor.redact):
        for warning in _left(session):
            log.warning("%s", quoted(warning))


def _examine(session: Session, plan: GatePlan, integration: Integration, shared: list[Finding]) -> _Examined:
    with hiding(session.redactor.redact):
        try:
            examined = _checked(session, plan, integration, shared)
        except SandboxError as error:
            examined = _unchecked(integration, _not_started(integration, error))
        except Exception as error:  # noqa: BLE001 - a defect in one integration must not stop the others
            examined = _unchecked(integration, internal_error(integration, session.redactor, check_ids.GATE, error))
        faults = list(plan.faults.get(integration.name, ()))
        report = examined.report.model_copy(update={"faults": faults})
        session.progress.finished(report)
        learnt = {**_prior(plan, integration).shapes, **examined.learnt}
        return replace(examined, report=report, learnt=learnt)


def _prior(plan: GatePlan, integration: Integration) -> PriorRuns:
    return plan.prior.get(integration.name, PriorRuns())


def _checked(session: Session, plan: GatePlan, integration: Integration, shared: list[Finding]) -> _Examined:
    """Run the checks of one integration."""

    def on_check(check: Check) -> None:
        session.progress.checked(integration.name, check)

    prior = _prior(plan, integration)
    with prepared(session, integration, live=plan.stage is not Stage.CHECK, shared=shared, prior=prior) as context:
        session.progress.started(integration.name, f"checking {context.provider.title}")
        done = run_checks(context, plan.stage, on_check)
        coverage = coverage_of(context, plan.stage, done.checks)
        checks = [name_integration(integration, check) for check in done.checks]
        checks += [*enough_asked(integration, checks, coverage), *context.waivers.review(done.checks)]
        about = {
            "target": context.target_kind() if done.live is None else done.live.target_kind,
            "measured": done.transcript.measured,
            "contract": coverage,
            "fingerprints": fingerprints(context),
        }
        report = report_of(integration, checks, done.exonerated).model_copy(update=about)
        if done.live is None:
            return _Examined(report, done.exonerated)
        return _Examined(report, done.exonerated, [*network.sightings(done.live)], done.live.evidence.shapes)


def _unchecked(integration: Integration, problem: Check) -> _Examined:
    """Return the report on an integration whose only check is this problem."""
    checks = [name_integration(integration, problem)]
    checks += enough_asked(integration, checks, None)
    return _Examined(report_of(integration, checks, ()))


def _not_started(integration: Integration, error: SandboxError) -> Check:
    finding = Finding(
        CauseId.GATE_NOTHING_CHECKED,
        f"the local sandbox did not start, so nothing was checked: {error}",
        {"endpoint": "sandbox"},
        integration.locate("endpoint"),
        next_step=_SANDBOX_STEP.replace("PROVIDER", integration.provider),
    )
    return Check.from_finding(check_ids.SANDBOX, finding)
