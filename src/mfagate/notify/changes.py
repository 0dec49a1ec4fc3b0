"""What is otherwise than in the run before, and what is remembered for the next one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from mfagate.core.causes import Outcome, happens_once
from mfagate.core.result import Check, IntegrationReport, Report
from mfagate.history.comparison import LABEL as COMPARED
from mfagate.report.words import blast_radius, contact, exonerated, place


class ChangeKind(StrEnum):
    """What happened to a problem."""

    NEW = "new"
    CHANGED = "changed"
    RECOVERED = "recovered"
    REMINDER = "reminder"
    FLAPPING = "flapping"


@dataclass(frozen=True, slots=True)
class ProblemChange:
    """One change of one integration.

    ``cause`` of a recovery is the one that is over. ``since`` is when the problem began. ``subject`` names
    a warning beside the verdict, by its check and what that looked at; it is empty for the verdict itself.
    ``details`` are lines of the report for whoever acts on it. ``severe`` tells a red verdict from a warning.
    """

    integration: str
    kind: ChangeKind
    cause: str
    headline: str
    since: datetime
    subject: str = ""
    details: tuple[str, ...] = ()
    severe: bool = True

    @property
    def key(self) -> str:
        """Whose state it is; the name of an integration has no space in it."""
        return f"{self.integration} {self.subject}".rstrip()


class ProblemStatus(BaseModel):
    """What is remembered of one problem. Plain data: ``model_dump(mode="json")`` can be kept anywhere."""

    model_config = ConfigDict(frozen=True)

    cause: str | None = Field(None, description="The cause seen last; None: in order.")
    headline: str = ""
    details: tuple[str, ...] = ()
    severe: bool = True
    since: AwareDatetime = Field(description="When the problem began, or ended.")
    told: str | None = Field(
        None, description="What people know of: a cause, or flapping; None: they think it is fine."
    )
    told_at: AwareDatetime | None = None
    flapping: bool = False
    recent: tuple[bool, ...] = Field((), description="Of the last runs, oldest first: was there a change?")


@dataclass(frozen=True, slots=True)
class Observed:
    """What one run saw: the changes, and the states so far of all that it looked at."""

    changes: tuple[ProblemChange, ...]
    states: Mapping[str, ProblemStatus]


@dataclass(frozen=True, slots=True)
class _SeenProblem:
    """One problem, or its absence, as the run saw it."""

    cause: str | None
    headline: str = ""
    details: tuple[str, ...] = ()
    severe: bool = True


def observed(report: Report, states: Mapping[str, ProblemStatus]) -> Observed:
    """Compare a report with what is known. Of what the run did not look at, nothing is said."""
    changes: list[ProblemChange] = []
    known: dict[str, ProblemStatus] = {}
    for integration in report.integrations:
        for subject, seen in _seen(integration, states).items():
            change = ProblemChange(
                integration.name,
                ChangeKind.NEW,
                seen.cause or "",
                seen.headline,
                report.run.finished,
                subject,
                seen.details,
                seen.severe,
            )
            before = states.get(change.key)
            if before is not None and _is_over(before, change):
                before = before.model_copy(update={"cause": None, "told": None})
            if before is not None:
                known[change.key] = before
            changes += _changed(before, change)
    return Observed(tuple(changes), known)


def _is_over(before: ProblemStatus, now: ProblemChange) -> bool:
    """What happens once, such as a field that is gone, does not recover when it is not found again.

    Another value after a new one is an event of its own. The same words are the same event, told again by a run that
    had no history.
    """
    event = before.cause is not None and happens_once(before.cause)
    return event and (before.cause, before.headline) != (now.cause, now.headline)


def _changed(before: ProblemStatus | None, now: ProblemChange) -> Iterator[ProblemChange]:
    was = before.cause if before is not None else None
    if not now.cause and before is not None and was is not None:
        over = replace(now, kind=ChangeKind.RECOVERED, cause=was, since=before.since, severe=before.severe)
        yield replace(over, headline=over.headline or before.headline)
    elif now.cause and was is None:
        yield now
    elif now.cause and now.cause != was:
        yield replace(now, kind=ChangeKind.CHANGED)


def _seen(integration: IntegrationReport, states: Mapping[str, ProblemStatus]) -> Mapping[str, _SeenProblem]:
    drill = "drill: " if integration.faults else ""
    deciding = integration.deciding
    details = tuple(_details(deciding, integration)) if deciding is not None else ()
    seen = {"": _SeenProblem(integration.cause, drill + integration.headline, details)}
    for check in integration.checks:
        if check.outcome is Outcome.WARN and check.cause is not None:
            details = tuple(_details(check, integration))
            seen[_subject(check)] = _SeenProblem(check.cause, drill + check.message, details, severe=False)
    # What a check warned of before, and does not any more. One that did not run says nothing.
    ran = {check.id for check in integration.checks if check.outcome is not Outcome.SKIPPED}
    for key in states:
        name, _, subject = key.partition(" ")
        if name == integration.name and subject.partition(" ")[0] in ran:
            seen.setdefault(subject, _SeenProblem(None))
    return seen


def _subject(check: Check) -> str:
    return f"{check.id} {check.subject or ''}".rstrip()


def _details(check: Check, integration: IntegrationReport) -> Iterator[str]:
    """What a person needs who gets the message, and may not see the report."""
    for label, text in (
        (COMPARED, str(check.evidence.get(COMPARED, ""))),
        ("change here", place(check.location) if check.location is not None else ""),
        ("next step", check.next_step or ""),
        ("talk to", contact(check, integration)),
        ("exonerated", exonerated(integration) if check is integration.deciding else ""),
        ("at stake", blast_radius(integration)),
    ):
        if text:
            yield f"{label}: {text}"
