"""``monitor``: what belongs to the metrics of a login service."""

from __future__ import annotations

from pathlib import Path

import click

from mfagate.cli.refusal import refused
from mfagate.core.foreign import quoted


@click.command()
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
    from mfagate.core.files import write_atomically
    from mfagate.monitor import shipped

    text = shipped.text(what)
    if path is None:
        click.echo(text, nl=False)
        return
    try:
        write_atomically(path, text)
    except OSError as error:
        raise refused(f"{path} cannot be written: {error.strerror or error}") from None
    click.echo(f"wrote {quoted(path)}")
