"""``scan``: search recordings for secrets."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mfagate.app.errors import RunRefused
from mfagate.core.foreign import harmless, shown_path

if TYPE_CHECKING:
    from mfagate.scan.search import Leak, Searched

_SHOWN = 3
"""The number of recordings named for each place, and of files named that are not recordings."""

_NEXT = """
Each of these places may contain a secret. If it does: replace the secret at the provider if the file has left this
machine and the secret is still valid, configure the recorder to filter that place, and record again
(mfagate explain cassette.secret-leaked)."""


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--all", "every", is_flag=True, help="List all recordings, not only the first three for each place.")
def scan(paths: tuple[Path, ...], every: bool) -> None:
    """Search recordings for secrets.

    PATHS are files or folders. Default: cassettes. Neither a configuration nor a known secret is needed. Recordings of
    vcrpy, go-vcr, Ruby's VCR, betamax, the test proxy of Azure, Polly.JS and nock, in YAML or JSON, are recognised by
    their content.

    Exit codes: 0, nothing was found; 1, something was found; 2, there is no recording; 3, a recording could not be
    searched.
    """
    places = paths or (Path("cassettes"),)
    done = _searched(places)
    found = [leak for file in done for leak in file.leaks]
    unread = [f"{shown_path(file.path)} {reason}" for file in done for reason in _unread(file, places)]
    number = sum(file.other is None for file in done)
    if not number and not unread:
        raise _no_recordings(places)
    for line in _found(found, None if every else _SHOWN):
        click.echo(harmless(line))
    if found:
        click.echo(f"{_NEXT}\n")
    for line in _not_read(unread):
        click.echo(harmless(line))
    _summarise(done, number, found)
    if found or unread:
        sys.exit(1 if found else 3)


def _searched(places: Sequence[Path]) -> list[Searched]:
    from rich.console import Console

    from mfagate.app.progress import counting
    from mfagate.scan import search

    missing = [path for path in places if not path.exists() and not path.is_symlink()]
    if missing:
        raise RunRefused(*(f"{shown_path(path)} does not exist" for path in missing))
    files = search.recordings(places)
    if not files:
        raise _no_recordings(places)
    done = []
    with counting(Console(stderr=True)) as show:
        for file in search.search_all(files):
            done.append(file)
            show("searching recordings", len(done), len(files))
    return done


def _no_recordings(places: Sequence[Path]) -> RunRefused:
    return RunRefused(f"there are no recordings in {', '.join(map(str, places))}")


def _unread(searched: Searched, places: Iterable[Path]) -> Iterator[str]:
    """Yield why a file was not read. A file that was named must be a recording."""
    yield from searched.unread
    if searched.other is not None and searched.path in places:
        yield searched.other


def _found(leaks: list[Leak], most: int | None) -> Iterator[str]:
    """Yield a line for each place of a recording, but no more than ``most`` recordings for the same place."""
    by_place: dict[str, dict[Path, list[Leak]]] = {}
    for leak in leaks:
        by_place.setdefault(leak.place, {}).setdefault(leak.path, []).append(leak)
    for place, recordings in by_place.items():
        for path, several in list(recordings.items())[:most]:
            yield f"{shown_path(path)}: {_interactions(several)}{place}"
        if most is not None and (left := len(recordings) - most) > 0:
            yield f"  … and in {left} more recording{'s' if left > 1 else ''}: {place} (--all lists them)"


def _interactions(leaks: list[Leak]) -> str:
    numbers = sorted({leak.interaction for leak in leaks} - {0})
    if not numbers:
        return ""
    shown = ", ".join(map(str, numbers[:_SHOWN])) + (f" and {len(numbers) - _SHOWN} more" if numbers[_SHOWN:] else "")
    return f"interaction{'s' if numbers[1:] else ''} {shown}: "


def _not_read(reasons: list[str]) -> Iterator[str]:
    if reasons:
        yield "not read:"
        yield from (f"  {reason}" for reason in reasons)


def _summarise(done: list[Searched], number: int, found: list[Leak]) -> None:
    others = [file for file in done if file.other is not None]
    if others and not all(file.other == "is empty" for file in others):
        names = ", ".join(shown_path(file.path) for file in others[:_SHOWN])
        more = f" and {len(others) - _SHOWN} more" if others[_SHOWN:] else ""
        click.echo(harmless(f"not recordings, by their content: {names}{more}"))
    unread = sum(bool(file.unread) for file in done)
    recordings = "1 recording" if number == 1 else f"{number} recordings"
    parts = [f"{len({leak.path for leak in found})} of them with something to check"] if found else []
    parts += [f"{unread} not read, or only in part"] if unread else []
    click.echo(f"{recordings}: {', '.join(parts) or 'no secrets found'}")
