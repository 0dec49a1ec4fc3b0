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
    help="Do not fail if a reference cannot be read on this machine, such as a laptop without production secrets.",
)
def check(**options: Any) -> None:
    """Check configuration, contracts and recordings offline.

    Use it before a change of the configuration is committed, and in pre-commit. Each value is read from its source,
    and its format, its dates and what is known about the provider are checked. Recordings are compared with the
    contracts. Nothing is sent.
    """
    _run("check", **options)


@click.command(epilog=EXITS)
@common
@live
def gate(**options: Any) -> None:
    """Check live whether this configuration may be deployed.

    The checks of each integration build on each other: configuration, network, TLS, the provider itself, clock,
    credential, negative control, identity, permission, contract. They stop at the first that fails, and the report
    names the cause. Only safe requests are sent to an integration of the environment production.
    """
    _run("gate", **options)


@click.command(epilog=EXITS)
@common
@live
def nightly(**options: Any) -> None:
    """Check live, on a schedule, what has changed since the last run.

    Besides all checks of the gate: have answers drifted from earlier ones, is the provider slower or does it fail more
    often than before, are recordings old, is the integration documented? Each run is kept in the history, by default
    in .mfagate/history.db beside the configuration file.
    """
    _run("nightly", **options)


@click.command(epilog=EXITS)
@common
def record(**options: Any) -> None:
    """Record the interactions of the contracts from the live providers.

    Each recording is scrubbed and searched for every known secret before it replaces the old one. Run this command by
    hand: CI does not write recordings.
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
