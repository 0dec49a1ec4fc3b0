"""The history beside a run: what cannot be kept or looked up is a warning, and never changes a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mfagate.config.model import Configuration
from mfagate.history.errors import HistoryError
from mfagate.history.past import Past
from mfagate.history.place import Place
from mfagate.history.record import StoredRun
from mfagate.history.store import History
from mfagate.result import Report, Verdict

_LOOKED_BACK = timedelta(days=180)
"""Far enough that a baseline is the same on each night, wherever the look begins."""


def place_of(configuration: Configuration, option: str | None) -> Place:
    """Where the history is: as the command line says, or else the file; the default is beside the file.

    Raises:
        HistoryError: It names no place.
    """
    if option is not None:
        return Place.of(option, Path())
    return Place.of(configuration.history.url, configuration.path.parent)


def place_for(config: Path, option: str | None) -> Place:
    """Where the history of a configuration file is; without a file it is where it would be beside one.

    Raises:
        HistoryError: The file cannot be read, or names no place.
    """
    from mfagate.config import ConfigError, load
    from mfagate.providers import registry

    if option is not None:
        return Place.of(option, Path())
    if not config.exists():
        return Place.of(None, config.parent)
    try:
        return place_of(load(config, registry.names()), None)
    except ConfigError as error:
        raise HistoryError(f"{error}; name the history with --history") from None


class Keeper:
    """Keeps one run. The first trouble ends it: a database that is gone is not waited for twice."""

    def __init__(self, configuration: Configuration, option: str | None) -> None:
        self._keep_days = configuration.history.retention_days
        self._history: History | None = None
        self._trouble: list[str] = []
        self._pasts: dict[str, Past] = {}
        try:
            self._history = History.open(place_of(configuration, option))
        except HistoryError as error:
            self._give_up(error)

    def _give_up(self, error: HistoryError) -> None:
        self._trouble.append(f"{error}. The verdict is not affected.")
        if self._history is not None:
            self._history.close()
        self._history = None

    def pasts(self, names: Sequence[str], stage: str) -> Mapping[str, Past]:
        """What is known of each integration; the run puts there what the next one is to know."""
        since = datetime.now(UTC) - _LOOKED_BACK
        for name in names:
            if self._history is not None:
                try:
                    self._pasts[name] = self._history.past(name, stage, since)
                except HistoryError as error:
                    self._give_up(error)
        if self._history is None:
            self._pasts = {name: Past("the history could not be asked: see the warning") for name in names}
        return self._pasts

    def keep(self, report: Report) -> Report:
        """Store the report; the one that is returned says what went wrong with that."""
        if self._history is not None:
            try:
                self._record(report, self._history)
                self._history.close()
            except HistoryError as error:
                self._give_up(error)
        warnings = [*report.run.warnings, *self._trouble]
        return report.model_copy(update={"run": report.run.model_copy(update={"warnings": warnings})})

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
