"""``--output FORMAT[=PATH]``: where a report goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Self

from mfagate.config.nearest import nearest_to
from mfagate.files import write_atomically
from mfagate.result import Report

FORMATS = ("console", "json", "junit")


@dataclass(frozen=True, slots=True)
class Output:
    """One report to write; ``path`` None is stdout."""

    format: str
    path: Path | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``FORMAT[=PATH]``.

        Raises:
            ValueError: There is no such format, or the folder of the file does not exist.
        """
        name, given, path = text.partition("=")
        if name not in FORMATS:
            raise ValueError(f"no output format {name!r}{nearest_to(name, FORMATS)}; known: {', '.join(FORMATS)}")
        if given and not path:
            raise ValueError(f"{text} lacks the path after '='")
        if path and not Path(path).absolute().parent.is_dir():
            raise ValueError(f"{Path(path).absolute().parent} is no folder, so {path} cannot be written")
        return cls(name, Path(path) if path else None)

    def render(self, report: Report) -> str:
        """The text of the report in this format."""
        render: Callable[[Report], str] = import_module(f"mfagate.report.{self.format}").render
        return render(report)

    def write(self, report: Report) -> None:
        """Write the file; whoever reads it finds the old one or the new one, never a half.

        Raises:
            OSError: It cannot be written.
        """
        assert self.path is not None, "stdout is written by the command"
        write_atomically(self.path, self.render(report))
