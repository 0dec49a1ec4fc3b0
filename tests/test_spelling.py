"""The spelling check reads what is in the repository, and nothing that tools leave beside it."""

from __future__ import annotations

import tomllib

from tests.support.project import REPOSITORY


def test_the_spelling_check_skips_what_git_ignores() -> None:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["codespell"]
    skipped = {entry.strip() for entry in settings["skip"].split(",")}
    ignored = [line.rstrip("/") for line in (REPOSITORY / ".gitignore").read_text().splitlines() if line]
    patterns = {f".{line}" if line.startswith("/") else line for line in ignored}
    assert patterns <= skipped
