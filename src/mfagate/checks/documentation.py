"""Check that a person on call finds whom to ask and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from mfagate.checks.context import CheckContext
from mfagate.checks.results import passed
from mfagate.core import check_ids
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.finding import Finding, some
from mfagate.core.result import Check
from mfagate.inspection.placeholders import placeholder

NEEDED = ("owner", "runbook", "provider_docs", "escalation", "rotation_days")


def _is_missing(value: object) -> bool:
    """Return whether a value is absent or still a placeholder."""
    return value in (None, "") or (isinstance(value, str) and placeholder(value, secret=False) is not None)


def run(context: CheckContext) -> Iterator[Check]:
    """Report missing keys of ``[integrations.NAME.documentation]``, and an overdue review."""
    integration = context.integration
    documentation = integration.documentation
    missing = [name for name in NEEDED if _is_missing(getattr(documentation, name))]
    if missing:
        finding = Finding(
            CauseId.DOCUMENTATION_INCOMPLETE,
            f"these are not documented: {', '.join(missing)}",
            {"missing": missing},
            integration.locate("documentation"),
            outcome=None if integration.environment.is_production else Outcome.WARN,
            next_step=f"Fill in {some(missing)} in {integration.heads('documentation')}, and run "
            f"`mfagate nightly --integration {integration.name}`.",
        )
        yield Check.from_finding(check_ids.DOCUMENTATION, finding)
    reviewed, limit = documentation.reviewed, context.options.documentation_review_days
    age = (datetime.now(UTC).date() - reviewed).days if reviewed is not None else None
    if age is not None and age > limit:
        finding = Finding(
            CauseId.DOCUMENTATION_REVIEW_OVERDUE,
            f"reviewed on {reviewed}, {age} days ago; the limit is {limit} days",
            {"reviewed": str(reviewed), "days overdue": age - limit},
            integration.locate("documentation", "reviewed"),
        )
        yield Check.from_finding(check_ids.DOCUMENTATION, finding, subject="reviewed")
    elif not missing:
        yield passed(check_ids.DOCUMENTATION, "everything that an on-call engineer needs is documented")
