"""Keep a run in the history, and look up earlier ones. A failure is a warning, and never changes a verdict."""

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
from mfagate.history.past import LastPass, PriorRuns, Shapes
from mfagate.history.place import HistoryLocation
from mfagate.history.record import StoredRun
from mfagate.history.store import History
from mfagate.inspection.placeholders import placeholder
from mfagate.secrets.fingerprint import KEY_VARIABLE, OF_THIS_PROCESS, Key, using
from mfagate.secrets.fingerprint_key import FILE_NAME, KeyProblem, from_environment, read, read_or_make

_NOT_ASKED = "the history could not be asked: see the warning"

_Answer = TypeVar("_Answer")

_LOOKED_BACK = timedelta(days=180)
"""Far enough that a baseline is the same on each night, wherever the look begins."""


def place_of(configuration: Configuration, option: str | None) -> HistoryLocation:
    """Return where the history is: by the command line, by the file, or beside the file.

    Raises:
        HistoryError: It names no place.
    """
    if option is not None:
        return HistoryLocation.of(option, Path())
    return HistoryLocation.of(configuration.history.url, configuration.path.parent)


def place_for(config: Path, option: str | None) -> HistoryLocation:
    """Return where the history of a configuration file is, even if there is no such file.

    Raises:
        HistoryError: The file cannot be read, or names no place.
    """
    from mfagate.config.load import ConfigError, load
    from mfagate.providers import registry

    if option is not None:
        return HistoryLocation.of(option, Path())
    if not config.exists():
        return HistoryLocation.of(None, config.parent)
    try:
        return place_of(load(config, registry.names()), None)
    except ConfigError as error:
        raise HistoryError(f"{error}; name the history with --history") from None


@dataclass(frozen=True, slots=True)
class ChosenKey:
    """The key of the fingerprints of a run. ``trouble`` says why it is a key that no other run has."""

    key: Key
    trouble: str | None = None
    made: Path | None = None
    """The file that was made for it in this run."""


def _in_variable(environ: Mapping[str, str]) -> ChosenKey | None:
    """Return the key in the variable, if there is one or something in its place."""
    try:
        key = from_environment(environ)
        if key is not None and (reason := placeholder(key.text, secret=True)):
            raise KeyProblem(f"{KEY_VARIABLE} was never filled in: {reason}")
    except KeyProblem as error:
        return ChosenKey(OF_THIS_PROCESS, str(error))
    return ChosenKey(key) if key is not None else None


def _beside(place: HistoryLocation | None, *, make: bool) -> ChosenKey:
    """Return the key in the file beside a history in SQLite."""
    if place is None or place.path is None:
        return ChosenKey(OF_THIS_PROCESS, f"set {KEY_VARIABLE} to the same secret in each run")
    path = place.path.parent / FILE_NAME
    try:
        if make:
            key, made = read_or_make(path)
            return ChosenKey(key, made=path if made else None)
        found = read(path)
    except KeyProblem as error:
        return ChosenKey(OF_THIS_PROCESS, str(error))
    return ChosenKey(found) if found is not None else ChosenKey(OF_THIS_PROCESS, f"there is no key {path}")


class HistoryReader:
    """Looks up earlier runs for a run that is not kept. It opens the history only when a lookup needs it.

    ``warnings`` say what went wrong with the history.
    """

    def __init__(self, configuration: Configuration, *, offline: bool = False) -> None:
        """Find the history, and the key of fingerprints.

        Args:
            configuration: The loaded file.
            offline: Whether no database on a network may be asked.
        """
        self._place: HistoryLocation | None = None
        self.warnings: list[str] = []
        with suppress(HistoryError):  # A run that is not kept has no use for a history that cannot be found.
            place = place_of(configuration, None)
            self._place = None if offline and place.url is not None else place
        variable = _in_variable(os.environ)
        self.chosen = variable or _beside(self._place, make=False)
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
        place = self._place
        if place is None or (place.path is not None and not place.path.exists()):
            return LastPass(NO_HISTORY)
        try:
            with History.open(place, create=False) as history:
                return _last_pass(history, name)
        except HistoryError as error:
            return LastPass(str(error))


