"""Compare a working tree with one revision, byte by byte.

git only lists the revision: the names and object ids of its files. It never reports
what has changed, because the index, filters and settings influence that: ``skip-worktree``,
``assume-unchanged``, ``core.checkStat``, ``core.trustctime``, ``core.fsmonitor``, ``autocrlf``, clean
filters and ``ignore = all`` of a submodule all can hide a change
(https://git-scm.com/docs/git-update-index, https://git-scm.com/docs/gitattributes).
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import subprocess
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from mfagate.core.files import open_regular
from mfagate.core.foreign import quoted

_SECONDS = 60
_CHUNK = 1 << 20


class GitError(Exception):
    """git cannot answer the question here; the message says what to do."""


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A file of a revision: its mode, and the id that git makes of its bytes."""

    mode: int
    object_id: str

    def is_same(self, path: Path) -> bool:
        """Return whether a path holds these bytes in a file of this kind; a submodule counts as different."""
        try:
            if stat.S_ISLNK(self.mode):
                return path.is_symlink() and self._is_of(io.BytesIO(os.fsencode(path.readlink())))
            if not stat.S_ISREG(self.mode) or path.is_symlink():
                return False
            with open_regular(path) as file:
                return self._is_of(file)
        except OSError:
            return False

    def _is_of(self, file: BinaryIO) -> bool:
        """Return whether the id is that of these bytes: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects."""
        digest = hashlib.new("sha1" if len(self.object_id) == 40 else "sha256", usedforsecurity=False)
        size = file.seek(0, os.SEEK_END)
        digest.update(b"blob %d\0" % size)
        file.seek(0)
        while piece := file.read(_CHUNK):
            digest.update(piece)
        return digest.hexdigest() == self.object_id


@dataclass(frozen=True)
class Tree:
    """A working tree and one revision. ``root`` contains no symbolic links.

    ``commit`` is None for the revision before the first one: see :func:`open_tree`.
    """

    root: Path
    commit: str | None

    def text(self, path: Path) -> str | None:
        """Return the file as it was at the revision; None if there was no file, or a link led elsewhere."""
        *links, place = footprint(self._from_root(path))
        if any(map(self._differs, links)) or not place.is_relative_to(self.root):
            return None
        entry = self.tracked.get(place.relative_to(self.root).as_posix())
        if entry is None or not stat.S_ISREG(entry.mode):
            return None
        return _git(self.root, "cat-file", "blob", entry.object_id).decode("utf-8", "replace")

    @cached_property
    def tracked(self) -> Mapping[str, TreeEntry]:
        """Every file of the revision, by its path from the root."""
        if self.commit is None:
            return {}
        listed = os.fsdecode(_git(self.root, "ls-tree", "-r", "-z", "--full-tree", self.commit))
        lines = (line.partition("\t") for line in listed.split("\0") if line)
        return {name: TreeEntry(int(about.split()[0], 8), about.split()[2]) for about, _, name in lines}

    @cached_property
    def _names(self) -> list[str]:
        return sorted(self.tracked)

    @cached_property
    def _compared(self) -> dict[str, bool]:
        """Results by file, kept because integrations share files."""
        return {}

    def differs(self, path: Path) -> bool:
        """Whether a file, or anything in a folder, has other bytes than at the revision.

        The target of a link counts, also of a link in the folder. Whatever cannot be compared has
        changed: a file that git ignores or does not have, one outside the working tree, and a submodule.
        """
        waiting, seen = [self._from_root(path)], set[Path]()
        while waiting:
            *links, place = footprint(waiting.pop())
            if any(map(self._differs, (*links, place))):
                return True
            if place not in seen:
                seen.add(place)
                waiting += [file for file in _files(place) if file.is_symlink()]
        return False

    def _from_root(self, path: Path) -> Path:
        """Return the path without the links that lead to the root, because they are not among its files."""
        path = path.absolute()
        above = next((folder for folder in reversed(path.parents) if folder.resolve() == self.root), None)
        return path if above is None else self.root / path.relative_to(above)

    def _differs(self, place: Path) -> bool:
        if not place.is_relative_to(self.root):
            return True
        then = self._then(place.relative_to(self.root).as_posix())
        now = {file.relative_to(self.root).as_posix() for file in _files(place)}
        return now != set(then) or not all(map(self._is_same, then))

    def _then(self, name: str) -> list[str]:
        """Return the file of the revision, or its files in a folder."""
        if name in self.tracked:
            return [name]
        if name == ".":
            return self._names
        # "0" is the character after "/".
        return self._names[bisect_left(self._names, f"{name}/") : bisect_left(self._names, f"{name}0")]

    def _is_same(self, name: str) -> bool:
        if name not in self._compared:
            self._compared[name] = self.tracked[name].is_same(self.root / name)
        return self._compared[name]


def open_tree(folder: Path, revision: str) -> Tree:
    """Return the working tree around a folder, beside a revision.

    git, GitHub and GitLab write a revision of zeros for "nothing before": every file is new.

    Raises:
        GitError: There is no working tree, no such revision here, or no ``git``.
    """
    if not revision.strip("0") and len(revision) >= 40:
        return Tree(_root(folder), None)
    root = _root(folder)
    if not revision.strip() or revision.startswith("-"):
        raise GitError(f"{revision!r} is not a revision: write it like origin/main, HEAD~1 or v1.4")
    try:
        # Not --quiet, with which git silently chooses one of several meanings.
        done = _run(root, "-c", "core.warnAmbiguousRefs=true", "rev-parse", "--verify", f"{revision}^{{commit}}")
        commit = done.stdout.decode().strip()
    except (GitError, ValueError):
        raise GitError(_unknown(root, revision)) from None
    if b"is ambiguous" in done.stderr:
        # Anyone who may push a tag could name it like a branch and so hide every change.
        raise GitError(
            f"git knows several revisions named {revision!r}: remove all but one (git show-ref lists them), "
            "or write the whole name, such as refs/remotes/origin/main"
        )
    return Tree(root, commit)


