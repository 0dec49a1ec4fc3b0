"""Render the report as SARIF 2.1.0, for code scanning.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html; what GitHub reads of it:
https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from mfagate.core.causes import Cause, CauseId, Outcome, load
from mfagate.core.result import Report, ReportLocation, Waived
from mfagate.report.findings import ReportedFinding, findings
from mfagate.report.places import absolute, from_root, root
from mfagate.report.words import contact, file_and_line, notes, paragraphs, verdict

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"

# A finding that changes the verdict is an error.
_LEVELS = {
    Outcome.FAIL: "error",
    Outcome.INCONCLUSIVE: "error",
    Outcome.WARN: "warning",
    Outcome.INFO: "note",
    Outcome.SKIPPED: "none",
}

Object = dict[str, Any]


def render(report: Report) -> str:
    """Return a SARIF log with one run."""
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(report)]}, indent=2) + "\n"


def _run(report: Report) -> Object:
    folder = root()
    rules = {cause_id: number for number, cause_id in enumerate(CauseId)}
    return {
        "tool": {"driver": _driver(report)},
        "automationDetails": {"id": f"mfagate/{report.run.stage}/", "guid": report.run.id},
        "invocations": [_invocation(report)],
        "originalUriBaseIds": {_ROOT: {"uri": folder.as_uri().rstrip("/") + "/"}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(found, rules[found.cause.id], folder) for found in findings(report)],
        "properties": {"verdict": report.verdict.value},
    }


def _driver(report: Report) -> Object:
    return {
        "name": "mfagate",
        "semanticVersion": report.run.version,
        "rules": [_rule(load(cause_id)) for cause_id in CauseId],
    }


def _rule(cause: Cause) -> Object:
    rule = {
        "id": cause.id.value,
        "name": "".join(word.capitalize() for word in cause.id.replace(".", "-").split("-")),
        "shortDescription": {"text": cause.title},
        "fullDescription": {"text": f"{cause.title}. {cause.next_step}"},
        "help": {"text": cause.next_step, "markdown": f"{cause.next_step}\n\n{cause.text}"},
        "defaultConfiguration": {"level": _LEVELS[cause.outcome]},
        "properties": {"tags": ["mfa", cause.id.family.value], "severity": cause.severity},
    }
    pages = _address_of_causes()
    return {**rule, "helpUri": f"{pages.rstrip('/')}/{cause.id}.html"} if pages else rule


def _address_of_causes() -> str | None:
    """Return the address of the cause pages, if the metadata of the package has it."""
    try:
        urls = metadata("mfagate").get_all("Project-URL") or []
    except PackageNotFoundError:
        return None
    return next((url.removeprefix("Causes, ") for url in urls if url.startswith("Causes, ")), None)


def _invocation(report: Report) -> Object:
    invocation: Object = {
        "executionSuccessful": True,  # The tool ran to its end; this says nothing about the verdict.
        "startTimeUtc": _time(report.run.started),
        "endTimeUtc": _time(report.run.finished),
        "exitCodeDescription": verdict(report),
    }
    if report.run.exit_code is not None:
        invocation["exitCode"] = report.run.exit_code
    if report.run.override:
        invocation["properties"] = {"override": report.run.override}
    notifications = [
        {"level": "warning" if note.kind == "warning" else "note", "message": {"text": note.text}}
        for note in notes(report)
    ]
    return {**invocation, "toolExecutionNotifications": notifications} if notifications else invocation


def _time(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03}Z"


def _result(found: ReportedFinding, rule: int, folder: Path) -> Object:
    check = found.check
    result: Object = {
        "ruleId": found.cause.id.value,
        "ruleIndex": rule,
        "level": _LEVELS[check.found],
        "message": {"text": _message(found)},
        # GitHub identifies findings by the second.
        "partialFingerprints": {"mfagate/v1": found.fingerprint, "primaryLocationLineHash": found.fingerprint},
        "properties": {"outcome": check.outcome.value, "check": check.title, **dict(_integration(found))},
    }
    if found.location is not None:
        result["locations"] = [_location(found.location, folder)]
    if check.waiver is not None:
        result["suppressions"] = [_suppression(check.waiver, folder)]
    return result


def _integration(found: ReportedFinding) -> Iterator[tuple[str, str]]:
    if found.integration is not None:
        yield "integration", found.integration.name
        yield "provider", found.integration.provider
        yield "environment", found.integration.environment
        if found.integration.faults:
            yield "drill", ", ".join(found.integration.faults)


def _message(found: ReportedFinding) -> str:
    """Return everything that is needed to act on a finding: code hosts show nothing else beside the line."""
    lines = [found.headline]
    lines += [f"{label}: {text}" for label, text in paragraphs(found.check)]
    if found.integration is not None and found.check.outcome.is_red:
        lines.append(f"talk to: {contact(found.check, found.integration)}")
    return "\n".join(lines)


def _location(location: ReportLocation, folder: Path) -> Object:
    physical: Object = {"artifactLocation": _artifact(location.file, folder)}
    if location.line:
        physical["region"] = {"startLine": location.line}
    return {"physicalLocation": physical}


def _artifact(file: str, folder: Path) -> Object:
    from urllib.parse import quote

    relative = from_root(file, folder)
    if relative is None:
        return {"uri": absolute(file).as_uri()}
    return {"uri": quote(relative), "uriBaseId": _ROOT}


def _suppression(waiver: Waived, folder: Path) -> Object:
    where = file_and_line(waiver.location)
    return {
        "kind": "external",
        "status": "accepted",
        "justification": f"{waiver.reason} (accepted by {waiver.owner} until {waiver.until}; {where})",
        "location": _location(waiver.location, folder),
    }
