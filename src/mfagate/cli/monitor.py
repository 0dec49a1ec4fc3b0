"""``monitor``: alert rules and a dashboard for the metrics of a login service."""

from __future__ import annotations

from pathlib import Path

import click

from mfagate.cli.options import deliver
from mfagate.core.foreign import quoted


@click.command()
@click.argument("what", type=click.Choice(["rules", "dashboard"]))
@click.option(
    "--output",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file instead of stdout.",
)
def monitor(what: str, path: Path | None) -> None:
    """Print alert rules or a dashboard for the metrics of mfagate.monitor.

    \b
    rules      alert rules for Prometheus: rule_files: [mfa.rules.yaml]
    dashboard  a dashboard for Grafana, to import or to provision
    """
    from mfagate.monitor import shipped

    deliver(shipped.text(what), path)
    if path is not None:
        click.echo(f"wrote {quoted(path)}")
