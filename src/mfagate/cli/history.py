"""``history``: what earlier runs found."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mfagate.cli.options import HISTORY, INTEGRATION, complete_cause, one_output
from mfagate.cli.refusal import refused

if TYPE_CHECKING:
    from datetime import datetime


def _parse_cause(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    from mfagate.config.nearest import nearest_to
    from mfagate.core.causes import CauseId

    known = [cause.value for cause in CauseId]
    if value is not None and value not in known:
        raise click.BadParameter(f"no cause has this id{nearest_to(value, known)}")
    return value


def _parse_moment(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    from datetime import UTC, date, datetime, timedelta

    if value is None:
        return None
    try:
        if len(value) == len("2026-10-01"):
            day = datetime.combine(date.fromisoformat(value), datetime.min.time(), UTC)
            return day + timedelta(days=param.name == "until")  # the whole day is meant
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=moment.tzinfo or UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter("write a day, 2026-10-01, or a time in UTC, 2026-10-01T06:30") from None


@click.command()
@click.argument("run", required=False)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("integrations.toml"),
    show_default=True,
    help="The configuration file, which says where the history is.",
)
@HISTORY
@INTEGRATION
@click.option(
    "--cause", metavar="ID", callback=_parse_cause, shell_complete=complete_cause, help="Only where this was found."
)
@click.option("--verdict", type=click.Choice(["pass", "fail", "inconclusive"]), help="Only with this verdict.")
@click.option("--since", metavar="TIME", callback=_parse_moment, help="Only runs from then on: 2026-10-01 (UTC).")
@click.option("--until", metavar="TIME", callback=_parse_moment, help="Only runs before then; a day is included.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="No more rows than that.")
@one_output("console", "json", "csv")
@click.option("--no-color", is_flag=True, help="Plain output. The variable NO_COLOR does the same.")
def history(run: str | None, **options: Any) -> None:
    """List earlier runs, newest first; with RUN, the beginning of an id, show that one in full.

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
        raise refused(str(error)) from None
    form, path = output
    if path is not None:
        from mfagate.core.files import write_atomically

        try:
            write_atomically(path, listing.render(runs, form, whole=run is not None))
        except OSError as error:
            raise refused(f"{path} cannot be written: {error.strerror or error}") from None
    elif form == "console" and sys.stdout.isatty():
        from rich.console import Console

        listing.show(runs, Console(no_color=no_color or None), whole=run is not None)
    else:
        click.echo(listing.render(runs, form, whole=run is not None), nl=False)
