"""The words of a problem, the same in every format that people read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
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
        "nightly": "PASS: in order",
    },
    Verdict.FAIL: {
        "gate": "FAIL: do not deploy",
        "check": "FAIL: do not deploy",
        "record": "FAIL: not all was recorded",
        "nightly": "FAIL: something is broken",
    },
    Verdict.INCONCLUSIVE: {},
}


def verdict(report: Report) -> str:
    """The first line of every report."""
    if nothing_changed(report):
        return f"PASS: {nothing_changed(report)}"
    if report.run.stage == "nightly" and _only_undocumented(report):
        return "FAIL: only documentation is missing"
    words = _VERDICTS[report.verdict].get(report.run.stage, "INCONCLUSIVE: it could not be known now")
    asked = contract_asked(report) if report.verdict is Verdict.PASS else ""
    return f"{words} ({asked})" if asked else words


def _only_undocumented(report: Report) -> bool:
    """Whether missing documentation is all that is red."""
    red = [check for one in report.integrations for check in one.checks if check.outcome.is_red]
    return bool(red) and all(check.is_about_documentation for check in red)


def contract_asked(report: Report) -> str:
    """Return how much of the contracts was asked, and why the rest was not; empty offline."""
    covered = [one.contract for one in report.integrations if one.contract is not None]
    if not covered:
        return ""
    skipped: Counter[SkipReason] = Counter()
    for coverage in covered:
        skipped.update(coverage.skipped)
    asked, total = sum(one.asked for one in covered), sum(one.interactions for one in covered)
    reasons = skip_reasons(skipped)
    return f"{asked} of {total} contract interactions asked" + (f", {reasons}" if reasons else "")


def nothing_changed(report: Report) -> str:
    """That there was nothing to check, the one case in which that is in order; empty otherwise."""
    since = report.run.changed_since
    if since is None or since.changed or report.verdict is not Verdict.PASS:
        return ""
    return f"nothing to check: no integration changed since {since.revision}"


def selection(report: Report) -> list[str]:
    """What ``--changed-since`` selected and why, what it left out, and what is gone; one line each."""
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
    "only the date": "recordings of which only the date changed",
}


def recorded(report: Report) -> Iterator[str]:
    """Yield the files that ``mfagate record`` wrote, in a line for each kind of change, and how many it did not."""
    for one in report.integrations if report.run.stage == "record" else ():
        made = [check for check in one.checks if check.id == check_ids.RECORDING and check.outcome is Outcome.PASS]
        for change, what in _CHANGES.items():
            files = [Path(str(check.evidence["file"])) for check in made if check.evidence.get("change") == change]
            if files:
                yield f"{one.name}: {what} in {files[0].parent}: {', '.join(file.name for file in files)}"
        if unchanged := sum("change" not in check.evidence for check in made):
            yield f"{one.name}: recordings that did not change: {unchanged}"


NOTHING_CHECKED = "No integration fits the selection, so nothing was checked."


def drills(report: Report) -> str:
    """Which integrations were broken on purpose, and how; empty where none was."""
    broken = [f"{one.name} ({', '.join(one.faults)})" for one in report.integrations if one.faults]
    return f"a drill, broken on purpose: {'; '.join(broken)}" if broken else ""


def emulators(report: Report) -> str:
    """Return which integrations an emulator answered, or recordings of one, in one line; empty if none was."""
    names = [one.name for one in report.integrations if one.target == "emulator" and report.run.stage != "check"]
    recorded = [one.name for one in report.integrations if any(is_emulator_note(check) for check in one.checks)]
    answered = f"answered by emulators, not by the providers themselves: {', '.join(names)}"
    if names and names == recorded:
        return f"{answered}; so are their recordings"
    lines = {
        answered: names,
        f"recordings made of emulators: {', '.join(recorded)}": recorded,
    }
    return "; ".join(line for line, known in lines.items() if known)


def is_emulator_note(check: Check) -> bool:
    """Whether a check only says that recordings come from an emulator; reports say so in one line a run."""
    return check.cause is CauseId.CASSETTE_EMULATED and check.outcome is Outcome.INFO


def paragraphs(check: Check) -> Iterator[tuple[str, str]]:
    """Label and text of everything a person needs to act on one check."""
    yield "cause", f"{check.cause} (mfagate explain {check.cause})"
    if check.waiver is not None:
        waiver = check.waiver
        yield "waived for", waiver.reason
        yield "waived by", waiver.owner
        yield "waived until", f"{waiver.until} ({place(waiver.location)}); without it: {waiver.instead_of}"
    for name, value in check.evidence.items():
        if value is not None:
            yield name, _shown(value)
    if check.location is not None:
        yield "change here", place(check.location)
    if check.next_step:
        yield "next step", check.next_step


def indented(text: str) -> str:
    """A text of several lines behind its label: no line but the first begins where a label would."""
    return text.replace("\n", "\n  ")


def one_line(text: str) -> str:
    """The text without line breaks, for a place that holds one line."""
    return " ".join(text.split())


def moment(when: datetime) -> str:
    """A time in UTC, as all reports write it."""
    return f"{when:%Y-%m-%d %H:%M} UTC"


def tally(integration: IntegrationReport) -> str:
    """Return how many of its checks passed, and what became of the others."""
    return counted(integration.checks)


_COUNTED = {
    "fail": "failed",
    "inconclusive": "inconclusive",
    "warn": "warned",
    "waived": "waived",
    "info": "info",
}


def counted(checks: Sequence[Check]) -> str:
    """Return the numbers of checks by outcome in words, such as ``38 of 40 passed, 2 warned, 1 not applicable``."""
    kinds = Counter(kind(check) for check in checks)
    skipped = Counter(check.skipped_because or SkipReason.NOT_APPLICABLE for check in checks if check.is_skipped)
    ran = len(checks) - kinds[Outcome.SKIPPED]
    parts = [f"{kinds[Outcome.PASS]} of {ran} passed"]
    parts += [f"{kinds[name]} {text}" for name, text in _COUNTED.items() if kinds[name]]
    return ", ".join(filter(None, [*parts, skip_reasons(skipped)]))


def override(report: Report) -> str:
    """The line that says that the verdict was overridden, and why; empty where it was not."""
    if not report.run.override:
        return ""
    needed = "" if report.verdict is not Verdict.PASS else " (without need)"
    return f"overridden{needed}: {report.run.override}"


def counts(report: Report) -> str:
    """Return the checks by outcome, the duration, and which mfagate it was: the last line of a report."""
    checks = [check for one in report.integrations for check in one.checks]
    shown = f"checks: {counted(checks)}" if checks else "no checks"
    seconds = (report.run.finished - report.run.started).total_seconds()
    return f"{shown} in {seconds:.1f} s (mfagate {report.run.version} {report.run.stage})"


def unrun(report: Report) -> Iterator[tuple[str, list[str]]]:
    """Yield each integration with the checks that did not run and why; checks with the same reason share a line."""
    for one in report.integrations:
        titles: dict[str, list[str]] = {}
        for check in one.checks:
            if check.is_skipped:
                titles.setdefault(check.message, []).append(check.title)
        if titles:
            yield one.name, [f"{', '.join(same)}: {reason}" for reason, same in titles.items()]


def kind(check: Check) -> str:
    """The outcome in one word; what is waived is no ordinary info."""
    return "waived" if check.waiver else check.outcome.value


def place(location: ReportLocation) -> str:
    """``file:line``, as editors and terminals make links of it."""
    return f"{location.file}:{location.line}" if location.line else location.file


def blast_radius(integration: IntegrationReport) -> str:
    """Whose logins depend on it, where the file says."""
    share = integration.share_of_users
    return f"{share:.0%} of users log in through it" if share is not None else ""


def contact(check: Check, integration: IntegrationReport) -> str:
    """Whom to talk to, and the integration's own runbook."""
    if check.cause is None:
        return ""
    owner = f" (owner: {integration.owner})" if integration.owner else ""
    runbook = f"; runbook: {integration.runbook}" if integration.runbook else ""
    return f"{load(check.cause).contact}{owner}{runbook}"


