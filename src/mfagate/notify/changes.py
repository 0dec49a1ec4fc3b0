"""Find the differences from the previous run: new, changed and resolved problems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from mfagate.core.causes import Outcome, happens_once
from mfagate.core.result import Check, IntegrationReport, Report
from mfagate.history.comparison import LABEL as COMPARED
from mfagate.report.words import blast_radius, contact, exonerated, file_and_line


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

    Args:
        integration: Its name.
        kind: What happened.
        cause: The cause of the problem; for a recovery, the former cause.
        headline: One sentence about the problem.
        since: When the problem began.
        subject: The check and the subject of a warning; empty for the verdict.
        details: Lines of the report that help to solve the problem.
        severe: Whether the verdict is red; False for a warning.
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
        """Integration and subject as one text; the name of an integration contains no space."""
        return f"{self.integration} {self.subject}".rstrip()


class ProblemStatus(BaseModel):
    """What the history remembers of one problem."""

    model_config = ConfigDict(frozen=True)

    cause: str | None = Field(None, description="The latest cause; None if there is no problem.")
    headline: str = ""
    details: tuple[str, ...] = ()
    severe: bool = True
    since: AwareDatetime = Field(description="When the problem began or ended.")
    reported: str | None = Field(
        None, description="What was sent last: a cause, or flapping; None after a recovery or if nothing was sent."
    )
    reported_at: AwareDatetime | None = None
    flapping: bool = False
    recent: tuple[bool, ...] = Field((), description="Whether each of the latest runs had a change, oldest first.")


@dataclass(frozen=True, slots=True)
class Observed:
    """The result of a comparison: the changes, and the previous status of every problem that the run checked."""

    changes: tuple[ProblemChange, ...]
    statuses: Mapping[str, ProblemStatus]


def observed(report: Report, statuses: Mapping[str, ProblemStatus]) -> Observed:
    """Compare a report with the previous statuses. Integrations that were not selected are not reported."""
    changes: list[ProblemChange] = []
    known: dict[str, ProblemStatus] = {}
    for integration in report.integrations:
        for problem in _problems(integration, report.run.finished, statuses):
            before = statuses.get(problem.key)
            if before is not None and _is_over(before, problem):
                before = before.model_copy(update={"cause": None, "reported": None})
            if before is not None:
                known[problem.key] = before
            changes += _changed(before, problem)
    return Observed(tuple(changes), known)


def _is_over(before: ProblemStatus, now: ProblemChange) -> bool:
    """Return whether the earlier problem was an event, such as a removed field, that this run did not find again.

    An event does not recover. Two events with the same cause differ in their message; a run without a history finds the
    same event again.
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


def _problems(
    integration: IntegrationReport, now: datetime, statuses: Mapping[str, ProblemStatus]
) -> Iterable[ProblemChange]:
    """Return the verdict, the warnings, and former problems without a cause, as if each of them were new."""
    drill = "drill: " if integration.faults else ""
    no_problem = ProblemChange(integration.name, ChangeKind.NEW, "", "", now)
    details = tuple(_details(integration.deciding, integration)) if integration.deciding is not None else ()
    headline = drill + integration.headline
    found = {"": replace(no_problem, cause=integration.cause or "", headline=headline, details=details)}
    for check in integration.checks:
        if check.outcome is Outcome.WARN and check.cause is not None:
            subject, details = f"{check.id} {check.subject or ''}".rstrip(), tuple(_details(check, integration))
            warning = replace(no_problem, cause=check.cause, headline=drill + check.message, subject=subject)
            found[subject] = replace(warning, details=details, severe=False)
    # Earlier warnings of checks that ran again and no longer warn.
    ran = {check.id for check in integration.checks if check.outcome is not Outcome.SKIPPED}
    for key in statuses:
        name, _, subject = key.partition(" ")
        if name == integration.name and subject.partition(" ")[0] in ran:
            found.setdefault(subject, replace(no_problem, subject=subject))
    return found.values()


def _details(check: Check, integration: IntegrationReport) -> Iterator[str]:
    """Yield what a reader needs who cannot see the report."""
    for label, text in (
        (COMPARED, str(check.evidence.get(COMPARED, ""))),
        ("change here", file_and_line(check.location) if check.location is not None else ""),
        ("next step", check.next_step or ""),
        ("talk to", contact(check, integration)),
        ("exonerated", exonerated(integration) if check is integration.deciding else ""),
        ("at stake", blast_radius(integration)),
    ):
        if text:
            yield f"{label}: {text}"
