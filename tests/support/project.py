"""A project of somebody else: their server, their configuration, our command."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mfagate.secrets.redaction import Redactor

REPOSITORY = Path(__file__).parents[2]

CONFIGURATION = """\
[integrations.mfa]
provider = "privacyidea"
environment = "{environment}"
share_of_users = 0.3
timeout_seconds = {timeout}
{more}
[integrations.mfa.settings]
url = "{url}"
validate_key = "{validate_key}"
admin_key = "{admin_key}"

[integrations.mfa.expect]
{expect}

[integrations.mfa.test_data]
user = "mfagate-test"
expired_validate_key = "env:EXPIRED"
{tables}
"""


@dataclass
class Result:
    """What a command did."""

    exit_code: int
    stdout: str
    stderr: str
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def mfa(self) -> dict[str, Any]:
        """The report on the only integration."""
        integration: dict[str, Any] = self.report["integrations"][0]
        return integration

    @property
    def first_red(self) -> dict[str, Any]:
        """The check that decided."""
        check: dict[str, Any] = next(c for c in self.mfa["checks"] if c["outcome"] in ("fail", "inconclusive"))
        return check

    def checks(self, check_id: str) -> list[dict[str, Any]]:
        """All checks of an id."""
        return [check for check in self.mfa["checks"] if check["id"] == check_id]


class Project:
    """A folder with a configuration; every run is searched for the secrets."""

    def __init__(self, folder: Path, values: Mapping[str, str]) -> None:
        self.folder = folder
        (folder / "contracts").symlink_to(REPOSITORY / "contracts")
        (folder / "cassettes").symlink_to(REPOSITORY / "cassettes")
        self.env = {
            "VALIDATE": values["validate_key"],
            "ADMIN": values["admin_key"],
            "EXPIRED": values["expired_validate_key"],
        }
        self.settings = {
            "url": values["url"],
            "validate_key": "env:VALIDATE",
            "admin_key": "env:ADMIN",
            "environment": "staging",
            "timeout": "5",
            "more": "",
            "expect": 'realm = "lab"',
            "tables": "",
        }
        self._known = dict(self.env)

    def write(self) -> None:
        """Write integrations.toml."""
        text = CONFIGURATION.format(**self.settings)
        tomllib.loads(text)
        (self.folder / "integrations.toml").write_text(text)

    def line_of(self, start: str) -> int:
        """The line of the configuration that starts like this."""
        lines = (self.folder / "integrations.toml").read_text().splitlines()
        return next(number for number, line in enumerate(lines, 1) if line.startswith(start))

    def write_k8s_secret(self, value: str) -> Path:
        """A manifest as kubectl would make it."""
        encoded = base64.b64encode(value.encode()).decode()
        path = self.folder / "secret.yaml"
        path.write_text(f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: mfa\ndata:\n  token: {encoded}\n")
        return path

    def run(self, *arguments: str, **env: str) -> Result:
        """Run mfagate here; no secret may stand in anything that it wrote."""
        self.write()
        done = self.execute(*arguments, "--output", "json=report.json", "--output", "junit=junit.xml", **env)
        report = self.folder / "report.json"
        done.report = json.loads(report.read_text()) if report.exists() else {}
        return done

    def execute(self, *arguments: str, **env: str) -> Result:
        """Run any mfagate command here."""
        completed = subprocess.run(
            [sys.executable, "-m", "mfagate", *arguments],
            cwd=self.folder,
            env={**os.environ, **self.env, **env},
            capture_output=True,
            text=True,
            timeout=120,
        )
        result = Result(completed.returncode, completed.stdout, completed.stderr)
        self.assert_no_secret(result)
        return result

    def assert_no_secret(self, result: Result) -> None:
        """Search everything that was written for every secret in every encoding."""
        redactor = Redactor({**self._known, **{f"changed {name}": value for name, value in self.env.items()}})
        written = [self.folder / name for name in ("report.json", "junit.xml")]
        texts = [result.stdout, result.stderr, *(path.read_text() for path in written if path.exists())]
        # Wrapping at the width of a report must not hide a secret from the search.
        texts += ["".join(line.strip() for line in text.splitlines()) for text in texts]
        for text in texts:
            assert redactor.found_in(text) == []
