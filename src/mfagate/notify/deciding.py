"""Decide which changes to send: each change once, reminders after some days, and one message for a flapping problem.

These are pure functions: they send nothing, store nothing and do not read the clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from mfagate.config.model import NotifyOptions
from mfagate.notify.changes import ChangeKind, ProblemChange, ProblemStatus
from mfagate.notify.wording import Notification, message

FLAPPING = "flapping"
"""Used instead of a cause for a problem that comes and goes; no cause has this id."""


def notification(
    changes: Iterable[ProblemChange], statuses: Mapping[str, ProblemStatus], now: datetime, options: NotifyOptions
) -> tuple[Notification | None, dict[str, ProblemStatus]]:
    """Return the message of a run, if there is something to send, and the statuses to store.

    Args:
        changes: Differences from the previous run.
        statuses: The previous status of every problem that this run checked.
        now: When the run ended.
        options: The table ``[notify]``.
    """
    by_key = {change.key: change for change in changes}
    after: dict[str, ProblemStatus] = {}
    reported: list[ProblemChange] = []
    for key in (*statuses, *(key for key in by_key if key not in statuses)):
        after[key], change = _step(statuses.get(key), by_key.get(key), key, now, options)
        if change is not None and (change.kind not in _CHOSEN or change.kind.value in options.on):
            reported.append(change)
    return (message(reported, options.report_url) if reported else None), after


_CHOSEN = (ChangeKind.NEW, ChangeKind.CHANGED, ChangeKind.RECOVERED)
"""The kinds that the option ``on`` selects; the others have options of their own."""


def _step(
    before: ProblemStatus | None, change: ProblemChange | None, key: str, now: datetime, options: NotifyOptions
) -> tuple[ProblemStatus, ProblemChange | None]:
    """Return the status of one problem after this run, and the change to send."""
    known = before or ProblemStatus(since=now)
    recent = (*known.recent, change is not None)[-options.flapping.runs :]
    status = known.model_copy(update={"recent": recent})
    if change is not None:
        status = status.model_copy(
            update={
                "cause": None if change.kind is ChangeKind.RECOVERED else change.cause,
                "headline": change.headline,
                "details": change.details,
                "severe": change.severe,
                "since": now,
            }
        )
    kind = _kind(status, change is not None, now, options)
    if kind is None:
        return status, None
    reported = FLAPPING if kind is ChangeKind.FLAPPING else status.cause
    update = {"reported": reported, "reported_at": now, "flapping": kind is ChangeKind.FLAPPING}
    return status.model_copy(update=update), _to_send(kind, known, status, change, key)


def _kind(status: ProblemStatus, changed: bool, now: datetime, options: NotifyOptions) -> ChangeKind | None:
    """Return what to send, if anything: compare what was sent last with the current status."""
    if status.flapping and (any(status.recent) or len(status.recent) < options.flapping.runs):
        return None
    if changed and sum(status.recent) >= options.flapping.changes:
        return ChangeKind.FLAPPING
    if status.cause != status.reported:
        if status.cause is None:
            return ChangeKind.RECOVERED
        return ChangeKind.NEW if status.reported is None else ChangeKind.CHANGED
    days = options.remind_after_days
    if status.cause is not None and days is not None and status.reported_at is not None:
        return ChangeKind.REMINDER if now - status.reported_at >= timedelta(days=days) else None
    return None


def _to_send(
    kind: ChangeKind, known: ProblemStatus, status: ProblemStatus, change: ProblemChange | None, key: str
) -> ProblemChange:
    if change is not None:
        return replace(change, kind=kind)
    # A message without a change in this run: a reminder, or the end of flapping.
    integration, _, subject = key.partition(" ")
    cause = status.cause or known.reported or FLAPPING
    return ProblemChange(
        integration, kind, cause, status.headline, status.since, subject, status.details, status.severe
    )
