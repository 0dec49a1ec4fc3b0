"""The report for a person at a terminal, or reading a CI log."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.result import Check, IntegrationReport, Report
from mfagate.report.words import (
    NOTHING_CHECKED,
    blast_radius,
    contact,
    counts,
    emulators,
    exonerated,
    kind,
    notes,
    paragraphs,
    place,
    tally,
    unrun,
    verdict,
)

_STYLES = {
    "pass": "green",
    "fail": "bold red",
    "inconclusive": "bold yellow",
    "warn": "yellow",
    "info": "cyan",
    "skipped": "dim",
    "waived": "magenta",
}

_NOTE_STYLES = {
    "override": "bold yellow",
    "drill": "bold yellow",
    "selection": "cyan",
    "recorded": "cyan",
    "warning": "yellow",
}

_PLAIN_WIDTH = 80


def render(report: Report, *, verbose: bool = False) -> str:
    """Return the report as plain text, for a file or a pipe: no colours, no box lines, no trailing spaces.

    Args:
        report: The run.
        verbose: Show every problem in full, and list the checks that did not run, and why.
    """
    text = io.StringIO()
    console = Console(file=text, width=_PLAIN_WIDTH, no_color=True, force_terminal=False, emoji=False)
    _show(report, console, verbose=verbose)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().removesuffix("\n").split("\n"))


def show(report: Report, *, color: bool, verbose: bool = False) -> None:
    """Print the report: formatted on a terminal, plain elsewhere."""
    console = Console(no_color=not color, highlight=False, emoji=False)
    if console.is_terminal:
        _show(report, console, verbose=verbose)
    else:
        print(render(report, verbose=verbose), end="")


def _show(report: Report, console: Console, *, verbose: bool) -> None:
    """The verdict first, then the table, then each problem with all that is needed to act on it."""
    console.print(_hanging(_verdict_line(report), console), highlight=False)
    for note in notes(report):
        console.print(_hanging(Text(note.text, style=_NOTE_STYLES[note.kind]), console), highlight=False)
    if report.cause is not None:
        console.print(NOTHING_CHECKED, markup=False)
    if report.integrations:
        console.print()
        _print_table(report, console)
    if emulated := emulators(report):
        console.print()
        console.print(_hanging(Text(emulated, style="cyan"), console), highlight=False)
    for problem in _problems(report, in_full=verbose):
        console.print()
        console.print(_hanging(problem, console) if isinstance(problem, Text) else problem, highlight=False)
    if verbose:
        _print_unrun(report, console)
    console.print()
    console.print(_hanging(Text(counts(report), style="dim"), console), highlight=False)


def _print_unrun(report: Report, console: Console) -> None:
    for name, lines in unrun(report):
        console.print()
        console.print(_hanging(Text(f"{name}: these checks did not run"), console), highlight=False)
        for line in lines:
            console.print(Padding(_hanging(Text(line), console, 2), (0, 0, 0, 2)), highlight=False)


def _verdict_line(report: Report) -> Text:
    line = Text(verdict(report), style=_STYLES[report.verdict.value])
    if report.cause is not None:
        line.append(f"  ({report.cause})", style="default")
    return line


def _hanging(text: Text, console: Console, indent: int = 0) -> Text:
    """A paragraph of which every line but the first is indented: text of others in it begins none."""
    return Text("\n  ").join(text.wrap(console, console.width - indent - 2, overflow="fold"))


def _print_table(report: Report, console: Console) -> None:
    """Print a row for each integration, in the widest of three layouts that fits."""
    for layout in (_table, _stacked_table):
        table = layout(report, _empty_table(console))
        if console.measure(table, options=console.options.update(width=_ANY_WIDTH)).maximum <= console.width:
            console.print(table)
            return
    if _fits_stacked(report, console):
        console.print(_stacked_table(report, _empty_table(console)))
        return
    for one in report.integrations:
        # A log is searched for the name, so it is not cut.
        console.print(Text(one.name, style="bold"), highlight=False, overflow="fold")
        line = Text.assemble(f"{one.provider}, {one.environment}  ", _result(one))
        for part in line.split("\n"):
            console.print(Padding(_hanging(part, console, 2), (0, 0, 0, 2)), highlight=False)


_ANY_WIDTH = 10_000


def _fits_stacked(report: Report, console: Console) -> bool:
    """Whether the last column alone has to be wrapped, and no cause in it."""
    rows = [
        (one.name, one.provider, one.environment, f"{one.verdict}: {one.cause or ''}") for one in report.integrations
    ]
    return sum(max(map(cell_len, column)) for column in zip(*rows, strict=True)) + 6 <= console.width


def _empty_table(console: Console) -> Table:
    from rich import box

    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False, show_edge=False)
    for heading in ("integration", "provider", "environment"):
        table.add_column(heading, no_wrap=True)
    return table


def _table(report: Report, table: Table) -> Table:
    for heading in ("verdict", "cause", "checks"):
        table.add_column(heading)
    for one in report.integrations:
        verdict_ = Text(one.verdict.value, style=_STYLES[one.verdict.value])
        known = map(Text, (one.name, one.provider, one.environment))
        table.add_row(*known, verdict_, Text(one.cause or "-"), Text(tally(one)))
    return table


def _stacked_table(report: Report, table: Table) -> Table:
    """Return the table with verdict, cause and checks in one column."""
    table.add_column("result")
    for one in report.integrations:
        table.add_row(*map(Text, (one.name, one.provider, one.environment)), _result(one))
    return table


def _result(integration: IntegrationReport) -> Text:
    verdict_ = integration.verdict.value
    cause = f": {integration.cause}\n" if integration.cause else ": "
    return Text.assemble((verdict_, _STYLES[verdict_]), cause, tally(integration))


_SHOWN_IN_FULL = 3
"""Of problems with one cause; one wrong test user must not bury the rest of the report."""


def _problems(report: Report, *, in_full: bool) -> Iterator[RenderableType]:
    """Yield the problems of all integrations, the most urgent first, and how many more there are.

    Before the variables of a new project are set, no reference can be read: the first is shown in full, the others in
    a list of their own.
    """
    found = [(one, check) for one in report.integrations for check in [*one.problems, *one.waived]]
    shown: Counter[tuple[str, str, CauseId | None, bool]] = Counter()
    unread: list[tuple[IntegrationReport, Check]] = []
    for integration, check in sorted(found, key=lambda pair: pair[0].urgency(pair[1])):
        if check.outcome is Outcome.FAIL and check.cause is CauseId.CONFIG_REFERENCE_UNRESOLVED and not in_full:
            unread.append((integration, check))
            if len(unread) > 1:
                continue
        alike = (integration.name, check.id, check.cause, check.waiver is not None)
        shown[alike] += 1
        if shown[alike] <= _SHOWN_IN_FULL:
            yield _problem(integration, check, first=check is integration.deciding)
    if len(unread) > 1:
        yield _unread(sorted(unread[1:], key=lambda pair: report.integrations.index(pair[0])))
    for (name, check_id, cause, waived), times in shown.items():
        if times > _SHOWN_IN_FULL:
            more = f"{times - _SHOWN_IN_FULL} more of {check_id} with the cause {cause}{', waived' * waived}"
            yield Text(f"and {more} of {name}; --output json lists all")


def _unread(problems: Sequence[tuple[IntegrationReport, Check]]) -> RenderableType:
    """List further references that cannot be read, each with its place."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True, style="bold")
    grid.add_column(overflow="fold")
    for integration, check in problems:
        where = f" ({place(check.location)})" if check.location is not None else ""
        grid.add_row(f"{integration.name}:", Text(f"{check.message}{where}"))
    count = len(problems)
    what = "reference cannot be read" if count == 1 else "references cannot be read"
    block = Table.grid()
    block.add_row(Text(f"{count} more {what}; --verbose says of each where its value is found:"))
    block.add_row(Padding(grid, (0, 0, 0, 2)))
    return block


def _problem(integration: IntegrationReport, check: Check, *, first: bool) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    # In columns, so that what is wrapped is indented: no line but the first begins with text of others.
    headline = Table.grid(padding=(0, 1))
    headline.add_column(no_wrap=True)
    headline.add_column(overflow="fold")
    message = Text.assemble((f"{integration.name}: ", "bold"), check.message)
    headline.add_row(Text(kind(check), _STYLES[kind(check)]), message)
    for label, text in paragraphs(check):
        grid.add_row(label, Text(text))
    if check.outcome.is_red:
        grid.add_row("talk to", Text(contact(check, integration)))
    if first and (cleared := exonerated(integration)):
        grid.add_row("exonerated", Text(cleared))
    if check.outcome.is_red and (radius := blast_radius(integration)):
        grid.add_row("at stake", Text(radius))
    block = Table.grid()
    block.add_row(headline)
    block.add_row(Padding(grid, (0, 0, 0, 2)))
    return block
