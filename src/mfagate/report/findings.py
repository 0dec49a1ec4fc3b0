"""List the findings of a report, for formats that show them one by one: SARIF, GitHub, GitLab, Markdown.

A check that passed or was skipped is not a finding.
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
    """One finding.

    Args:
        check: The check that made it.
        cause: Its cause.
        integration: None if the finding is about the run as a whole.
        location: The file and line to change.
        fingerprint: 64 hexadecimal digits that identify the finding in other runs. They depend on no line, message or
            time.
        decides: Whether the verdict rests on it.
    """

    check: Check
    cause: Cause
    integration: IntegrationReport | None
    location: ReportLocation | None
    fingerprint: str
    decides: bool = True

    @property
    def title(self) -> str:
        """The integration and the cause."""
        return f"{self._owner}{self.cause.id}"

    @property
    def headline(self) -> str:
        """The integration and the message."""
        return f"{self._owner}{self.check.message}"

    @property
    def _owner(self) -> str:
        return f"{self.integration.name}: " if self.integration else ""


def findings(report: Report) -> list[ReportedFinding]:
    """Return all findings: what stops logins first, then missing documentation, and waived findings last."""
    of_integrations = (found for integration in report.integrations for found in _of(integration, report))
    return sorted([*_of_the_run(report), *of_integrations], key=_rank)


def _rank(found: ReportedFinding) -> tuple[float, ...]:
    """Return the sort key of a finding: problems of the run as a whole come first, its notes last."""
    if found.integration is not None:
        return found.integration.urgency(found.check)
    return () if found.decides else (float("inf"),)


def _of_the_run(report: Report) -> Iterator[ReportedFinding]:
    if report.cause is not None:
        cause = load(report.cause)
        check = Check.from_finding(check_ids.GATE, Finding(cause.id, NOTHING_CHECKED, outcome=Outcome.FAIL))
        yield ReportedFinding(check, cause, None, _configuration_file(report), _digest(check.id, cause.id))
    if any(is_emulator_note(check) for integration in report.integrations for check in integration.checks):
        # One finding for all integrations, which decides nothing.
        cause = load(CauseId.CASSETTE_EMULATED)
        check = Check.from_finding(check_ids.CASSETTE, Finding(cause.id, emulators(report)))
        digest = _digest(check.id, cause.id)
        yield ReportedFinding(check, cause, None, _configuration_file(report), digest, decides=False)


def _configuration_file(report: Report) -> ReportLocation | None:
    return ReportLocation(file=report.run.configuration) if report.run.configuration else None


def _of(integration: IntegrationReport, report: Report) -> Iterator[ReportedFinding]:
    alike: Counter[tuple[str, ...]] = Counter()
    deciding = integration.deciding
    for check in integration.checks:
        if check.cause is None or check.is_skipped or is_emulator_note(check):
            continue
        identity = (integration.name, check.id, check.subject or "", check.cause, str(check.evidence.get("setting")))
        alike[identity] += 1
        location = check.location or _in_the_contract(check) or integration.location or _configuration_file(report)
        fingerprint = _digest(*identity, str(alike[identity]))
        yield ReportedFinding(check, load(check.cause), integration, location, fingerprint, check is deciding)


def _in_the_contract(check: Check) -> ReportLocation | None:
    """Locate the interaction that a check was about."""
    contract = check.evidence.get("contract")
    if not isinstance(contract, str) or not check.subject:
        return None
    line = line_of_text(contract, json.dumps(check.subject)) or line_of_text(
        contract, json.dumps(check.subject, ensure_ascii=False)
    )
    return ReportLocation(file=contract, line=line)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
