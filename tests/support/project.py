"""A project with one privacyIDEA integration, healthy as it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mfagate.testing.project import Project as AnyProject

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


class Project(AnyProject):
    """``settings`` are the parts of the configuration that tests change."""

    def __init__(self, folder: Path, values: Mapping[str, str]) -> None:
        super().__init__(
            folder,
            {
                "VALIDATE": values["validate_key"],
                "ADMIN": values["admin_key"],
                "EXPIRED": values["expired_validate_key"],
            },
        )
        (folder / "contracts").symlink_to(REPOSITORY / "contracts")
        (folder / "cassettes").symlink_to(REPOSITORY / "cassettes")
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

    def text(self) -> str:
        """The configuration with its settings in it."""
        return CONFIGURATION.format(**self.settings)
