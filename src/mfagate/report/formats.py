"""``--output FORMAT[=PATH]``: which reports there are, and where they go."""

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
"""For programs alone: they get every text as it was, if it is one."""


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
        """The text of the report in this format; the formats that know no ``history`` leave it out."""
        shown = encodable_tree(report) if self.format in _VERBATIM else harmless_tree(report)
        if self.format == "html":
            from mfagate.report import html

            return html.render(shown, history)
        if self.format == "console":
            from mfagate.report import console

            return console.render(shown, verbose=self.verbose)
        render: Callable[[Report], str] = import_module(f"mfagate.report.{self.format}").render
        return render(shown)

    def write(self, report: Report, history: HistoryView | None = None) -> None:
        """Write the file; whoever reads it finds the old one or the new one, never a half.

        Raises:
            OSError: It cannot be written.
        """
        assert self.path is not None, "stdout is written by the command"
        write_atomically(self.path, self.render(report, history))


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
    """Reports could not be written; ``problems`` say which and why, ``on_stdout`` whether stdout is one of them."""

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
    """Write every report, to its file or to stdout; ``say`` is told what went wrong beside them.

    Raises:
        NotWritten: One or more cannot be written; all others are.
    """
    problems: dict[Path | None, str] = {}
    for output in outputs:
        try:
            if output.path is not None:
                output.write(report, history)
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
    sys.stdout.flush()  # What cannot be written is to be known now.


def _append_summary(report: Report, outputs: Sequence[Output], say: Callable[[str], object]) -> None:
    if any(output.format == "github" for output in outputs):
        from mfagate.report import github

        try:
            github.append_summary(harmless_tree(report))
        except OSError as error:
            say(f"the summary of the step cannot be written: {error.strerror or error}")
