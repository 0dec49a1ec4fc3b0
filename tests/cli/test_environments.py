"""Environments of one integration through whole commands: each is called NAME/ENVIRONMENT everywhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from xml.etree.ElementTree import parse

import pytest

from ..support.project import REPOSITORY, ageless_recordings
from ..support.repository import git

CONFIGURATION = """\
[integrations.duo]
provider = "duo"
endpoint = "sandbox"

[integrations.duo.settings]
host = "sandbox:host"
integration_key = "sandbox:integration_key"
secret_key = "sandbox:secret_key"

[integrations.duo.documentation]
owner = "identity"

[integrations.duo.environments.production]

[integrations.duo.environments.staging]
settings.secret_key = "env:DUO_STAGING_SECRET_KEY"
documentation.owner = "staging-team"
"""

BOTH = ["duo/production", "duo/staging"]
KEY = "Wq7pLz3Vn8Kc5Rt2Xb9Ym4Jd6Hf1Gs0Tv7Nw3Qz5"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copytree(REPOSITORY / "contracts/duo", folder / "contracts/duo")
    shutil.copytree(ageless_recordings() / "duo", folder / "cassettes/duo")
    (folder / "integrations.toml").write_text(CONFIGURATION)
    return folder


def mfagate(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return run(folder, [sys.executable, "-m", "mfagate", *arguments], env)


def run(folder: Path, command: list[str], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, env={**os.environ, "NO_COLOR": "1", **env}
    )


def names(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [one["name"] for one in json.loads(done.stdout)["integrations"]]


def test_every_report_calls_it_so(folder: Path) -> None:
    formats = ("junit", "sarif", "markdown", "openmetrics", "html", "github", "gitlab")
    outputs = [part for name in formats for part in ("--output", f"{name}={name}.out")]
    done = mfagate(folder, "check", *outputs)
    assert (done.returncode, done.stderr) == (1, ""), done.stderr
    assert "duo/staging     duo       staging      fail: config.reference-unresolved" in done.stdout
    assert "change here  integrations.toml:16" in done.stdout
    assert "owner: staging-team" in done.stdout
    suites = parse(folder / "junit.out").getroot()
    assert [suite.get("name") for suite in suites] == BOTH
    assert {case.get("classname") for case in suites.iter("testcase")} == {f"mfagate.{name}" for name in BOTH}
    (result,) = [
        one
        for one in json.loads((folder / "sarif.out").read_text())["runs"][0]["results"]
        if one["ruleId"] == "config.reference-unresolved"
    ]
    assert result["properties"]["integration"] == "duo/staging"
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 16
    assert 'integration="duo/staging"' in (folder / "openmetrics.out").read_text()
    for name in formats:
        assert "duo/staging" in (folder / f"{name}.out").read_text(), name


@pytest.mark.parametrize(
    ("arguments", "selected"),
    [
        (["--integration", "duo"], BOTH),
        (["--integration", "duo/staging"], BOTH[1:]),
        (["--integration", "duo/staging,duo/production"], BOTH),
        (["--environment", "production"], BOTH[:1]),
        (["--environment", "production, staging"], BOTH),
        (["--integration", "duo", "--environment", "staging"], BOTH[1:]),
    ],
)
def test_it_is_selected(folder: Path, arguments: list[str], selected: list[str]) -> None:
    assert names(mfagate(folder, "check", "--output", "json", *arguments)) == selected


def test_an_unknown_name_is_refused(folder: Path) -> None:
    done = mfagate(folder, "check", "--integration", "duo/development")
    assert (done.returncode, "has no integration 'duo/development'" in done.stderr) == (2, True)
    assert "duo/production, duo/staging" in done.stderr


def test_only_the_changed_environment_is_checked(folder: Path) -> None:
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "started")
    path = folder / "integrations.toml"
    path.write_text(CONFIGURATION.replace("STAGING_SECRET", "STAGING"))
    changed = json.loads(mfagate(folder, "check", "--changed-since", "main", "--output", "json").stdout)
    assert changed["run"]["changed_since"]["changed"] == {
        "duo/staging": ["[integrations.duo.environments.staging]"],
    }
    assert changed["run"]["changed_since"]["unchanged"] == ["duo/production"]
    path.write_text(CONFIGURATION.replace('owner = "identity"', 'owner = "login"'))
    changed = json.loads(mfagate(folder, "check", "--changed-since", "main", "--output", "json").stdout)
    # The environment of staging overrides what was changed.
    assert changed["run"]["changed_since"]["changed"] == {"duo/production": ["[integrations.duo]"]}
    path.write_text(CONFIGURATION.partition("[integrations.duo.environments.staging]")[0])
    changed = json.loads(mfagate(folder, "check", "--changed-since", "main", "--output", "json").stdout)
    assert changed["run"]["changed_since"]["removed"] == ["duo/staging"]


def test_each_has_its_own_items_in_pytest(folder: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--mfagate=check", "integrations.toml"]
    done = run(folder, command, {})
    assert "FAILED integrations.toml::duo/staging::configuration" in done.stdout, done.stdout
    assert "duo/production::configuration" not in done.stdout
    item = run(folder, [*command[:-1], "integrations.toml::duo/production::configuration"], {})
    assert (item.returncode, "1 passed" in item.stdout) == (0, True), item.stdout


def test_nightly_keeps_each_under_its_name(folder: Path) -> None:
    """Each has its own sandbox and its own history; the shared name finds both."""
    done = mfagate(folder, "nightly", "--output", "json", DUO_STAGING_SECRET_KEY=KEY)
    causes = {one["name"]: one["cause"] for one in json.loads(done.stdout)["integrations"]}
    assert causes == {"duo/production": "documentation.incomplete", "duo/staging": "credential.rejected"}
    heads = "[integrations.duo.environments.production.documentation], or for all environments in "
    assert f"in {heads}[integrations.duo.documentation], and run" in done.stdout
    for asked, found in (("duo", 2), ("duo/staging", 1), ("okta", 0)):
        listed = json.loads(mfagate(folder, "history", "--integration", asked, "--output", "json").stdout)
        assert sum(len(one["integrations"]) for one in listed["runs"]) == found, asked


def test_edits_of_each_environment_are_tried(folder: Path) -> None:
    """Both read one line of the file, and their sandboxes hold different values."""
    options = ("--offline", "--output", "json=edits.json", "--class", "type")
    done = mfagate(folder, "mutate", *options, DUO_STAGING_SECRET_KEY=KEY)
    assert done.returncode in (0, 1), done.stderr
    edits = json.loads((folder / "edits.json").read_text())["mutants"]
    lines = {(edit["setting"], edit["location"]["line"]) for edit in edits}
    assert {("duo/production.settings.host", 6), ("duo/staging.settings.host", 6)} <= lines
    assert {edit["fate"] for edit in edits} == {"caught offline"}


def test_a_fault_of_one_or_of_all_environments(folder: Path) -> None:
    path = folder / "integrations.toml"
    path.write_text(CONFIGURATION.replace("env:DUO_STAGING_SECRET_KEY", "sandbox:secret_key"))
    for fault, broken in (("duo/staging", BOTH[1:]), ("duo", BOTH)):
        done = mfagate(folder, "gate", "--output", "json", "--fault", f"{fault}=status:503")
        verdicts = {one["name"]: one["verdict"] for one in json.loads(done.stdout)["integrations"]}
        assert [name for name, verdict in verdicts.items() if verdict != "pass"] == broken, done.stdout


def test_one_credential_in_two_environments_is_reported(folder: Path) -> None:
    path = folder / "integrations.toml"
    text = CONFIGURATION.replace('endpoint = "sandbox"\n', "").replace("sandbox:host", "api-1a2b3c4d.duosecurity.com")
    text = text.replace("sandbox:integration_key", "DIABCDEFGHIJKLMNOPQR").replace("sandbox:secret_key", "env:KEY")
    path.write_text(text.replace("env:DUO_STAGING_SECRET_KEY", "env:KEY"))
    done = mfagate(folder, "check", KEY=KEY)
    assert "settings.secret_key is the same credential as duo/staging.settings.secret_key (staging)" in " ".join(
        done.stdout.split()
    )


@pytest.mark.parametrize("name", ["staging", "Production", "development"])
def test_an_environment_in_place_of_an_integration_names_the_option(folder: Path, name: str) -> None:
    done = mfagate(folder, "check", "--integration", name)
    assert done.returncode == 2
    assert f"has no integration '{name}' (an environment is selected with --environment {name.lower()})" in done.stderr


def test_an_integration_that_is_called_as_an_environment_is_selected(folder: Path) -> None:
    (folder / "integrations.toml").write_text(CONFIGURATION.replace("integrations.duo", "integrations.staging"))
    assert names(mfagate(folder, "check", "--integration", "staging", "--output", "json")) == [
        "staging/production",
        "staging/staging",
    ]


def recordings(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*.yaml")}


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(None, id="environments"),
        pytest.param("", id="integrations"),
        pytest.param('cassettes = "cassettes/../cassettes/duo"\n', id="another spelling"),
        pytest.param('cassettes = "link"\n', id="a link"),
    ],
)
def test_recordings_are_not_overwritten_in_turns(folder: Path, second: str | None) -> None:
    (folder / "link").symlink_to("cassettes/duo")
    if second is not None:
        one = CONFIGURATION.partition("[integrations.duo.environments")[0]
        one = one.replace("endpoint", 'environment = "sandbox"\nendpoint', 1)
        other = one.replace("integrations.duo", "integrations.other").replace("endpoint", f"{second}endpoint", 1)
        (folder / "integrations.toml").write_text(one + other)
    before = recordings(folder)
    done = mfagate(folder, "record", DUO_STAGING_SECRET_KEY=KEY)
    assert done.returncode == 2, done.stdout
    first, last, head = ("duo/production", "duo/staging", "[integrations.duo.environments.staging]")
    if second is not None:
        first, last, head = ("duo", "other", "[integrations.other]")
    told = " ".join(done.stderr.split())
    assert f"{first}, {last} use the same recordings, in cassettes/duo" in told
    assert f"--integration {first}" in told
    assert told.endswith(f'cassettes = "…" in {head}')
    assert recordings(folder) == before


def test_one_environment_is_recorded(folder: Path) -> None:
    done = mfagate(folder, "record", "--integration", "duo/production", "--output", "json")
    assert (done.returncode, names(done)) == (0, ["duo/production"]), done.stderr


def test_each_records_into_a_folder_of_its_own(folder: Path) -> None:
    own = CONFIGURATION.replace('settings.secret_key = "env:DUO_STAGING_SECRET_KEY"', 'cassettes = "staging"')
    (folder / "integrations.toml").write_text(own)
    done = mfagate(folder, "record", "--output", "json")
    assert (done.returncode, names(done)) == (0, BOTH), done.stderr
    assert recordings(folder / "staging")
