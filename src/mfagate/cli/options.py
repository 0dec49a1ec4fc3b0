"""Options that several commands take, and what the shell completes in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

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
  130  interrupted (143 by SIGTERM)
"""


def complete_provider(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Names of installed providers."""
    from mfagate.providers import registry

    return [name for name in registry.names() if name.startswith(incomplete)]


def complete_integration(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Names of integrations in the file."""
    import tomllib

    from mfagate.config.environments import expanded
    from mfagate.core.files import Unreadable, read_text

    try:
        document = tomllib.loads(read_text(Path(ctx.params.get("config") or "integrations.toml"), 1 << 20))
        return [name for name in expanded(document).document["integrations"] if name.startswith(incomplete)]
    except (Unreadable, ValueError, LookupError, TypeError):
        return []


def complete_cause(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Ids of causes."""
    from mfagate.core.causes import CauseId

    return [cause.value for cause in CauseId if cause.startswith(incomplete)]


def one_output(*formats: str) -> Callable[[Command], Command]:
    """Return the option for a single report: the name of its format, and its file if it is not for stdout."""
    names = f"{', '.join(formats[:-1])} or {formats[-1]}"

    def parse(ctx: click.Context, param: click.Parameter, value: str) -> tuple[str, Path | None]:
        name, given, path = value.partition("=")
        if name not in formats or (given and not path):
            raise click.BadParameter(f"write {names}, with =PATH for a file")
        return name, Path(path) if path else None

    text = f"{names}; to stdout, or to a file."
    return click.option("--output", metavar="FORMAT[=PATH]", default=formats[0], callback=parse, help=text)


def _parse_outputs(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> list[Output]:
    from mfagate.report.formats import Output

    try:
        outputs = Output.parse_all(values)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return outputs if any(output.path is None for output in outputs) else [*outputs, Output("console")]


def _parse_gateway(ctx: click.Context, param: click.Parameter, value: str | None) -> Gateway | None:
    if value is None:
        return None
    from mfagate.report.pushgateway import Gateway

    try:
        return Gateway.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _parse_override(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    from mfagate.app.override import says_why

    if value is not None and not says_why(value):
        raise click.BadParameter("say why")
    return value


def _parse_history(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Refuse what names no place. A history that cannot be reached is a warning, because it changes no verdict."""
    if value is None:
        return None
    from mfagate.history.errors import HistoryError, InvalidLocation
    from mfagate.history.location import HistoryLocation

    try:
        HistoryLocation.of(value, Path())
    except InvalidLocation as error:
        raise click.BadParameter(str(error)) from None
    except HistoryError:
        pass
    return value


ENVIRONMENTS = ["production", "staging", "sandbox", "development"]


class Words(click.Choice[str]):
    """A choice that also takes several words separated by commas, for an option with :func:`separated`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check each word."""
        return ",".join(super(Words, self).convert(word.strip(), param, ctx) for word in str(value).split(","))


def separated(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words of an option that may be repeated, or have several words separated by commas.

    An empty word stays: it comes from an unset variable, and must not select everything.
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
    help="Only this integration, or all its environments; duo/production is one of them. May be repeated, or take "
    "several names with commas.",
)

ENVIRONMENT = click.option(
    "--environment",
    "environments",
    multiple=True,
    type=Words(ENVIRONMENTS),
    callback=separated,
    help="Only integrations of this environment. May be repeated, or take several with commas.",
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
        callback=_parse_outputs,
        help="console, github, gitlab, html, json, junit, markdown, openmetrics or sarif; to stdout, or to a file. "
        "May be repeated.",
    ),
    click.option(
        "--push-gateway",
        "gateway",
        metavar="URL",
        envvar="MFAGATE_PUSH_GATEWAY",
        callback=_parse_gateway,
        help="Push the metrics to this Prometheus Pushgateway. A failure changes no verdict. "
        "The variable MFAGATE_PUSH_GATEWAY does the same.",
    ),
    click.option(
        "--on-inconclusive",
        type=click.Choice(["block", "allow"]),
        default="block",
        show_default=True,
        help="Whether an inconclusive verdict exits with 3 or with 0.",
    ),
    click.option(
        "--override",
        metavar="REASON",
        callback=_parse_override,
        help="Exit with 0 for every verdict; the reason is in every report.",
    ),
    click.option(
        "--verbose",
        is_flag=True,
        help="In the console report, show every problem in full, and list the checks that did not run, and why.",
    ),
    click.option("--no-color", is_flag=True, help="Plain output. The variable NO_COLOR does the same."),
)
"""Options of every run over integrations."""

CHANGED_SINCE = click.option(
    "--changed-since",
    metavar="REV",
    help="Only integrations that changed since this revision of git, such as origin/main.",
)

HISTORY = click.option(
    "--history",
    "history_place",
    metavar="URL|PATH",
    callback=_parse_history,
    help="Where runs are kept: a SQLite file, a postgresql:// URL, or a reference to one of them.",
)

live = _together(
    CHANGED_SINCE,
    click.option(
        "--fault",
        "faults",
        multiple=True,
        metavar="INTEGRATION=FAULT",
        help="Inject this fault into the sandbox of the integration, as a drill. May be repeated. "
        "The faults: mfagate sandbox PROVIDER --list-faults",
    ),
    click.option(
        "--notify",
        is_flag=True,
        help="Notify the [notify] URLs of changes since the last run. The run is kept in the history.",
    ),
    HISTORY,
)
"""Options of a run that asks the providers."""
