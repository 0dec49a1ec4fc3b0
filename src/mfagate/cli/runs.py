"""``check``, ``gate``, ``nightly`` and ``record``: a run over integrations, its history, its reports."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mfagate.cli.ending import discard_stdout
from mfagate.cli.options import CHANGED_SINCE, EXITS, common, live
from mfagate.cli.refusal import refused, require_spare
from mfagate.core.foreign import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from mfagate.config.model import Configuration
    from mfagate.core.result import Report
    from mfagate.history import IntegrationState
    from mfagate.report.formats import Output
    from mfagate.report.pushgateway import Gateway


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
    gateway: Gateway | None,
    on_inconclusive: str,
    override: str | None,
    verbose: bool,
    no_color: bool,
    without_secrets: bool = False,
    faults: tuple[str, ...] = (),
    changed_since: str | None = None,
    notify: bool = False,
    history_place: str | None = None,
) -> None:
    from rich.console import Console

    from mfagate.app import exit_codes, fault_options, gate
    from mfagate.app.override import says_why
    from mfagate.app.progress import on_terminal
    from mfagate.cassettes.writer import MissingExtra
    from mfagate.checks import Stage
    from mfagate.checks.record import SharedRecordings, require_own_recordings
    from mfagate.config.load import ConfigError, load
    from mfagate.history.keeper import HistoryReader, RunRecorder
    from mfagate.providers import registry

    outputs = [replace(output, verbose=verbose) for output in outputs]
    if override is not None and not says_why(override):
        raise click.BadParameter("say why", param_hint="--override")
    try:
        configuration = load(config, registry.names())
        require_spare([output.path for output in outputs], lambda: _used(configuration, history_place))
        integrations = configuration.select(names, environments)
        broken = fault_options.by_integration(faults, integrations)
        since = None if changed_since is None else _since(changed_since, configuration, integrations)
        if stage == "record":
            require_own_recordings(integrations)
    except ConfigError as error:
        raise refused(*map(str, error.problems)) from None
    except (KeyError, fault_options.FaultOptionRefused, SharedRecordings) as error:
        raise refused(error.args[0]) from None
    color = not (no_color or os.environ.get("NO_COLOR"))
    notifier = _notifier(configuration) if notify else None
    keeper = RunRecorder(configuration, history_place) if stage == "nightly" or history_place is not None else None
    earlier = keeper or HistoryReader(configuration, offline=stage == "check")
    pasts = keeper.pasts([one.name for one in integrations], stage) if keeper and stage == "nightly" else None
    try:
        with (
            earlier.key_in_use(),
            on_terminal(Console(stderr=True, no_color=not color, emoji=False)) as progress,
        ):
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
                earlier=earlier,
            )
    except (registry.ProviderError, MissingExtra) as error:
        raise refused(str(error)) from None
    report = earlier.keep(report)
    if notifier is not None:
        report = notifier.tell(report)
    for warning in report.run.warnings:
        click.echo(f"warning: {harmless(warning)}", err=True)
    report = exit_codes.recorded(report, allow_inconclusive=on_inconclusive == "allow")
    nights = {name: past.nights for name, past in (pasts or {}).items()}
    _publish(report, outputs, gateway, color=color, nights=nights)
    sys.exit(report.run.exit_code)


def _used(configuration: Configuration, history_place: str | None) -> Iterator[Path]:
    """Yield the files that a run reads or keeps."""
    from mfagate.app import changed_since
    from mfagate.history.errors import HistoryError
    from mfagate.history.keeper import place_of

    yield from changed_since.inputs(configuration)
    with suppress(HistoryError):  # It is reported where it is needed.
        if (kept := place_of(configuration, history_place).path) is not None:
            yield kept


def _since(revision: str, configuration: Any, integrations: Any) -> Any:
    from mfagate.app import changed_since
    from mfagate.core import git

    try:
        return changed_since.since(revision, configuration, integrations)
    except git.GitError as error:
        raise refused(str(error)) from None


def _notifier(configuration: Any) -> Any:
    from mfagate.notify.delivery import NotReady
    from mfagate.notify.notifier import Notifier

    try:
        return Notifier(configuration)
    except NotReady as error:
        raise refused(str(error)) from None


def _publish(
    report: Report,
    outputs: list[Output],
    gateway: Gateway | None,
    *,
    color: bool,
    nights: Mapping[str, Sequence[tuple[datetime, IntegrationState]]],
) -> None:
    from mfagate.core.foreign import harmless_tree
    from mfagate.report import formats
    from mfagate.report.words import verdict

    view = None
    if any(output.format == "html" for output in outputs):
        from mfagate.report.html import HistoryView

        view = HistoryView.kept(nights)

    def warn(message: str) -> None:
        click.echo(f"warning: {harmless(message)}", err=True)

    try:
        formats.deliver(report, outputs, color=color, say=warn, history=view)
    except formats.NotWritten as error:
        if error.on_stdout:
            discard_stdout()
        raise refused(*error.problems, f"the verdict is: {verdict(harmless_tree(report))}") from None
    if gateway is not None:
        from mfagate.report.pushgateway import PushFailed

        try:
            gateway.push(report)
        except PushFailed as error:
            warn(f"the metrics were not pushed to {gateway.url}: {error}")
