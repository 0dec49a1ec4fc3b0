"""Store the results of runs, list them, and compare them with the current run.

    record.py      StoredRun, IntegrationState, RecordedProblem, PhaseSample: a run as it is stored, made from a Report
    store.py       History: the database, SQLite or PostgreSQL
    recorder.py    RunRecorder stores a run; HistoryReader looks up earlier runs
    comparison.py  whether a value has changed since an integration last passed

The history is the only memory of mfagate: notifications also store there what was sent.
This package imports SQLAlchemy only when a history is opened.
"""

from mfagate.history.errors import HistoryError
from mfagate.history.location import HistoryLocation
from mfagate.history.record import IntegrationState, PhaseSample, RecordedProblem, StoredRun
from mfagate.history.store import History, Selection

__all__ = [
    "History",
    "HistoryError",
    "HistoryLocation",
    "IntegrationState",
    "PhaseSample",
    "RecordedProblem",
    "Selection",
    "StoredRun",
]
