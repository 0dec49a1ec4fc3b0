"""``mutate``: how much would the gate catch?"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mfagate.cli.options import CONFIG, INTEGRATION
from mfagate.cli.refusal import refused
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


def _parse_json_path(ctx: click.Context, param: click.Parameter, value: str | None) -> Path | None:
    if value is None:
        return None
    form, _, path = value.partition("=")
    if form != "json" or not path:
        raise click.BadParameter(f"{value!r} is not json=PATH")
    return Path(path)


@click.command()
@CONFIG
@INTEGRATION
@click.option("--class", "kinds", multiple=True, type=click.Choice(CLASSES), help="Only this class of edits.")
@click.option("--live/--offline", default=True, show_default=True, help="Ask sandboxes what passes the offline check.")
@click.option("--list", "only_list", is_flag=True, help="Print the edits and run none.")
@click.option("--output", "json_path", metavar="json=PATH", callback=_parse_json_path, help="Write all results there.")
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Decides which character is mistyped, and the like."
)
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
    """Prove how much the gate would catch: edit the configuration in every harmful way, and see.

    The edits are made to a copy that holds a sandbox's values in the places of yours;
    your files are only read, those with secrets to find the line of a key, and no value
    of theirs is kept. Exits with 1 if a harmful edit survives or a harmless one is refused.
    """
    from rich.console import Console

    from mfagate.app import changed_since
    from mfagate.app.progress import counting
    from mfagate.app.publish import require_spare
    from mfagate.config.load import ConfigError, load
    from mfagate.core.files import write_atomically
    from mfagate.mutation import NotMutable, command
    from mfagate.providers import registry
    from mfagate.sandbox import SandboxError

    try:
        configuration = load(config, registry.names())
        require_spare([json_path], lambda: changed_since.inputs(configuration))
        integrations = configuration.select(names)
        if not integrations:
            raise refused(f"{config} has no integration")
        if only_list:
            click.echo(harmless_lines(command.listed(configuration, integrations, kinds=kinds, seed=seed)), nl=False)
            return
        with counting(Console(stderr=True, emoji=False)) as tell:
            outcome = command.run(
                configuration, integrations, kinds=kinds, live=live, seed=seed, verbose=verbose, progress=tell
            )
        if json_path is not None:
            write_atomically(json_path, outcome.json)
    except ConfigError as error:
        raise refused(*map(str, error.problems)) from None
    except KeyError as error:
        raise refused(error.args[0]) from None
    except (NotMutable, SandboxError, registry.ProviderError) as error:
        raise refused(str(error)) from None
    except OSError as error:
        raise refused(f"{error.filename or json_path} cannot be written: {error.strerror or error}") from None
    click.echo(harmless_lines(outcome.text), nl=False)
    sys.exit(outcome.exit_code)
