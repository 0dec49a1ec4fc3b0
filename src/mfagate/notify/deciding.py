"""Which changes are worth a message: each once, reminders after a while, and what flaps only that it does.

A pure function over plain data: it sends nothing, keeps nothing, and reads no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from mfagate.config.model import NotifyOptions
from mfagate.notify.changes import ChangeKind, ProblemChange, ProblemStatus
from mfagate.notify.wording import Notification, message

FLAPPING = "flapping"
"""What has been told of a problem that comes and goes; no cause has this id."""


def notifications(
    changes: Iterable[ProblemChange], states: Mapping[str, ProblemStatus], now: datetime, options: NotifyOptions
) -> tuple[list[Notification], dict[str, ProblemStatus]]:
    """The messages of one run, at most one, and the states to remember.

    Args:
        changes: What is otherwise than in the run before.
        states: Of all that this run looked at, also where nothing has changed; others are to be left out.
        now: When the run ended.
        options: The table ``[notify]``.
    """
    by_key = {change.key: change for change in changes}
    after: dict[str, ProblemStatus] = {}
    told: list[ProblemChange] = []
    for key in (*states, *(key for key in by_key if key not in states)):
        after[key], tell = _step(states.get(key), by_key.get(key), key, now, options)
        if tell is not None and (tell.kind not in _CHOSEN or tell.kind.value in options.on):
            told.append(tell)
    return ([message(told, options.report_url)] if told else []), after


_CHOSEN = (ChangeKind.NEW, ChangeKind.CHANGED, ChangeKind.RECOVERED)
"""The kinds that ``on`` chooses from; the others have an option of their own."""


def _step(
    before: ProblemStatus | None, change: ProblemChange | None, key: str, now: datetime, options: NotifyOptions
) -> tuple[ProblemStatus, ProblemChange | None]:
    """One run of one problem: what is remembered now, and what is to be told."""
    known = before or ProblemStatus(since=now)
    recent = (*known.recent, change is not None)[-options.flapping.runs :]
    state = known.model_copy(update={"recent": recent})
    if change is not None:
        state = state.model_copy(
            update={
                "cause": None if change.kind is ChangeKind.RECOVERED else change.cause,
                "headline": change.headline,
                "details": change.details,
                "severe": change.severe,
                "since": now,
            }
        )
    kind = _kind(state, change is not None, now, options)
    if kind is None:
        return state, None
    told = FLAPPING if kind is ChangeKind.FLAPPING else state.cause
    after = state.model_copy(update={"told": told, "told_at": now, "flapping": kind is ChangeKind.FLAPPING})
    return after, _telling(kind, known, state, change, key)


def _kind(state: ProblemStatus, changed: bool, now: datetime, options: NotifyOptions) -> ChangeKind | None:
    """What people are to be told, if anything: what they know compared with what is so."""
    if state.flapping and (any(state.recent) or len(state.recent) < options.flapping.runs):
        return None
    if changed and sum(state.recent) >= options.flapping.changes:
        return ChangeKind.FLAPPING
    if state.cause != state.told:
        return (
            ChangeKind.RECOVERED
            if state.cause is None
            else ChangeKind.NEW
            if state.told is None
            else ChangeKind.CHANGED
        )
    days = options.remind_after_days
    if state.cause is not None and days is not None and state.told_at is not None:
        return ChangeKind.REMINDER if now - state.told_at >= timedelta(days=days) else None
    return None


def _telling(
    kind: ChangeKind, known: ProblemStatus, state: ProblemStatus, change: ProblemChange | None, key: str
) -> ProblemChange:
    if change is not None:
        return replace(change, kind=kind)
    # Nothing happened in this run: a reminder, or the end of flapping.
    integration, _, subject = key.partition(" ")
    cause = state.cause or known.told or FLAPPING
    return ProblemChange(integration, kind, cause, state.headline, state.since, subject, state.details, state.severe)
