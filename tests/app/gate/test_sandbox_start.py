"""A sandbox that does not start: the next step is about the sandbox, not about the selection of the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from mfagate.sandbox import BETWEEN_MESSAGES
from mfagate.testing.project import Project

CONFIGURATION = """
[integrations.okta]
provider = "okta"
environment = "development"
endpoint = "sandbox"
[integrations.okta.settings]
org_url = "sandbox:org_url"
api_token = "sandbox:api_token"
"""


class Written(Project):
    def text(self) -> str:
        return CONFIGURATION


def test_the_next_step_is_about_the_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BETWEEN_MESSAGES, "soon")
    first = Written(tmp_path, {}).run("gate").first_red
    assert first["cause"] == "gate.nothing-checked"
    assert "is not a whole number of seconds" in first["message"]
    assert "--integration" not in first["next_step"]
    assert "mfagate sandbox okta" in first["next_step"]
