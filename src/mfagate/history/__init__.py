"""What earlier runs found: stored, listed, and compared with the run of today.

Three parts, which build on each other::

    record.py    StoredRun, IntegrationState, Problem, Sample: a run as it is kept, made from a Report
    changes.py   changes(previous, current): what began, what is otherwise, what is over
    store.py     History: the database, SQLite or PostgreSQL

``changes`` compares two states of the integrations, and needs no database::

    changes(previous: Iterable[IntegrationState], current: Iterable[IntegrationState]) -> list[Change]

    Change(kind, integration, check, subject, cause, outcome, message, previous_cause, previous_outcome)

``kind`` is ``new`` (a problem that was not there), ``changed`` (the same check has another cause or another
outcome) or ``recovered`` (the check ran, and has nothing to say any more; ``cause``, ``outcome`` and
``message`` are then those that it had). A check that did not run has neither recovered nor changed. What
happens rather than lasts, such as drift, is new and never recovers.

The state before a run is ``History.before(run)``, by the earlier runs of its stage; with a report at hand::

    run = StoredRun.of(report)
    with History.open(place) as history:
        news = changes(history.before(run), run.integrations)
        history.record(run)

This package imports SQLAlchemy only when a history is opened.
"""

from mfagate.history.changes import HistoryChange, changes, standing
from mfagate.history.errors import HistoryError
from mfagate.history.place import HistoryLocation
from mfagate.history.record import IntegrationState, PhaseSample, RecordedProblem, StoredRun
from mfagate.history.store import History, Selection

__all__ = [
    "History",
    "HistoryChange",
    "HistoryError",
    "HistoryLocation",
    "IntegrationState",
    "PhaseSample",
    "RecordedProblem",
    "Selection",
    "StoredRun",
    "changes",
    "standing",
]
