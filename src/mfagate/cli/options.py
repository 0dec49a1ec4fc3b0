"""Options that several commands take, and what the shell completes in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mfagate.app.errors import RunRefused

if TYPE_CHECKING:
    from mfagate.report.formats import Output
    from mfagate.report.pushgateway import Gateway

Command = TypeVar("Command", bound=Callable[..., Any])

EXITS = """
\b
Exit codes:
  0    pass: deploy
  1    fail: do not deploy
  2    usage error, or the configuration file cannot be read
  3    inconclusive: the verdict could not be determined
  130  interrupted by Ctrl-C (143: stopped by SIGTERM)
"""


def complete_provider(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the matching names of installed providers."""
    from mfagate.providers import registry

    return [name for name in registry.names() if name.startswith(incomplete)]


def complete_integration(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the matching names of integrations in the configuration file."""
    import tomllib

    from mfagate.config.environments import expanded
    from mfagate.core.files import Unreadable, read_text

    try:
        document = tomllib.loads(read_text(Path(ctx.params.get("config") or "integrations.toml"), 1 << 20))
        return [name for name in expanded(document).document["integrations"] if name.startswith(incomplete)]
    except (Unreadable, ValueError, LookupError, TypeError):
        return []


def complete_cause(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the matching ids of causes."""
    from mfagate.core.causes import CauseId

    return [cause.value for cause in CauseId if cause.startswith(incomplete)]


def parsed(parse: Callable[[Any], object]) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Return the callback of an option that turns what is given into a value.

    Args:
        parse: Returns the value. The message of its ValueError is shown.
    """

    def callback(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
        try:
            return None if value is None else parse(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return callback


def one_output(*formats: str) -> Callable[[Command], Command]:
    """Return the option for a single report: the name of its format, and its file if it does not go to stdout."""
    names = f"{', '.join(formats[:-1])} or {formats[-1]}"

    def parse(value: str) -> tuple[str, Path | None]:
        name, given, path = value.partition("=")
        if name not in formats or (given and not path):
            raise ValueError(f"write {names}, with =PATH for a file")
        return name, Path(path) if path else None

    text = f"{names}; to stdout, or to a file."
    return click.option("--output", metavar="FORMAT[=PATH]", default=formats[0], callback=parsed(parse), help=text)


def deliver(text: str, path: Path | None) -> None:
    """Write the text to a file, or to stdout if there is none.

    Raises:
        RunRefused: The file cannot be written.
    """
    from mfagate.core.files import write_atomically

    if path is None:
        click.echo(text, nl=False)
        return
    try:
        write_atomically(path, text)
    except OSError as error:
        raise RunRefused(f"{path} cannot be written: {error.strerror or error}") from None


def _parse_outputs(values: tuple[str, ...]) -> list[Output]:
    from mfagate.report.formats import Output

    outputs = Output.parse_all(values)
    return outputs if any(output.path is None for output in outputs) else [*outputs, Output("console")]


def _parse_gateway(url: str) -> Gateway:
    from mfagate.report.pushgateway import Gateway

    return Gateway.parse(url)


ENVIRONMENTS = ["production", "staging", "sandbox", "development"]


class Words(click.Choice[str]):
    """A choice that also accepts several words separated by commas. The option needs :func:`separated`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check each word."""
        return ",".join(super(Words, self).convert(word.strip(), param, ctx) for word in str(value).split(","))


def separated(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words of an option that may be repeated or take several words separated by commas.

    An empty word is kept: it comes from an unset variable, and must not select everything.
    """
    return tuple(word.strip() for value in values for word in value.split(","))


def _together(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Return one decorator for several options, which the help lists in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("integrations.toml"),
    show_default=True,
    help="The configuration file.",
)

INTEGRATION = click.option(
    "--integration",
    "names",
    multiple=True,
    metavar="NAME",
    callback=separated,
    shell_complete=complete_integration,
    help="Only this integration: duo/production, or duo for all its environments. May be repeated, or take several "
    "names separated by commas.",
)

ENVIRONMENT = click.option(
    "--environment",
    "environments",
    multiple=True,
    type=Words(ENVIRONMENTS),
    callback=separated,
    help="Only integrations of this environment. May be repeated, or take several separated by commas.",
)

NO_COLOR = click.option(
    "--no-color", is_flag=True, help="Print without colours. The environment variable NO_COLOR does the same."
)

common = _together(
    CONFIG,
    INTEGRATION,
    ENVIRONMENT,
    click.option(
        "--output",
        "outputs",
        multiple=True,
        metavar="FORMAT[=PATH]",
        callback=parsed(_parse_outputs),
        help="console, github, gitlab, html, json, junit, markdown, openmetrics or sarif; to stdout, or to a file. "
        "May be repeated.",
    ),
    click.option(
        "--push-gateway",
        "gateway",
        metavar="URL",
        envvar="MFAGATE_PUSH_GATEWAY",
        callback=parsed(_parse_gateway),
        help="Push the metrics to this Prometheus Pushgateway. A failed push does not change the verdict. "
        "The environment variable MFAGATE_PUSH_GATEWAY does the same.",
    ),
    click.option(
        "--on-inconclusive",
        type=click.Choice(["block", "allow"]),
        default="block",
        show_default=True,
        help="Exit code of an inconclusive verdict: 3 (block) or 0 (allow).",
    ),
    click.option(
        "--override",
        metavar="REASON",
        help="Exit with 0 whatever the verdict. Every report contains the reason.",
    ),
    click.option(
        "--verbose",
        is_flag=True,
        help="In the console report, show every problem in full, and list the checks that did not run and why.",
    ),
    NO_COLOR,
)
"""Options of every command that runs checks."""

CHANGED_SINCE = click.option(
    "--changed-since",
    metavar="REV",
    help="Only integrations that changed since this git revision, such as origin/main.",
)

HISTORY = click.option(
    "--history",
    "history_place",
    metavar="URL|PATH",
    help="Where runs are kept: a SQLite file, a postgresql:// URL, or a reference to one of them.",
)

live = _together(
    CHANGED_SINCE,
    click.option(
        "--fault",
        "faults",
        multiple=True,
        metavar="INTEGRATION=FAULT",
        help="Inject this fault into the sandbox of the integration. May be repeated. "
        "mfagate sandbox PROVIDER --list-faults prints all faults.",
    ),
    click.option(
        "--concurrency",
        type=click.IntRange(1, 256),
        metavar="N",
        help="How many requests may wait for an answer of one provider account at the same time. Default: concurrency "
        "in [gate], or 8. With 1, one request follows the other.",
    ),
    click.option(
        "--notify",
        is_flag=True,
        help="Notify the [notify] URLs of changes since the last run, and keep this run in the history.",
    ),
    HISTORY,
)
"""Options of a run that sends requests to the providers."""
