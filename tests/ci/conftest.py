"""A project with Duo as ``mfagate init`` starts it, a Duo to ask, and a machine to run its pipeline."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mfagate.sandbox import Running
from mfagate.sandbox import registry as sandboxes
from mfagate.secrets.redaction import Redactor

from ..support.repository import git
from .machine import Machine

DOCUMENTATION = re.compile(r"# (owner|runbook|provider_docs|escalation|rotation_days) = ")

SOURCE = "git+https://git.example.com/mfagate@v0.1.0"

FINGERPRINT_KEY = "c6b2f0d94e1a7385b2c6f0d94e1a7385"

WRONG_KEY = "Wq7pLz3Vn8Kc5Rt2Xb9Ym4Jd6Hf1Gs0Tv7Nw3Qz5"


@pytest.fixture(scope="session")
def duo() -> Iterator[Running]:
    """The emulator, running."""
    sandbox = sandboxes.get("duo")
    with sandbox.start() as running:
        yield running


@pytest.fixture
def machine(tmp_path: Path, duo: Running) -> Iterator[Machine]:
    """A machine with the project checked out: all that was changed in it is where Duo answers."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    secrets = {
        "DUO_HOST": duo.values["host"],
        "DUO_INTEGRATION_KEY": duo.values["integration_key"],
        "DUO_SECRET_KEY": duo.values["secret_key"],
    }
    machine = Machine(folder, tmp_path / "machine", {**secrets, "MFAGATE_FINGERPRINT_KEY": FINGERPRINT_KEY})
    yield machine
    known = {"secret key": secrets["DUO_SECRET_KEY"], "wrong secret key": WRONG_KEY, "fingerprint key": FINGERPRINT_KEY}
    redactor = Redactor(known)
    files = [path for path in tmp_path.rglob("*") if path.is_file() and ".git" not in path.parts]
    texts = machine.written + [path.read_text("utf-8", "replace") for path in files]
    assert [redactor.found_in(text) for text in texts if redactor.found_in(text)] == []


@pytest.fixture
def started(machine: Machine, duo: Running, request: pytest.FixtureRequest) -> Machine:
    """The project after ``mfagate init --ci KIND``, committed; KIND is the parameter."""
    command = [sys.executable, "-m", "mfagate", "init", "--provider", "duo", "--ci", request.param, "--source", SOURCE]
    subprocess.run(command, cwd=machine.folder, check=True, capture_output=True, timeout=60)
    shutil.copy(str(duo.ca_bundle), machine.folder / "ca.pem")
    point_at(machine, duo.endpoint)
    git(machine.folder, "init", "--quiet", "--initial-branch=main")
    git(machine.folder, "add", "--all")
    git(machine.folder, "commit", "--quiet", "--message", "started")
    return machine


def point_at(machine: Machine, endpoint: str) -> None:
    """Ask there instead of Duo's own host."""
    path = machine.folder / "integrations.toml"
    lines = [line for line in path.read_text().splitlines() if not line.startswith(("endpoint", "ca_bundle"))]
    at = lines.index("[integrations.duo]") + 1
    lines[at:at] = [f'endpoint = "{endpoint}"', 'ca_bundle = "ca.pem"']
    path.write_text("\n".join(map(_documented, lines)) + "\n")


def _documented(line: str) -> str:
    """What the started file leaves open about its owner, filled in: nightly looks at it."""
    if line == "# reviewed = 2026-01-31":
        return f"reviewed = {datetime.now(UTC).date()}"
    return line.removeprefix("# ").replace('"…"', '"https://example.com/mfa"') if DOCUMENTATION.match(line) else line
