"""``--output FORMAT[=PATH]``: which reports there are, and where they go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Self

from mfagate.config.nearest import nearest_to
from mfagate.files import write_atomically
from mfagate.result import Report
from mfagate.visible import encodable_report, visible_report

if TYPE_CHECKING:
    from mfagate.report.html import HistoryView

FORMATS = ("console", "github", "gitlab", "html", "json", "junit", "markdown", "openmetrics", "sarif")

_EXTRAS = {"html": ("jinja2", "html"), "openmetrics": ("prometheus_client", "metrics")}
"""What a format needs: a package, and the extra that brings it."""

_VERBATIM = frozenset({"json"})
"""For programs alone: they get every text as it was, if it is one."""


def missing_extra(format_name: str) -> str | None:
    """What to install before a report of this format can be made; None if it can."""
    package, extra = _EXTRAS.get(format_name, (None, None))
    if package is None or find_spec(package) is not None:
        return None
    return f"the {format_name} report needs {package}: pip install 'mfagate[{extra}]'"


@dataclass(frozen=True, slots=True)
class Output:
    """One report to write; ``path`` None is stdout."""

    format: str
    path: Path | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``FORMAT[=PATH]``.

        Raises:
            ValueError: There is no such format, the folder of the file does not exist, or an extra is missing.
        """
        name, given, path = text.partition("=")
        if name not in FORMATS:
            raise ValueError(f"no output format {name!r}{nearest_to(name, FORMATS)}; known: {', '.join(FORMATS)}")
        if given and not path:
            raise ValueError(f"{text} lacks the path after '='")
        if path and not Path(path).absolute().parent.is_dir():
            raise ValueError(f"{Path(path).absolute().parent} is no folder, so {path} cannot be written")
        if missing := missing_extra(name):
            raise ValueError(missing)
        return cls(name, Path(path) if path else None)

    def render(self, report: Report, history: HistoryView | None = None) -> str:
        """The text of the report in this format; the formats that know no ``history`` leave it out."""
        shown = encodable_report(report) if self.format in _VERBATIM else visible_report(report)
        if self.format == "html":
            from mfagate.report import html

            return html.render(shown, history)
        render: Callable[[Report], str] = import_module(f"mfagate.report.{self.format}").render
        return render(shown)

    def write(self, report: Report, history: HistoryView | None = None) -> None:
        """Write the file; whoever reads it finds the old one or the new one, never a half.

        Raises:
            OSError: It cannot be written.
        """
        assert self.path is not None, "stdout is written by the command"
        write_atomically(self.path, self.render(report, history))


class NotWritten(Exception):
    """A report could not be written; the message says which, and why."""


def deliver(
    report: Report,
    outputs: Sequence[Output],
    *,
    color: bool,
    say: Callable[[str], None],
    history: HistoryView | None = None,
) -> None:
    """Write every report, to its file or to stdout; ``say`` is told what went wrong beside them.

    Raises:
        NotWritten: The file of one cannot be written.
    """
    for output in outputs:
        if output.path is not None:
            try:
                output.write(report, history)
            except OSError as error:
                raise NotWritten(f"{output.path} cannot be written: {error.strerror or error}") from None
        elif output.format == "console":
            from mfagate.report import console

            console.show(visible_report(report), color=color)
        else:
            print(output.render(report, history), end="")
    if any(output.format == "github" for output in outputs):
        from mfagate.report import github

        try:
            github.append_summary(visible_report(report))
        except OSError as error:
            say(f"the summary of the step cannot be written: {error.strerror or error}")
