"""The command line: a module for each family of commands, one small function for each command, no logic."""

from __future__ import annotations

from typing import Any, NoReturn

import click

from mfagate.app.errors import MfagateError
from mfagate.cli import doctor, ending, history, monitor, mutate, projects, reference, runs, sandbox, scan
from mfagate.cli.options import EXITS
from mfagate.cli.refusal import refused
from mfagate.core.version import __version__


class _Commands(click.Group):
    """Turns the errors of the Python API into exit code 2 and their messages."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except MfagateError as error:
            raise refused(*error.messages) from None


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, epilog=EXITS
)
@click.version_option(__version__, prog_name="mfagate")
def cli() -> None:
    """Know before you deploy whether your MFA provider integration still works, and if not, why.

    \b
    mfagate check      no network: is the configuration well-formed, do recordings fit the contracts?
    mfagate gate       live: may this configuration be deployed?
    mfagate nightly    live, on a schedule: has anything moved since the last time?
    mfagate init       start a project, or add a provider, an environment or CI files to one
    mfagate doctor     is this machine ready: installed, readable, writable, reachable?
    mfagate history    what earlier runs found
    mfagate mutate     how much would the gate catch?
    mfagate explain    what a cause means and what to do about it
    """


for _command in (
    runs.check,
    runs.gate,
    runs.nightly,
    runs.record,
    history.history,
    mutate.mutate,
    sandbox.sandbox,
    scan.scan,
    projects.init,
    doctor.doctor,
    projects.new_provider,
    reference.explain,
    reference.schema,
    monitor.monitor,
    reference.completion,
):
    cli.add_command(_command)


def main() -> NoReturn:
    """The console script."""
    ending.run(cli)
