"""What a report found, one by one, for formats that list findings: SARIF, GitHub, GitLab.

Checks that passed or were skipped are none.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from mfagate.core import check_ids
from mfagate.core.causes import Cause, CauseId, Outcome, load
from mfagate.core.finding import Finding
from mfagate.core.result import Check, IntegrationReport, Report, ReportLocation
from mfagate.report.places import line_of_text
from mfagate.report.words import NOTHING_CHECKED, emulators, is_emulator_note


@dataclass(frozen=True, slots=True)
class ReportedFinding:
    """One finding: the check that made it, its place, and what makes it the same one in another run.

    ``integration`` is None where the run as a whole is at fault. ``fingerprint`` are
    64 hexadecimal digits that depend on no line, message or time. ``decides`` says
    that the verdict rests on it.
    """

    check: Check
    cause: Cause
    integration: IntegrationReport | None
    location: ReportLocation | None
    fingerprint: str
    decides: bool = True

    @property
    def title(self) -> str:
        """Whose finding it is, and its cause."""
        return f"{self.integration.name}: {self.cause.id}" if self.integration else str(self.cause.id)


def findings(report: Report) -> list[ReportedFinding]:
    """All findings: what stops logins first, missing documentation and then waived ones last."""
    made = [*_of_the_run(report), *(found for one in report.integrations for found in _of(one, report))]
    return sorted(made, key=_rank)


def _rank(found: ReportedFinding) -> tuple[float, ...]:
    """Return the place among all findings: what the run as a whole lacks is the first, and its notes are the last."""
    if found.integration is not None:
        return found.integration.urgency(found.check)
    return () if found.decides else (float("inf"),)


def _of_the_run(report: Report) -> Iterator[ReportedFinding]:
    if report.cause is not None:
        cause = load(report.cause)
        check = Check.from_finding(check_ids.GATE, Finding(cause.id, NOTHING_CHECKED, outcome=Outcome.FAIL))
        yield ReportedFinding(check, cause, None, _of_the_file(report), _digest(check.id, cause.id))
    if any(is_emulator_note(check) for one in report.integrations for check in one.checks):
        yield _emulators(report)


def _emulators(report: Report) -> ReportedFinding:
    """Return what is known of emulators as one finding of the run, which decides nothing."""
    cause = load(CauseId.CASSETTE_EMULATED)
    check = Check.from_finding(check_ids.CASSETTE, Finding(cause.id, emulators(report)))
    return ReportedFinding(check, cause, None, _of_the_file(report), _digest(check.id, cause.id), decides=False)


def _of_the_file(report: Report) -> ReportLocation | None:
    return ReportLocation(file=report.run.configuration) if report.run.configuration else None


def _of(integration: IntegrationReport, report: Report) -> Iterator[ReportedFinding]:
    alike: Counter[tuple[str, ...]] = Counter()
    deciding = integration.deciding
    for check in integration.checks:
        if check.cause is None or check.is_skipped or is_emulator_note(check):
            continue
        identity = (integration.name, check.id, check.subject or "", check.cause, str(check.evidence.get("setting")))
        alike[identity] += 1
        place = check.location or _in_the_pact(check) or integration.location or _of_the_file(report)
        fingerprint = _digest(*identity, str(alike[identity]))
        yield ReportedFinding(check, load(check.cause), integration, place, fingerprint, check is deciding)


def _in_the_pact(check: Check) -> ReportLocation | None:
    """The interaction in the contract that a check was about."""
    contract = check.evidence.get("contract")
    if not isinstance(contract, str) or not check.subject:
        return None
    line = line_of_text(contract, json.dumps(check.subject)) or line_of_text(
        contract, json.dumps(check.subject, ensure_ascii=False)
    )
    return ReportLocation(file=contract, line=line)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
