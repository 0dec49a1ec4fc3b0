"""Store a run in the history, and look up earlier runs. A failure is a warning, and never changes a verdict."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from mfagate.config.model import Configuration
from mfagate.core.git import may_be_committed
from mfagate.core.result import Report, Verdict
from mfagate.history.comparison import NO_HISTORY
from mfagate.history.errors import HistoryError
from mfagate.history.location import HistoryLocation
from mfagate.history.prior_runs import LastPass, PriorRuns, Shapes
from mfagate.history.record import StoredRun
from mfagate.history.store import History
from mfagate.inspection.placeholders import placeholder
from mfagate.secrets.fingerprint import KEY_VARIABLE, OF_THIS_PROCESS, Key, using
from mfagate.secrets.fingerprint_key import FILE_NAME, KeyProblem, from_environment, read, read_or_make

_NOT_READ = "the history could not be read: see the warning"

_Result = TypeVar("_Result")

_LOOKED_BACK = timedelta(days=180)
"""Long enough that a baseline does not depend on where the series begins."""


def location_of(configuration: Configuration, option: str | None) -> HistoryLocation:
    """Return the location of the history: from the command line, from the file, or the default beside the file.

    Raises:
        HistoryError: The location is invalid.
    """
    if option is not None:
        return HistoryLocation.of(option, Path())
    return HistoryLocation.of(configuration.history.url, configuration.path.parent)


def location_for(config: Path, option: str | None) -> HistoryLocation:
    """Return the location of the history of a configuration file, even if the file does not exist.

    Raises:
        HistoryError: The file cannot be read, or its location is invalid.
    """
    from mfagate.config.load import ConfigError, load
    from mfagate.providers import registry

    if option is not None:
        return HistoryLocation.of(option, Path())
    if not config.exists():
        return HistoryLocation.of(None, config.parent)
    try:
        return location_of(load(config, registry.names()), None)
    except ConfigError as error:
        raise HistoryError(f"{error}; name the history with --history") from None


@dataclass(frozen=True, slots=True)
class ChosenKey:
    """The fingerprint key of a run. ``trouble`` says why no other run has the same key."""

    key: Key
    trouble: str | None = None
    made: Path | None = None
    """The file that this run created for it."""


def _in_variable(environ: Mapping[str, str]) -> ChosenKey | None:
    """Return the key in the environment variable; None if the variable is not set."""
    try:
        key = from_environment(environ)
        if key is not None and (reason := placeholder(key.text, secret=True)):
            raise KeyProblem(f"{KEY_VARIABLE} was never filled in: {reason}")
    except KeyProblem as error:
        return ChosenKey(OF_THIS_PROCESS, str(error))
    return ChosenKey(key) if key is not None else None


def _beside(location: HistoryLocation | None, *, make: bool) -> ChosenKey:
    """Return the key in the file beside a SQLite history."""
    if location is None or location.path is None:
        return ChosenKey(OF_THIS_PROCESS, f"set {KEY_VARIABLE} to the same secret in each run")
    path = location.path.parent / FILE_NAME
    try:
        if make:
            key, made = read_or_make(path)
            return ChosenKey(key, made=path if made else None)
        found = read(path)
    except KeyProblem as error:
        return ChosenKey(OF_THIS_PROCESS, str(error))
    return ChosenKey(found) if found is not None else ChosenKey(OF_THIS_PROCESS, f"there is no key {path}")


class HistoryReader:
    """Looks up earlier runs for a run that is not stored. It opens the history only for a lookup.

    ``warnings`` describe problems with the history.
    """

    def __init__(self, configuration: Configuration, *, offline: bool = False) -> None:
        """Find the history and the fingerprint key.

        Args:
            configuration: The loaded file.
            offline: Whether databases on a network may not be used.
        """
        self._location: HistoryLocation | None = None
        self.warnings: list[str] = []
        with suppress(HistoryError):  # A run that is not stored does not need the history.
            location = location_of(configuration, None)
            self._location = None if offline and location.url is not None else location
        variable = _in_variable(os.environ)
        self.chosen = variable or _beside(self._location, make=False)
        if variable is not None and variable.trouble is not None:
            self.warnings.append(_unaffected(_not_comparable(variable.trouble)))

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Use the key for the fingerprints of this run, and close the history at the end."""
        try:
            with using(self.chosen.key):
                yield
        finally:
            self.close()

    def close(self) -> None:
        """Close the history."""

    def last_pass(self, name: str) -> LastPass:
        """Return the last run in which an integration passed, or why it is not known."""
        location = self._location
        if location is None or (location.path is not None and not location.path.exists()):
            return LastPass(NO_HISTORY)
        try:
            with History.open(location, create=False) as history:
                return _last_pass(history, name)
        except HistoryError as error:
            return LastPass(str(error))


