"""``sandbox``: a provider on this machine, good or broken."""

from __future__ import annotations

from pathlib import Path

import click

from mfagate.cli.options import complete_provider
from mfagate.cli.refusal import refused
from mfagate.core.foreign import harmless_lines


def _say(text: str) -> None:
    click.echo(harmless_lines(text))


@click.command()
@click.argument("provider", shell_complete=complete_provider)
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
    help="A file of more faults, one on each line, that may be changed while the sandbox runs.",
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
    from mfagate.app import serve_sandbox

    try:
        if listing:
            click.echo(serve_sandbox.list_faults(provider))
        else:
            serve_sandbox.keep_running(provider, env_file, faults, faults_file, say=_say)
    except serve_sandbox.SandboxRefused as error:
        raise refused(str(error)) from None
