"""``mutate``: how many harmful edits would the gate catch?"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mfagate.cli.options import CONFIG, INTEGRATION, deliver, parsed
from mfagate.core.foreign import harmless_lines

CLASSES = (
    "typo",
    "stray",
    "encoding",
    "wrong-value",
    "stale",
    "permission",
    "address",
    "missing",
    "type",
    "reference",
    "expectation",
    "client",
    "harmless",
)


def _parse_json_path(text: str) -> Path:
    form, _, path = text.partition("=")
    if form != "json" or not path:
        raise ValueError(f"{text!r} is not json=PATH")
    return Path(path)


@click.command()
@CONFIG
@INTEGRATION
@click.option(
    "--class", "kinds", multiple=True, type=click.Choice(CLASSES), help="Only edits of this class. May be repeated."
)
@click.option(
    "--live/--offline",
    default=True,
    show_default=True,
    help="Run the gate against a sandbox for each edit that passes the offline check.",
)
@click.option("--list", "only_list", is_flag=True, help="List the edits without running them.")
@click.option(
    "--output", "json_path", metavar="json=PATH", callback=parsed(_parse_json_path), help="Write all results to PATH."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of random choices in the edits.")
@click.option("--verbose", is_flag=True, help="Print every edit and its first cause.")
def mutate(
    config: Path,
    names: tuple[str, ...],
    kinds: tuple[str, ...],
    live: bool,
    only_list: bool,
    json_path: Path | None,
    seed: int,
    verbose: bool,
) -> None:
    """Measure how many harmful edits the gate would catch.

    Each edit is made to a copy of the configuration that has the values of a sandbox instead of yours. Your files are
    only read. Files with secrets are read to find the lines of keys, and their values are not kept.

    The exit code is 1 if a harmful edit passes the gate, or a harmless edit does not.
    """
    from rich.console import Console

    from mfagate.app import changed_since
    from mfagate.app.errors import RunRefused, refusing
    from mfagate.app.progress import counting
    from mfagate.app.publish import require_spare
    from mfagate.app.run import choose
    from mfagate.config.load import load
    from mfagate.mutation import NotMutable, command
    from mfagate.providers import registry
    from mfagate.sandbox import SandboxError

    try:
        with refusing():
            configuration = load(config, registry.names())
            require_spare([json_path], lambda: changed_since.inputs(configuration))
            integrations = choose(configuration, names)
            if only_list:
                edits = command.listed(configuration, integrations, kinds=kinds, seed=seed)
                click.echo(harmless_lines(edits), nl=False)
                return
            with counting(Console(stderr=True, emoji=False)) as show:
                outcome = command.run(
                    configuration, integrations, kinds=kinds, live=live, seed=seed, verbose=verbose, progress=show
                )
    except (NotMutable, SandboxError) as error:
        raise RunRefused(str(error)) from None
    except OSError as error:
        raise RunRefused(f"{error.filename or 'a file'} cannot be written: {error.strerror or error}") from None
    if json_path is not None:
        deliver(outcome.json, json_path)
    click.echo(harmless_lines(outcome.text), nl=False)
    sys.exit(outcome.exit_code)
