"""Compare the problem of an integration with the results of the other integrations of the run.

Is the whole network down, or one path? Is the provider's authentication down, or is one credential wrong? The other
integrations tried the same at the same time, so their results become evidence. They change the cause only if no
request of the run got past the same step (:mod:`mfagate.checks.reach`), because integrations may differ in many ways.
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
    """Return the reports, with this machine as the cause of the problems that it explains.

    A report whose checks change is a new object, and its verdict is not yet updated.
    """
    findings = {
        (sighting.integration, sighting.check_id, sighting.subject): finding
        for sighting, finding in this_machine(sightings)
    }
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
            checks = [_reworded(check, reason, other) if check.is_skipped else check for check in checks]
    changed = checks != list(report.checks)
    return report.model_copy(update={"checks": _merged(checks)}) if changed else report


def _merged(checks: Sequence[Check]) -> list[Check]:
    """Return the checks. Those that blame this machine with the same message for several hosts become one."""
    merged: list[Check] = []
    for check in checks:
        same = check.cause is CauseId.NETWORK_THIS_MACHINE and (check.id, check.message)
        at = next((at for at, earlier in enumerate(merged) if same == (earlier.id, earlier.message)), None)
        if at is None:
            merged.append(check)
        else:
            merged[at] = _both(merged[at], check)
    return merged


def _both(first: Check, other: Check) -> Check:
    evidence = {**other.evidence, **first.evidence}
    for name in first.evidence.keys() & other.evidence.keys():
        if first.evidence[name] != other.evidence[name]:
            evidence[name] = f"{first.evidence[name]}; {other.evidence[name]}"
    subject = ", ".join(filter(None, (first.subject, other.subject))) or None
    return first.model_copy(update={"evidence": evidence, "subject": subject})


def _explained(check: Check, finding: Finding) -> Check:
    """Return the check with the cause behind its problem. Its own evidence is kept."""
    better = Check.from_finding(check.id, finding, subject=check.subject, seconds=check.seconds)
    return better.model_copy(update={"evidence": {**check.evidence, **better.evidence}})


def _reworded(check: Check, reason: str, other: str) -> Check:
    return check.model_copy(update={"message": check.message.replace(reason, other)})


def add_peer_evidence(
    reports: Sequence[IntegrationReport], integrations: Sequence[Integration], sightings: Sequence[Sighting] = ()
) -> list[IntegrationReport]:
    """Add the results of other integrations and of the witness host to each problem."""
    here = {sighting.integration for sighting in sightings if sighting.is_here}
    local = {table.name: table.uses_sandbox or table.name in here for table in integrations}
    witness = next((sighting for sighting in sightings if sighting.integration is None), None)
    seen: dict[tuple[str, object], _PeerAnswers] = {}

    def of(question: _Question, group: object, members: Callable[[IntegrationReport], bool]) -> _PeerAnswers:
        key = (question.check_id, group)
        if key not in seen:
            seen[key] = _PeerAnswers.by([report for report in reports if members(report)], question)
        return seen[key]

    return [_witnessed(_compared(report, local, of), witness) for report in reports]


def _witnessed(report: IntegrationReport, witness: Sighting | None) -> IntegrationReport:
    """Add the result of the request to the witness host."""
    check = report.deciding
    if witness is None or check is None or family_of(check.cause) is not CauseFamily.NETWORK:
        return report
    failure = witness.failure
    result = "reached" if failure is None else f"stopped at {failure.phase}: {failure.message}"
    evidence = {**check.evidence, "witness host": f"{witness.host}: {result}"}
    return _with(report, check, check.model_copy(update={"evidence": evidence}))


def _with(report: IntegrationReport, check: Check, other: Check) -> IntegrationReport:
    return report.model_copy(update={"checks": [other if old is check else old for old in report.checks]})


def _compared(
    report: IntegrationReport,
    local: Mapping[str, bool],
    of: Callable[[_Question, object, Callable[[IntegrationReport], bool]], _PeerAnswers],
) -> IntegrationReport:
    check = report.deciding
    if check is None or check.cause is None:
        return report
    if check.cause.family is CauseFamily.NETWORK:
        # A server on this machine is reached without the network, so it proves nothing about it.
        question, where = _STEPS.get(check.id, _REACHED), local[report.name]
        seen = of(question, where, lambda peer: local[peer.name] == where)
    elif check.cause.family.concerns_provider:
        question = _ANSWERS if check.id == check_ids.PROVIDER_PING else _ACCEPTED
        seen = of(question, report.provider, lambda peer: peer.provider == report.provider)
    else:
        return report
    better = _with_peers(check, report.name, seen, question)
    return report if better is None else _with(report, check, better)


def documented_once(reports: Sequence[IntegrationReport]) -> list[IntegrationReport]:
    """Return the reports, with one warning about a table that several environments of an integration share.

    The warning is omitted if another environment fails for the same reason or has warned before. No verdict changes.
    """
    first_reports: dict[tuple[object, ...], str] = {}
    for red in (True, False):
        for report in reports:
            for check in filter(_is_warning_or_red, report.checks):
                if check.outcome.is_red is red:
                    first_reports.setdefault(_about(report, check), report.name)
    return [_without_repetitions(report, first_reports) for report in reports]


def _is_warning_or_red(check: Check) -> bool:
    return check.is_about_documentation and (check.outcome.is_red or check.outcome is Outcome.WARN)


def _about(report: IntegrationReport, check: Check) -> tuple[object, ...]:
    where = check.location
    return base_name(report.name), check.cause, check.subject, check.message, where and (where.file, where.line)


def _without_repetitions(
    report: IntegrationReport, first_reports: Mapping[tuple[object, ...], str]
) -> IntegrationReport:
    checks = list(report.checks)
    for at, check in enumerate(checks):
        if not _is_warning_or_red(check) or check.outcome.is_red:
            continue
        if (first := first_reports[_about(report, check)]) != report.name:
            reason = f"{first} shares this table and reports the warning"
            checks[at] = Check(
                id=check.id,
                subject=check.subject,
                outcome=Outcome.SKIPPED,
                message=reason,
                skipped_because=SkipReason.NOT_APPLICABLE,
            )
    return report.model_copy(update={"checks": checks}) if checks != list(report.checks) else report


@dataclass(frozen=True, slots=True)
class _Question:
    """Something that every integration tries: the check that shows it, and what it means if none succeeds."""

    check_id: str
    good: str
    bad: str
    nobody: str

    def outcomes(self, report: IntegrationReport) -> set[Outcome]:
        return {check.outcome for check in report.checks if check.id == self.check_id} - {Outcome.SKIPPED}


_REACHED = _Question(
    check_ids.NETWORK_CONNECT,
    "reached in this run",
    "not reached either",
    "No integration was reached in this run: check this machine's network, proxy and DNS first.",
)
_STEPS = {
    check_ids.NETWORK_RESOLVE: _Question(
        check_ids.NETWORK_RESOLVE,
        "resolved in this run",
        "not resolved either",
        "No host was resolved in this run: check this machine's resolver and proxy first.",
    ),
    check_ids.NETWORK_CONNECT: _REACHED,
    check_ids.NETWORK_TLS: _Question(
        check_ids.NETWORK_TLS,
        "trusted in this run",
        "not trusted either",
        "TLS failed with every host of this run: check this machine's trust store first.",
    ),
}
_ANSWERS = _Question(
    check_ids.PROVIDER_PING,
    "answered in this run",
    "not answered either",
    "No integration with this provider got an answer in this run: check the provider's status page first.",
)
_ACCEPTED = _Question(
    check_ids.CREDENTIAL_ACCEPTED,
    "accepted in this run",
    "not accepted either",
    "No credential for this provider was accepted in this run: before you change them, check the provider's status "
    "page, and what was changed for all of them.",
)


@dataclass(frozen=True, slots=True)
class _PeerAnswers:
    """Names of the integrations that succeeded, and of those that did not."""

    good: Sequence[str]
    bad: Sequence[str]

    @classmethod
    def by(cls, reports: Sequence[IntegrationReport], question: _Question) -> _PeerAnswers:
        """Collect the names from the reports."""
        outcomes = {report.name: question.outcomes(report) for report in reports}
        return cls(
            [name for name, seen in outcomes.items() if seen == {Outcome.PASS}],
            [name for name, seen in outcomes.items() if any(outcome.is_red for outcome in seen)],
        )


def _with_peers(check: Check, name: str, seen: _PeerAnswers, question: _Question) -> Check | None:
    good, bad = _without(name, seen.good), _without(name, seen.bad)
    if not good and not bad:
        return None
    peers = [f"{words}: {names}" for words, names in ((question.good, good), (question.bad, bad)) if names]
    known = good or check.cause is CauseId.NETWORK_THIS_MACHINE
    next_step = check.next_step if known else f"{question.nobody} {check.next_step or ''}".rstrip()
    return check.model_copy(update={"evidence": {**check.evidence, EVIDENCE: "; ".join(peers)}, "next_step": next_step})


def _without(name: str, names: Sequence[str]) -> str:
    """Return at most five of the names, without this one."""
    return some([other for other in names[:_FIRST] if other != name], len(names) - (name in names))


_FIRST = 6
"""One more than are shown, because the integration itself may be among them."""
