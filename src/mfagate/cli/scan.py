"""``scan``: recordings that hold what must not be kept."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mfagate.cli.refusal import refused
from mfagate.foreign import harmless


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def scan(paths: tuple[Path, ...]) -> None:
    """Search recordings (PATHS: files, or folders of them; default: cassettes) for what must not be kept.

    No configuration and no secret is needed: whatever scrubbing would have taken out is
    found, also in recordings that another program made with vcrpy.
    """
    from mfagate import leaks
    from mfagate.cassette import CassetteError

    places = paths or (Path("cassettes"),)
    files = leaks.recordings(places)
    if not files:
        raise refused(f"there are no recordings in {', '.join(map(str, places))}")
    found, unreadable = [], []
    for path in files:
        try:
            found += leaks.search(path)
        except CassetteError as error:
            unreadable.append(str(error))
    for leak in found:
        click.echo(harmless(str(leak)))
    if found:
        click.echo(
            "\nWhat stands there may be a secret: rotate it if the file has left this machine, "
            "then record again (mfagate explain cassette.secret-leaked)."
        )
    if unreadable:
        raise refused(*unreadable)
    if found:
        sys.exit(1)
    number = "1 recording" if len(files) == 1 else f"{len(files)} recordings"
    click.echo(f"{number}: nothing that should have been scrubbed")
