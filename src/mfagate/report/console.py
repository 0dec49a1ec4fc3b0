"""Render the report for a person at a terminal, or reading a CI log."""

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
    context,
    count_outcomes,
    emulators,
    file_and_line,
    footer,
    kind,
    notes,
    paragraphs,
    skipped_checks,
    table_cells,
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
        report: The report of a run.
        verbose: Show every problem in full, and list the checks that did not run, with the reason.
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
    """Print the verdict, the table, and each problem with everything that is needed to act on it."""
    _print(_verdict_line(report), console)
    for note in notes(report):
        _print(Text(note.text, style=_NOTE_STYLES[note.kind]), console)
    if report.cause is not None:
        _print(Text(NOTHING_CHECKED), console)
    if report.integrations:
        console.print()
        _print_table(report, console)
    if emulated := emulators(report):
        console.print()
        _print(Text(emulated, style="cyan"), console)
    for problem in _problems(report, in_full=verbose):
        console.print()
        _print(problem, console)
    for name, lines in skipped_checks(report) if verbose else ():
        console.print()
        _print(Text(f"{name}: these checks did not run"), console)
        for line in lines:
            _print(Text(line), console, indent=2)
    console.print()
    _print(Text(footer(report), style="dim"), console)


def _print(block: RenderableType, console: Console, indent: int = 0) -> None:
    """Print a block. In a paragraph, indent every line but the first: no foreign text begins a line."""
    if isinstance(block, Text):
        block = Text("\n  ").join(block.wrap(console, console.width - indent - 2, overflow="fold"))
    console.print(Padding(block, (0, 0, 0, indent)) if indent else block, highlight=False)


def _verdict_line(report: Report) -> Text:
    line = Text(verdict(report), style=_STYLES[report.verdict.value])
    if report.cause is not None:
        line.append(f"  ({report.cause})", style="default")
    return line


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
    for integration in report.integrations:
        # People search logs for the name, so it is never cut.
        console.print(Text(integration.name, style="bold"), highlight=False, overflow="fold")
        line = Text.assemble(f"{integration.provider}, {integration.environment}  ", _result(integration))
        for part in line.split("\n"):
            _print(part, console, indent=2)


_ANY_WIDTH = 10_000


def _fits_stacked(report: Report, console: Console) -> bool:
    """Return whether the stacked table fits if only its last column is wrapped, without cutting a cause."""
    rows = [
        (*table_cells(integration)[:3], f"{integration.verdict}: {integration.cause or ''}")
        for integration in report.integrations
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
    for integration in report.integrations:
        verdict_ = Text(integration.verdict.value, style=_STYLES[integration.verdict.value])
        cells = list(map(Text, table_cells(integration)))
        table.add_row(*cells[:3], verdict_, *cells[3:])
    return table


def _stacked_table(report: Report, table: Table) -> Table:
    """Put verdict, cause and checks into one column."""
    table.add_column("result")
    for integration in report.integrations:
        table.add_row(*map(Text, table_cells(integration)[:3]), _result(integration))
    return table


def _result(integration: IntegrationReport) -> Text:
    verdict_ = integration.verdict.value
    cause = f": {integration.cause}\n" if integration.cause else ": "
    return Text.assemble((verdict_, _STYLES[verdict_]), cause, count_outcomes(integration.checks))


_SHOWN_IN_FULL = 3
"""How many problems with the same cause are shown in full: one wrong test user must not bury the other problems."""


def _problems(report: Report, *, in_full: bool) -> Iterator[RenderableType]:
    """Yield the problems of all integrations, the most urgent first, and then how many were left out.

    In a new project no reference can be read until its variables are set. The first such problem is shown in full, the
    others in a list of their own.
    """
    found = [(part, check) for part in report.integrations for check in [*part.problems, *part.waived]]
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
            yield _problem(integration, check)
    if len(unread) > 1:
        yield _unread(sorted(unread[1:], key=lambda pair: report.integrations.index(pair[0])))
    for (name, check_id, cause, waived), times in shown.items():
        if times > _SHOWN_IN_FULL:
            more = f"{times - _SHOWN_IN_FULL} more of {check_id} with the cause {cause}{', waived' * waived}"
            yield Text(f"and {more} in {name}; --output json lists all")


def _unread(problems: Sequence[tuple[IntegrationReport, Check]]) -> RenderableType:
    """List further references that cannot be read, each with its file and line."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True, style="bold")
    grid.add_column(overflow="fold")
    for integration, check in problems:
        where = f" ({file_and_line(check.location)})" if check.location is not None else ""
        grid.add_row(f"{integration.name}:", Text(f"{check.message}{where}"))
    count = len(problems)
    what = "reference cannot be read" if count == 1 else "references cannot be read"
    return _block(Text(f"{count} more {what}; --verbose shows where to find each value:"), grid)


def _problem(integration: IntegrationReport, check: Check) -> RenderableType:
    # In columns, so that wrapped lines are indented: no foreign text begins a line.
    headline = Table.grid(padding=(0, 1))
    headline.add_column(no_wrap=True)
    headline.add_column(overflow="fold")
    message = Text.assemble((f"{integration.name}: ", "bold"), check.message)
    headline.add_row(Text(kind(check), _STYLES[kind(check)]), message)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, text in [*paragraphs(check), *context(check, integration)]:
        grid.add_row(label, Text(text))
    return _block(headline, grid)


def _block(headline: RenderableType, details: RenderableType) -> Table:
    block = Table.grid()
    block.add_row(headline)
    block.add_row(Padding(details, (0, 0, 0, 2)))
    return block
