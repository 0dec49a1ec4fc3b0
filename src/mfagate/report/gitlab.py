"""Render the report as GitLab's Code Quality artifact: findings beside the lines of a merge request.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mfagate.core.causes import Outcome
from mfagate.core.foreign import harmless_json
from mfagate.core.result import Report
from mfagate.report.findings import ReportedFinding, findings
from mfagate.report.places import from_root, root
from mfagate.report.words import one_line

_SEVERITIES = {
    Outcome.FAIL: "critical",
    Outcome.INCONCLUSIVE: "major",
    Outcome.WARN: "minor",
    Outcome.INFO: "info",
}


def render(report: Report) -> str:
    """Return a JSON array with one object for each finding."""
    folder = root()
    issues = [_issue(found, folder) for found in findings(report)]
    return harmless_json(json.dumps(issues, indent=2, ensure_ascii=False)) + "\n"


def _issue(found: ReportedFinding, folder: Path) -> dict[str, Any]:
    # GitLab drops an issue without path and line.
    file, line = (found.location.file, found.location.line) if found.location else ("integrations.toml", None)
    return {
        "description": _description(found),
        "check_name": found.cause.id.value,
        "fingerprint": found.fingerprint,
        "severity": _severity(found),
        "location": {"path": from_root(file, folder) or file, "lines": {"begin": line or 1}},
    }


def _severity(found: ReportedFinding) -> str:
    blocks = found.check.outcome is Outcome.FAIL and found.cause.severity == "critical"
    return "blocker" if blocks else _SEVERITIES[found.check.outcome]


def _description(found: ReportedFinding) -> str:
    """Return one line, because the merge request shows nothing else."""
    check = found.check
    whose = f"{found.integration.name}: " if found.integration else ""
    waived = f"waived by {check.waiver.owner} until {check.waiver.until}: " if check.waiver else ""
    next_step = f" Next step: {check.next_step}" if check.next_step else ""
    return one_line(f"{whose}{waived}{check.message}.{next_step}")
