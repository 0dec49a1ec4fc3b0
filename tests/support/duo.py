"""A project with one Duo integration, asked of an emulator that runs already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mfagate.sandbox import Running
from mfagate.sandbox import registry as sandboxes
from mfagate.testing.project import CommandResult, Project

from .postgres import PASSWORD
from .project import link_shipped

CONFIGURATION = """\
[integrations.duo]
provider = "duo"
environment = "sandbox"
endpoint = "{endpoint}"
ca_bundle = "{ca_bundle}"

[integrations.duo.settings]
host = "env:DUO_HOST"
integration_key = "env:DUO_IKEY"
secret_key = "env:DUO_SKEY"

[integrations.duo.test_data]
"""


class Duo(Project):
    """One integration with an emulator that is already running."""

    def __init__(self, folder: Path, running: Running) -> None:
        values = running.values
        keys = {"DUO_IKEY": values["integration_key"], "DUO_SKEY": values["secret_key"]}
        super().__init__(folder, keys | {"HISTORY_PASSWORD": PASSWORD})
        link_shipped(folder)
        self._text = CONFIGURATION.format(endpoint=running.endpoint, ca_bundle=running.ca_bundle)
        self._host = values["host"]

    def text(self) -> str:
        return self._text

    def execute(self, *arguments: str, **env: str) -> CommandResult:
        return super().execute(*arguments, DUO_HOST=self._host, **env)


@contextmanager
def emulator() -> Iterator[Running]:
    """Running until the context ends."""
    sandbox = sandboxes.get("duo")
    with sandbox.start() as running:
        yield running
