"""The history beside a run: what cannot be kept or looked up is a warning, and never changes a verdict."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mfagate.config.model import Configuration
from mfagate.core.git import may_be_committed
from mfagate.core.result import Report, Verdict
from mfagate.history.comparison import NO_HISTORY
from mfagate.history.errors import HistoryError
from mfagate.history.past import LastPass, PriorRuns
from mfagate.history.place import HistoryLocation
from mfagate.history.record import StoredRun
from mfagate.history.store import History
from mfagate.inspection.placeholders import placeholder
from mfagate.secrets.fingerprint import KEY_VARIABLE, OF_THIS_PROCESS, Key, using
from mfagate.secrets.fingerprint_key import FILE_NAME, KeyProblem, from_environment, read, read_or_make

_LOOKED_BACK = timedelta(days=180)
"""Far enough that a baseline is the same on each night, wherever the look begins."""


def place_of(configuration: Configuration, option: str | None) -> HistoryLocation:
    """Where the history is: as the command line says, or else the file; the default is beside the file.

    Raises:
        HistoryError: It names no place.
    """
    if option is not None:
        return HistoryLocation.of(option, Path())
    return HistoryLocation.of(configuration.history.url, configuration.path.parent)


def place_for(config: Path, option: str | None) -> HistoryLocation:
    """Where the history of a configuration file is; without a file it is where it would be beside one.

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
    """What earlier runs tell a run that is not kept itself. The history is only opened if it is asked."""

    def __init__(self, configuration: Configuration, *, offline: bool = False) -> None:
        """Find the history, and the key of fingerprints.

        Args:
            configuration: The loaded file.
            offline: Whether no database on a network may be asked.
        """
        self._place: HistoryLocation | None = None
        self._trouble: list[str] = []
        with suppress(HistoryError):  # A run that is not kept has no use for a history that cannot be found.
            place = place_of(configuration, None)
            self._place = None if offline and place.url is not None else place
        variable = _in_variable(os.environ)
        self.chosen = variable or _beside(self._place, make=False)
        if variable is not None and variable.trouble is not None:
            self._trouble.append(_unaffected(_not_comparable(variable.trouble)))

    def key_in_use(self) -> AbstractContextManager[None]:
        """Use the key for the fingerprints of this process until the context ends."""
        return using(self.chosen.key)

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

    def keep(self, report: Report) -> Report:
        """Return the report with the warnings of this look into the history."""
        warnings = [*report.run.warnings, *self._trouble]
        return report.model_copy(update={"run": report.run.model_copy(update={"warnings": warnings})})


def _last_pass(history: History, name: str) -> LastPass:
    return history.last_pass(name) or LastPass(f"the history {history.place.shown} has no run in which {name} passed")


def _not_comparable(reason: str) -> str:
    return f"values cannot be compared with those of other runs: {reason}"


def _unaffected(trouble: str) -> str:
    return f"{trouble}. The verdict is not affected."


class RunRecorder(HistoryReader):
    """Keeps one run. The first trouble ends it: a database that is gone is not waited for twice."""

    def __init__(self, configuration: Configuration, option: str | None) -> None:
        self._keep_days = configuration.history.retention_days
        self._history: History | None = None
        self._trouble = []
        self._place = None
        self._pasts: dict[str, PriorRuns] = {}
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
            self._trouble.append(_unaffected(_not_comparable(chosen.trouble)))
        if chosen.made is not None and may_be_committed(chosen.made):
            self._trouble.append(f"{chosen.made} is the new key of fingerprints: keep it out of git with .gitignore")
        try:
            known = self._history.fingerprint_key() if chosen.made is not None else None
        except HistoryError as error:
            self._give_up(error)
            return chosen
        if known not in (None, chosen.key.identifier):
            missing = f"the fingerprint key {chosen.made} was missing, and a new one was made"
            remedy = f"it holds from this run on; where files do not stay, set {KEY_VARIABLE}"
            self._trouble.append(_unaffected(_not_comparable(f"{missing}; {remedy}")))
        return chosen

    def last_pass(self, name: str) -> LastPass:
        """Return the last run in which an integration passed, or why it is not known."""
        if self._history is not None:
            try:
                return _last_pass(self._history, name)
            except HistoryError as error:
                self._give_up(error)
        return LastPass("the history could not be asked: see the warning")

    def _give_up(self, error: HistoryError) -> None:
        self._trouble.append(_unaffected(str(error)))
        if self._history is not None:
            self._history.close()
        self._history = None

    def pasts(self, names: Sequence[str], stage: str) -> Mapping[str, PriorRuns]:
        """What is known of each integration; the run puts there what the next one is to know."""
        since = datetime.now(UTC) - _LOOKED_BACK
        for name in names:
            if self._history is not None:
                try:
                    self._pasts[name] = self._history.past(name, stage, since)
                except HistoryError as error:
                    self._give_up(error)
        if self._history is None:
            self._pasts = {name: PriorRuns("the history could not be asked: see the warning") for name in names}
        return self._pasts

    def keep(self, report: Report) -> Report:
        """Store the report; the one that is returned says what went wrong with that."""
        if self._history is not None:
            try:
                self._record(report, self._history)
                self._history.close()
            except HistoryError as error:
                self._give_up(error)
        return super().keep(report)

    def _record(self, report: Report, history: History) -> None:
        # What was broken on purpose tells nothing about the provider: neither what is usual, nor what has changed.
        drills = {one.name for one in report.integrations if one.faults}
        if drills:
            left = [one for one in report.integrations if one.name not in drills]
            if not left:
                return
            verdict = Verdict.of(one.verdict for one in left)
            report = report.model_copy(update={"integrations": left, "verdict": verdict})
        shapes = {name: past.shapes for name, past in self._pasts.items() if past.shapes and name not in drills}
        history.record(StoredRun.of(report), shapes=shapes, keep_days=self._keep_days)
