"""Reports as the gate makes them, without running it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.result import Check, IntegrationReport, Measured, Report, Run, Summary, Verdict

FIRST = datetime(2026, 10, 1, 2, 0, tzinfo=UTC)


def passed(check_id: str = "provider.ping", subject: str | None = None) -> Check:
    return Check(id=check_id, subject=subject, outcome=Outcome.PASS, message="in order")


def problem(
    cause: CauseId, check_id: str, *, subject: str | None = None, outcome: Outcome = Outcome.WARN, **evidence: Any
) -> Check:
    message = f"{cause} was found"
    return Check(id=check_id, subject=subject, outcome=outcome, cause=cause, message=message, evidence=evidence)


def integration(name: str, checks: Sequence[Check], measured: Sequence[Measured] = ()) -> IntegrationReport:
    verdict = Verdict.of(check.outcome for check in checks)
    red = next((check for check in checks if check.outcome.is_red), None)
    return IntegrationReport(
        name=name,
        provider="duo",
        environment="production",
        verdict=verdict,
        cause=red.cause if red else None,
        headline=red.message if red else "all passed",
        checks=list(checks),
        measured=list(measured),
    )


def report(*integrations: IntegrationReport, day: int = 0, stage: Any = "gate") -> Report:
    started = FIRST + timedelta(days=day)
    return Report(
        run=Run(
            id=str(uuid.uuid4()), stage=stage, started=started, finished=started + timedelta(seconds=3), version="0.1"
        ),
        verdict=Verdict.of(one.verdict for one in integrations),
        summary=Summary(),
        integrations=list(integrations),
    )


def answered(processing: float = 0.02) -> Measured:
    return Measured(request="GET /auth/v2/check", phases={"resolve": 0.001, "processing": processing})


def unanswered(attempt: int = 1) -> Measured:
    phases = {"resolve": 0.001, "processing": 5.0}
    return Measured(request="GET /x", attempt=attempt, phases=phases, cause=CauseId.PROVIDER_OUTAGE)
