"""The command line: each command parses its options, calls the package that does the work, and exits."""

from __future__ import annotations

from typing import Any, NoReturn

import click

from mfagate.app.errors import MfagateError
from mfagate.cli import doctor, ending, history, monitor, mutate, projects, reference, runs, sandbox, scan
from mfagate.cli.options import EXITS
from mfagate.core.version import __version__


class _Commands(click.Group):
    """Lists the commands in their order of use, and turns exceptions of the Python API into exit code 2."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of registration."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except MfagateError as error:
            raise ending.Refusal(error.messages) from None


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, epilog=EXITS
)
@click.version_option(__version__, prog_name="mfagate")
def cli() -> None:
    """Know before you deploy whether your MFA provider integration still works, and if not, why."""


for _command in (
    *(projects.init, doctor.doctor, runs.check, runs.gate, runs.nightly, reference.explain, history.history),
    *(runs.record, scan.scan, sandbox.sandbox, mutate.mutate, projects.new_provider),
    *(monitor.monitor, reference.schema, reference.completion),
):
    cli.add_command(_command)


def main() -> NoReturn:
    """Run the console script."""
    ending.run(cli)
