"""The commit of a configuration: git says it, or the CI service, or a variable of mfagate's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.repository import git

from mfagate.core.git import commit_of, may_be_committed

ABC, DEF = "abcdef0" + "1" * 33, "def0123" + "2" * 33


@pytest.fixture
def committed(tmp_path: Path) -> Path:
    """A file in a commit, not in the folder at the top."""
    path = tmp_path / "deploy/integrations.toml"
    path.parent.mkdir()
    path.write_text("# one\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "one")
    return path


def test_git_is_asked_before_the_variables_of_a_service(committed: Path) -> None:
    head = git(committed.parent, "rev-parse", "HEAD")
    assert commit_of(committed, {}) == commit_of(committed, {"GITHUB_SHA": ABC}) == head
    assert commit_of(committed, {"GITHUB_SHA": ABC, "MFAGATE_COMMIT": DEF}) == DEF
    committed.write_text("# two\n")
    assert commit_of(committed, {}) == f"{head}-dirty"


def test_where_git_knows_nothing_a_service_does(tmp_path: Path, committed: Path) -> None:
    untracked = committed.with_name("other.toml")
    untracked.write_text("")
    for path in (untracked, Path("/nowhere/integrations.toml")):
        assert commit_of(path, {}) is None
        assert commit_of(path, {"CI_COMMIT_SHA": f" {ABC.upper()}\n"}) == ABC


@pytest.mark.parametrize("text", ["", "HEAD", "abc", "main; rm -rf /", "::error::x", "g" * 40, "a" * 65, "../../etc"])
def test_what_is_no_commit_is_not_taken_for_one(text: str) -> None:
    variables = {"MFAGATE_COMMIT": text, "BUILDKITE_COMMIT": text, "GIT_COMMIT": text}
    assert commit_of(Path("/nowhere/integrations.toml"), variables) is None
    assert commit_of(Path("/nowhere/integrations.toml"), {**variables, "CIRCLE_SHA1": DEF}) == DEF


def test_a_new_file_is_committed_unless_it_is_ignored(committed: Path, tmp_path: Path) -> None:
    new = committed.with_name("fingerprint.key")
    new.write_text("")
    assert may_be_committed(new)
    (tmp_path / ".gitignore").write_text("*.key\n")
    assert not may_be_committed(new)
    assert not may_be_committed(committed)
    assert not may_be_committed(Path("/nowhere/fingerprint.key"))
