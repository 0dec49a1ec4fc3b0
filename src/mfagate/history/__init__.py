"""What earlier runs found: stored, listed, and compared with the run of today.

    record.py      StoredRun, IntegrationState, RecordedProblem, PhaseSample: a run as it is kept, made from a Report
    store.py       History: the database, SQLite or PostgreSQL
    recorder.py    RunRecorder keeps a run; HistoryReader looks earlier runs up
    comparison.py  whether a value is the one with which an integration last passed

The history is the only memory of mfagate: notifications keep there what was sent.
This package imports SQLAlchemy only when a history is opened.
"""

from mfagate.history.errors import HistoryError
from mfagate.history.place import HistoryLocation
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
