"""A run as the history stores it. It is made from a finished report, so everything in it has been redacted."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field

from mfagate.core.causes import Outcome
from mfagate.core.exchange import Phase
from mfagate.core.result import Check, IntegrationReport, Measured, Report, Verdict

Count = Annotated[int, Field(ge=0, le=1_000_000)]
"""More than any run needs. Without a limit, a forged row could keep the scores busy for ever."""
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class RecordedProblem:
    """A check that did not pass, in the words of the report. Skipped checks are not stored.

    ``cause`` is the id of a cause, which may come from a newer version of mfagate.
    """

    check: str
    subject: str | None
    outcome: Outcome
    cause: str
    message: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    next_step: str | None = None

    @property
    def key(self) -> tuple[str, str | None]:
        """Check and subject, which identify a problem of an integration."""
        return self.check, self.subject


@dataclass(frozen=True, slots=True)
class PhaseSample:
    """The duration of one phase in one run, in seconds, over all successful requests that had this phase.

    A request on a kept connection has no phases ``resolve``, ``connect`` and ``tls``.
    """

    phase: Phase
    requests: Count
    median: Seconds
    lowest: Seconds
    highest: Seconds


@dataclass(frozen=True, slots=True)
class IntegrationState:
    """The result of one integration in one run.

    Args:
        ran: The ids of the checks that ran.
        questions: How many requests were sent, without retries.
        unanswered: How many of them failed at first because of the network or the provider.
        fingerprints: The fingerprint of each value that was used, by the name of its setting.
    """

    name: str
    provider: str
    environment: str
    target: str
    verdict: Verdict
    cause: str | None
    headline: str
    ran: frozenset[str]
    problems: tuple[RecordedProblem, ...] = ()
    samples: tuple[PhaseSample, ...] = ()
    questions: Count = 0
    unanswered: Count = 0
    fingerprints: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, report: IntegrationReport, *, comparable: bool = True) -> Self:
        """Create it from a report, with fingerprints only if other runs have the same key."""
        unanswered, questions = share_of(report.measured)
        return cls(
            name=report.name,
            provider=report.provider,
            environment=report.environment,
            target=report.target,
            verdict=report.verdict,
            cause=report.cause,
            headline=report.headline,
            ran=frozenset(check.id for check in report.checks if check.outcome is not Outcome.SKIPPED),
            problems=tuple(problem for check in report.checks if (problem := _problem(check))),
            samples=samples_of(report.measured),
            questions=questions,
            unanswered=unanswered,
            fingerprints=report.fingerprints if comparable else {},
        )


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One run. Times are UTC.

    Args:
        id: The id of its report.
        commit: The commit of its configuration.
        fingerprint_key: The identifier of its fingerprint key.
    """

    id: str
    stage: str
    started: datetime
    finished: datetime
    version: str
    verdict: Verdict
    override: str | None
    integrations: tuple[IntegrationState, ...]
    commit: str | None = None
    fingerprint_key: str | None = None

    @classmethod
    def of(cls, report: Report) -> Self:
        """Create it from a report."""
        run = report.run
        comparable = run.fingerprint_key is not None
        return cls(
            id=run.id,
            stage=run.stage,
            started=run.started,
            finished=run.finished,
            version=run.version,
            verdict=report.verdict,
            override=run.override,
            integrations=tuple(
                IntegrationState.of(integration, comparable=comparable) for integration in report.integrations
            ),
            commit=run.commit,
            fingerprint_key=run.fingerprint_key,
        )


def _problem(check: Check) -> RecordedProblem | None:
    if check.cause is None or check.outcome in (Outcome.PASS, Outcome.SKIPPED):
        return None
    return RecordedProblem(
        check.id, check.subject, check.outcome, check.cause, check.message, check.evidence, check.next_step
    )  # fmt: skip


def samples_of(measured: Sequence[Measured]) -> tuple[PhaseSample, ...]:
    """Return the phases of successful requests; the duration of a timeout would only measure our own limit."""
    answered = [request for request in measured if request.cause is None]
    seconds = {phase: [request.phases[phase] for request in answered if phase in request.phases] for phase in Phase}
    return tuple(
        PhaseSample(phase, len(all_of), statistics.median(all_of), min(all_of), max(all_of))
        for phase, all_of in seconds.items()
        if all_of
    )


def answered_requests(samples: Sequence[PhaseSample]) -> int:
    """Return how many requests were answered, on new or kept connections: each of them was processed."""
    return next((sample.requests for sample in samples if sample.phase is Phase.PROCESSING), 0)


def share_of(measured: Sequence[Measured]) -> tuple[int, int]:
    """Return how many requests failed at first because of the network or the provider, and how many were sent."""
    first = [request for request in measured if request.attempt == 1]
    return sum(request.went_unanswered for request in first), len(first)