def footprint(path: Path) -> Iterator[Path]:
    """Yield each symbolic link on the way to a path, and the final target: any of them may have changed."""
    steps = [*reversed(path.absolute().parts)]
    place, links = Path(steps.pop()), 0
    while steps:
        step = steps.pop()
        place = place.parent if step == ".." else place / step
        if place.is_symlink() and links < 40:  # as many as Linux follows
            links += 1
            yield place
            target = place.readlink()
            place = Path(target.anchor) if target.is_absolute() else place.parent
            steps += reversed(target.parts[1:] if target.is_absolute() else target.parts)
    yield place


def _files(place: Path) -> Iterator[Path]:
    """Return the file, or the files below the folder; nothing if there are none."""
    if place.is_dir() and not place.is_symlink():
        yield from (file for file in place.rglob("*") if file.is_symlink() or not file.is_dir())
    elif place.exists() or place.is_symlink():
        yield place


_COMMIT = re.compile(r"[0-9a-f]{7,64}")

COMMIT_VARIABLES = (
    "MFAGATE_COMMIT",
    "GITHUB_SHA",  # https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    "CI_COMMIT_SHA",  # https://docs.gitlab.com/ci/variables/predefined_variables/; Woodpecker as well
    "GIT_COMMIT",  # https://plugins.jenkins.io/git/
    "BUILD_SOURCEVERSION",  # https://learn.microsoft.com/en-us/azure/devops/pipelines/build/variables
    "BITBUCKET_COMMIT",  # https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/
    "CIRCLE_SHA1",  # https://circleci.com/docs/variables/
    "BUILDKITE_COMMIT",  # https://buildkite.com/docs/pipelines/configure/environment-variables
    "CODEBUILD_RESOLVED_SOURCE_VERSION",  # https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
)
"""Variables that hold the commit of a job. The first is for images, which contain no repository."""


def commit_of(path: Path, environ: Mapping[str, str]) -> str | None:
    """Return the commit that a file belongs to, with ``-dirty`` if its bytes differ from it; None if it is not known.

    git answers first, because the variables of a CI service name the commit of the job, whatever lies in the folder.
    ``MFAGATE_COMMIT`` is for images, which contain no repository.
    """
    given = [environ.get(name, "").strip().lower() for name in COMMIT_VARIABLES]
    named = [commit for commit in given if _COMMIT.fullmatch(commit)]
    if named and given[0] == named[0]:
        return named[0]
    try:
        if not any((folder / ".git").exists() for folder in path.absolute().parents):
            raise GitError("there is no working tree")  # Found without starting git.
        commit, blob = _git(path.parent, "rev-parse", "HEAD", f"HEAD:./{path.name}").decode("ascii").split()
    except (GitError, ValueError):
        return named[0] if named else None
    same = TreeEntry(stat.S_IFREG, blob).is_same(path)
    return commit if same else f"{commit}-dirty"


def may_be_committed(path: Path) -> bool:
    """Return whether git would take a new file into a commit of everything: it is in a working tree and not ignored."""
    return _is_listed(path)


def is_ignored(path: Path) -> bool:
    """Return whether a file is in a working tree, and git ignores it, so that other clones do not have it."""
    return _is_listed(path, "--ignored")


def _is_listed(path: Path, *options: str) -> bool:
    """Return whether git lists a file that it does not keep."""
    try:
        return bool(_git(path.parent, "ls-files", "--others", *options, "--exclude-standard", "--", f"./{path.name}"))
    except GitError:
        return False


def _root(folder: Path) -> Path:
    try:
        root = Path(os.fsdecode(_git(folder, "rev-parse", "--show-toplevel").removesuffix(b"\n"))).resolve()
    except GitError as error:
        raise GitError(f"{folder.absolute()} is not in a usable working tree of git: {error}") from None
    if not folder.resolve().is_relative_to(root):  # core.worktree or GIT_WORK_TREE
        raise GitError(f"git uses {root} as the working tree, but {folder.absolute()} is not in it")
    return root


def _unknown(root: Path, revision: str) -> str:
    if _git(root, "rev-parse", "--is-shallow-repository").strip() == b"true":
        return (
            f"this clone is shallow and does not hold {revision!r}: fetch the whole history "
            "(actions/checkout: fetch-depth: 0; GitLab: GIT_DEPTH: 0; elsewhere: git fetch --unshallow)"
        )
    return f"git knows no revision {revision!r} here: correct it, or fetch it first (git fetch origin)"


def _git(folder: Path, *arguments: str) -> bytes:
    """Return what the command prints.

    Raises:
        GitError: As of :func:`_run`.
    """
    return _run(folder, *arguments).stdout


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command.

    Raises:
        GitError: It is missing, or ends with an error, which becomes the message.
    """
    # It only reads: no lock is taken beside a commit that is being made. And it reads what was committed: objects
    # and parents that this clone substitutes for others (git replace, grafts) do not count.
    environment = {
        **os.environ,
        "LC_ALL": "C",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_GRAFT_FILE": os.devnull,
    }
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and no argument that could be an option
            ["git", *arguments],  # noqa: S607 - whichever git the user uses
            cwd=folder,
            env=environment,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise GitError("the command git is required but was not found") from None
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise GitError(f"git cannot be run: {quoted(error)}") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        raise GitError(quoted(said) if said else f"git {arguments[0]} ended with {done.returncode}")
    return done
