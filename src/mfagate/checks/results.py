"""Make the checks of a report: passed, skipped, or stopped by a defect."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator

from mfagate.checks.context import CheckContext
from mfagate.config.model import Integration
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.finding import Finding
from mfagate.core.foreign import harmless, hiding, quoted
from mfagate.core.resources import shortage_of
from mfagate.core.result import Check, SkipReason
from mfagate.secrets.redaction import Redactor

log = logging.getLogger("mfagate")

AT_THE_SAME_TIME = "sent at the same time, and not judged"
"""What was done of a check that another one, which decides alone, has stopped."""


def passed(check_id: str, message: str, *, subject: str | None = None, seconds: float = 0, **evidence: object) -> Check:
    """Return a check that found nothing wrong, with what it saw as evidence."""
    return Check(
        id=check_id,
        subject=subject,
        outcome=Outcome.PASS,
        message=message,
        evidence=evidence,
        seconds=round(seconds, 6),
    )


def skipped(
    check_id: str, reason: str, *, subject: str | None = None, because: SkipReason = SkipReason.NOT_APPLICABLE
) -> Check:
    """Return a check that did not run. ``reason`` is for people; reports count skipped checks by ``because``."""
    return Check(id=check_id, subject=subject, outcome=Outcome.SKIPPED, message=reason, skipped_because=because)


def not_reached(check_id: str, stopped_by: Check, *, subject: str | None = None, not_done: str = "not sent") -> Check:
    """Return a check that did not run because an earlier one failed. ``not_done`` begins its message."""
    reason = f"{not_done}: {stopped_by.title} found {stopped_by.cause}"
    return skipped(check_id, reason, subject=subject, because=SkipReason.NOT_REACHED)


def internal_error(
    integration: Integration, redactor: Redactor, check_id: str, error: Exception, *, subject: str | None = None
) -> Check:
    """Report an exception that stopped one check: this machine lacks a resource, or mfagate has a defect.

    The traceback of a defect goes to the log, redacted. Other checks are not affected.
    """
    shortage = shortage_of(error)
    if shortage is not None:
        return Check.from_finding(check_id, out_of(shortage), subject=subject)
    log_defect(integration, redactor, check_id, error)
    with hiding(redactor.redact):
        detail = quoted(error, 200)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    finding = Finding(
        CauseId.GATE_INTERNAL_ERROR,
        f"a defect of mfagate stopped this check: {type(error).__name__}",
        {"where": f"{frame.name}, line {frame.lineno}", "detail": detail},
    )
    return Check.from_finding(check_id, finding, subject=subject)


def log_defect(integration: Integration, redactor: Redactor, what: str, error: Exception) -> None:
    """Write the traceback of a defect of mfagate to the log, redacted."""
    with hiding(redactor.redact):
        log.error("%s of %s failed\n%s", what, integration.name, "\n".join(_traced(error, redactor)))


def _traced(error: Exception, redactor: Redactor) -> Iterator[str]:
    """Yield the lines of a traceback behind a bar, so that foreign text in an exception never begins a log line."""
    trace = redactor.redact("".join(traceback.format_exception(error)))
    return (f"| {harmless(line)}" for line in trace.splitlines())


def out_of(shortage: str) -> Finding:
    """Return the finding that this machine lacks a resource."""
    message = f"this machine ran out of {shortage}, so this could not be checked"
    return Finding(CauseId.GATE_RESOURCES, message, {"ran out of": shortage})


def guarded(context: CheckContext, check_id: str, subject: str, check: Callable[[], Check]) -> Check:
    """Run one of several checks, so that a defect in it does not affect the others."""
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - every defect of mfagate becomes a finding
        return internal_error(context.integration, context.redactor, check_id, error, subject=subject)
