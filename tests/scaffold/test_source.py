"""What CI files install is pinned and exists; nothing installs a name that anybody could claim."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

import mfagate
from mfagate.core.extras import install_command
from mfagate.scaffold.pipeline import KINDS, pipeline_files
from mfagate.scaffold.source import EXAMPLE, BadSource, Source, parse

from ..support.project import REPOSITORY
from ..support.repository import git

WHEEL = "vendor/mfagate-0.1.0-py3-none-any.whl"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with a wheel, a clone and other files in it."""
    for name in (WHEEL, "vendor/other-1.0-py3-none-any.whl", "vendor/mfagate-notes.txt", "clone/pyproject.toml"):
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return tmp_path / "project"


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A repository of git with a tag and a branch."""
    path = tmp_path / "origin"
    path.mkdir()
    git(path, "init", "--quiet", "--initial-branch=main")
    (path / "file").write_text("")
    git(path, "add", "--all")
    git(path, "commit", "--quiet", "--message", "one")
    git(path, "tag", "v0.1.0")
    git(path, "branch", "feature")
    return path


def test_a_wheel_and_a_clone_in_the_project(folder: Path) -> None:
    assert parse(WHEEL, folder).requirement("[history]") == f"./{WHEEL}[history]"
    assert parse("./clone", folder).requirement("") == "./clone"
    assert parse(str(folder / WHEEL), folder).path == Path(WHEEL)


def test_an_index_pins_this_version(folder: Path) -> None:
    source = parse("https://pypi.acme.dev/simple", folder)
    assert source.requirement("[history]") == f"mfagate[history]=={mfagate.__version__}"
    assert source.index == "https://pypi.acme.dev/simple"


def test_a_tag_and_a_commit_are_looked_up(folder: Path, origin: Path) -> None:
    commit = git(origin, "rev-parse", "HEAD")
    for revision in ("v0.1.0", commit, commit[:12]):
        source = parse(f"git+file://{origin}@{revision}", folder)
        assert (source.requirement(""), source.doubt) == (f"mfagate @ git+file://{origin}@{revision}", "")


def test_a_repository_that_does_not_answer_is_reported(folder: Path, tmp_path: Path) -> None:
    assert "cannot be read from here" in parse(f"git+file://{tmp_path}/nowhere@v0.1.0", folder).doubt


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mfagate", "mfagate is not on a public index"),
        ("mfagate==0.1.0", "mfagate is not on a public index"),
        ("mfagate[history]>=0.1", "contains a character that is special in CI files and shells"),
        ("https://pypi.org/simple", "mfagate is not on pypi.org"),
        ("https://test.pypi.org/simple/", "mfagate is not on test.pypi.org"),
        ("http://pypi.acme.dev/simple", "it must begin with https://"),
        ("https://user:token@pypi.acme.dev/simple", "contains a user name or a token"),
        ("git+https://git.acme.dev/mfagate", "it names no version: add a tag or a commit"),
        ("git+https://git.acme.dev/mfagate@", "it names no version"),
        ("git+https://git.acme.dev/mfagate@main", "main moves"),
        ("git+https://token@git.acme.dev/mfagate@v1", "contains a user name or a token"),
        ("git+ssh://git:secret@git.acme.dev/mfagate@v1", "contains a user name or a token"),
        ("git+http://git.acme.dev/mfagate@v1", "write a git URL as git+https://"),
        ("git+ext::sh@v1", "write a git URL as git+https://"),
        ("ftp://x/y.whl", "pip cannot install it"),
        ("vendor/nothing.whl", "there is no file or folder vendor/nothing.whl in the project"),
        ("../outside.whl", "there is no file or folder"),
        ("/tmp", "/tmp is not in the project"),
        (".", "is not in the project"),
        ("vendor", "has no pyproject.toml"),
        ("vendor/mfagate-notes.txt", "is neither a wheel (.whl)"),
        ("vendor/other-1.0-py3-none-any.whl", "is not a package of mfagate"),
        ("a b.whl", "contains a character that is special in CI files and shells"),
        ("$(id)", "contains a character that is special in CI files and shells"),
    ],
)
def test_what_is_not_pinned_or_not_there_is_refused(folder: Path, text: str, words: str) -> None:
    with pytest.raises(BadSource, match=re.escape(words)):
        parse(text, folder)


@pytest.mark.parametrize(("revision", "words"), [("feature", "feature is a branch"), ("v9", "no tag v9")])
def test_a_branch_and_a_missing_tag_are_refused(folder: Path, origin: Path, revision: str, words: str) -> None:
    with pytest.raises(BadSource, match=words):
        parse(f"git+file://{origin}@{revision}", folder)


@given(st.text(max_size=20).filter(lambda text: not text.startswith(("git+", "http"))))
def test_any_text_is_a_source_or_is_refused(text: str) -> None:
    try:
        assert parse(text, REPOSITORY / "tests").path is not None
    except BadSource as error:
        assert str(error)


SOURCES = {
    "git": Source(f"mfagate{{extras}} @ {EXAMPLE}"),
    "index": Source("mfagate{extras}==0.1.0", index="https://pypi.acme.dev/simple"),
    "path": Source(f"./{WHEEL}{{extras}}", path=Path(WHEEL)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", SOURCES)
def test_every_ci_file_installs_the_source_and_nothing_else(kind: str, source: str) -> None:
    files = pipeline_files(kind, ["DUO_HOST"], "production", SOURCES[source])
    text = "\n".join(files.values())
    assert unpinned_in(text) == []
    if source != "git":
        assert "git.example.com" not in text
    if source == "index":
        lines = [line for line in text.splitlines() if "pypi.acme.dev" in line]
        assert lines and not any(line.lstrip().startswith(("# PIP", "// PIP", "# ARG")) for line in lines)
    if source == "path" and kind == "kubernetes":
        assert f"COPY {WHEEL} /source/" in text and f"!{WHEEL}" in text
        assert f'ARG MFAGATE_PACKAGE="/source/{Path(WHEEL).name}[postgresql]"' in text
    if source == "path" and kind == "pre-commit":
        (repository,) = yaml.safe_load(text)["repos"]
        assert {hook["language"] for hook in repository["hooks"]} == {"system"}
    for path, content in files.items():
        if path.suffix in (".yml", ".yaml"):
            assert list(yaml.safe_load_all(content))


_UNPINNED = re.compile(
    r"""(?:\bpip3?\sinstall(?:\s+-\S+)*|\bpipx\s\w+|\buv\s(?:add|(?:pip|tool)\s\w+)|\buvx|PACKAGE|_dependencies:)"""
    r"""[\s=:]*["'`\[]*mfagate(?:\[[\w,]+\])?+(?![\w./@-])(?!\s*(?:@|==))"""
)
"""A requirement of mfagate that an installer would look for in an index by its name alone."""