def _last_pass(history: History, name: str) -> LastPass:
    return history.last_pass(name) or LastPass(
        f"the history {history.location.shown} has no run in which {name} passed"
    )


def _not_comparable(reason: str) -> str:
    return f"values cannot be compared with other runs: {reason}"


def _unaffected(trouble: str) -> str:
    return f"{trouble}. The verdict is not affected."


class RunRecorder(HistoryReader):
    """Stores one run. The first error closes the history, so that a run waits only once for a missing database."""

    def __init__(self, configuration: Configuration, option: str | None) -> None:
        """Open the history, and choose the fingerprint key.

        Args:
            configuration: The loaded file.
            option: The location from the command line.
        """
        self._keep_days = configuration.history.retention_days
        self._history: History | None = None
        self.warnings = []
        self._location = None
        try:
            self._location = location_of(configuration, option)
            self._history = History.open(self._location)
        except HistoryError as error:
            self._give_up(error)
        self.chosen = self._choose_key()

    def _choose_key(self) -> ChosenKey:
        """Return the key. Warn about problems with it, unless there is no history to compare with."""
        chosen = _in_variable(os.environ) or _beside(self._location, make=self._history is not None)
        if self._history is None:
            return chosen
        if chosen.trouble is not None:
            self.warnings.append(_unaffected(_not_comparable(chosen.trouble)))
        if chosen.made is not None and may_be_committed(chosen.made):
            self.warnings.append(f"{chosen.made} is the new fingerprint key: add it to .gitignore")
        try:
            known = self._history.fingerprint_key() if chosen.made is not None else None
        except HistoryError as error:
            self._give_up(error)
            return chosen
        if known not in (None, chosen.key.identifier):
            missing = f"the fingerprint key {chosen.made} was missing, so a new key was created"
            remedy = f"it is used from this run on; if files are not kept between runs, set {KEY_VARIABLE}"
            self.warnings.append(_unaffected(_not_comparable(f"{missing}; {remedy}")))
        return chosen

    def _give_up(self, error: HistoryError) -> None:
        self.warnings.append(_unaffected(str(error)))
        self.close()

    def close(self) -> None:
        """Close the history; nothing is stored from then on."""
        if self._history is not None:
            self._history.close()
        self._history = None

    def _use(self, action: Callable[[History], _Result]) -> _Result | None:
        """Do something with the history; return None if it is closed or fails."""
        if self._history is None:
            return None
        try:
            return action(self._history)
        except HistoryError as error:
            self._give_up(error)
            return None

    def last_pass(self, name: str) -> LastPass:
        """Return the last run in which an integration passed, or why it is not known."""
        return self._use(lambda history: _last_pass(history, name)) or LastPass(_NOT_READ)

    def prior_runs(self, names: Sequence[str], stage: str) -> Mapping[str, PriorRuns]:
        """Return what earlier runs of a stage found about each integration."""
        since = datetime.now(UTC) - _LOOKED_BACK
        known = self._use(lambda history: {name: history.prior_runs(name, stage, since) for name in names})
        return known if known is not None else {name: PriorRuns(_NOT_READ) for name in names}

    def record(self, report: Report, learnt: Mapping[str, Shapes]) -> None:
        """Store a run, and the shapes for comparison in the next run."""
        # Injected faults say nothing about the provider.
        real = [integration for integration in report.integrations if not integration.faults]
        if len(real) < len(report.integrations):
            if not real:
                return
            verdict = Verdict.of(integration.verdict for integration in real)
            report = report.model_copy(update={"integrations": real, "verdict": verdict})
        names = {integration.name for integration in real}
        shapes = {name: shape for name, shape in learnt.items() if name in names}
        self._use(lambda history: history.record(StoredRun.of(report), shapes=shapes, keep_days=self._keep_days))

    def notified(self) -> Mapping[str, Any] | None:
        """Return what notifications remember of each problem; None if the history cannot be read."""
        return self._use(History.notified)

    def remember_notified(self, statuses: Mapping[str, Any]) -> None:
        """Store what notifications remember of these problems."""
        self._use(lambda history: history.remember_notified(statuses))
