"""Neither an argument, nor a file, nor the environment moves a terminal or begins a line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest

HOSTILE = "x\n::error::HOSTILE\r\x1b[2J\u202e\u2028PASS: HOSTILE\x85FAIL: HOSTILE\x0b##vso[task.complete]HOSTILE"
NAME = "\n::error::HOSTILE \x1b[2J\u202e\u2028PASS: HOSTILE\x85.yaml"

CONFIGURATION = """\
[integrations.mfa]
provider = "duo"
environment = "staging"
[integrations.mfa.settings]
host = "api-1a2b3c4d.duosecurity.com"
integration_key = "DIABCDEFGHIJKLMNOPQR"
secret_key = "env:SECRET"
"""


def run(folder: Path, arguments: Sequence[str], **env: str) -> tuple[int, str]:
    """The exit code, and all that a command prints, which must be harmless."""
    done = subprocess.run(
        [sys.executable, "-m", "mfagate", *arguments],
        cwd=folder,
        env={**os.environ, "SECRET": "k" * 40, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    for text in (done.stdout, done.stderr):
        assert not {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs") and c != "\n"}, text
        for line in text.split("\n"):
            assert not re.match(r"\s*(::|##vso)[^\n]*HOSTILE|(PASS|FAIL): HOSTILE", line), text
            assert "##vso[" not in line
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "integrations.toml").write_text(CONFIGURATION)
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "--config", HOSTILE],
        ["check", "--integration", HOSTILE],
        ["check", "--environment", HOSTILE],
        ["check", "--output", HOSTILE],
        ["check", "--output", f"json={HOSTILE}/x"],
        ["check", "--on-inconclusive", HOSTILE],
        ["check", "--changed-since", HOSTILE],
        ["check", f"--{HOSTILE}"],
        ["check", HOSTILE],
        ["gate", "--fault", HOSTILE],
        ["gate", "--fault", f"mfa={HOSTILE}"],
        ["gate", "--history", f"redis://{HOSTILE}"],
        [HOSTILE],
        ["explain", HOSTILE],
        ["history", "--history", HOSTILE],
        ["history", "--cause", HOSTILE],
        ["history", "--since", HOSTILE],
        ["history", HOSTILE],
        ["init", HOSTILE],
        ["init", "--provider", HOSTILE],
        ["init", "--provider", "duo", "--ci", "github", "--source", HOSTILE],
        ["doctor", "--integration", HOSTILE],
        ["doctor", "--output", HOSTILE],
        ["monitor", HOSTILE],
        ["mutate", "--output", HOSTILE],
        ["new-provider", HOSTILE],
        ["sandbox", HOSTILE],
        ["sandbox", "duo", "--fault", HOSTILE],
        ["scan", HOSTILE],
        ["schema", HOSTILE],
    ],
    ids=lambda arguments: " ".join(arguments).replace(HOSTILE, "H").encode("ascii", "replace").decode(),
)
def test_an_argument(folder: Path, arguments: Sequence[str]) -> None:
    code, _ = run(folder, arguments)
    assert code in (1, 2)


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "--config", "{}"],
        ["check", "--output", "json={}"],
        ["check", "--integration", "{}"],
        ["check", "--changed-since", "{}"],
        ["check", "--push-gateway", "{}:99999"],
        ["gate", "--history", "{}"],
        ["gate", "--history", "/{}"],
        ["history", "--history", "{}"],
        ["history", "--since", "{}"],
        ["explain", "{}"],
        ["mutate", "--config", "{}"],
        ["scan", "{}"],
        ["schema", "{}"],
        ["{}"],
    ],
    ids=" ".join,
)
def test_an_address_with_a_password_in_an_argument(folder: Path, arguments: Sequence[str]) -> None:
    code, text = run(folder, [one.format("redis://me:c4n4ry-0f-the-d4tabase@h/x") for one in arguments])
    assert code == 2
    assert "c4n4ry-0f-th" not in text


def test_the_environment(folder: Path) -> None:
    code, _ = run(folder, ["check"], MFAGATE_PUSH_GATEWAY=HOSTILE)
    assert code == 2
    code, _ = run(folder, ["check"], SECRET=HOSTILE)
    assert code == 1


def test_the_reason_of_an_override(folder: Path) -> None:
    code, text = run(folder, ["check", "--override", HOSTILE])
    assert code == 0
    assert "overridden: x" in text


@pytest.mark.parametrize(
    "added",
    [
        json.dumps(HOSTILE, ensure_ascii=True) + " = 1\n",
        f"[integrations.{json.dumps(HOSTILE)}]\nprovider = 'duo'\n",
        f"[integrations.other]\nprovider = {json.dumps(HOSTILE)}\n",
        f"[integrations.mfa.expect]\n{json.dumps(HOSTILE)} = 'x'\n",
        f"[integrations.mfa.documentation]\nowner = {json.dumps(HOSTILE)}\nrunbook = {json.dumps(HOSTILE)}\n",
        f"[[integrations.mfa.waivers]]\ncause = {json.dumps(HOSTILE)}\n",
        "\x1b[2J\u2028 = ::error::HOSTILE\n",
    ],
    ids=range(7),
)
def test_the_configuration(folder: Path, added: str) -> None:
    (folder / "integrations.toml").write_text(f"{CONFIGURATION}\n{added}")
    code, _ = run(folder, ["check"])
    assert code in (1, 2)


def test_names_in_a_pact(folder: Path) -> None:
    request, response = {"method": "GET", "path": "/auth/v2/ping"}, {"status": 200}
    interaction = {
        "type": "Synchronous/HTTP", "description": HOSTILE, "key": HOSTILE, "request": request, "response": response,
        "providerStates": [{"name": HOSTILE, "params": {HOSTILE: HOSTILE}}],
    }  # fmt: skip
    pact = {
        "consumer": {"name": HOSTILE},
        "provider": {"name": "duo"},
        "interactions": [interaction, interaction],
        "metadata": {"pactSpecification": {"version": "4.0"}},
    }
    path = folder / "contracts" / "duo" / "auth-service-duo.json"
    path.parent.mkdir(parents=True)
    for interactions in ([interaction], [interaction, interaction], [{**interaction, "type": HOSTILE}]):
        path.write_text(json.dumps({**pact, "interactions": interactions}))
        code, _ = run(folder, ["check"])
        assert code == 1
    path.write_text(json.dumps({**pact, "provider": {"name": HOSTILE}}))
    code, _ = run(folder, ["check"])
    assert code == 1


def test_a_recording_and_its_name(folder: Path) -> None:
    cassettes = folder / "cassettes"
    cassettes.mkdir()
    body = json.dumps({"access_token": {HOSTILE: "a-secret"}, "refresh_token": "another", HOSTILE: {"secret": "third"}})
    request = {"method": "GET", "uri": f"https://h/?token={HOSTILE}", "headers": {HOSTILE: ["x"]}, "body": None}
    answer = {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": body}}
    text = json.dumps({"version": 1, "interactions": [{"request": request, "response": answer}]})
    (cassettes / NAME).write_text(text)
    (cassettes / "PASS: HOSTILE.yaml").write_text(text)
    code, found = run(folder, ["scan", "cassettes"])
    assert code == 1
    assert "the field refresh_token" in found
    code, found = run(cassettes, ["scan", NAME, "PASS: HOSTILE.yaml", "::error::HOSTILE.yaml"])
    assert code == 2
    assert "./PASS: HOSTILE.yaml" in found
    (cassettes / NAME).write_text(f"interactions: [{{request: {json.dumps(HOSTILE)}}}]")
    code, _ = run(folder, ["scan", "cassettes"])
    assert code == 2
