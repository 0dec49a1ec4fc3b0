"""The next step for a missing contract, wherever it is reported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mfagate.checks.contract_file import missing_contract
from mfagate.config.load import load

TABLE = """
[integrations.{name}]
provider = "{provider}"
environment = "staging"
{more}
[integrations.{name}.settings]
host = "api-1a2b3c4d.duosecurity.com"
integration_key = "DIABCDEFGHIJKLMNOPQR"
secret_key = "env:DUO_SECRET_KEY"
"""


def mfagate(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mfagate", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)


def step(folder: Path, name: str, provider: str = "duo", more: str = "") -> str:
    path = folder / "integrations.toml"
    path.write_text(TABLE.format(name=name, provider=provider, more=more))
    (integration,) = load(path, ["duo", "vonage"]).integrations.values()
    return missing_contract(integration, "this provider")


def test_the_folder_is_named_where_it_is_another_one(tmp_path: Path) -> None:
    assert f"`mfagate init --provider duo -- {tmp_path}`" in step(tmp_path, "duo")


@pytest.mark.parametrize(
    ("name", "more"), [("duo-eu", ""), ("duo", 'contract = "pacts/mine.json"')], ids=["name", "path"]
)
def test_an_integration_that_init_would_not_serve_gets_a_copy(tmp_path: Path, name: str, more: str) -> None:
    next_step = step(tmp_path, name, more=more)
    assert "in an empty folder" in next_step
    assert "Copy it to " in next_step


def test_a_provider_without_a_shipped_contract(tmp_path: Path) -> None:
    assert "mfagate ships none for this provider" in step(tmp_path, "vonage", "vonage")


@pytest.mark.parametrize(
    ("name", "more"),
    [("duo", ""), ("duo-eu", ""), ("duo", 'contract = "pacts/mine.json"')],
    ids=["own", "name", "path"],
)
def test_the_check_the_doctor_and_init_say_the_same(tmp_path: Path, name: str, more: str) -> None:
    (tmp_path / "integrations.toml").write_text(TABLE.format(name=name, provider="duo", more=more))
    checked = json.loads(mfagate(tmp_path, "check", "--without-secrets", "--output", "json").stdout)
    said = {check["next_step"] for check in checked["integrations"][0]["checks"] if check["id"] == "contract.file"}
    doctor = json.loads(mfagate(tmp_path, "doctor", "--offline", "--output", "json").stdout)
    said |= {item["next_step"] for item in doctor["items"] if item["name"] == "contract of duo"}
    assert len(said) == 1
    source = "git+https://git.example.com/mfagate@v0.1.0"
    started = mfagate(tmp_path, "init", "--ci", "pre-commit", "--source", source).stdout
    assert " ".join(said.pop().split()) in " ".join(started.split())


def test_the_step_is_one_that_can_be_taken(tmp_path: Path) -> None:
    (tmp_path / "integrations.toml").write_text(TABLE.format(name="duo", provider="duo", more=""))
    assert mfagate(tmp_path, "init", "--provider", "duo").returncode == 0
    doctor = json.loads(mfagate(tmp_path, "doctor", "--offline", "--output", "json").stdout)
    assert {item["state"] for item in doctor["items"] if item["name"] == "contract of duo"} == {"yes"}
