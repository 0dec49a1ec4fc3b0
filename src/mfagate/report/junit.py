"""Render the report as JUnit XML: a suite for each integration, a case for each check.

JUnit knows failures, errors and skipped cases. A failed check is a failure, an inconclusive check is an error, and a
warning goes to the output of its case.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from mfagate.core import check_ids
from mfagate.core.causes import Outcome
from mfagate.core.result import Check, IntegrationReport, Report
from mfagate.report.words import (
    emulators,
    indented,
    is_emulator_note,
    notes,
    nothing_changed,
    paragraphs,
)

# Characters that are not allowed in XML 1.0 (https://www.w3.org/TR/xml/#charsets).
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> str:
    """Return one XML document."""
    root = Element("testsuites", name="mfagate")
    for integration in report.integrations:
        _suite(root, integration, report)
    if root and (emulated := emulators(report)):
        SubElement(root[0][0], "property", name="emulators", value=_clean(emulated))
    if report.cause is not None:
        case = _suite_of_the_run(root, report, check_ids.GATE, failures=1)
        SubElement(case, "failure", message="nothing was checked", type=str(report.cause))
    if unchanged := nothing_changed(report):
        case = _suite_of_the_run(root, report, "changed-since", skipped=1)
        SubElement(case, "skipped", message=_clean(unchanged))
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    root.set("time", f"{sum(float(suite.get('time', '0')) for suite in root):.3f}")
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite_of_the_run(root: Element, report: Report, name: str, *, failures: int = 0, skipped: int = 0) -> Element:
    """Add a suite about the run as a whole, and return its only case."""
    counts = {"tests": "1", "failures": str(failures), "errors": "0", "skipped": str(skipped), "time": "0"}
    suite = SubElement(root, "testsuite", {"name": "mfagate", **counts})
    _properties(suite, verdict=report.verdict, cause=report.cause, **_of_the_run(report))
    return SubElement(suite, "testcase", classname="mfagate", name=name, time="0")


def _suite(root: Element, integration: IntegrationReport, report: Report) -> None:
    def count(outcome: Outcome) -> str:
        return str(sum(check.outcome is outcome for check in integration.checks))

    suite = SubElement(
        root,
        "testsuite",
        name=_clean(integration.name),
        timestamp=f"{report.run.started:%Y-%m-%dT%H:%M:%S}",
        tests=str(len(integration.checks)),
        failures=count(Outcome.FAIL),
        errors=count(Outcome.INCONCLUSIVE),
        skipped=count(Outcome.SKIPPED),
        time=f"{sum(check.seconds for check in integration.checks):.3f}",
    )
    _properties(
        suite,
        verdict=integration.verdict,
        cause=integration.cause,
        target=integration.target,
        waived=len(integration.waived) or None,
        faults=", ".join(integration.faults) or None,
        **_of_the_run(report),
    )
    for check in integration.checks:
        _case(suite, integration, check)


def _of_the_run(report: Report) -> dict[str, str | None]:
    """Return the properties of the run. Each suite has them, because JUnit has no level above suites for them."""
    shown = {
        kind: "\n".join(note.text for note in notes(report) if note.kind == kind) or None
        for kind in ("selection", "warning", "recorded")
    }
    return {"override": report.run.override, **shown}


def _properties(suite: Element, **values: object) -> None:
    properties = SubElement(suite, "properties")
    for name, value in values.items():
        if value is not None:
            SubElement(properties, "property", name=name, value=_clean(str(value)))


def _case(suite: Element, integration: IntegrationReport, check: Check) -> None:
    case = SubElement(
        suite,
        "testcase",
        classname=_clean(f"mfagate.{integration.name}"),
        name=_clean(check.title),
        time=f"{check.seconds:.3f}",
    )
    if check.location is not None:
        case.set("file", _clean(check.location.file))
        if check.location.line:
            case.set("line", str(check.location.line))
    message = _clean(check.message)
    if check.outcome is Outcome.SKIPPED:
        SubElement(case, "skipped", message=message)
    elif check.outcome.is_red:
        kind = "failure" if check.outcome is Outcome.FAIL else "error"
        problem = SubElement(case, kind, message=message, type=str(check.cause))
        problem.text = _facts(check)
    elif check.waiver is not None:
        SubElement(case, "system-out").text = f"waived: {message}\n{_facts(check)}"
    elif check.cause is not None and not is_emulator_note(check):
        SubElement(case, "system-out").text = f"{check.outcome}: {check.cause}: {message}"


def _facts(check: Check) -> str:
    return _clean("\n".join(f"{label}: {indented(text)}" for label, text in paragraphs(check)))


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
