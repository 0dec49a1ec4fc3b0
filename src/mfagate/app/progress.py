"""Progress of a run on a terminal: one line for each integration, on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console

from mfagate.app.session import Progress
from mfagate.core.foreign import quoted
from mfagate.core.result import Check, IntegrationReport


@contextmanager
def on_terminal(stderr: Console) -> Iterator[Progress]:
    """Show progress while the context is open; show nothing if stderr is not a terminal."""
    if not stderr.is_terminal:
        yield Progress()
        return
    from rich.progress import Progress as Bars
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Bars(*columns, console=stderr, transient=True) as bars:
        yield _ProgressLines(bars)


class _ProgressLines(Progress):
    def __init__(self, bars: Any) -> None:
        self._bars = bars
        self._tasks: dict[str, Any] = {}

    def started(self, integration: str, doing: str) -> None:
        """Show what takes a while."""
        self._show(integration, doing)

    def checked(self, integration: str, check: Check) -> None:
        """Show the last check."""
        self._show(integration, f"{check.outcome.value} {check.title}")

    def finished(self, report: IntegrationReport) -> None:
        """Remove the line: the report follows."""
        self._bars.remove_task(self._tasks[report.name])

    def _show(self, integration: str, text: str) -> None:
        line = quoted(f"{integration}: {text}")
        if integration in self._tasks:
            self._bars.update(self._tasks[integration], description=line)
        else:
            self._tasks[integration] = self._bars.add_task(line, total=None)


@contextmanager
def counting(stderr: Console) -> Iterator[Callable[[str, int, int], object]]:
    """Yield a function that updates a progress bar (doing, done, total). Without a terminal it does nothing."""
    if not stderr.is_terminal:
        yield lambda doing, done, total: None
        return
    from rich.progress import Progress as Bars

    with Bars(console=stderr, transient=True) as bars:
        task = bars.add_task("", total=None)
        yield lambda doing, done, total: bars.update(task, description=doing, completed=done, total=total)
