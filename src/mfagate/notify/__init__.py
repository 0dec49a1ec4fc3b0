"""Telling people what has changed, once: a new problem, another cause, a recovery.

:mod:`~mfagate.notify.changes` compares a report with what was seen before, :mod:`~mfagate.notify.deciding`
decides what is worth a message (pure functions over plain data), :mod:`~mfagate.notify.wording` words it,
:mod:`~mfagate.notify.delivery` sends it through Apprise, :class:`~mfagate.notify.notifier.Notifier` does all of it
after a run.
"""
