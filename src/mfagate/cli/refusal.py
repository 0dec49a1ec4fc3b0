"""How a command says that something has to be corrected."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import click

from mfagate.core.foreign import harmless


def refused(*messages: str) -> click.ClickException:
    """Exit code 2, and the messages one below the other."""
    return Refusal("\n       ".join(map(harmless, messages)))


def require_spare(outputs: Sequence[Path | None], inputs: Callable[[], Iterable[Path]]) -> None:
    """Refuse outputs that would overwrite each other, or a file that the command uses.

    Args:
        outputs: Where reports go; None is stdout.
        inputs: Returns the files that the command uses. It is called only if one of them could be lost.

    Raises:
        Refusal: Nothing has been written.
    """
    taken: set[str] = set()
    for path in outputs:
        # A pipe or a device, such as /dev/null, takes several reports and loses nothing.
        if path is None or (os.path.exists(path) and not os.path.isfile(path)):  # noqa: PTH110, PTH113 - long names
            continue
        place = os.path.realpath(path)
        if place in taken:
            raise refused(f"two outputs have the path {path}: give each its own")
        taken.add(place)
        if os.path.isfile(place) and place in map(os.path.realpath, inputs()):  # noqa: PTH113 - long names
            raise refused(f"{path} is used by this command and would be overwritten: name another path")


class Refusal(click.ClickException):
    """Something to correct in the command line or the configuration file."""

    exit_code = 2
