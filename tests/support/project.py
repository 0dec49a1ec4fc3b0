"""A project with one privacyIDEA integration, healthy as it is."""

from __future__ import annotations

import atexit
import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from mfagate.cassettes.reader import path_for
from mfagate.testing.project import Project as AnyProject

REPOSITORY = Path(__file__).parents[2]


def link_shipped(folder: Path) -> None:
    """Put the shipped contracts and recordings into a project; the recordings do not age."""
    (folder / "contracts").symlink_to(REPOSITORY / "contracts")
    (folder / "cassettes").symlink_to(ageless_recordings())


@cache
def ageless_recordings() -> Path:
    """Make a copy of the shipped recordings with a date that lies ahead; it is gone when the tests end."""
    folder = Path(tempfile.mkdtemp(prefix="mfagate-cassettes-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shutil.copytree(REPOSITORY / "cassettes", folder, dirs_exist_ok=True)
    dated = "  recorded_at: 2999-12-31\n"
    for path in folder.rglob("*.yaml"):
        path.write_text(re.sub(r"(?m)^  recorded_at: .*\n", dated, path.read_text(), count=1))
    return folder


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


SHORT = ("OTP accepted", "expired key", "missing key", "unknown user", "wrong OTP")
"""Interactions of the shipped contract of privacyIDEA that a gate verifies in a fraction of the time of all."""

PACT = Path("contracts/privacyidea/auth-service-privacyidea.json")


def link_short(folder: Path) -> None:
    """Put a short contract and its recordings into a project."""
    pact = json.loads((REPOSITORY / PACT).read_text())
    pact["interactions"] = [one for one in pact["interactions"] if one["description"] in SHORT]
    (folder / PACT).parent.mkdir(parents=True)
    (folder / PACT).write_text(json.dumps(pact, indent=2, ensure_ascii=False))
    recordings = folder / "cassettes/privacyidea"
    recordings.mkdir(parents=True)
    for name in SHORT:
        recording = path_for(ageless_recordings() / "privacyidea", name)
        shutil.copy(recording, recordings / recording.name)


class Project(AnyProject):
    """A project with a :data:`SHORT` contract. ``settings`` are the parts of the configuration that tests change."""

    def __init__(self, folder: Path, values: Mapping[str, str]) -> None:
        super().__init__(
            folder,
            {
                "VALIDATE": values["validate_key"],
                "ADMIN": values["admin_key"],
                "EXPIRED": values["expired_validate_key"],
            },
        )
        link_short(folder)
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

    def ask_everything(self) -> None:
        """Use the whole shipped contract and its recordings."""
        for name in ("contracts", "cassettes"):
            shutil.rmtree(self.folder / name)
        link_shipped(self.folder)

    def text(self) -> str:
        """The configuration with its settings in it."""
        return CONFIGURATION.format(**self.settings)