def _last_pass(history: History, name: str) -> LastPass:
    return history.last_pass(name) or LastPass(f"the history {history.place.shown} has no run in which {name} passed")


def _not_comparable(reason: str) -> str:
    return f"values cannot be compared with those of other runs: {reason}"


def _unaffected(trouble: str) -> str:
    return f"{trouble}. The verdict is not affected."


class RunRecorder(HistoryReader):
    """Keeps one run. The first error ends it, so that a database that is gone is not waited for twice."""

    def __init__(self, configuration: Configuration, option: str | None) -> None:
        """Open the history, and choose the key of fingerprints.

        Args:
            configuration: The loaded file.
            option: What the command line says about the place.
        """
        self._keep_days = configuration.history.retention_days
        self._history: History | None = None
        self.warnings = []
        self._place = None
        try:
            self._place = place_of(configuration, option)
            self._history = History.open(self._place)
        except HistoryError as error:
            self._give_up(error)
        self.chosen = self._choose_key()

    def _choose_key(self) -> ChosenKey:
        """Return the key. Say what is wrong with it, unless there is no history to compare with."""
        chosen = _in_variable(os.environ) or _beside(self._place, make=self._history is not None)
        if self._history is None:
            return chosen
        if chosen.trouble is not None:
            self.warnings.append(_unaffected(_not_comparable(chosen.trouble)))
        if chosen.made is not None and may_be_committed(chosen.made):
            self.warnings.append(f"{chosen.made} is the new key of fingerprints: keep it out of git with .gitignore")
        try:
            known = self._history.fingerprint_key() if chosen.made is not None else None
        except HistoryError as error:
            self._give_up(error)
            return chosen
        if known not in (None, chosen.key.identifier):
            missing = f"the fingerprint key {chosen.made} was missing, and a new one was made"
            remedy = f"it holds from this run on; where files do not stay, set {KEY_VARIABLE}"
            self.warnings.append(_unaffected(_not_comparable(f"{missing}; {remedy}")))
        return chosen

    def _give_up(self, error: HistoryError) -> None:
        self.warnings.append(_unaffected(str(error)))
        self.close()

    def close(self) -> None:
        """Close the history; nothing is kept from then on."""
        if self._history is not None:
            self._history.close()
        self._history = None

    def _ask(self, question: Callable[[History], _Answer]) -> _Answer | None:
        """Return the answer of the history; None if there is none, or it fails now."""
        if self._history is None:
            return None
        try:
            return question(self._history)
        except HistoryError as error:
            self._give_up(error)
            return None

    def last_pass(self, name: str) -> LastPass:
        """Return the last run in which an integration passed, or why it is not known."""
        return self._ask(lambda history: _last_pass(history, name)) or LastPass(_NOT_ASKED)

    def prior_runs(self, names: Sequence[str], stage: str) -> Mapping[str, PriorRuns]:
        """Return what is known of each integration from earlier runs of a stage."""
        since = datetime.now(UTC) - _LOOKED_BACK
        known = self._ask(lambda history: {name: history.past(name, stage, since) for name in names})
        return known if known is not None else {name: PriorRuns(_NOT_ASKED) for name in names}

    def record(self, report: Report, learnt: Mapping[str, Shapes]) -> None:
        """Store a run, and what the next one compares with."""
        # Faults that were injected say nothing about the provider: neither what is usual, nor what has changed.
        real = [integration for integration in report.integrations if not integration.faults]
        if len(real) < len(report.integrations):
            if not real:
                return
            verdict = Verdict.of(integration.verdict for integration in real)
            report = report.model_copy(update={"integrations": real, "verdict": verdict})
        kept = {integration.name for integration in real}
        shapes = {name: shape for name, shape in learnt.items() if name in kept}
        self._ask(lambda history: history.record(StoredRun.of(report), shapes=shapes, keep_days=self._keep_days))

    def notified(self) -> Mapping[str, Any] | None:
        """Return what notifications remember of each problem; None if the history cannot be asked."""
        return self._ask(History.notified)

    def remember_notified(self, statuses: Mapping[str, Any]) -> None:
        """Keep what notifications remember of these problems."""
        self._ask(lambda history: history.remember_notified(statuses))
