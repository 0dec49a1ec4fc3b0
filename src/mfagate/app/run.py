"""Run from the configuration to the exit code: for the command, pytest and the Python API."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from mfagate.app import changed_since, fault_options, gate
from mfagate.app.errors import RunRefused, refusing
from mfagate.app.exit_codes import with_exit_code
from mfagate.app.override import says_why
from mfagate.app.publish import publish, require_spare
from mfagate.app.session import Progress
from mfagate.checks import Stage
from mfagate.checks.record import require_own_recordings
from mfagate.config.load import load
from mfagate.config.model import MOST_CONCURRENCY, Configuration, Integration
from mfagate.core.result import ChangedSince, Report
from mfagate.history.errors import HistoryError, InvalidLocation
from mfagate.history.location import HistoryLocation
from mfagate.history.prior_runs import PriorRuns
from mfagate.history.recorder import HistoryReader, RunRecorder, location_of
from mfagate.notify.notifier import Notifier
from mfagate.providers import registry
from mfagate.report.formats import Output
from mfagate.report.pushgateway import Gateway

_log = logging.getLogger("mfagate")

Warn = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class RunRequest:
    """The options of a run.

    Args:
        stage: Determines the checks.
        config: The configuration file.
        integrations: Names of the integrations to check; all if empty.
        environments: Environments to check; all if empty.
        changed_since: Check only integrations that changed since this git revision.
        without_secrets: Skip values that cannot be read on this machine.
        faults: Faults to inject into sandboxes, as ``INTEGRATION=FAULT``.
        concurrency: How many requests may wait for an answer of one provider account at the same time. Default:
            ``[gate] concurrency``.
        override: Exit with 0 whatever the verdict, for this reason.
        allow_inconclusive: Exit with 0 for an inconclusive verdict.
        history: Where to keep the run. By default, runs that are kept use the history of the configuration.
        notify: Notify the ``[notify]`` URLs of changes since the last run.
        outputs: The reports to write.
        gateway: Where to push metrics.
        color: Whether the console report on stdout has colours.
    """

    stage: Stage
    config: Path = Path("integrations.toml")
    integrations: Sequence[str] = ()
    environments: Sequence[str] = ()
    changed_since: str | None = None
    without_secrets: bool = False
    faults: Sequence[str] = ()
    concurrency: int | None = None
    override: str | None = None
    allow_inconclusive: bool = False
    history: str | None = None
    notify: bool = False
    outputs: Sequence[Output] = ()
    gateway: Gateway | None = None
    color: bool = False

    @property
    def is_kept(self) -> bool:
        """Whether the run is kept in the history. Notifications need it for the next comparison."""
        return self.stage is Stage.NIGHTLY or self.history is not None or self.notify


@dataclass(frozen=True, slots=True)
class SelectedRun:
    """A request with a loaded configuration and valid options."""

    request: RunRequest
    configuration: Configuration
    integrations: Sequence[Integration]
    notifier: Notifier | None = None
    faults: Mapping[str, Sequence[str]] = field(default_factory=dict)
    changed_since: ChangedSince | None = None

    @property
    def concerned(self) -> Sequence[Integration]:
        """The integrations to check, without those that have not changed."""
        since = self.changed_since
        return [integration for integration in self.integrations if since is None or integration.name in since.changed]


@dataclass(frozen=True, slots=True)
class RunResult:
    """The result of a run.

    Args:
        report: The results of the checks, with all warnings and the exit code.
        exit_code: The exit code of the command.
        written: The files of the reports.
    """

    report: Report
    exit_code: int
    written: Sequence[Path]


def run(request: RunRequest) -> RunResult:
    """Run a request from the configuration to the exit code, without showing progress.

    Raises:
        RunRefused: The options or the configuration cannot be used.
        ReportNotWritten: A report could not be written.
    """
    return execute(select(request))


def select(request: RunRequest) -> SelectedRun:
    """Load the configuration, and validate the options. Nothing is sent or written.

    Raises:
        RunRefused: The options or the configuration cannot be used.
    """
    if request.override is not None and not says_why(request.override):
        raise RunRefused("--override: say why")
    with refusing():
        _require_location(request.history)
        configuration = _with_concurrency(load(request.config, registry.names()), request.concurrency)
        require_spare([output.path for output in request.outputs], lambda: _used(configuration, request))
        integrations = choose(configuration, request.integrations, request.environments)
        selected = SelectedRun(
            request,
            configuration,
            integrations,
            faults=fault_options.by_integration(request.faults, integrations),
            changed_since=_since(request, configuration, integrations),
        )
        if request.stage is Stage.RECORD:
            require_own_recordings(integrations)
        return replace(selected, notifier=Notifier(configuration) if request.notify else None)


def _with_concurrency(configuration: Configuration, concurrency: int | None) -> Configuration:
    """Return the configuration with the concurrency of the request, if it has one.

    Raises:
        RunRefused: It is not valid.
    """
    if concurrency is None:
        return configuration
    if not 1 <= concurrency <= MOST_CONCURRENCY:
        raise RunRefused(f"--concurrency {concurrency}: expected a number from 1 to {MOST_CONCURRENCY}")
    gate = configuration.gate.model_copy(update={"concurrency": concurrency})
    return configuration.model_copy(update={"gate": gate})


def _require_location(history: str | None) -> None:
    """Refuse what does not name a history. A history that cannot be reached is a warning of the report."""
    try:
        HistoryLocation.of(history, Path())
    except InvalidLocation as error:
        raise RunRefused(str(error)) from None
    except HistoryError:
        return


def choose(
    configuration: Configuration, names: Sequence[str] = (), environments: Sequence[str] = ()
) -> Sequence[Integration]:
    """Return the integrations with these names and environments; all if none is given.

    Raises:
        RunRefused: There is no integration with one of the names.
    """
    try:
        return configuration.select(tuple(names), tuple(environments))
    except KeyError as error:
        raise RunRefused(str(error.args[0])) from None


def _since(
    request: RunRequest, configuration: Configuration, integrations: Sequence[Integration]
) -> ChangedSince | None:
    if request.changed_since is None:
        return None
    return changed_since.since(request.changed_since, configuration, integrations)


def _used(configuration: Configuration, request: RunRequest) -> Iterator[Path]:
    """Yield the files that a run reads or changes."""
    yield from changed_since.inputs(configuration)
    with suppress(HistoryError):  # It is reported when the history is used.
        if (kept := location_of(configuration, request.history).path) is not None:
            yield kept


def execute(
    selected: SelectedRun, progress: AbstractContextManager[Progress] | None = None, warn: Warn = _log.warning
) -> RunResult:
    """Run the checks, keep and compare the run, notify, and write the reports.

    Args:
        selected: A valid request.
        progress: Receives the events of the checks.
        warn: Called with each warning of the report, and with each failure to publish it.

    Raises:
        RunRefused: A package that the run needs cannot be used.
        ReportNotWritten: A report could not be written.
    """
    request = selected.request
    recorder = RunRecorder(selected.configuration, request.history) if request.is_kept else None
    history = recorder or HistoryReader(selected.configuration, offline=request.stage is Stage.CHECK)
    with history.in_use():
        prior = _prior_runs(selected, recorder)
        plan = gate.GatePlan(
            selected.configuration,
            selected.concerned,
            request.stage,
            override=request.override,
            without_secrets=request.without_secrets,
            faults=selected.faults,
            changed_since=selected.changed_since,
            prior=prior,
            history=history,
        )
        with refusing(), progress or nullcontext(Progress()) as shown:
            outcome = gate.run(plan, shown)
        sending = [] if recorder is None else _keep(outcome, selected.notifier, recorder)
    report = outcome.report.with_warnings([*history.warnings, *sending])
    for warning in report.run.warnings:
        warn(warning)
    report = with_exit_code(report, allow_inconclusive=request.allow_inconclusive)
    publish(request, report, prior, warn)
    written = [output.path for output in request.outputs if output.path is not None]
    return RunResult(report, report.run.exit_code or 0, written)


def _prior_runs(selected: SelectedRun, recorder: RunRecorder | None) -> Mapping[str, PriorRuns]:
    """Return the results of earlier nightly runs. Other stages do not compare with them."""
    if recorder is None or selected.request.stage is not Stage.NIGHTLY:
        return {}
    return recorder.prior_runs([integration.name for integration in selected.integrations], Stage.NIGHTLY)


def _keep(outcome: gate.RunOutcome, notifier: Notifier | None, recorder: RunRecorder) -> Sequence[str]:
    """Keep the run, send notifications, and return the problems of sending."""
    recorder.record(outcome.report, outcome.learnt)
    return [] if notifier is None else notifier.notify(outcome.report, recorder)
