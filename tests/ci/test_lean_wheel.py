"""``pip install`` of this repository, without any extra, in an environment of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from ..support.programs import missing
from ..support.project import REPOSITORY

NEEDED = {
    *("mfagate", "prometheus-client", "pydantic", "pyyaml"),
    *("annotated-types", "pydantic-core", "typing-extensions", "typing-inspection"),  # pydantic needs them
}


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_a_login_service_installs_three_packages(tmp_path: Path) -> None:
    """This takes about 20 seconds, and a package index."""
    assert run(sys.executable, "-m", "venv", str(tmp_path / "venv")).returncode == 0
    python = str(tmp_path / "venv/bin/python")
    before = {package["name"] for package in json.loads(run(python, "-m", "pip", "list", "--format=json").stdout)}
    done = run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(REPOSITORY))
    if "No matching distribution" in done.stderr or "Could not find a version" in done.stderr:
        missing("a package index", "./ci/test -e ci where pip reaches one")
    assert done.returncode == 0, done.stderr
    listed = json.loads(run(python, "-m", "pip", "list", "--format=json").stdout)
    assert {package["name"].lower().replace("_", "-") for package in listed} - before == NEEDED
    watched = run(python, "-c", "from mfagate.monitor import monitor; print(monitor('duo').provider)")
    assert (watched.returncode, watched.stdout) == (0, "duo\n"), watched.stderr
    command = run(str(tmp_path / "venv/bin/mfagate"), "check")
    assert (command.returncode, command.stdout) == (2, "")
    assert "[gate]" in command.stderr
