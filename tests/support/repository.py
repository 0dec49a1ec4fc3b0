"""A scratch repository of git with two integrations in it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from mfagate.testing.project import Project

from .project import REPOSITORY

INTEGRATION = """\
[integrations.{name}]
provider = "duo"
environment = "staging"
contract = "contracts/{name}.json"
cassettes = "cassettes/{name}"
endpoint = "sandbox"

[integrations.{name}.settings]
host = "sandbox:host"
integration_key = "sandbox:integration_key"
secret_key = "{secret_key}"
"""


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder as somebody; what it prints."""
    who = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false"]
    command = ["git", *who, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


class Repository(Project):
    """Integrations ``eu`` and ``us`` of Duo, with a key each in a .env file, as they were committed."""

    def __init__(self, folder: Path, secret_keys: dict[str, str] | None = None) -> None:
        super().__init__(folder, {})
        self.configuration = "".join(
            INTEGRATION.format(name=name, secret_key=(secret_keys or {}).get(name, f"dotenv:deploy/{name}.env#SKEY"))
            for name in ("eu", "us")
        )
        for name in ("eu", "us"):
            self.put(f"deploy/{name}.env", f"SKEY=Wq7pLz3Vn8Kc5Rt2Xb9Ym4Jd6Hf1Gs0Tv7Nw3{name}\n")
            contract = REPOSITORY / "contracts/duo/auth-service-duo.json"
            self.put(f"contracts/{name}.json", contract.read_text())
            shutil.copytree(REPOSITORY / "cassettes/duo", folder / "cassettes" / name)
        self.write()
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit()

    def text(self) -> str:
        return self.configuration

    def put(self, path: str, text: str) -> None:
        """Write a file of the repository."""
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)

    def replace(self, old: str, new: str) -> None:
        """Change the configuration."""
        assert old in self.configuration, old
        self.configuration = self.configuration.replace(old, new)
        self.write()

    def git(self, *arguments: str) -> str:
        """Run git here as somebody."""
        return git(self.folder, *arguments)

    def commit(self) -> str:
        """Commit everything; the commit's name."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a change")
        return self.git("rev-parse", "HEAD")
