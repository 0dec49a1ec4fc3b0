"""Bad input: exit code 2 or the right cause, one readable message, never a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mfagate.testing import CommandResult

from ..support.project import Project


def refused(result: CommandResult) -> str:
    """The message of a refusal."""
    assert result.exit_code == 2, (result.stdout, result.stderr)
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    return result.stderr


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"\xff\xfe\x00binary", "UTF-8", id="binary"),
        pytest.param(b"a = " + b"1" * (10 << 20), "1 MiB", id="10 MB"),
        pytest.param(b"a = " + b"[" * 50_000, "nested too deeply", id="deep"),
        pytest.param(b"[integrations.a]\n[integrations.a]\n", "integrations.toml:2", id="duplicate table"),
        pytest.param(b'[integrations]\na = "x"\n', "must be a table", id="wrong type"),
        pytest.param(
            b'[integrations.a]\nprovider = "privacyida"\nenvironment = "prod"\n', "'production'", id="two faults"
        ),
        pytest.param(
            b'[integrations.a]\nprovider = "privacyida"\nenvironment = "staging"\n', "'privacyidea'", id="provider"
        ),
        pytest.param(b"[integration.a]\n", "did you mean 'integrations'", id="misspelt table"),
        pytest.param(b"not toml at all", "integrations.toml:1", id="prose"),
    ],
)
def test_a_configuration_that_cannot_be_read(project: Project, content: bytes, says: str) -> None:
    (project.folder / "integrations.toml").write_bytes(content)
    for command in ("check", "gate", "record"):
        assert says in refused(project.execute(command))


def test_no_configuration(project: Project) -> None:
    assert "--config" in refused(project.execute("gate"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--integration", "mfx"], "did you mean 'mfa'"),
        (["--integration", "mfa,mfx"], "no integration 'mfx'"),
        (["--integration", "mfa,"], "no integration ''"),
        (["--integration", ""], "no integration ''"),
        (["--environment", "sandbox,prod"], "'prod' is not one of"),
        (["--output", "jsn"], "did you mean 'json'"),
        (["--output", "json", "--output", "junit"], "=PATH"),
        (["--output", "json=no/such/folder/report.json"], "is not a folder"),
        (["--output", "json="], "lacks the path"),
        (["--environment", "prod"], "production"),
        (["--on-inconclusive", "ignore"], "allow"),
        (["--override", ""], "say why"),
        (["--override", " \t\n\u00a0"], "say why"),
        (["--override", "\u200b..."], "say why"),
        (["--no-such-option"], "No such option"),
        (["--output", "json=."], "cannot be written"),
    ],
)
def test_a_wrong_option(project: Project, arguments: list[str], says: str) -> None:
    project.write()
    assert says in refused(project.execute("check", *arguments))


def _cut(pact: str) -> str:
    return pact[: len(pact) // 2]


def _of_another_provider(pact: str) -> str:
    return json.dumps(json.loads(pact) | {"provider": {"name": "duo"}})


def _without_interactions(pact: str) -> str:
    return json.dumps(json.loads(pact) | {"interactions": []})


@pytest.mark.parametrize("spoil", [_cut, _of_another_provider, _without_interactions, lambda pact: ""])
def test_a_spoilt_pact(project: Project, spoil: Callable[[str], str]) -> None:
    good = project.folder / "contracts/privacyidea/auth-service-privacyidea.json"
    (project.folder / "spoilt.json").write_text(spoil(good.read_text()))
    project.settings["more"] = 'contract = "spoilt.json"'
    result = project.run("check")
    assert (result.exit_code, result.first["cause"]) == (1, "contract.out-of-date")
    assert result.first_red["location"]["file"] == "spoilt.json"


@pytest.fixture
def cassettes(project: Project) -> Path:
    """A copy of the recordings that a test may spoil."""
    shipped = (project.folder / "cassettes").resolve() / "privacyidea"
    folder = project.folder / "tapes"
    folder.mkdir()
    for path in shipped.glob("*.yaml"):
        (folder / path.name).write_bytes(path.read_bytes())
    project.settings["more"] = 'cassettes = "tapes"'
    return folder


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        pytest.param(None, "cassette.missing", id="missing"),
        pytest.param(b"a: [", "cassette.contract-mismatch", id="not YAML"),
        pytest.param(b"\x00\x01\xff", "cassette.contract-mismatch", id="binary"),
        pytest.param(b"just: yaml", "cassette.contract-mismatch", id="no cassette"),
        pytest.param(b"interactions: []\nversion: 1\n", "cassette.missing", id="empty"),
    ],
)
def test_a_spoilt_cassette(project: Project, cassettes: Path, content: bytes | None, cause: str) -> None:
    path = cassettes / "otp-accepted.yaml"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    result = project.run("check")
    assert (result.exit_code, result.first["cause"]) == (1, cause)
    assert result.first_red["location"]["file"] == "tapes/otp-accepted.yaml"


def test_a_recording_that_breaks_the_contract(project: Project, cassettes: Path) -> None:
    path = cassettes / "wrong-otp.yaml"
    path.write_text(path.read_text().replace('"value":false', '"value":true'))
    result = project.run("check")
    assert (result.exit_code, result.first["cause"]) == (1, "cassette.contract-mismatch")
    assert "$.result.value" in str(result.first_red["evidence"])


def test_an_old_recording_is_a_warning(project: Project, cassettes: Path) -> None:
    path = cassettes / "otp-accepted.yaml"
    lines = ["  recorded_at: 2020-01-01" if "recorded_at" in line else line for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines))
    result = project.run("check")
    assert result.exit_code == 0
    warned = [check for check in result.first["checks"] if check["outcome"] == "warn"]
    assert [check["cause"] for check in warned] == ["cassette.stale"]


def test_a_recording_with_a_secret(project: Project, cassettes: Path) -> None:
    path = cassettes / "otp-accepted.yaml"
    path.write_text(path.read_text().replace("scrubbed", project.env["VALIDATE"]))
    result = project.run("check")
    assert (result.exit_code, result.first["cause"]) == (1, "cassette.secret-leaked")


def test_an_emulated_recording_says_so(project: Project, cassettes: Path) -> None:
    path = cassettes / "otp-accepted.yaml"
    path.write_text(path.read_text().replace("recorded_from: provider", "recorded_from: emulator"))
    result = project.run("check")
    assert result.exit_code == 0
    assert [check["cause"] for check in result.first["checks"] if check["outcome"] == "info"] == ["cassette.emulated"]
