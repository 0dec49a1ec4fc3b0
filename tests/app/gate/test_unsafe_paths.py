"""Hostile pacts: a signed request goes to its own provider, and not a byte anywhere else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.support.listener import Listener, hostile_listener
from tests.support.project import REPOSITORY, Project, link_shipped

from mfagate.testing import Project as AnyProject


@pytest.fixture
def hostile() -> Iterator[Listener]:
    with hostile_listener() as listener:
        yield listener


def test_the_listener_would_notice(hostile: Listener) -> None:
    requests.get(f"http://127.0.0.1:{hostile.port}/seen", timeout=5)
    assert b"/seen" in hostile.received[0]


PATHS = [
    "http://127.0.0.1:{port}/validate/check",
    "HTTP://127.0.0.1:{port}/validate/check",
    "@127.0.0.1:{port}/validate/check",
    "x:y@127.0.0.1:{port}/validate/check",
    "//127.0.0.1:{port}/validate/check",
    "/\\127.0.0.1:{port}/validate/check",
]


def spoil(project: Project, **request: Any) -> None:
    """The shipped contract with another request in its first interaction, and nothing else."""
    good = project.folder / "contracts/privacyidea/auth-service-privacyidea.json"
    pact = json.loads(good.read_text())
    interaction = next(one for one in pact["interactions"] if one["request"]["path"] == "/validate/check")
    interaction["request"] |= request
    pact["interactions"] = [interaction]
    (project.folder / "spoilt.json").write_text(json.dumps(pact, indent=2))
    project.settings["more"] = 'contract = "spoilt.json"'


@pytest.mark.parametrize("path", PATHS)
def test_a_pact_that_points_elsewhere(project: Project, hostile: Listener, path: str) -> None:
    spoil(project, path=path.format(port=hostile.port))
    result = project.run("gate")
    assert (result.exit_code, result.first["cause"]) == (1, "contract.unsafe-path")
    assert result.first_red["location"]["file"] == "spoilt.json"
    line = (project.folder / "spoilt.json").read_text().splitlines()[result.first_red["location"]["line"] - 1]
    assert line.strip().startswith('"path"')
    assert hostile.received == []


@pytest.mark.parametrize("stage", ["check", "record"])
def test_other_commands_refuse_it_too(project: Project, hostile: Listener, stage: str) -> None:
    spoil(project, path=PATHS[0].format(port=hostile.port))
    result = project.run(stage)
    assert (result.exit_code, result.first["cause"]) == (1, "contract.unsafe-path")
    assert hostile.received == []


def test_a_header_that_names_another_host(project: Project) -> None:
    spoil(project, headers={"Host": ["evil.example"]})
    assert project.run("gate").first["cause"] == "contract.unsafe-path"


class Shipped(AnyProject):
    """The shipped configuration with another user of Entra, whose id is a part of a path."""

    user = ""

    def text(self) -> str:
        shipped = (REPOSITORY / "integrations.toml").read_text()
        head, table, rest = shipped.partition("[integrations.entra.test_data]\n")
        return head + table + re.sub("^user = .*", f'user = "{self.user}"', rest, count=1, flags=re.MULTILINE)


@pytest.mark.parametrize("user", ["https://evil.example/x", "../../me"])
def test_a_value_of_the_configuration_that_fills_a_path_is_blamed_at_its_line(tmp_path: Path, user: str) -> None:
    project = Shipped(tmp_path, {})
    project.user = user
    link_shipped(tmp_path)
    result = project.run("gate", "--integration", "entra")
    assert (result.exit_code, result.first["cause"]) == (1, "config.malformed-value"), result.stdout
    red = result.first_red
    assert "test_data.user" in red["message"]
    line = (tmp_path / "integrations.toml").read_text().splitlines()[red["location"]["line"] - 1]
    assert line.startswith("user = ")
