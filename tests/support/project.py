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


FEW = ("OTP accepted", "missing key", "replayed OTP", "unknown user", "wrong OTP")
"""The interactions of privacyIDEA that a :class:`Project` asks for: all of them cost the server 2 s of computing."""


def link_shipped(folder: Path) -> None:
    """Put the shipped contracts and recordings into a project; the recordings do not age."""
    _link(folder, REPOSITORY / "contracts", ageless_recordings())


def _link(folder: Path, contracts: Path, cassettes: Path) -> None:
    for name, target in (("contracts", contracts), ("cassettes", cassettes)):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target)


@cache
def ageless_recordings() -> Path:
    """Make a copy of the shipped recordings with a date that lies ahead; it is gone when the tests end."""
    folder = _temporary_folder()
    shutil.copytree(REPOSITORY / "cassettes", folder, dirs_exist_ok=True)
    dated = "  recorded_at: 2999-12-31\n"
    for path in folder.rglob("*.yaml"):
        path.write_text(re.sub(r"(?m)^  recorded_at: .*\n", dated, path.read_text(), count=1))
    return folder


@cache
def _with_few_interactions() -> tuple[Path, Path]:
    """Make a copy of the shipped contracts and recordings, in which privacyIDEA has few interactions."""
    contracts, cassettes = _temporary_folder(), _temporary_folder()
    shutil.copytree(REPOSITORY / "contracts", contracts, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__*"))
    (path,) = contracts.glob("privacyidea/*.json")
    pact = json.loads(path.read_text())
    pact["interactions"] = [one for one in pact["interactions"] if one["description"] in FEW]
    path.write_text(json.dumps(pact, indent=2))
    shutil.copytree(ageless_recordings(), cassettes, dirs_exist_ok=True)
    for cassette in cassettes.glob("privacyidea/*.yaml"):
        if cassette not in [path_for(cassette.parent, description) for description in FEW]:
            cassette.unlink()
    return contracts, cassettes


def _temporary_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="mfagate-shipped-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
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
        _link(folder, *_with_few_interactions())
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
        """Use the whole shipped contract."""
        link_shipped(self.folder)

    def text(self) -> str:
        """The configuration with its settings in it."""
        return CONFIGURATION.format(**self.settings)
