"""Word verdicts, problems and notes, the same way in every format that people read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mfagate.core import check_ids
from mfagate.core.causes import CauseId, Outcome, family_of, load
from mfagate.core.result import Check, IntegrationReport, Report, ReportLocation, SkipReason, Verdict, skip_reasons

_VERDICTS = {
    Verdict.PASS: {
        "gate": "PASS: deploy",
        "check": "PASS: no fault found offline",
        "record": "PASS: recorded",
        "nightly": "PASS: all checks passed",
    },
    Verdict.FAIL: {
        "gate": "FAIL: do not deploy",
        "check": "FAIL: do not deploy",
        "record": "FAIL: some recordings could not be made",
        "nightly": "FAIL: at least one check failed",
    },
    Verdict.INCONCLUSIVE: {},
}


def verdict(report: Report) -> str:
    """Return the first line of every report."""
    if unchanged := nothing_changed(report):
        return f"PASS: {unchanged}"
    if report.run.stage == "nightly" and _only_undocumented(report):
        return "FAIL: only documentation is missing"
    words = _VERDICTS[report.verdict].get(report.run.stage, "INCONCLUSIVE: could not be determined")
    coverage = contract_coverage(report) if report.verdict is Verdict.PASS else ""
    return f"{words} ({coverage})" if coverage else words


def _only_undocumented(report: Report) -> bool:
    """Return whether missing documentation is the only problem that changes the verdict."""
    red = [check for check in _checks(report) if check.outcome.is_red]
    return bool(red) and all(check.is_about_documentation for check in red)


def _checks(report: Report) -> list[Check]:
    return [check for integration in report.integrations for check in integration.checks]


def contract_coverage(report: Report) -> str:
    """Return how many interactions were tested, and why the others were not; empty for an offline run."""
    covered = [integration.contract for integration in report.integrations if integration.contract is not None]
    if not covered:
        return ""
    skipped: Counter[SkipReason] = Counter()
    for coverage in covered:
        skipped.update(coverage.skipped)
    asked, total = sum(coverage.asked for coverage in covered), sum(coverage.interactions for coverage in covered)
    return ", ".join(filter(None, [f"{asked} of {total} contract interactions tested", skip_reasons(skipped)]))


def nothing_changed(report: Report) -> str:
    """Return the sentence for a run that passes because no integration changed; empty for other runs."""
    since = report.run.changed_since
    if since is None or since.changed or report.verdict is not Verdict.PASS:
        return ""
    return f"nothing to check: no integration changed since {since.revision}"


def selection(report: Report) -> list[str]:
    """Return a line each for what ``--changed-since`` selected and why, what it left out, and what was removed."""
    since = report.run.changed_since
    if since is None:
        return []
    changed = [f"{name} ({', '.join(what)})" for name, what in since.changed.items()]
    lines = {
        f"changed since {since.revision}": changed,
        "unchanged, not checked": since.unchanged,
        "no longer in the file": since.removed,
    }
    return [f"{label}: {'; '.join(names)}" for label, names in lines.items() if names]


_CHANGES = {
    "new": "new recordings",
    "changed": "changed recordings",
    "only the date": "recordings with only a new date",
}


def recorded(report: Report) -> Iterator[str]:
    """Yield a line for each kind of change that ``mfagate record`` made, and the number of unchanged recordings."""
    for integration in report.integrations if report.run.stage == "record" else ():
        checks = [
            check for check in integration.checks if check.id == check_ids.RECORDING and check.outcome is Outcome.PASS
        ]
        for change, label in _CHANGES.items():
            files = [Path(str(check.evidence["file"])) for check in checks if check.evidence.get("change") == change]
            if files:
                yield f"{integration.name}: {label} in {files[0].parent}: {', '.join(file.name for file in files)}"
        if unchanged := sum("change" not in check.evidence for check in checks):
            yield f"{integration.name}: unchanged recordings: {unchanged}"


NOTHING_CHECKED = "No integration matches the selection, so nothing was checked."


def drills(report: Report) -> str:
    """Return the faults that were injected into each integration; empty for a run without a drill."""
    broken = [
        f"{integration.name} ({', '.join(integration.faults)})"
        for integration in report.integrations
        if integration.faults
    ]
    return f"drill, faults injected: {'; '.join(broken)}" if broken else ""


def emulators(report: Report) -> str:
    """Return in one line which integrations were checked against emulators or their recordings; empty if none."""
    names = [
        integration.name
        for integration in report.integrations
        if integration.target == "emulator" and report.run.stage != "check"
    ]
    recorded = [
        integration.name
        for integration in report.integrations
        if any(is_emulator_note(check) for check in integration.checks)
    ]
    answered = f"answered by emulators, not by the providers themselves: {', '.join(names)}" if names else ""
    if names and names == recorded:
        return f"{answered}; their recordings come from emulators, too"
    recordings = f"recordings made with emulators: {', '.join(recorded)}" if recorded else ""
    return "; ".join(filter(None, [answered, recordings]))


def is_emulator_note(check: Check) -> bool:
    """Return whether a check only notes that recordings come from an emulator; reports sum these up in one line."""
    return check.cause is CauseId.CASSETTE_EMULATED and check.outcome is Outcome.INFO


def paragraphs(check: Check) -> Iterator[tuple[str, str]]:
    """Yield label and text of everything that a person needs to act on a check."""
    yield "cause", f"{check.cause} (mfagate explain {check.cause})"
    if check.waiver is not None:
        waiver = check.waiver
        yield "waived for", waiver.reason
        yield "waived by", waiver.owner
        yield "waived until", f"{waiver.until} ({file_and_line(waiver.location)}); without it: {waiver.instead_of}"
    for name, value in check.evidence.items():
        if value is not None:
            yield name, _as_text(value)
    if check.location is not None:
        yield "change here", file_and_line(check.location)
    if check.next_step:
        yield "next step", check.next_step


def indented(text: str) -> str:
    """Indent all lines but the first, so that none of them looks like a label."""
    return text.replace("\n", "\n  ")


def one_line(text: str) -> str:
    """Replace line breaks with spaces."""
    return " ".join(text.split())


_OUTCOME_LABELS = {
    "fail": "failed",
    "inconclusive": "inconclusive",
    "warn": "warned",
    "waived": "waived",
    "info": "info",
}


def count_outcomes(checks: Sequence[Check]) -> str:
    """Count checks by outcome in words, such as ``38 of 40 passed, 2 warned, 1 not applicable``."""
    kinds = Counter(kind(check) for check in checks)
    skipped = Counter(check.skipped_because or SkipReason.NOT_APPLICABLE for check in checks if check.is_skipped)
    ran = len(checks) - kinds[Outcome.SKIPPED]
    parts = [f"{kinds[Outcome.PASS]} of {ran} passed"]
    parts += [f"{kinds[name]} {text}" for name, text in _OUTCOME_LABELS.items() if kinds[name]]
    return ", ".join(filter(None, [*parts, skip_reasons(skipped)]))


def override(report: Report) -> str:
    """Return why the verdict was overridden; empty if it was not."""
    if not report.run.override:
        return ""
    unnecessary = " (unnecessarily)" if report.verdict is Verdict.PASS else ""
    return f"overridden{unnecessary}: {report.run.override}"


def footer(report: Report) -> str:
    """Return the last line of a report: the checks by outcome, the duration, and the version of mfagate."""
    checks = _checks(report)
    counts = f"checks: {count_outcomes(checks)}" if checks else "no checks"
    seconds = (report.run.finished - report.run.started).total_seconds()
    return f"{counts} in {seconds:.1f} s (mfagate {report.run.version} {report.run.stage})"


def table_cells(integration: IntegrationReport) -> tuple[str, str, str, str, str]:
    """Return integration, provider, environment, cause and checks for a row of the table."""
    checks = count_outcomes(integration.checks)
    return integration.name, integration.provider, integration.environment, integration.cause or "-", checks


def skipped_checks(report: Report) -> Iterator[tuple[str, list[str]]]:
    """Yield each integration with the checks that did not run, and why; checks with the same reason share a line."""
    for integration in report.integrations:
        titles: dict[str, list[str]] = {}
        for check in integration.checks:
            if check.is_skipped:
                titles.setdefault(check.message, []).append(check.title)
        if titles:
            yield integration.name, [f"{', '.join(same)}: {reason}" for reason, same in titles.items()]


def kind(check: Check) -> str:
    """Return the outcome of a check, or ``waived``."""
    return "waived" if check.waiver else check.outcome.value


def file_and_line(location: ReportLocation) -> str:
    """Return ``file:line``, which editors and terminals turn into a link."""
    return f"{location.file}:{location.line}" if location.line else location.file


def blast_radius(integration: IntegrationReport) -> str:
    """Return the share of users who log in through an integration; empty if the configuration does not say."""
    share = integration.share_of_users
    return f"{share:.0%} of users log in through it" if share is not None else ""


def contact(check: Check, integration: IntegrationReport) -> str:
    """Return whom to talk to, and the runbook of the integration."""
    if check.cause is None:
        return ""
    owner = f" (owner: {integration.owner})" if integration.owner else ""
    runbook = f"; runbook: {integration.runbook}" if integration.runbook else ""
    return f"{load(check.cause).contact}{owner}{runbook}"


def exonerated(integration: IntegrationReport) -> str:
    """Return what this run proved not to be at fault."""
    names = integration.exonerated
    if not names:
        return ""
    text = f"{_joined(['the ' + name for name in names])} {'is' if len(names) == 1 else 'are'} not at fault"
    family = family_of(integration.cause)
    refused = family is not None and family.concerns_access
    # No login was reproduced, so the run proves nothing about a database; but none was involved in the refusal.
    return f"{text}; no database took part in this answer" if refused and "database" not in names else text


def _joined(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def context(check: Check, integration: IntegrationReport) -> Iterator[tuple[str, str]]:
    """Yield label and text of what the integration adds to a red check."""
    if not check.outcome.is_red:
        return
    yield "talk to", contact(check, integration)
    if check is integration.deciding and (cleared := exonerated(integration)):
        yield "exonerated", cleared
    if radius := blast_radius(integration):
        yield "at stake", radius


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(map(_as_text, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {_as_text(item)}" for key, item in value.items())
    return str(value)


NoteKind = Literal["override", "drill", "selection", "recorded", "warning"]


@dataclass(frozen=True, slots=True)
class Note:
    """One line about the run that a reader must know besides the verdict."""

    kind: NoteKind
    text: str


def notes(report: Report) -> list[Note]:
    """Return an override, a drill, the selection and warnings: the same for every format."""
    by_kind: dict[NoteKind, list[str]] = {
        "override": [override(report)],
        "drill": [drills(report)],
        "selection": selection(report),
        "recorded": list(recorded(report)),
        "warning": [f"warning: {warning}" for warning in report.run.warnings],
    }
    return [Note(kind, one_line(text)) for kind, texts in by_kind.items() for text in texts if text]
