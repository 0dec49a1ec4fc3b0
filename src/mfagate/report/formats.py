"""Parse ``--output FORMAT[=PATH]``, and write the reports."""

from __future__ import annotations

import os.path
import stat
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Self

from mfagate.config.nearest import nearest_to
from mfagate.core.extras import MODULES, missing, needs
from mfagate.core.files import write_atomically
from mfagate.core.foreign import encodable_tree, harmless_tree
from mfagate.core.result import Report

if TYPE_CHECKING:
    from mfagate.report.html import HistoryView

FORMATS = ("console", "github", "gitlab", "html", "json", "junit", "markdown", "openmetrics", "sarif")

_VERBATIM = frozenset({"json"})
"""Formats that only programs read: every text stays unchanged if it can be encoded."""


@dataclass(frozen=True, slots=True)
class Output:
    """One report to write.

    Args:
        format: One of ``FORMATS``.
        path: The file; None is stdout.
        verbose: Whether the console report lists the checks that did not run.
    """

    format: str
    path: Path | None = None
    verbose: bool = False

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
        if path:
            _require_folder(Path(path))
        if name in MODULES and missing(name):
            raise ValueError(needs(f"the {name} report", name))
        return cls(name, Path(path) if path else None)

    @classmethod
    def parse_all(cls, texts: Sequence[str]) -> list[Self]:
        """Read the outputs of one run.

        Raises:
            ValueError: One of them cannot be read, or several would go to stdout.
        """
        outputs = [cls.parse(text) for text in texts]
        to_stdout = [output.format for output in outputs if output.path is None]
        if len(to_stdout) > 1:
            raise ValueError(f"{' and '.join(to_stdout)} would both go to stdout: give one of them a =PATH")
        return outputs

    def render(self, report: Report, history: HistoryView | None = None) -> str:
        """Return the report as text. Only the HTML report shows the history."""
        shown = encodable_tree(report) if self.format in _VERBATIM else harmless_tree(report)
        render: Callable[..., str] = import_module(f"mfagate.report.{self.format}").render
        match self.format:
            case "html":
                return render(shown, history)
            case "console":
                return render(shown, verbose=self.verbose)
        return render(shown)


def _require_folder(path: Path) -> None:
    folder = path.absolute().parent
    try:
        exists = stat.S_ISDIR(folder.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        exists = False
    except OSError as error:
        raise ValueError(f"{path} cannot be written: {error.strerror or error}") from None
    if not exists:
        raise ValueError(f"{folder} is not a folder, so {path} cannot be written")
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises if the name is too long
        raise ValueError(f"{path} is a folder and cannot be written")


class NotWritten(Exception):
    """Reports could not be written.

    Args:
        problems: A message for each report.
        on_stdout: Whether a report on stdout is one of them.
    """

    def __init__(self, problems: Sequence[str], *, on_stdout: bool) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
        self.on_stdout = on_stdout


def deliver(
    report: Report,
    outputs: Sequence[Output],
    *,
    color: bool,
    say: Callable[[str], object],
    history: HistoryView | None = None,
) -> None:
    """Write every report, to its file or to stdout.

    Args:
        report: The report of a run.
        outputs: What to write.
        color: Whether the report on the terminal has colours.
        say: Called with a warning if the summary of a GitHub step cannot be written.
        history: Earlier runs, for the HTML report.

    Raises:
        NotWritten: At least one report cannot be written; all others are.
    """
    problems: dict[Path | None, str] = {}
    for output in outputs:
        try:
            if output.path is not None:
                write_atomically(output.path, output.render(report, history))
            else:
                _print(output, report, color=color, history=history)
        except OSError as error:
            name = "the output" if output.path is None else output.path
            problems[output.path] = f"{name} cannot be written: {error.strerror or error}"
    _append_summary(report, outputs, say)
    if problems:
        raise NotWritten(list(problems.values()), on_stdout=None in problems)


def _print(output: Output, report: Report, *, color: bool, history: HistoryView | None) -> None:
    if output.format == "console":
        from mfagate.report import console

        console.show(harmless_tree(report), color=color, verbose=output.verbose)
    else:
        print(output.render(report, history), end="")
    sys.stdout.flush()  # An error of the output must be raised here.


def _append_summary(report: Report, outputs: Sequence[Output], say: Callable[[str], object]) -> None:
    if any(output.format == "github" for output in outputs):
        from mfagate.report import github

        try:
            github.append_summary(harmless_tree(report))
        except OSError as error:
            say(f"the summary of the step cannot be written: {error.strerror or error}")
