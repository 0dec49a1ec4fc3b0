"""Render the report for GitHub Actions: annotations beside the lines, and the summary of the step.

Commands, their escaping and their limits:
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands and
https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mfagate.core.causes import Outcome
from mfagate.core.files import append
from mfagate.core.result import Report
from mfagate.report import console, markdown
from mfagate.report.findings import ReportedFinding, findings
from mfagate.report.places import from_root, root
from mfagate.report.words import contact

_LIMIT = 10
"""How many annotations of one kind a step may have; GitHub drops the rest silently."""

_COMMANDS = {
    Outcome.FAIL: "error",
    Outcome.INCONCLUSIVE: "error",
    Outcome.WARN: "warning",
    Outcome.INFO: "notice",
}


def render(report: Report) -> str:
    """Return the console report for the log, then the annotations, most urgent first."""
    # A provider's response could contain commands. An outsider does not know the id of the run.
    token = f"mfagate-{report.run.id}"
    log = f"::stop-commands::{token}\n{console.render(report)}::{token}::\n"
    return log + "".join(f"{line}\n" for line in _annotations(report))


def append_summary(report: Report) -> None:
    """Add the Markdown report to the summary of the step, if GitHub provides a file for it.

    Raises:
        OSError: The file cannot be written.
    """
    file = os.environ.get("GITHUB_STEP_SUMMARY")
    if file:
        append(Path(file), markdown.render(report))


def _annotations(report: Report) -> Iterator[str]:
    folder = root()
    counts: Counter[str] = Counter()
    for found in findings(report):
        command = _COMMANDS[found.check.outcome]
        counts[command] += 1
        if counts[command] <= _LIMIT:
            yield f"::{command} {_properties(found, folder)}::{_data(_message(found))}"
    if dropped := [f"{number - _LIMIT} of kind {command}" for command, number in counts.items() if number > _LIMIT]:
        yield f"GitHub shows at most {_LIMIT} annotations of each kind; left out: {', '.join(dropped)}"


def _properties(found: ReportedFinding, folder: Path) -> str:
    properties = {}
    if found.location is not None:
        properties["file"] = from_root(found.location.file, folder) or found.location.file
        if found.location.line:
            properties["line"] = str(found.location.line)
    waived = " (waived)" if found.check.waiver else ""
    properties["title"] = f"{found.title}{waived}"
    return ",".join(f"{name}={_property(value)}" for name, value in properties.items())


def _message(found: ReportedFinding) -> str:
    check = found.check
    lines = [check.message]
    if check.waiver is not None:
        lines.append(f"waived by {check.waiver.owner} until {check.waiver.until}: {check.waiver.reason}")
    if check.next_step:
        lines.append(f"Next step: {check.next_step}")
    if found.integration is not None and check.outcome.is_red:
        lines.append(f"Talk to: {contact(check, found.integration)}")
    return "\n".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
