"""What the other integrations of a run tell about the problem of one.

Whether the network is down or one path, a provider's authentication or one credential: the
neighbours have tried the same thing in the same minute. What they saw becomes evidence. It
never becomes another cause, because they may differ in more than one respect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mfagate.causes import Outcome
from mfagate.config.model import Integration
from mfagate.result import Check, IntegrationReport

EVIDENCE = "other integrations"


def compared(reports: Sequence[IntegrationReport], integrations: Sequence[Integration]) -> list[IntegrationReport]:
    """The reports, each problem with what its neighbours saw."""
    local = {one.name: one.uses_sandbox for one in integrations}
    return [_compared(report, reports, local) for report in reports]


def _compared(
    report: IntegrationReport, reports: Sequence[IntegrationReport], local: Mapping[str, bool]
) -> IntegrationReport:
    check = report.deciding
    if check is None or check.cause is None:
        return report
    others = [other for other in reports if other is not report]
    if check.cause.startswith("network."):
        # A sandbox of our own is reached without any network, so it is no witness for one.
        told = _tell(check, [one for one in others if local[one.name] == local[report.name]], _REACHED)
    elif check.cause.startswith(("credential.", "account.", "provider.")):
        question = _ANSWERS if check.id == "provider.ping" else _ACCEPTED
        told = _tell(check, [one for one in others if one.provider == report.provider], question)
    else:
        return report
    if told is None:
        return report
    checks = [told if one is check else one for one in report.checks]
    return report.model_copy(update={"checks": checks})


class _Question:
    """One thing that every integration tries: which check shows it, and what it means if nobody succeeds."""

    def __init__(self, check_id: str, good: str, bad: str, nobody: str) -> None:
        self.check_id, self.good, self.bad, self.nobody = check_id, good, bad, nobody

    def outcomes(self, report: IntegrationReport) -> set[Outcome]:
        return {check.outcome for check in report.checks if check.id == self.check_id} - {Outcome.SKIPPED}


_REACHED = _Question(
    "network.connect",
    "reached in this run",
    "not reached either",
    "No integration was reached in this run: look at this machine's network, proxy and DNS first.",
)
_ANSWERS = _Question(
    "provider.ping",
    "answered in this run",
    "not answered either",
    "No integration with this provider was answered in this run: look at its status page first.",
)
_ACCEPTED = _Question(
    "credential.accepted",
    "accepted in this run",
    "not accepted either",
    "No credential for this provider was accepted in this run: before changing each of them, look at its status "
    "page, and at what was changed for all.",
)


def _tell(check: Check, others: Sequence[IntegrationReport], question: _Question) -> Check | None:
    good = [one.name for one in others if question.outcomes(one) == {Outcome.PASS}]
    bad = [one.name for one in others if any(outcome.is_red for outcome in question.outcomes(one))]
    if not good and not bad:
        return None
    told = [f"{words}: {', '.join(names)}" for words, names in ((question.good, good), (question.bad, bad)) if names]
    next_step = check.next_step if good else f"{question.nobody} {check.next_step or ''}".rstrip()
    return check.model_copy(update={"evidence": {**check.evidence, EVIDENCE: "; ".join(told)}, "next_step": next_step})
