"""Render the runs of a history for ``mfagate history``: a table, one run in full, JSON or CSV."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mfagate.core.foreign import harmless_json, harmless_tree
from mfagate.history.record import IntegrationState, RecordedProblem, StoredRun

if TYPE_CHECKING:
    from rich.console import Console

SCHEMA = "mfagate.history/1"

_COLUMNS = (
    "run", "started", "stage", "integration", "provider", "environment", "target", "verdict", "cause", "headline",
    "questions", "unanswered", "problems",
)  # fmt: skip

_STYLES = {"pass": "green", "fail": "bold red", "inconclusive": "bold yellow", "warn": "yellow", "info": "cyan"}


def render(runs: Sequence[StoredRun], form: str, *, whole: bool = False) -> str:
    """Return the runs as ``console`` (plain text), ``json`` or ``csv``; ``whole`` shows each run in full."""
    if form == "console":
        return as_text(runs, whole=whole)
    return as_json(runs) if form == "json" else as_csv(runs)


def as_json(runs: Sequence[StoredRun]) -> str:
    """Return ``{"schema": "mfagate.history/1", "runs": […]}``, newest first, with the names of :class:`StoredRun`."""
    document = {"schema": SCHEMA, "runs": [asdict(run) for run in runs]}
    return harmless_json(json.dumps(document, indent=2, default=_in_json, ensure_ascii=False)) + "\n"


def _in_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return _moment(value)
    return sorted(value) if isinstance(value, set | frozenset) else str(value)


def as_csv(runs: Sequence[StoredRun]) -> str:
    """Return a row for each integration of each run; ``problems`` are causes with their outcomes."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for run in harmless_tree(runs):
        for state in run.integrations:
            row = (
                run.id, _moment(run.started), run.stage, state.name, state.provider, state.environment, state.target,
                state.verdict.value, state.cause or "", state.headline, state.questions, state.unanswered,
                " ".join(f"{problem.outcome.value}:{problem.cause}" for problem in state.problems),
            )  # fmt: skip
            writer.writerow([_cell(value) for value in row])
    return text.getvalue()


def _cell(value: str | int) -> str | int:
    """Mark a text that a spreadsheet would take for a formula (CWE-1236)."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def as_text(runs: Sequence[StoredRun], *, whole: bool = False) -> str:
    """Return the table as plain text; ``whole`` shows each run in full."""
    from rich.console import Console

    text = io.StringIO()
    show(runs, Console(file=text, width=120, no_color=True, force_terminal=False, emoji=False), whole=whole)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().removesuffix("\n").split("\n"))


def show(runs: Sequence[StoredRun], console: Console, *, whole: bool = False) -> None:
    """Print the table; ``whole`` shows each run in full."""
    runs = harmless_tree(runs)
    if not runs:
        console.print("No run fits the selection.", highlight=False)
    elif whole:
        for run in runs:
            _show_run(run, console)
    else:
        console.print(_table(runs, plain=not console.is_terminal))


def _table(runs: Sequence[StoredRun], *, plain: bool) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None if plain else box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in ("run", "started (UTC)", "stage", "integration", "verdict", "cause", "also"):
        table.add_column(heading, no_wrap=heading != "also")
    for run in runs:
        for state in run.integrations:
            others = dict.fromkeys(
                f"{problem.outcome.value} {problem.cause}" for problem in state.problems if problem.cause != state.cause
            )
            table.add_row(
                Text(_short(run.id)),
                f"{run.started:%Y-%m-%d %H:%M}",
                Text(run.stage),
                Text(state.name),
                _styled(state.verdict.value),
                Text(state.cause or "-"),
                Text(", ".join(others)),
            )
    return table


def _short(run_id: str) -> str:
    """Shorten an id. It begins a line, so characters that mfagate does not write are replaced."""
    return re.sub(r"[^\w\[\]/.-]", "?", run_id)[:8]


def _styled(word: str) -> Any:
    from rich.text import Text

    return Text(word, style=_STYLES.get(word, ""))


def _show_run(run: StoredRun, console: Console) -> None:
    seconds = (run.finished - run.started).total_seconds()
    console.print(f"run {run.id}", markup=False, highlight=False)
    about = f"{run.stage} of {run.started:%Y-%m-%d %H:%M:%S} UTC, {seconds:.0f} s, mfagate {run.version}: "
    console.print(about, _styled(run.verdict.value), sep="", markup=False, highlight=False)
    if run.commit:
        console.print(f"commit {run.commit}", markup=False, highlight=False)
    if run.fingerprint_key:
        console.print(f"fingerprint key {run.fingerprint_key}", markup=False, highlight=False)
    if run.override:
        console.print(f"overridden: {run.override}", markup=False, highlight=False)
    for state in run.integrations:
        console.print()
        _show_state(state, console)


def _show_state(state: IntegrationState, console: Console) -> None:
    from rich.text import Text

    console.print(Text.assemble((state.name, "bold"), f" ({state.provider}, {state.environment}): ",
                                _styled(state.verdict.value), f", {state.headline}"))  # fmt: skip
    console.print(f"  {state.questions} requests, {state.unanswered} failed at first", highlight=False)
    if state.samples:
        phases = ", ".join(f"{sample.phase} {sample.median * 1000:.1f} ms" for sample in state.samples)
        console.print(Text(f"  median of each phase: {phases}"))
    if state.fingerprints:
        shown = ", ".join(f"{name} {digits}" for name, digits in state.fingerprints.items())
        console.print(Text(f"  fingerprints: {shown}"))
    for problem in state.problems:
        for line in _lines(problem):
            console.print(line)


def _lines(problem: RecordedProblem) -> Iterator[Any]:
    from rich.text import Text

    style = _STYLES.get(problem.outcome.value, "")
    yield Text.assemble("  ", (problem.outcome.value, style), f" {problem.cause}: {problem.message}")
    for name, value in problem.evidence.items():
        yield Text(f"    {name}: {', '.join(map(str, value)) if isinstance(value, list) else value}", style="dim")
