"""What can be written: the history, reports, and the private folders of runs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from mfagate.config.model import Configuration
from mfagate.core.files import require_appendable
from mfagate.core.locking import NotPrivate, private_folder
from mfagate.doctor.findings import Area, Item, Readiness
from mfagate.history.errors import HistoryError
from mfagate.history.recorder import location_of
from mfagate.leftovers.ledger import NotRecorded, state_folder


def writable(configuration: Configuration | None) -> Iterator[Item]:
    """Yield an item for each location that a run writes to. Only private folders are created."""
    if configuration is not None:
        yield _history(configuration)
    yield _place("reports", Path.cwd(), "Run mfagate in a folder that this user can write to.")
    yield _place("temporary files", Path(tempfile.gettempdir()), "Set TMPDIR to a folder that this user can write to.")
    yield _private("locks between runs", private_folder)
    yield _private("record of what runs make", state_folder)


def _history(configuration: Configuration) -> Item:
    try:
        place = location_of(configuration, None)
    except HistoryError as error:
        step = f"Correct url of [history] at {configuration.locate('history', 'url')}."
        return Item(Area.WRITABLE, "history", Readiness.NO, str(error), step)
    if place.path is None:
        return Item(Area.WRITABLE, "history", Readiness.YES, f"{place.shown}: a database, whose login was not tried")
    if place.path.is_dir():
        step = f"Name a file in it in [history] of {configuration.path}, such as {place.path / 'history.db'}."
        return Item(Area.WRITABLE, "history", Readiness.NO, f"{place.path} is a folder", step)
    step = f"Allow this user to write there, or name another location in [history] of {configuration.path}."
    return _place("history", place.path, step)


def _place(name: str, path: Path, step: str) -> Item:
    """Try a file or folder, or the nearest existing folder around it."""
    nearest = path
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    later = "" if nearest == path else " (created when needed)"
    try:
        _try(nearest)
    except OSError as error:
        reason = f"{nearest} cannot be written: {error.strerror or error}"
        return Item(Area.WRITABLE, name, Readiness.NO, f"{path}: {reason}", step)
    return Item(Area.WRITABLE, name, Readiness.YES, f"{path}{later}")


def _try(path: Path) -> None:
    """Open a file without changing it, or create a temporary file in a folder: permissions alone are not enough."""
    if path.is_dir():
        with tempfile.TemporaryFile(dir=path):
            return
    require_appendable(path)


def _private(name: str, folder: Callable[[], Path]) -> Item:
    try:
        return Item(Area.WRITABLE, name, Readiness.YES, str(folder()))
    except (NotPrivate, NotRecorded, OSError) as error:
        return Item(Area.WRITABLE, name, Readiness.NO, str(error), f"For {name}: {error}.")
