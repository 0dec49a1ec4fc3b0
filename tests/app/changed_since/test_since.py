"""``--changed-since``: exactly the integrations that a change concerns."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.support.repository import Repository

from mfagate.app import changed_since
from mfagate.config.load import load
from mfagate.core.git import GitError, footprint
from mfagate.core.result import ChangedSince
from mfagate.secrets.reference import SCHEMES, Reference
from mfagate.secrets.stores import file_of


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def since(repository: Repository, revision: str = "HEAD") -> ChangedSince:
    configuration = load(repository.folder / "integrations.toml", ["duo"])
    return changed_since.since(revision, configuration, configuration.select())


def _new_cassette(repository: Repository) -> None:
    repository.put("cassettes/eu/new.yaml", "interactions: []\n")


def _staged(repository: Repository) -> None:
    repository.put("deploy/eu.env", "SKEY=other\n")
    repository.git("add", "--all")


def _committed(repository: Repository) -> None:
    repository.put("contracts/eu.json", "{}")
    repository.commit()


def _removed(repository: Repository) -> None:
    (repository.folder / "deploy/eu.env").unlink()


def _moved_link(repository: Repository) -> None:
    """The link names another file; both are as they were."""
    contract = repository.folder / "contracts/eu.json"
    contract.unlink()
    contract.symlink_to("us.json")


def _moved_away(repository: Repository) -> None:
    """git would tell a file that has moved by its new name alone."""
    (repository.folder / "other").mkdir()
    repository.git("mv", "cassettes/eu/key-accepted.yaml", "other/key-accepted.yaml")
    repository.commit()


def _ignored_but_here(repository: Repository) -> None:
    repository.git("rm", "--quiet", "--cached", "deploy/eu.env")
    repository.put(".gitignore", "deploy/eu.env\n")
    repository.commit()
    repository.put("deploy/eu.env", "SKEY=other\n")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda repository: repository.put("deploy/eu.env", "SKEY=other\n"), "deploy/eu.env"),
        (lambda repository: repository.put("contracts/eu.json", "{}"), "contracts/eu.json"),
        (_new_cassette, "cassettes/eu"),
        (_staged, "deploy/eu.env"),
        (_committed, "contracts/eu.json"),
        (_removed, "deploy/eu.env"),
        (_moved_link, "contracts/eu.json"),
        (_moved_away, "cassettes/eu"),
        (_ignored_but_here, "deploy/eu.env"),
        (lambda repository: repository.replace("/eu.env#SKEY", "/eu.env#OTHER"), "[integrations.eu]"),
        (lambda repository: repository.replace('contract = "contracts/eu.json"', ""), "[integrations.eu]"),
    ],
)  # fmt: skip
def test_one_change_concerns_one(repository: Repository, change: Callable[[Repository], None], reason: str) -> None:
    start = repository.git("rev-parse", "HEAD")
    change(repository)
    found = since(repository, start)
    assert (found.changed, found.unchanged) == ({"eu": [reason]}, ["us"])


ENV = "deploy/eu.env"
OTHER = "SKEY=Wq7pLz3Vn8Kc5Rt2Xb9Ym4Jd6Hf1Gs0Tv7Nw3xx\n"
"""As long as what it replaces."""


def _put_unnoticed(repository: Repository) -> None:
    """Other bytes of the same length, with the times of before."""
    path = repository.folder / ENV
    before = path.stat()
    with path.open("r+") as file:  # the same inode
        file.write(OTHER)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _skip_worktree(repository: Repository) -> None:
    repository.git("update-index", "--skip-worktree", ENV)
    repository.put(ENV, OTHER)


def _assume_unchanged(repository: Repository) -> None:
    repository.git("update-index", "--assume-unchanged", ENV)
    repository.put(ENV, OTHER)


def _check_stat(repository: Repository) -> None:
    for setting in ("core.checkStat=minimal", "core.trustctime=false"):
        repository.git("config", *setting.split("="))
    repository.git("update-index", "--refresh")
    _put_unnoticed(repository)


def _clean_filter(repository: Repository) -> None:
    """A filter that gives git the old bytes whatever the file holds."""
    old = repository.folder.parent / "old"
    old.write_text((repository.folder / ENV).read_text())
    repository.git("config", "filter.old.clean", f"cat {old}")
    (repository.folder / ".git/info/attributes").write_text("*.env filter=old\n")
    repository.put(ENV, OTHER)


def _line_ends(repository: Repository) -> None:
    """Carriage returns become part of a value; git takes them away before it compares."""
    repository.git("config", "core.autocrlf", "true")
    path = repository.folder / ENV
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def _line_ends_by_attributes(repository: Repository) -> None:
    (repository.folder / ".git/info/attributes").write_text("*.env text eol=crlf\n")
    path = repository.folder / ENV
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def _replaced(repository: Repository) -> None:
    """In this clone another blob stands for the one of the revision."""
    blob = repository.git("rev-parse", f"HEAD:{ENV}")
    repository.put(ENV, OTHER)
    other = repository.git("hash-object", "-w", ENV)
    repository.git("replace", blob, other)


def _replaced_commit(repository: Repository) -> None:
    """In this clone the commit with the change stands for the one before."""
    start = repository.git("rev-parse", "HEAD")
    repository.put(ENV, OTHER)
    repository.git("replace", start, repository.commit())


def _ignored(repository: Repository) -> None:
    repository.put(".git/info/exclude", "*\n")
    repository.put(ENV, OTHER)


def _sparse(repository: Repository) -> None:
    repository.git("sparse-checkout", "set", "--no-cone", "/*", "!/deploy/eu.env")
    repository.put(ENV, OTHER)


def _same_bytes_through_a_link(repository: Repository) -> None:
    path = repository.folder / ENV
    path.rename(repository.folder.parent / "outside.env")
    path.symlink_to("../../outside.env")


HIDING = [
    _put_unnoticed, _skip_worktree, _assume_unchanged, _check_stat, _clean_filter, _line_ends, _line_ends_by_attributes,
    _replaced, _replaced_commit, _ignored, _sparse, _same_bytes_through_a_link,
]  # fmt: skip


@pytest.mark.parametrize("hide", HIDING)
def test_nothing_of_git_hides_other_bytes(tmp_path: Path, hide: Callable[[Repository], None]) -> None:
    (tmp_path / "clone").mkdir()
    repository = Repository(tmp_path / "clone")
    start = repository.git("rev-parse", "HEAD")
    hide(repository)
    found = since(repository, start)
    assert (list(found.changed), found.unchanged) == (["eu"], ["us"])


def test_a_graft_hides_no_parent(repository: Repository) -> None:
    """``HEAD~1`` is the parent that was committed, and not the one that this clone has written down."""
    repository.put(ENV, OTHER)
    changed = repository.commit()
    repository.put("README.md", "news")
    repository.commit()
    (repository.folder / ".git/info/grafts").write_text(f"{changed} {changed}\n")
    assert since(repository, "HEAD~2").changed == {"eu": [ENV]}


def test_a_submodule_cannot_be_compared(tmp_path: Path) -> None:
    for name in ("inner", "outer"):
        (tmp_path / name).mkdir()
    inner, repository = Repository(tmp_path / "inner"), Repository(tmp_path / "outer")
    repository.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.folder), "sub")
    repository.git("config", "-f", ".gitmodules", "submodule.sub.ignore", "all")
    repository.replace('contract = "contracts/eu.json"', 'contract = "sub/contracts/eu.json"')
    repository.commit()
    assert since(repository).changed == {"eu": ["sub/contracts/eu.json"]}


def test_a_repository_of_sha256(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    subprocess.run(["rm", "-rf", str(tmp_path / ".git")], check=True)
    repository.git("init", "--quiet", "--object-format=sha256", "--initial-branch=main")
    repository.commit()
    assert since(repository).changed == {}
    repository.put(ENV, OTHER)
    assert list(since(repository).changed) == ["eu"]


def test_a_pipe_in_the_place_of_a_recording_is_not_waited_for(repository: Repository) -> None:
    path = repository.folder / "cassettes/eu/key-accepted.yaml"
    path.unlink()
    os.mkfifo(path)
    assert since(repository).changed == {"eu": ["cassettes/eu"]}


def test_a_working_tree_elsewhere_is_refused(repository: Repository, tmp_path_factory: pytest.TempPathFactory) -> None:
    repository.git("config", "core.worktree", str(tmp_path_factory.mktemp("elsewhere")))
    with pytest.raises(GitError, match="is not in it"):
        since(repository)


def test_what_is_ignored_and_the_same_has_not_changed(repository: Repository) -> None:
    start = repository.git("rev-parse", "HEAD")
    _ignored_but_here(repository)
    repository.git("checkout", "--quiet", start, "--", ENV)
    assert since(repository, start).changed == {}


@pytest.mark.parametrize("reference", ["file:deploy/key", "k8s-secret:deploy/key#mfa/skey", "yaml:deploy/key#a.b"])
@pytest.mark.parametrize("table", ["settings", "expect", "control", "test_data", "client"])
def test_every_reference_of_every_table_counts(repository: Repository, table: str, reference: str) -> None:
    key = {"client": "retries", "settings": "user_agent"}.get(table, "user")
    head = "" if table == "settings" else f"[integrations.us.{table}]\n"
    repository.configuration += f'{head}{key} = "{reference}"\n'
    repository.put("deploy/key", "one")
    repository.write()
    repository.commit()
    assert since(repository).changed == {}
    repository.put("deploy/key", "two")
    assert since(repository).changed == {"us": ["deploy/key"]}


def test_the_certificate_authorities_count(repository: Repository) -> None:
    repository.put("ca.pem", "one")
    repository.replace("[integrations.eu.settings]", 'ca_bundle = "ca.pem"\n\n[integrations.eu.settings]')
    repository.commit()
    assert since(repository).changed == {}
    repository.put("ca.pem", "two")
    assert since(repository).changed == {"eu": ["ca.pem"]}


def test_limits_concern_all(repository: Repository) -> None:
    repository.replace("[integrations.eu]", "[gate]\nexpiring_soon_days = 10\n[integrations.eu]")
    found = since(repository)
    assert found.changed == {name: ["[gate] of integrations.toml"] for name in ("eu", "us")}


def test_comments_order_and_other_files_concern_none(repository: Repository) -> None:
    eu, us = repository.configuration.split("[integrations.us]")
    repository.configuration = f"# moved\n[integrations.us]{us}{eu}"
    repository.write()
    repository.put("README.md", "news")
    found = since(repository)
    assert (found.changed, found.unchanged, found.removed) == ({}, ["us", "eu"], [])


def test_true_is_not_one(repository: Repository) -> None:
    repository.replace('environment = "staging"', 'environment = "staging"\nshare_of_users = 1')
    repository.commit()
    repository.replace("share_of_users = 1", "share_of_users = 1.0")
    assert list(since(repository).changed) == ["eu", "us"]


def test_a_new_name_is_a_new_integration(repository: Repository) -> None:
    repository.replace("[integrations.eu", "[integrations.emea")
    found = since(repository)
    assert (found.changed, found.unchanged, found.removed) == ({"emea": ["[integrations.emea]"]}, ["us"], ["eu"])


def test_a_file_elsewhere_cannot_be_compared(repository: Repository, tmp_path_factory: pytest.TempPathFactory) -> None:
    key = tmp_path_factory.mktemp("elsewhere") / "key"
    repository.replace("dotenv:deploy/eu.env#SKEY", f"file:{key}")
    key.write_text("secret")
    repository.commit()
    assert since(repository).changed == {"eu": [str(key)]}


@pytest.mark.parametrize("before", ["not = [toml", None])
def test_all_is_new_where_the_file_was_not_or_was_unreadable(repository: Repository, before: str | None) -> None:
    path = repository.folder / "integrations.toml"
    path.write_text(before) if before else path.unlink()
    repository.commit()
    repository.write()
    assert list(since(repository).changed) == ["eu", "us"]


def test_zeros_are_the_revision_before_the_first(repository: Repository) -> None:
    """What GitHub and GitLab hand to a pipeline of a new branch."""
    found = since(repository, "0" * 40)
    assert (list(found.changed), found.commit) == (["eu", "us"], None)


def test_a_link_to_the_repository_is_none_of_its_files(
    repository: Repository, tmp_path_factory: pytest.TempPathFactory
) -> None:
    link = tmp_path_factory.mktemp("elsewhere") / "link"
    link.symlink_to(repository.folder)
    configuration = load(link / "integrations.toml", ["duo"])
    assert changed_since.since("HEAD", configuration, configuration.select()).changed == {}
    repository.put("deploy/eu.env", "SKEY=other\n")
    assert changed_since.since("HEAD", configuration, configuration.select()).changed == {"eu": ["deploy/eu.env"]}


def test_all_is_new_where_the_configuration_is_a_link_that_was_moved(repository: Repository) -> None:
    """Both files that it names are as they were."""
    path = repository.folder / "integrations.toml"
    repository.put("other.toml", repository.configuration.replace("staging", "development"))
    path.rename(repository.folder / "production.toml")
    path.symlink_to("other.toml")
    repository.commit()
    assert since(repository).changed == {}
    path.unlink()
    path.symlink_to("production.toml")
    assert list(since(repository).changed) == ["eu", "us"]


@pytest.mark.parametrize("target", ["../../common/one.yaml", "../../common"], ids=["file", "folder"])
def test_what_a_link_in_a_folder_leads_to_counts(repository: Repository, target: str) -> None:
    """Recordings that several integrations share; a link that leads back ends nowhere."""
    repository.put("common/one.yaml", "one\n")
    (repository.folder / "cassettes/eu/shared.yaml").symlink_to(target)
    (repository.folder / "common/back").symlink_to("../cassettes/eu")
    repository.commit()
    assert since(repository).changed == {}
    repository.put("common/one.yaml", "two\n")
    assert since(repository).changed == {"eu": ["cassettes/eu"]}


def test_it_works_from_a_folder_below(repository: Repository) -> None:
    below = repository.folder / "services/login"
    below.mkdir(parents=True)
    for name in ("integrations.toml", "deploy", "contracts", "cassettes"):
        (repository.folder / name).rename(below / name)
    repository.commit()
    (below / "deploy/us.env").write_text("SKEY=other\n")
    configuration = load(below / "integrations.toml", ["duo"])
    assert changed_since.since("HEAD", configuration, configuration.select()).changed == {"us": ["deploy/us.env"]}


PATTERNS = ["deploy/{}.env", "contracts/{}.json", "cassettes/{}/key-accepted.yaml", "other/{}"]
PLACES = {pattern.format(name): name for pattern in PATTERNS for name in ("eu", "us")}
DOINGS = ["change", "restore", "remove", "stage", "commit"]


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(list(PLACES)), st.sampled_from(DOINGS)), max_size=6))
def test_selected_is_what_differs(steps: list[tuple[str, str]]) -> None:
    """However a tree came to be what it is: what counts is that a file is as it was, or is not."""
    with tempfile.TemporaryDirectory() as folder:
        repository = Repository(Path(folder))
        start = repository.git("rev-parse", "HEAD")
        original = {place: _content(repository, place) for place in PLACES}
        for place, doing in steps:
            _do(repository, place, doing, original[place])
        differ = {place for place in PLACES if _content(repository, place) != original[place]}
        expected = {PLACES[place] for place in differ if not place.startswith("other/")}
        assert set(since(repository, start).changed) == expected


def _content(repository: Repository, place: str) -> str | None:
    path = repository.folder / place
    return path.read_text() if path.exists() else None


def _do(repository: Repository, place: str, doing: str, original: str | None) -> None:
    path = repository.folder / place
    if doing == "change":
        repository.put(place, "changed\n")
    elif doing == "stage":
        repository.git("add", "--all")
    elif doing == "commit":
        repository.commit()
    elif doing == "remove" or original is None:
        path.unlink(missing_ok=True)
    else:
        repository.put(place, original)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_of_each_scheme_it_is_known_whether_it_reads_a_file(scheme: str) -> None:
    found = file_of(Reference(scheme, "some/where#a/b"), Path("/base"))
    assert (found is None) == (scheme in ("env", "sandbox"))
    assert found is None or found.is_relative_to("/base/some")


# The whole command.


def test_nothing_changed_is_in_order(repository: Repository) -> None:
    result = repository.run("check", "--without-secrets", "--changed-since", "main")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:2] == [
        "PASS: nothing to check: no integration changed since main",
        "unchanged, not checked: eu; us",
    ]
    assert (result.report["verdict"], result.report["cause"], result.report["integrations"]) == ("pass", None, [])
    commit = repository.git("rev-parse", "HEAD")
    assert result.report["run"]["changed_since"] == {
        "revision": "main", "commit": commit, "changed": {}, "unchanged": ["eu", "us"], "removed": [],
    }  # fmt: skip
    junit = (repository.folder / "junit.xml").read_text()
    assert 'tests="1" failures="0" errors="0" skipped="1"' in junit


def test_what_changed_is_checked_and_the_report_says_why(repository: Repository) -> None:
    repository.put("deploy/eu.env", "SKEY=changeme\n")
    result = repository.run("check", "--changed-since", "HEAD")
    assert (result.exit_code, [one["name"] for one in result.report["integrations"]]) == (1, ["eu"])
    assert "\nchanged since HEAD: eu (deploy/eu.env)\nunchanged, not checked: us\n" in result.stdout


def test_the_gate_asks_only_what_changed(repository: Repository) -> None:
    repository.replace('secret_key = "dotenv:deploy/us.env#SKEY"', 'secret_key = "sandbox:secret_key"')
    result = repository.run("gate", "--changed-since", "HEAD")
    assert (result.exit_code, [one["name"] for one in result.report["integrations"]]) == (0, ["us"]), result.stdout


def test_a_selection_that_fits_nothing_is_still_a_failure(repository: Repository) -> None:
    result = repository.run("check", "--environment", "production", "--changed-since", "HEAD")
    assert (result.exit_code, result.report["cause"]) == (1, "gate.nothing-checked")


def _shallow(repository: Repository, tmp_path: Path) -> Path:
    repository.commit()
    clone = tmp_path / "clone"
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.folder}", str(clone))
    return clone


@pytest.mark.parametrize(
    ("revision", "words"),
    [
        ("v9", "git knows no revision 'v9' here: correct it, or fetch it first"),
        ("", "'' is not a revision"),
        ("--output=/tmp/x", "is not a revision: write it like origin/main"),
        ("HEAD:integrations.toml", "git knows no revision"),
        ("a\nb", "git knows no revision"),
    ],
)
def test_a_revision_that_is_none(repository: Repository, revision: str, words: str) -> None:
    result = repository.run("check", f"--changed-since={revision}")
    assert (result.exit_code, words in result.stderr, result.report) == (2, True, {}), result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("kind", ["tag", "branch"])
def test_a_name_that_a_tag_or_branch_takes_is_no_revision(repository: Repository, kind: str) -> None:
    """Whoever may push a tag could hide a change by it: git prefers the tag, and only warns."""
    repository.git("update-ref", "refs/remotes/origin/main", "HEAD")
    repository.git("config", "core.warnAmbiguousRefs", "false")
    _committed(repository)
    assert list(since(repository, "origin/main").changed) == ["eu"]
    repository.git(kind, "origin/main", "HEAD")
    result = repository.run("check", "--changed-since", "origin/main")
    assert (result.exit_code, "several revisions named 'origin/main'" in result.stderr) == (2, True)
    assert list(since(repository, "refs/remotes/origin/main").changed) == ["eu"]


def test_a_name_like_the_id_of_a_commit(repository: Repository) -> None:
    first = repository.git("rev-parse", "--short", "HEAD")
    _committed(repository)
    repository.git("tag", first, "HEAD")
    with pytest.raises(GitError, match="several revisions"):
        since(repository, first)


def test_a_shallow_clone_says_how_to_fetch_more(repository: Repository, tmp_path: Path) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.folder = _shallow(repository, tmp_path)
    result = repository.run("check", "--changed-since", first)
    assert (result.exit_code, "fetch-depth: 0" in result.stderr, "GIT_DEPTH: 0" in result.stderr) == (2, True, True)


def test_no_repository(repository: Repository) -> None:
    subprocess.run(["rm", "-rf", str(repository.folder / ".git")], check=True)
    result = repository.run("check", "--changed-since", "HEAD", GIT_CEILING_DIRECTORIES=str(repository.folder.parent))
    assert (result.exit_code, "is not in a usable working tree of git" in result.stderr) == (2, True), result.stderr


def test_no_git(repository: Repository, tmp_path: Path) -> None:
    result = repository.run("check", "--changed-since", "HEAD", PATH=str(tmp_path / "nowhere"))
    assert (result.exit_code, "the command git is required" in result.stderr) == (2, True), result.stderr


NAMES = st.sampled_from(["a", "b", "c", "d"])
STEPS = st.lists(st.one_of(NAMES, st.just("..")), min_size=1, max_size=3).map("/".join)


@given(links=st.dictionaries(NAMES, STEPS, max_size=3), asked=STEPS)
def test_a_way_through_links_ends_where_the_system_ends_it(links: dict[str, str], asked: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder).resolve() / "one/two/three/four"
        base.mkdir(parents=True)
        for name, target in links.items():
            (base / name).symlink_to(target)
        assume((base / asked).exists())
        expected = (base / asked).resolve()
        *on_the_way, end = footprint(base / asked)
        assert (end, all(place.is_symlink() for place in on_the_way)) == (expected, True)
