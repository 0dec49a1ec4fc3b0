"""``sandbox``: run a provider on this machine, with faults if wanted."""

from __future__ import annotations

from pathlib import Path

import click

from mfagate.cli.options import complete_provider
from mfagate.core.foreign import harmless_lines


def _say(text: str) -> None:
    click.echo(harmless_lines(text))


@click.command()
@click.argument("provider", shell_complete=complete_provider)
@click.option(
    "--env-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the keys of the sandbox to this file (mode 0600) and keep it. Default: a temporary file.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="FAULT",
    help="Inject this fault, such as credential-revoked or status:503,rate=0.3. May be repeated.",
)
@click.option(
    "--faults-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Read more faults from this file, one per line. The file may be changed while the sandbox runs.",
)
@click.option("--list-faults", "listing", is_flag=True, help="Print all faults of this provider's sandbox and exit.")
def sandbox(
    provider: str, env_file: Path | None, faults: tuple[str, ...], faults_file: Path | None, listing: bool
) -> None:
    """Run a local sandbox of a provider until Ctrl-C.

    The sandbox listens on 127.0.0.1 with a new database. The command prints its address, and how to configure it.
    Ctrl-C stops it and removes its data.

    For a drill, faults can be injected. A FAULT has the form
    NAME[:ARGUMENT][,path=PATH][,rate=SHARE][,after=N][,times=N]:

    \b
    status:503,path=/auth,rate=0.3   three of ten requests below /auth get a 503
    reset,after=5                    connections are reset after five good ones
    tls-expired                      the certificate has expired
    credential-revoked               the provider no longer accepts the key

    Faults of the connection and of the provider can be combined. With --faults-file, faults can be added and removed
    without a restart.
    """
    from mfagate.app import serve_sandbox

    if listing:
        click.echo(serve_sandbox.list_faults(provider))
    else:
        serve_sandbox.keep_running(provider, env_file, faults, faults_file, say=_say)
