"""The command line: one small function a command, no logic."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from mfagate import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from mfagate.history import IntegrationState
    from mfagate.report.formats import Output
    from mfagate.report.pushgateway import Gateway
    from mfagate.result import Report

Command = TypeVar("Command", bound=Callable[..., Any])

_EXITS = """
\b
Exit codes:
  0    pass: deploy
  1    fail: do not deploy
  2    usage error, or the configuration file cannot be read
  3    inconclusive: it could not be known now
  130  interrupted (143 by SIGTERM)
"""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, epilog=_EXITS)
@click.version_option(__version__, prog_name="mfagate")
def cli() -> None:
    """Know before you deploy whether your MFA provider integration still works, and if not, why.

    \b
    mfagate check      no network: is the configuration well-formed, do recordings fit the contracts?
    mfagate gate       live: may this configuration be deployed?
    mfagate nightly    live, on a schedule: has anything moved since the last time?
    mfagate history    what earlier runs found
    mfagate mutate     how much would the gate catch?
    mfagate explain    what a cause means and what to do about it
    """


def _complete_provider(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from mfagate.providers import registry

    return [name for name in registry.names() if name.startswith(incomplete)]


def _complete_integration(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    import tomllib

    try:
        document = tomllib.loads(Path(ctx.params.get("config") or "integrations.toml").read_text("utf-8"))
        return [name for name in document["integrations"] if name.startswith(incomplete)]
    except (OSError, ValueError, LookupError, TypeError):
        return []


def _complete_cause(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from mfagate.causes import CauseId

    return [cause.value for cause in CauseId if cause.startswith(incomplete)]


def _parse_outputs(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> list[Output]:
    from mfagate.report.formats import Output

    try:
        outputs = [Output.parse(value) for value in values]
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    to_stdout = [output.format for output in outputs if output.path is None]
    if len(to_stdout) > 1:
        raise click.BadParameter(f"{' and '.join(to_stdout)} would both go to stdout: give one of them a =PATH")
    return outputs if to_stdout else [*outputs, Output("console")]


_CI = ["github", "gitlab", "jenkins", "kubernetes", "systemd", "pre-commit"]


def _parse_gateway(ctx: click.Context, param: click.Parameter, value: str | None) -> Gateway | None:
    if value is None:
        return None
    from mfagate.report.formats import missing_extra
    from mfagate.report.pushgateway import Gateway

    try:
        gateway = Gateway.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if missing := missing_extra("openmetrics"):
        raise click.BadParameter(missing)
    return gateway


_ENVIRONMENTS = ["production", "staging", "sandbox", "development"]

_COMMON: tuple[Callable[[Command], Command], ...] = (
    click.option(
        "--config",
        type=click.Path(path_type=Path),
        default=Path("integrations.toml"),
        show_default=True,
        help="The configuration file.",
    ),
    click.option(
        "--integration",
        "names",
        multiple=True,
        metavar="NAME",
        shell_complete=_complete_integration,
        help="Only this integration. May be repeated.",
    ),
    click.option(
        "--environment",
        "environments",
        multiple=True,
        type=click.Choice(_ENVIRONMENTS),
        help="Only integrations of this environment. May be repeated.",
    ),
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
        help="Exit with 0 whatever the verdict is; the reason stands in every report.",
    ),
    click.option("--no-color", is_flag=True, help="Plain output. The variable NO_COLOR does the same."),
)


_FAULT = click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="INTEGRATION=FAULT",
    help="Let the sandbox of this integration go wrong, as a drill. May be repeated. "
    "The faults: mfagate sandbox PROVIDER --list-faults",
)

_NOTIFY = click.option("--notify", is_flag=True, help="Tell the addresses of [notify] what is otherwise than before.")

_HISTORY = click.option(
    "--history",
    "history_place",
    metavar="URL|PATH",
    help="Where runs are kept: a SQLite file, a postgresql:// URL, or a reference to one of them.",
)


def _common(command: Command) -> Command:
    for option in reversed(_COMMON):
        command = option(command)
    return command


_changed_since = click.option(
    "--changed-since",
    metavar="REV",
    help="Only integrations that changed since this revision of git, such as origin/main.",
)


@cli.command(epilog=_EXITS)
@_common
@_changed_since
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


@cli.command(epilog=_EXITS)
@_common
@_changed_since
@_FAULT
@_NOTIFY
@_HISTORY
def gate(**options: Any) -> None:
    """Ask the live providers: may this configuration be deployed?

    Each integration climbs a ladder of evidence: configuration, network, TLS,
    the provider itself, clock, credential, negative control, identity,
    permission, contract. It stops at the first rung that is red, and names the
    cause. Nothing unsafe is sent to an integration of the environment production.
    """
    _run("gate", **options)


@cli.command(epilog=_EXITS)
@_common
@_changed_since
@_FAULT
@_NOTIFY
@_HISTORY
def nightly(**options: Any) -> None:
    """Ask the live providers on a schedule: has anything moved since the last time?

    All that gate asks, and whether answers have drifted from what was known, whether
    the provider is slower or fails more often than it used to, whether recordings are
    old, and whether the integration is documented. Each night is kept in the history,
    by default in .mfagate/history.db beside the configuration file.
    """
    _run("nightly", **options)


@cli.command(epilog=_EXITS)
@_common
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
    gateway: Gateway | None,
    on_inconclusive: str,
    override: str | None,
    no_color: bool,
    without_secrets: bool = False,
    faults: tuple[str, ...] = (),
    changed_since: str | None = None,
    notify: bool = False,
    history_place: str | None = None,
) -> None:
    from rich.console import Console

    from mfagate import drills, exitcode, gate
    from mfagate.cassette_writer import MissingExtra
    from mfagate.config import ConfigError, load
    from mfagate.ladder import Stage
    from mfagate.overriding import says_why
    from mfagate.progress import on_terminal
    from mfagate.providers import registry

    if override is not None and not says_why(override):
        raise click.BadParameter("say why", param_hint="--override")
    try:
        configuration = load(config, registry.names())
        integrations = configuration.select(names, environments)
        broken = drills.by_integration(faults, integrations)
        since = None if changed_since is None else _since(changed_since, configuration, integrations)
    except ConfigError as error:
        raise _refused(*map(str, error.problems)) from None
    except (KeyError, drills.Refused) as error:
        raise _refused(error.args[0]) from None
    color = not (no_color or os.environ.get("NO_COLOR"))
    notifier = _notifier(configuration) if notify else None
    keeper = None
    if stage == "nightly" or history_place is not None:
        from mfagate.history.keeper import Keeper

        keeper = Keeper(configuration, history_place)
    pasts = keeper.pasts([one.name for one in integrations], stage) if keeper and stage == "nightly" else None
    try:
        with on_terminal(Console(stderr=True, no_color=not color)) as progress:
            report = gate.run(
                configuration,
                [one for one in integrations if since is None or one.name in since.changed],
                Stage(stage),
                progress=progress,
                override=override,
                without_secrets=without_secrets,
                faults=broken,
                changed_since=since,
                pasts=pasts,
            )
    except (registry.ProviderError, MissingExtra) as error:
        raise _refused(str(error)) from None
    if keeper is not None:
        report = keeper.keep(report)
    if notifier is not None:
        report = notifier.tell(report)
    for warning in report.run.warnings:
        click.echo(f"warning: {warning}", err=True)
    report = exitcode.recorded(report, allow_inconclusive=on_inconclusive == "allow")
    nights = {name: past.nights for name, past in (pasts or {}).items()}
    _publish(report, outputs, gateway, color=color, nights=nights)
    sys.exit(report.run.exit_code)


def _since(revision: str, configuration: Any, integrations: Any) -> Any:
    from mfagate import changes, git

    try:
        return changes.since(revision, configuration, integrations)
    except git.GitError as error:
        raise _refused(str(error)) from None


def _notifier(configuration: Any) -> Any:
    from mfagate.notify.delivery import NotReady
    from mfagate.notify.notifier import Notifier

    try:
        return Notifier(configuration)
    except NotReady as error:
        raise _refused(str(error)) from None


def _publish(
    report: Report,
    outputs: list[Output],
    gateway: Gateway | None,
    *,
    color: bool,
    nights: Mapping[str, Sequence[tuple[datetime, IntegrationState]]],
) -> None:
    from mfagate.report import formats

    view = None
    if any(output.format == "html" for output in outputs):
        from mfagate.report.html import HistoryView

        view = HistoryView.kept(nights)

    def warn(message: str) -> None:
        click.echo(f"Warning: {message}", err=True)

    try:
        formats.deliver(report, outputs, color=color, say=warn, history=view)
    except formats.NotWritten as error:
        raise _refused(str(error)) from None
    if gateway is not None:
        from mfagate.report.pushgateway import PushFailed

        try:
            gateway.push(report)
        except PushFailed as error:
            warn(f"the metrics were not pushed to {gateway.url}: {error}")


def _refused(*messages: str) -> click.ClickException:
    return _Refusal("\n       ".join(messages))


class _Refusal(click.ClickException):
    """Something to correct in the command line or the configuration file."""

    exit_code = 2


_CLASSES = (
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


@cli.command()
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("integrations.toml"),
    show_default=True,
    help="The configuration file.",
)
@click.option(
    "--integration",
    "names",
    multiple=True,
    metavar="NAME",
    shell_complete=_complete_integration,
    help="Only this integration. May be repeated.",
)
@click.option("--class", "kinds", multiple=True, type=click.Choice(_CLASSES), help="Only this class of edits.")
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

    from mfagate.config import ConfigError, load
    from mfagate.files import write_atomically
    from mfagate.mutation import NotMutable, command
    from mfagate.progress import counting
    from mfagate.providers import registry
    from mfagate.sandbox import SandboxError

    try:
        configuration = load(config, registry.names())
        integrations = configuration.select(names)
        if not integrations:
            raise _refused(f"{config} has no integration")
        if only_list:
            click.echo(command.listed(configuration, integrations, kinds=kinds, seed=seed), nl=False)
            return
        with counting(Console(stderr=True)) as tell:
            outcome = command.run(
                configuration, integrations, kinds=kinds, live=live, seed=seed, verbose=verbose, tell=tell
            )
        if json_path is not None:
            write_atomically(json_path, outcome.json)
    except ConfigError as error:
        raise _refused(*map(str, error.problems)) from None
    except KeyError as error:
        raise _refused(error.args[0]) from None
    except (NotMutable, SandboxError, registry.ProviderError) as error:
        raise _refused(str(error)) from None
    except OSError as error:
        raise _refused(f"{json_path} cannot be written: {error.strerror or error}") from None
    click.echo(outcome.text, nl=False)
    sys.exit(outcome.exit_code)


@cli.command()
@click.argument("provider", shell_complete=_complete_provider)
@click.option(
    "--env-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the sandbox's keys here (mode 0600) and leave the file. Default: a temporary file.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="FAULT",
    help="Something that goes wrong, such as credential-revoked or status:503,rate=0.3. May be repeated.",
)
@click.option(
    "--faults-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file of more faults, one a line, that may be changed while the sandbox runs.",
)
@click.option("--list-faults", "listing", is_flag=True, help="Print what can go wrong with this provider, and end.")
def sandbox(
    provider: str, env_file: Path | None, faults: tuple[str, ...], faults_file: Path | None, listing: bool
) -> None:
    """Keep a provider's local sandbox running, and say how to reach it.

    It listens on 127.0.0.1 with a fresh database, and is gone after Ctrl-C.

    For a drill it can go wrong: the address that it prints is then the faulty one. A
    FAULT is written NAME[:ARGUMENT][,path=PATH][,rate=SHARE][,after=N][,times=N]:

    \b
    status:503,path=/auth,rate=0.3   three of ten requests below /auth get a 503
    reset,after=5                    connections are reset after five good ones
    tls-expired                      the certificate is out of date
    credential-revoked               the provider does not take the key any more

    Faults of the way to the provider and the provider's own go together. With
    --faults-file a drill goes well, broken and well again without a restart.
    """
    from mfagate import local_sandbox

    try:
        if listing:
            click.echo(local_sandbox.list_faults(provider))
        else:
            local_sandbox.keep_running(provider, env_file, faults, faults_file, say=click.echo)
    except local_sandbox.Refused as error:
        raise _refused(str(error)) from None


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option(
    "--provider",
    "providers",
    multiple=True,
    metavar="NAME",
    shell_complete=_complete_provider,
    help="A provider that the project uses. May be repeated.",
)
@click.option(
    "--environment", type=click.Choice(_ENVIRONMENTS), help="Where the integrations are used. Default: production."
)
@click.option("--ci", type=click.Choice([*_CI, "none"]), help="Write the files that run mfagate in it. Default: none.")
def init(folder: Path, providers: tuple[str, ...], environment: str | None, ci: str | None) -> None:
    """Start a project in FOLDER: integrations.toml, contracts, recordings, a pipeline.

    On a terminal it asks for what is not given. A file that exists is never
    changed; with an integrations.toml in FOLDER nothing is written at all.
    """
    from mfagate.providers import registry
    from mfagate.scaffold import Refused, project

    asking = sys.stdin.isatty()
    if not providers:
        known = ", ".join(registry.names())
        if not asking:
            raise click.UsageError(f"name the providers with --provider NAME; installed: {known}")
        answer = click.prompt(f"Providers, separated by commas ({known})")
        providers = tuple(name.strip() for name in answer.split(",") if name.strip())
    if environment is None:
        choice = click.Choice(_ENVIRONMENTS)
        environment = click.prompt("Environment", type=choice, default="production") if asking else "production"
    if ci is None:
        ci = click.prompt("CI", type=click.Choice([*_CI, "none"]), default="none") if asking else "none"
    try:
        written = project.init(folder, providers, environment, None if ci == "none" else ci)
    except (Refused, registry.ProviderError) as error:
        raise _refused(str(error)) from None
    _say_written(folder, written)
    click.echo(f"\nNext: fill in {folder / project.CONFIGURATION}, then run mfagate check")


@cli.command("new-provider")
@click.argument("name")
@click.option("--title", help="The provider's own spelling of its name. Default: NAME with capitals.")
@click.option(
    "--into",
    "parent",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where the folder mfagate-NAME is made. Default: here.",
)
def new_provider(name: str, title: str | None, parent: Path) -> None:
    """Write a package that adds the provider NAME.

    What it holds works, with a made-up API on an emulator. Its tests fail and say
    what to put in the place of what is made up; docs/add-a-provider.md tells how.
    """
    from mfagate.scaffold import Refused, provider_package

    try:
        folder, written = provider_package.new_provider(parent, name, title)
    except Refused as error:
        raise _refused(str(error)) from None
    _say_written(folder, written)
    click.echo(f"\nNext: cd {folder}, then as its README.md says")


def _say_written(folder: Path, written: Any) -> None:
    """Files one by one, but of a folder of recordings only how many."""
    from collections import Counter

    def shown(path: Path) -> Path:
        return path.parent if "cassettes" in path.parts else path

    for path, number in Counter(map(shown, written.new)).items():
        click.echo(f"wrote {folder / path}" + (f" ({number} files)" if number > 1 else ""))
    for path in written.kept:
        click.echo(f"kept  {folder / path}, which exists already")


def _parse_cause(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    from mfagate.causes import CauseId
    from mfagate.config.nearest import nearest_to

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


def _parse_history_output(ctx: click.Context, param: click.Parameter, value: str) -> tuple[str, Path | None]:
    name, given, path = value.partition("=")
    if name not in ("console", "json", "csv") or (given and not path):
        raise click.BadParameter("write console, json or csv, with =PATH for a file")
    return name, Path(path) if path else None


@cli.command()
@click.argument("run", required=False)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("integrations.toml"),
    show_default=True,
    help="The configuration file, which says where the history is.",
)
@_HISTORY
@click.option(
    "--integration",
    "names",
    multiple=True,
    metavar="NAME",
    shell_complete=_complete_integration,
    help="Only this integration. May be repeated.",
)
@click.option(
    "--cause", metavar="ID", callback=_parse_cause, shell_complete=_complete_cause, help="Only where this was found."
)
@click.option("--verdict", type=click.Choice(["pass", "fail", "inconclusive"]), help="Only with this verdict.")
@click.option("--since", metavar="TIME", callback=_parse_moment, help="Only runs from then on: 2026-10-01 (UTC).")
@click.option("--until", metavar="TIME", callback=_parse_moment, help="Only runs before then; a day is included.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="No more rows than that.")
@click.option(
    "--output",
    metavar="FORMAT[=PATH]",
    default="console",
    callback=_parse_history_output,
    help="console, json or csv; to stdout, or to a file.",
)
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
    from mfagate.history import HistoryError, listing
    from mfagate.history.keeper import place_for
    from mfagate.history.store import History, Selection
    from mfagate.result import Verdict

    try:
        with History.open(place_for(config, history_place), create=False) as opened:
            selection = Selection(names, cause, Verdict(verdict) if verdict else None, None, since, until, limit)
            runs = [opened.run(run)] if run else opened.runs(selection)
    except HistoryError as error:
        raise _refused(str(error)) from None
    form, path = output
    if path is not None:
        from mfagate.files import write_atomically

        try:
            write_atomically(path, listing.render(runs, form, whole=run is not None))
        except OSError as error:
            raise _refused(f"{path} cannot be written: {error.strerror or error}") from None
    elif form == "console" and sys.stdout.isatty():
        from rich.console import Console

        listing.show(runs, Console(no_color=no_color or None), whole=run is not None)
    else:
        click.echo(listing.render(runs, form, whole=run is not None), nl=False)


@cli.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def scan(paths: tuple[Path, ...]) -> None:
    """Search recordings (PATHS: files, or folders of them; default: cassettes) for what must not be kept.

    No configuration and no secret is needed: whatever scrubbing would have taken out is
    found, also in recordings that another program made with vcrpy.
    """
    from mfagate import leaks
    from mfagate.cassette import CassetteError

    try:
        files = leaks.recordings(paths or [Path("cassettes")])
        found = [leak for path in files for leak in leaks.search(path)]
    except CassetteError as error:
        raise _refused(str(error)) from None
    if not files:
        raise _refused(f"there are no recordings in {', '.join(map(str, paths))}")
    for leak in found:
        click.echo(leak)
    if found:
        click.echo(
            "\nWhat stands there may be a secret: rotate it if the file has left this machine, "
            "then record again (mfagate explain cassette.secret-leaked)."
        )
        sys.exit(1)
    number = "1 recording" if len(files) == 1 else f"{len(files)} recordings"
    click.echo(f"{number}: nothing that should have been scrubbed")


@cli.command()
@click.argument("cause", required=False, shell_complete=_complete_cause)
@click.option("--all", "every", is_flag=True, help="Print the whole catalogue as one Markdown document.")
def explain(cause: str | None, every: bool) -> None:
    """Explain a CAUSE: what it means, its evidence, the first steps, whom to talk to.

    Without CAUSE, list all of them.
    """
    from mfagate.report.explain import UnknownCause, show, show_all, show_every_page

    try:
        if every:
            show_every_page()
        elif cause:
            show(cause)
        else:
            show_all()
    except UnknownCause as error:
        raise _refused(str(error)) from None


@cli.command()
@click.argument("what", type=click.Choice(["config", "report"]))
def schema(what: str) -> None:
    """Print a JSON schema: of integrations.toml, or of the JSON report.

    Editors with a TOML language server check and complete integrations.toml with
    it: put "#:schema URL-OR-PATH" in its first line.
    """
    import json

    from mfagate import schemas

    document = schemas.config() if what == "config" else schemas.report()
    click.echo(json.dumps(document, indent=2))


@cli.command()
@click.argument("what", type=click.Choice(["rules", "dashboard"]))
@click.option(
    "--output",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it here. Default: print it.",
)
def monitor(what: str, path: Path | None) -> None:
    """Print what belongs to the metrics of mfagate.monitor.

    \b
    rules      alert rules for Prometheus: rule_files: [mfa.rules.yaml]
    dashboard  a dashboard for Grafana, to be imported or provisioned
    """
    from mfagate.files import write_atomically
    from mfagate.monitor import shipped

    text = shipped.text(what)
    if path is None:
        click.echo(text, nl=False)
        return
    try:
        write_atomically(path, text)
    except OSError as error:
        raise _refused(f"{path} cannot be written: {error.strerror or error}") from None
    click.echo(f"wrote {path}")


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a SHELL.

    \b
    bash:  eval "$(mfagate completion bash)"   in ~/.bashrc
    zsh:   eval "$(mfagate completion zsh)"    in ~/.zshrc
    fish:  mfagate completion fish > ~/.config/fish/completions/mfagate.fish
    """
    from click.shell_completion import get_completion_class

    script = get_completion_class(shell)
    assert script is not None, "click knows the three shells"
    click.echo(script(cli, {}, "mfagate", "_MFAGATE_COMPLETE").source())


def main() -> NoReturn:
    """Run the command, and turn every way to end into its exit code."""
    # Whoever closes a stream wants to see nothing; the exit code says it all.
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    signal.signal(signal.SIGTERM, _terminate)
    # A script's background job starts with SIGINT ignored; a sandbox must be stoppable all the same.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code = _exit_code()
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has enough.
        _discard_the_rest()
        code = 1
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            raise
        _discard_the_rest()
        click.echo(f"Error: the output cannot be written: {error.strerror}", err=True)
        code = 2
    sys.stderr.flush()
    # Not sys.exit: it would wait for threads that an interrupt left in an exchange.
    os._exit(code)


def _exit_code() -> int:
    try:
        cli.main(prog_name="mfagate", standalone_mode=False)
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except (click.Abort, KeyboardInterrupt):
        # Everything is stopped by now: who presses Ctrl-C again wants no more than the end.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        click.echo("interrupted", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else 1
    return 0


def _discard_the_rest() -> None:
    """The interpreter must not try again to flush what could not be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
