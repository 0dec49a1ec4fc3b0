"""The incident that mfagate exists for: one wrong key of three, and the first screen says all of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from ..support.project import REPOSITORY

CONFIGURATION = REPOSITORY / "examples/incident/integrations.toml"


def test_one_of_three_regions_has_a_wrong_key(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "mfagate", "gate", "--config", str(CONFIGURATION)]
    done = subprocess.run(
        [*command, "--output", "console", "--output", f"json={report}"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    screen = done.stdout
    for words in (
        "fail duo-eu: secret_key",
        "credential.rejected",
        "examples/incident/deploy/duo-eu.env:3",
        "30% of users log in through it",
        "the network, the provider and the clock are not at fault",
        "no database took part in this answer",
        "next step",
    ):
        assert words in screen
    wrong = (CONFIGURATION.parent / "deploy/duo-eu.env").read_text().rpartition("=")[2].strip()
    assert wrong not in screen + report.read_text()
    document = json.loads(report.read_text())
    verdicts = {one["name"]: one["verdict"] for one in document["integrations"]}
    assert verdicts == {"duo-us": "pass", "duo-eu": "fail", "duo-apac": "pass"}
    assert (document["run"]["exit_code"], document["run"]["configuration"]) == (1, str(CONFIGURATION))
    dated = [check for one in document["integrations"] for check in one["checks"] if check["id"] == "network.tls"]
    assert all(check["expires"].startswith("3000-01-01") for check in dated)
