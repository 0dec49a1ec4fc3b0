"""Write the reports of a run, and push its metrics."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mfagate.app.errors import ReportNotWritten, RunRefused
from mfagate.core.foreign import harmless_tree
from mfagate.report import formats
from mfagate.report.words import verdict

if TYPE_CHECKING:
    from mfagate.app.run import RunRequest
    from mfagate.core.result import Report
    from mfagate.history.prior_runs import PriorRuns


def require_spare(outputs: Sequence[Path | None], inputs: Callable[[], Iterable[Path]]) -> None:
    """Refuse outputs that would overwrite each other or a file that the run uses.

    Args:
        outputs: Paths of the reports; None is stdout.
        inputs: Returns the files that the run uses. It is called only if one of them could be overwritten.

    Raises:
        RunRefused: There is such an output. Nothing has been written.
    """
    taken: set[str] = set()
    for path in outputs:
        # A pipe or a device, such as /dev/null, accepts several reports.
        if path is None or (os.path.exists(path) and not os.path.isfile(path)):  # noqa: PTH110, PTH113 - long names
            continue
        place = os.path.realpath(path)
        if place in taken:
            raise RunRefused(f"two outputs have the path {path}: give each a path of its own")
        taken.add(place)
        if os.path.isfile(place) and place in map(os.path.realpath, inputs()):  # noqa: PTH113 - long names
            raise RunRefused(f"{path} is used by this command and would be overwritten: name another path")


def publish(request: RunRequest, report: Report, prior: Mapping[str, PriorRuns], warn: Callable[[str], object]) -> None:
    """Write all reports of a request, and push the metrics.

    Args:
        request: Has the outputs and the gateway.
        report: The finished report.
        prior: Earlier runs, for the charts of the HTML report.
        warn: Called with each failure that does not affect the verdict.

    Raises:
        ReportNotWritten: At least one report could not be written. All others are written.
    """
    view = None
    if any(output.format == "html" for output in request.outputs):
        from mfagate.report.html import HistoryView

        view = HistoryView.kept({name: runs.runs for name, runs in prior.items()})
    try:
        formats.deliver(report, request.outputs, color=request.color, say=warn, history=view)
    except formats.NotWritten as error:
        summary = f"the verdict is: {verdict(harmless_tree(report))}"
        raise ReportNotWritten(*error.problems, summary, report=report, on_stdout=error.on_stdout) from None
    if request.gateway is not None:
        from mfagate.report.pushgateway import PushFailed

        try:
            request.gateway.push(report)
        except PushFailed as error:
            warn(f"the metrics were not pushed to {request.gateway.url}: {error}")