def exonerated(integration: IntegrationReport) -> str:
    """Return what this run showed not to be at fault."""
    names = integration.exonerated
    if not names:
        return ""
    text = f"{_joined(['the ' + name for name in names])} {'is' if len(names) == 1 else 'are'} not at fault"
    family = family_of(integration.cause)
    refused = family is not None and family.concerns_access
    # No login was reproduced, so nothing is said of a database, but it took no part in the refusal.
    return f"{text}; no database took part in this answer" if refused and "database" not in names else text


def _joined(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(map(_shown, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(item)}" for key, item in value.items())
    return str(value)


NoteKind = Literal["override", "drill", "selection", "recorded", "warning"]


@dataclass(frozen=True, slots=True)
class Note:
    """One thing about the run that a reader has to know beside the verdict, on one line."""

    kind: NoteKind
    text: str


def notes(report: Report) -> list[Note]:
    """An override, a drill, what was selected, what went wrong beside the checks: the same for every format."""
    told: dict[NoteKind, list[str]] = {
        "override": [override(report)],
        "drill": [drills(report)],
        "selection": selection(report),
        "recorded": list(recorded(report)),
        "warning": [f"warning: {warning}" for warning in report.run.warnings],
    }
    return [Note(kind, one_line(text)) for kind, texts in told.items() for text in texts if text]