def unpinned_in(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if _UNPINNED.search(line)]


@pytest.mark.parametrize(
    ("line", "bad"),
    [
        ("$ pip install 'mfagate[html]'", True),
        ("pip install mfagate", True),
        ("additional_dependencies: [mfagate]", True),
        ("MFAGATE_PACKAGE: mfagate[history]", True),
        ("  $ uv tool install mfagate", True),
        ("pipx run mfagate check", True),
        ("/opt/mfagate/bin/pip install --quiet 'mfagate[history]'", True),
        ("ARG MFAGATE_PACKAGE=mfagate[postgresql]", True),
        ("pip install '/path/to/mfagate[html]'", False),
        ("pip install 'mfagate[history] @ git+https://x/y@v1'", False),
        ("pip install /path/to/mfagate and run mfagate", False),
    ],
)
def test_the_search_finds_what_it_should(line: str, bad: bool) -> None:
    assert bool(unpinned_in(line)) is bad


TEXTS = [
    path
    for pattern in ("README.md", "CONTRIBUTING.md", "docs/**/*.md", "ci/**/*", "examples/**/*", "src/mfagate/**/*")
    for path in REPOSITORY.glob(pattern)
    if path.is_file() and path.suffix not in (".pyc", ".json")
]


def test_no_document_installs_a_name_that_anybody_could_claim() -> None:
    assert len(TEXTS) > 100
    found = {str(path.relative_to(REPOSITORY)): unpinned_in(path.read_text("utf-8", "replace")) for path in TEXTS}
    assert {path: lines for path, lines in found.items() if lines} == {}
    assert [path for path in TEXTS if "pypi.org/project/mfagate" in path.read_text("utf-8", "replace")] == []


def test_no_package_of_a_provider_depends_on_the_name() -> None:
    """pip would look for it in a public index."""
    shipped = (REPOSITORY / "examples/mfagate-vonage/pyproject.toml").read_text()
    template = (REPOSITORY / "src/mfagate/scaffold/provider/pyproject.toml.tmpl").read_text()
    for text in (shipped, re.sub(r"\$(name|title|package)", "x", template)):
        project = tomllib.loads(text)["project"]
        extras = project.get("optional-dependencies", {}).values()
        names = [Requirement(one).name for one in [*project["dependencies"], *(one for some in extras for one in some)]]
        assert "mfagate" not in names


def test_an_extra_is_added_from_where_mfagate_came_from() -> None:
    """This installation is of a clone."""
    command = install_command("history")
    assert re.fullmatch(r"pip install '?/.+\[history\]'? \(or \[all\], which brings every extra\)", command)


def test_a_command_that_needs_an_extra_names_all() -> None:
    code = "from mfagate.core.extras import needs\nprint(needs('the html report', 'html'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "[html]" in done.stdout
    assert "or [all]" in done.stdout


def test_a_repository_that_is_silent_is_not_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It accepts the connection and says nothing, so that git waits."""
    monkeypatch.setattr("mfagate.scaffold.source._SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        source = parse(f"git+https://127.0.0.1:{port}/mfagate@v0.1.0", folder)
    assert source.doubt == "the repository did not answer"
