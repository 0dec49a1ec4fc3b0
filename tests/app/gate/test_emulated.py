"""An emulator is never taken for the provider, however it is reached."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.project import REPOSITORY

from mfagate.sandbox import Running
from mfagate.sandbox import registry as sandboxes
from mfagate.testing import Project


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    sandbox = sandboxes.get("duo")
    with sandbox.start() as running:
        yield running


class Somebodys(Project):
    """A configuration that reaches the emulator by its address, as a person does with `mfagate sandbox`."""

    running: Running

    def text(self) -> str:
        values = self.running.values
        return (
            '[integrations.duo]\nprovider = "duo"\nenvironment = "staging"\n'
            f'endpoint = "{self.running.endpoint}"\nca_bundle = "{self.running.ca_bundle}"\n'
            f'contract = "{REPOSITORY}/contracts/duo/auth-service-duo.json"\ncassettes = "tapes"\n'
            f'[integrations.duo.settings]\nhost = "{values["host"]}"\n'
            f'integration_key = "{values["integration_key"]}"\nsecret_key = "env:SKEY"\n'
        )


@pytest.fixture
def project(tmp_path: Path, running: Running) -> Somebodys:
    project = Somebodys(tmp_path, {"SKEY": running.values["secret_key"]})
    project.running = running
    return project


def test_every_report_says_so(project: Somebodys) -> None:
    assert project.run("record").exit_code == 0
    recorded = [path.read_text() for path in (project.folder / "tapes").iterdir()]
    assert recorded
    assert all("\n  recorded_from: emulator\n" in text for text in recorded)
    for command in ("gate", "check"):
        result = project.run(command)
        emulated = [check for check in result.first["checks"] if check["cause"] == "cassette.emulated"]
        assert [check["outcome"] for check in emulated] == ["info"], command
    result = project.run("gate")
    assert result.first["target"] == "emulator"
    assert "answered by emulators, not by the providers themselves: duo" in result.stdout
    (ping,) = result.checks("provider.ping")
    assert ping["message"] == "an emulator of Duo answers without a credential"


def test_recordings_of_the_provider_are_named_as_such(project: Somebodys) -> None:
    project.run("record")
    for path in (project.folder / "tapes").iterdir():
        path.write_text(path.read_text().replace("recorded_from: emulator", "recorded_from: provider"))
    (origin,) = project.run("gate").checks("cassette.origin")
    assert (origin["outcome"], "come from Duo itself" in origin["message"]) == ("pass", True)
