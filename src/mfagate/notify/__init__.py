"""Notify people of changes: a new problem, a changed cause, a recovery. Each change is sent once.

:mod:`~mfagate.notify.changes` compares a report with the statuses that the history remembers.
:mod:`~mfagate.notify.deciding` decides what to send, :mod:`~mfagate.notify.wording` words it, and
:mod:`~mfagate.notify.delivery` sends it through Apprise. :class:`~mfagate.notify.notifier.Notifier` does all of it
after a run.
"""
