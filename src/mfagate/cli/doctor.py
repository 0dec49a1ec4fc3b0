"""``doctor``: is this machine ready for mfagate?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from mfagate.cli.options import CONFIG, ENVIRONMENT, INTEGRATION, one_output
from mfagate.cli.refusal import refused, require_spare
from mfagate.core.foreign import harmless


@click.command()
@CONFIG
@INTEGRATION
@ENVIRONMENT
@click.option("--without-secrets", is_flag=True, help="Do not fail where a value cannot be read here, as on a laptop.")
@click.option("--offline", is_flag=True, help="Send nothing: do not look at what can be reached.")
@one_output("console", "json")
def doctor(**options: Any) -> None:
    """Look at this machine: what is installed, readable, writable and reachable?

    It sends no credential, and shows no value. Exit code 0: everything that mfagate needs is there. 1: something is
    missing, and the report says what to do. 2: usage error.
    """
    _doctor(**options)


def _doctor(
    *,
    config: Path,
    names: tuple[str, ...],
    environments: tuple[str, ...],
    without_secrets: bool,
    offline: bool,
    output: tuple[str, Path | None],
) -> None:
    from mfagate.core.files import write_atomically
    from mfagate.doctor import Options, examine
    from mfagate.providers import registry

    form, path = output
    try:
        require_spare([path], lambda: [config])
        health = examine(config, Options(names, environments, without_secrets, offline))
    except KeyError as error:
        raise refused(error.args[0]) from None
    except registry.ProviderError as error:
        raise refused(str(error)) from None
    text = health.as_json()
    if form == "console":
        text = "".join(f"{harmless(line)}\n" for line in health.as_text().splitlines())
    if path is None:
        click.echo(text, nl=False)
    else:
        try:
            write_atomically(path, text)
        except OSError as error:
            raise refused(f"{path} cannot be written: {error.strerror or error}") from None
    sys.exit(0 if health.sound else 1)
