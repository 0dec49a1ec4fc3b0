"""Sum up the rows, as JSON and as a page."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from .cases import HARMLESS, HEALTHY
from .runs import Row

PASSING = (HEALTHY, HARMLESS)

_ABOUT = """\
The program breaks one thing at a time and compares what the gate says with the right cause: {broken} runs with a fault,
and {good} runs that must pass, with the noise of a busy day (late answers, an error in sixty requests, new fields) or a
harmless edit. The providers are the local sandboxes. These figures do not show what only a real account would show.
The faults are those of `mfagate sandbox PROVIDER --list-faults`, the edits those of
[`mfagate mutate`](../how-to/mutate.md). The code declares the right causes of each fault and each edit. For a changed
field the right cause is what the contract's matching says about the change."""


@dataclass(frozen=True, slots=True)
class Score:
    """The results of some rows. Seconds are those of a complete gate run."""

    runs: int
    detected: int
    right: int
    false_alarms: int
    median_seconds: float
    worst_seconds: float
    leaked: int

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Score:
        """Count the results of some rows."""
        broken = [row for row in rows if row.case.suite not in PASSING]
        seconds = [row.answer.seconds for row in broken or rows]
        return cls(
            runs=len(rows),
            detected=sum(row.detected for row in broken),
            right=sum(row.right for row in broken),
            false_alarms=sum(row.false_alarm for row in rows),
            median_seconds=round(statistics.median(seconds), 2),
            worst_seconds=round(max(seconds), 2),
            leaked=sum(row.answer.leaked for row in rows),
        )


def by(rows: Iterable[Row], *keys: str) -> dict[str, Score]:
    """Return a score for each value of some attributes of a case."""
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[" · ".join(str(getattr(row.case, key)) for key in keys)].append(row)
    return {name: Score.of(group) for name, group in groups.items()}


def misses(rows: Iterable[Row]) -> list[Row]:
    """Return the rows that were not detected, had a wrong cause, or were false alarms."""
    return [
        row for row in rows if row.false_alarm or (row.case.suite not in PASSING and not (row.detected and row.right))
    ]


def as_json(rows: Sequence[Row]) -> dict[str, object]:
    """Return all scores and each miss."""
    return {
        "all": asdict(Score.of(rows)),
        "suites": {name: asdict(score) for name, score in by(rows, "suite").items()},
        "providers": {name: asdict(score) for name, score in by(rows, "provider").items()},
        "misses": [_miss(row) for row in misses(rows)],
    }


def _miss(row: Row) -> dict[str, object]:
    case, answer = row.case, row.answer
    return {
        "suite": case.suite,
        "provider": case.provider,
        "case": case.name,
        "right": sorted(case.causes),
        "verdict": answer.verdict,
        "cause": answer.cause,
        "warnings": list(answer.warnings),
    }


def as_markdown(rows: Sequence[Row], command: str) -> str:
    """Return the page for docs."""
    whole = Score.of(rows)
    broken = [row for row in rows if row.case.suite not in PASSING]
    good = [row for row in rows if row.case.suite in PASSING]
    lines = [
        "# How far the diagnosis can be trusted",
        "",
        "*Reference*",
        "",
        "Written by a program, not by hand:",
        "",
        "```console",
        f"$ {command}",
        "```",
        "",
        _ABOUT.format(broken=len(broken), good=len(good)),
        "",
        "| | |",
        "|---|---|",
        f"| detected before deployment | {_share(whole.detected, len(broken))} |",
        f"| right cause in the first line | {_share(whole.right, len(broken))} |",
        f"| false alarms in healthy runs | {whole.false_alarms} of {len(good)} |",
        f"| time to the cause | median {whole.median_seconds:.1f} s, worst {whole.worst_seconds:.1f} s |",
        f"| secrets shown | {whole.leaked} |",
        "",
        *_table("suite", by(broken, "suite")),
        *_table("provider", by(broken, "provider")),
        "## Misses",
        "",
    ]
    missed = misses(rows)
    lines += [_missed(row) for row in missed] or ["None."]
    return "\n".join(lines) + "\n"


def _table(heading: str, scores: dict[str, Score]) -> list[str]:
    rows = [
        f"| {name} | {one.runs} | {_share(one.detected, one.runs)} | {_share(one.right, one.runs)} | "
        f"{one.median_seconds:.1f} s | {one.worst_seconds:.1f} s |"
        for name, one in scores.items()
    ]
    return [f"| {heading} | runs | detected | right cause | median | worst |", "|---|---|---|---|---|---|", *rows, ""]


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%} ({part} of {whole})" if whole else "-"


def _missed(row: Row) -> str:
    case, answer = row.case, row.answer
    reported = answer.cause or ", ".join(answer.warnings) or answer.verdict
    right = "a pass" if case.suite in PASSING else " or ".join(sorted(case.causes))
    return f"- {case.provider}, {case.name}: reported {reported}; expected {right}"
