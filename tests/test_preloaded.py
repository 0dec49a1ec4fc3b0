"""A command in a fork behaves as in an interpreter of its own."""

from __future__ import annotations

import json
import os
from pathlib import Path

from mfagate.testing import preloaded

PROJECT = """\
[integrations.mfa]
provider = "duo"
environment = "staging"
[integrations.mfa.settings]
host = "api-a1b2c3d4.duosecurity.com"
integration_key = "DIWJ8X6AEYOR5OMC6TQ1"
secret_key = "env:KEY"
"""


def fingerprint_in_a_fork(folder: Path) -> str:
    environment = {**os.environ, "KEY": "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep"}
    preloaded.run(["check", "--output", "json=report.json"], folder, environment, 60)
    (integration,) = json.loads((folder / "report.json").read_text())["integrations"]
    return str(integration["fingerprints"]["secret_key"])


def test_each_fork_has_a_fingerprint_key_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "integrations.toml").write_text(PROJECT)
    assert fingerprint_in_a_fork(tmp_path) != fingerprint_in_a_fork(tmp_path)
