"""``check``, ``gate``, ``nightly`` and ``record``: parse the options of a run, and exit with its code."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from mfagate.cli.ending import discard_stdout
from mfagate.cli.options import CHANGED_SINCE, EXITS, common, live
from mfagate.core.foreign import harmless

if TYPE_CHECKING:
    from pathlib import Path

    from mfagate.report.formats import Output


@click.command(epilog=EXITS)
@common
@CHANGED_SINCE
@click.option(
    "--without-secrets",
    is_flag=True,
    help="Do not fail where a reference cannot be read here, as on a laptop without production secrets.",
)
def check(**options: Any) -> None:
    """Check configuration, contracts and recordings without any network.

    For a developer before a config change, and for pre-commit. Every value is
    read from where it will be deployed from, and judged by its shape, its dates
    and what is known of the provider. Recordings are matched with the contracts.
    """
    _run("check", **options)


@click.command(epilog=EXITS)
@common
@live
def gate(**options: Any) -> None:
    """Ask the live providers: may this configuration be deployed?

    Each integration climbs a ladder of evidence: configuration, network, TLS,
    the provider itself, clock, credential, negative control, identity,
    permission, contract. It stops at the first rung that is red, and names the
    cause. Nothing unsafe is sent to an integration of the environment production.
    """
    _run("gate", **options)


@click.command(epilog=EXITS)
@common
@live
def nightly(**options: Any) -> None:
    """Ask the live providers on a schedule: has anything moved since the last time?

    All that gate asks, and whether answers have drifted from what was known, whether
    the provider is slower or fails more often than it used to, whether recordings are
    old, and whether the integration is documented. Each night is kept in the history,
    by default in .mfagate/history.db beside the configuration file.
    """
    _run("nightly", **options)


@click.command(epilog=EXITS)
@common
def record(**options: Any) -> None:
    """Record each interaction of the contracts live into its cassette.

    Recordings are scrubbed, scanned for every known secret, and only then
    replace the old ones. This is a person's command: CI never rewrites recordings.
    """
    _run("record", **options)


def _run(
    stage: str,
    *,
    config: Path,
    names: tuple[str, ...],
    environments: tuple[str, ...],
    outputs: list[Output],
    on_inconclusive: str,
    verbose: bool,
    no_color: bool,
    history_place: str | None = None,
    **options: Any,
) -> None:
    from rich.console import Console

    from mfagate.app.errors import ReportNotWritten
    from mfagate.app.progress import on_terminal
    from mfagate.app.run import RunRequest, execute, select
    from mfagate.checks import Stage

    color = not (no_color or os.environ.get("NO_COLOR"))
    request = RunRequest(
        Stage(stage),
        config=config,
        integrations=names,
        environments=environments,
        outputs=[replace(output, verbose=verbose) for output in outputs],
        allow_inconclusive=on_inconclusive == "allow",
        history=history_place,
        color=color,
        **options,
    )
    progress = on_terminal(Console(stderr=True, no_color=not color, emoji=False))
    try:
        result = execute(select(request), progress, _warn)
    except ReportNotWritten as error:
        if error.on_stdout:
            discard_stdout()
        raise
    sys.exit(result.exit_code)


def _warn(message: str) -> None:
    click.echo(f"warning: {harmless(message)}", err=True)
