"""``doctor``: is this machine ready for mfagate?"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mfagate.cli.options import CONFIG, ENVIRONMENT, INTEGRATION, deliver, one_output
from mfagate.core.foreign import harmless


@click.command()
@CONFIG
@INTEGRATION
@ENVIRONMENT
@click.option(
    "--without-secrets", is_flag=True, help="Do not fail if a value cannot be read on this machine, such as a laptop."
)
@click.option("--offline", is_flag=True, help="Send nothing: do not check what can be reached.")
@one_output("console", "json")
def doctor(
    config: Path,
    names: tuple[str, ...],
    environments: tuple[str, ...],
    without_secrets: bool,
    offline: bool,
    output: tuple[str, Path | None],
) -> None:
    """Check that this machine is ready to run mfagate.

    Report what is installed, readable, writable and reachable. No credential is sent, and no value is shown.

    Exit codes: 0, everything that mfagate needs is available; 1, something is missing, and the report says what to
    do; 2, usage error.
    """
    from mfagate.app.errors import refusing
    from mfagate.app.publish import require_spare
    from mfagate.doctor import Options, examine

    form, path = output
    with refusing():
        require_spare([path], lambda: [config])
        health = examine(config, Options(names, environments, without_secrets, offline))
    text = health.as_json()
    if form == "console":
        text = "".join(f"{harmless(line)}\n" for line in health.as_text().splitlines())
    deliver(text, path)
    sys.exit(0 if health.sound else 1)
