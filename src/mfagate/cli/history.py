"""``history``: what earlier runs found."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mfagate.app.errors import RunRefused
from mfagate.cli.options import HISTORY, INTEGRATION, NO_COLOR, complete_cause, deliver, one_output, parsed

if TYPE_CHECKING:
    from datetime import datetime


def _parse_cause(text: str) -> str:
    from mfagate.config.nearest import nearest_to
    from mfagate.core.causes import CauseId

    known = [cause.value for cause in CauseId]
    if text not in known:
        raise ValueError(f"no cause has this id{nearest_to(text, known)}")
    return text


def _parse_time(text: str, *, days_later: int = 0) -> datetime:
    """Return a time, or the beginning of a day in UTC, or of a day after it."""
    from datetime import UTC, date, datetime, timedelta

    try:
        if len(text) == len("2026-10-01"):
            return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC) + timedelta(days=days_later)
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=time.tzinfo or UTC)
    except (ValueError, OverflowError):
        raise ValueError("write a day, 2026-10-01, or a time in UTC, 2026-10-01T06:30") from None


@click.command()
@click.argument("run", required=False)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("integrations.toml"),
    show_default=True,
    help="The configuration file, which names the history.",
)
@HISTORY
@INTEGRATION
@click.option(
    "--cause",
    metavar="ID",
    callback=parsed(_parse_cause),
    shell_complete=complete_cause,
    help="Only results with this cause.",
)
@click.option("--verdict", type=click.Choice(["pass", "fail", "inconclusive"]), help="Only results with this verdict.")
@click.option("--since", metavar="TIME", callback=parsed(_parse_time), help="Only runs from TIME on: 2026-10-01 (UTC).")
@click.option(
    "--until",
    metavar="TIME",
    callback=parsed(partial(_parse_time, days_later=1)),
    help="Only runs before TIME, or up to the end of a day.",
)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Show at most this many rows.")
@one_output("console", "json", "csv")
@NO_COLOR
def history(run: str | None, **options: Any) -> None:
    """List earlier runs, or show one in full.

    The newest run comes first. RUN is the beginning of the id of the run to show.

    \b
    mfagate history --integration duo-eu --since 2026-10-01
    mfagate history --cause drift.field-removed
    mfagate history --output csv=runs.csv --limit 10000
    """
    _history(run, **options)


def _history(
    run: str | None,
    *,
    config: Path,
    history_place: str | None,
    names: tuple[str, ...],
    cause: str | None,
    verdict: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    output: tuple[str, Path | None],
    no_color: bool,
) -> None:
    from mfagate.app.publish import require_spare
    from mfagate.core.result import Verdict
    from mfagate.history import HistoryError, listing
    from mfagate.history.recorder import location_for
    from mfagate.history.store import History, Selection

    try:
        place = location_for(config, history_place)
        require_spare([output[1]], lambda: filter(None, (config, place.path)))
        with History.open(place, create=False) as opened:
            selection = Selection(names, cause, Verdict(verdict) if verdict else None, None, since, until, limit, True)
            runs = [opened.run(run)] if run else opened.runs(selection)
    except HistoryError as error:
        raise RunRefused(str(error)) from None
    form, path = output
    if path is None and form == "console" and sys.stdout.isatty():
        from rich.console import Console

        listing.show(runs, Console(no_color=no_color or None), whole=run is not None)
    else:
        deliver(listing.render(runs, form, whole=run is not None), path)
