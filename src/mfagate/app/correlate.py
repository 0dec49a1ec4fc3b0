"""What the other integrations of a run tell about the problem of one.

Whether the network is down or one path, a provider's authentication or one credential: the
neighbours have tried the same thing in the same minute. What they saw becomes evidence. It becomes
another cause only if no request of the run got past the same step on its way (:mod:`mfagate.checks.reach`):
in all else the integrations may differ in more than one respect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mfagate.checks.reach import Sighting, this_machine
from mfagate.config.environments import base_name
from mfagate.config.model import Integration
from mfagate.core import check_ids
from mfagate.core.causes import CauseFamily, CauseId, Outcome, family_of
from mfagate.core.finding import Finding, some
from mfagate.core.result import Check, IntegrationReport, SkipReason

EVIDENCE = "other integrations"


def blamed(reports: Sequence[IntegrationReport], sightings: Sequence[Sighting]) -> list[IntegrationReport]:
    """Return the reports; where this machine explains a problem, its cause is that.

    A report whose checks change is another object; its verdict is that of before.
    """
    findings = {(one.integration, one.check_id, one.subject): finding for one, finding in this_machine(sightings)}
    return [_blamed(report, findings) for report in reports]


def _blamed(
    report: IntegrationReport, findings: Mapping[tuple[str | None, str, str | None], Finding]
) -> IntegrationReport:
    checks = list(report.checks)
    for at, check in enumerate(report.checks):
        finding = findings.get((report.name, check.id, check.subject)) if check.outcome.is_red else None
        if finding is not None:
            checks[at] = _explained(check, finding)
            reason, other = f"{check.title} found {check.cause}", f"{check.title} found {finding.cause}"
            checks = [one if not one.is_skipped else _reworded(one, reason, other) for one in checks]
    changed = checks != list(report.checks)
    return report.model_copy(update={"checks": _merged(checks)}) if changed else report


def _merged(checks: Sequence[Check]) -> list[Check]:
    """Return the checks; those that blame this machine in the same words for several hosts become one."""
    merged: list[Check] = []
    for check in checks:
        same = check.cause is CauseId.NETWORK_THIS_MACHINE and (check.id, check.message)
        at = next((at for at, one in enumerate(merged) if same == (one.id, one.message)), None)
        if at is None:
            merged.append(check)
        else:
            merged[at] = _both(merged[at], check)
    return merged


def _both(one: Check, other: Check) -> Check:
    evidence = {**other.evidence, **one.evidence}
    for name in one.evidence.keys() & other.evidence.keys():
        if one.evidence[name] != other.evidence[name]:
            evidence[name] = f"{one.evidence[name]}; {other.evidence[name]}"
    subject = ", ".join(filter(None, (one.subject, other.subject))) or None
    return one.model_copy(update={"evidence": evidence, "subject": subject})


def _explained(check: Check, finding: Finding) -> Check:
    """Return the check with the cause that lies behind it. What it found itself stays as evidence."""
    better = Check.from_finding(check.id, finding, subject=check.subject, seconds=check.seconds)
    return better.model_copy(update={"evidence": {**check.evidence, **better.evidence}})


def _reworded(check: Check, reason: str, other: str) -> Check:
    return check.model_copy(update={"message": check.message.replace(reason, other)})


def add_peer_evidence(
    reports: Sequence[IntegrationReport], integrations: Sequence[Integration], sightings: Sequence[Sighting] = ()
) -> list[IntegrationReport]:
    """The reports, each problem with what its neighbours, and a further host, saw."""
    here = {one.integration for one in sightings if one.is_here}
    local = {one.name: one.uses_sandbox or one.name in here for one in integrations}
    witness = next((one for one in sightings if one.integration is None), None)
    seen: dict[tuple[str, object], _PeerAnswers] = {}

    def of(question: _Question, group: object, members: Callable[[IntegrationReport], bool]) -> _PeerAnswers:
        key = (question.check_id, group)
        if key not in seen:
            seen[key] = _PeerAnswers.by([one for one in reports if members(one)], question)
        return seen[key]

    return [_witnessed(_compared(report, local, of), witness) for report in reports]


def _witnessed(report: IntegrationReport, witness: Sighting | None) -> IntegrationReport:
    """Return the report with what became of the request to the further host."""
    check = report.deciding
    if witness is None or check is None or family_of(check.cause) is not CauseFamily.NETWORK:
        return report
    failure = witness.failure
    came = "reached" if failure is None else f"stopped at {failure.phase}: {failure.message}"
    told = check.model_copy(update={"evidence": {**check.evidence, "witness host": f"{witness.host}: {came}"}})
    return _with(report, check, told)


def _with(report: IntegrationReport, check: Check, other: Check) -> IntegrationReport:
    return report.model_copy(update={"checks": [other if one is check else one for one in report.checks]})


def _compared(
    report: IntegrationReport,
    local: Mapping[str, bool],
    of: Callable[[_Question, object, Callable[[IntegrationReport], bool]], _PeerAnswers],
) -> IntegrationReport:
    check = report.deciding
    if check is None or check.cause is None:
        return report
    if check.cause.family is CauseFamily.NETWORK:
        # A server on this machine is reached without any network, so it is no witness for one.
        question, where = _STEPS.get(check.id, _REACHED), local[report.name]
        seen = of(question, where, lambda one: local[one.name] == where)
    elif check.cause.family.concerns_provider:
        question = _ANSWERS if check.id == check_ids.PROVIDER_PING else _ACCEPTED
        seen = of(question, report.provider, lambda one: one.provider == report.provider)
    else:
        return report
    told = _tell(check, report.name, seen, question)
    if told is None:
        return report
    return _with(report, check, told)


def documented_once(reports: Sequence[IntegrationReport]) -> list[IntegrationReport]:
    """Return the reports; a warning about a table that environments of one integration share is given once.

    It is left out where another environment fails because of the same, or warned before. No verdict depends on it.
    """
    said: dict[tuple[object, ...], str] = {}
    for red in (True, False):
        for report in reports:
            for check in filter(_is_warning_or_red, report.checks):
                if check.outcome.is_red is red:
                    said.setdefault(_about(report, check), report.name)
    return [_without_repetitions(report, said) for report in reports]


def _is_warning_or_red(check: Check) -> bool:
    return check.is_about_documentation and (check.outcome.is_red or check.outcome is Outcome.WARN)


def _about(report: IntegrationReport, check: Check) -> tuple[object, ...]:
    where = check.location
    return base_name(report.name), check.cause, check.subject, check.message, where and (where.file, where.line)


def _without_repetitions(report: IntegrationReport, said: Mapping[tuple[object, ...], str]) -> IntegrationReport:
    checks = list(report.checks)
    for at, check in enumerate(checks):
        if not _is_warning_or_red(check) or check.outcome.is_red:
            continue
        if (first := said[_about(report, check)]) != report.name:
            reason = f"it is the same table as that of {first}, which reports it"
            checks[at] = Check(
                id=check.id,
                subject=check.subject,
                outcome=Outcome.SKIPPED,
                message=reason,
                skipped_because=SkipReason.NOT_APPLICABLE,
            )
    return report.model_copy(update={"checks": checks}) if checks != list(report.checks) else report


class _Question:
    """One thing that every integration tries: which check shows it, and what it means if nobody succeeds."""

    def __init__(self, check_id: str, good: str, bad: str, nobody: str) -> None:
        self.check_id, self.good, self.bad, self.nobody = check_id, good, bad, nobody

    def outcomes(self, report: IntegrationReport) -> set[Outcome]:
        return {check.outcome for check in report.checks if check.id == self.check_id} - {Outcome.SKIPPED}


_REACHED = _Question(
    check_ids.NETWORK_CONNECT,
    "reached in this run",
    "not reached either",
    "No integration was reached in this run: look at this machine's network, proxy and DNS first.",
)
_STEPS = {
    check_ids.NETWORK_RESOLVE: _Question(
        check_ids.NETWORK_RESOLVE,
        "resolved in this run",
        "not resolved either",
        "No host was resolved in this run: look at this machine's resolver and proxy first.",
    ),
    check_ids.NETWORK_CONNECT: _REACHED,
    check_ids.NETWORK_TLS: _Question(
        check_ids.NETWORK_TLS,
        "trusted in this run",
        "not trusted either",
        "TLS succeeded with no host of this run: look at this machine's trust store first.",
    ),
}
_ANSWERS = _Question(
    check_ids.PROVIDER_PING,
    "answered in this run",
    "not answered either",
    "No integration with this provider was answered in this run: look at its status page first.",
)
_ACCEPTED = _Question(
    check_ids.CREDENTIAL_ACCEPTED,
    "accepted in this run",
    "not accepted either",
    "No credential for this provider was accepted in this run: before changing each of them, look at its status "
    "page, and at what was changed for all.",
)


@dataclass(frozen=True, slots=True)
class _PeerAnswers:
    """Names of the integrations for which a question has the right answer, and of those for which it has not."""

    good: Sequence[str]
    bad: Sequence[str]

    @classmethod
    def by(cls, reports: Sequence[IntegrationReport], question: _Question) -> _PeerAnswers:
        """What they saw."""
        outcomes = {one.name: question.outcomes(one) for one in reports}
        return cls(
            [name for name, seen in outcomes.items() if seen == {Outcome.PASS}],
            [name for name, seen in outcomes.items() if any(outcome.is_red for outcome in seen)],
        )


def _tell(check: Check, name: str, seen: _PeerAnswers, question: _Question) -> Check | None:
    good, bad = _without(name, seen.good), _without(name, seen.bad)
    if not good and not bad:
        return None
    told = [f"{words}: {names}" for words, names in ((question.good, good), (question.bad, bad)) if names]
    known = good or check.cause is CauseId.NETWORK_THIS_MACHINE
    next_step = check.next_step if known else f"{question.nobody} {check.next_step or ''}".rstrip()
    return check.model_copy(update={"evidence": {**check.evidence, EVIDENCE: "; ".join(told)}, "next_step": next_step})


def _without(name: str, names: Sequence[str]) -> str:
    """The names but one, five of them at most."""
    return some([one for one in names[:_FIRST] if one != name], len(names) - (name in names))


_FIRST = 6
"""One more than are named, because the integration itself may be among them."""
