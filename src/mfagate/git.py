"""What the ``git`` command knows of a working tree and of one revision."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mfagate.foreign import quoted

_SECONDS = 60


class GitError(Exception):
    """The question cannot be answered here; the message says what to do."""


@dataclass(frozen=True)
class Tree:
    """A working tree beside one revision. ``root`` has no symbolic links in it.

    ``commit`` is None for the revision before the first one: see :func:`open_tree`.
    """

    root: Path
    commit: str | None

    def text(self, path: Path) -> str | None:
        """The file as it was at the revision; None where there was none, or a link led elsewhere."""
        *links, place = footprint(self._from_root(path))
        if any(map(self._differs, links)) or not place.is_relative_to(self.root):
            return None
        name = place.relative_to(self.root)
        if name not in self.tracked:
            return None
        return _git(self.root, "cat-file", "blob", f"{self.commit}:{name.as_posix()}").decode("utf-8", "replace")

    @cached_property
    def tracked(self) -> frozenset[Path]:
        """Every file of the revision, relative to the root."""
        if self.commit is None:
            return frozenset()
        return _paths(_git(self.root, "ls-tree", "-r", "-z", "--full-tree", "--name-only", self.commit))

    @cached_property
    def changed(self) -> frozenset[Path]:
        """Files of the revision or of the index that are not as they were, relative to the root."""
        if self.commit is None:
            return frozenset()
        listed = ("diff", "-z", "--name-only", "--no-renames", "--no-ext-diff", "--ignore-submodules=none")
        return _paths(_git(self.root, *listed, self.commit, "--"))

    def differs(self, path: Path) -> bool:
        """Whether a file, or anything in a folder, is not as it was at the revision.

        What a link leads to counts, also that of a link in the folder. What git cannot compare has
        changed: a file that it ignores, and one outside its working tree.
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
        """The path without the links that lead to the root itself: they are none of its files."""
        path = path.absolute()
        above = next((folder for folder in reversed(path.parents) if folder.resolve() == self.root), None)
        return path if above is None else self.root / path.relative_to(above)

    def _differs(self, place: Path) -> bool:
        if not place.is_relative_to(self.root):
            return True
        name = place.relative_to(self.root)
        if any(changed.is_relative_to(name) for changed in self.changed):
            return True
        return any(file.relative_to(self.root) not in self.tracked for file in _files(place))


def open_tree(folder: Path, revision: str) -> Tree:
    """The working tree around a folder, beside a revision.

    A revision of zeros is how git, GitHub and GitLab write "nothing was there before": all is new.

    Raises:
        GitError: There is no working tree, no such revision here, or no ``git``.
    """
    if not revision.strip("0") and len(revision) >= 40:
        return Tree(_root(folder), None)
    root = _root(folder)
    if not revision.strip() or revision.startswith("-"):
        raise GitError(f"{revision!r} is no revision: write it like origin/main, HEAD~1 or v1.4")
    try:
        commit = _git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").decode().strip()
    except (GitError, ValueError):
        raise GitError(_unknown(root, revision)) from None
    return Tree(root, commit)


def footprint(path: Path) -> Iterator[Path]:
    """Every symbolic link on the way to a path, and where the way ends: one of them may have changed."""
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
    """The file, or those below the folder; none where nothing is."""
    if place.is_dir() and not place.is_symlink():
        yield from (file for file in place.rglob("*") if file.is_symlink() or not file.is_dir())
    elif place.exists() or place.is_symlink():
        yield place


def _root(folder: Path) -> Path:
    try:
        return Path(os.fsdecode(_git(folder, "rev-parse", "--show-toplevel").removesuffix(b"\n"))).resolve()
    except GitError as error:
        raise GitError(f"{folder.absolute()} is in no working tree of git that can be asked: {error}") from None


def _unknown(root: Path, revision: str) -> str:
    if _git(root, "rev-parse", "--is-shallow-repository").strip() == b"true":
        return (
            f"this clone is shallow and does not hold {revision!r}: fetch the whole history "
            "(actions/checkout: fetch-depth: 0; GitLab: GIT_DEPTH: 0; elsewhere: git fetch --unshallow)"
        )
    return f"git knows no revision {revision!r} here: correct it, or fetch it first (git fetch origin)"


def _paths(listed: bytes) -> frozenset[Path]:
    return frozenset(Path(os.fsdecode(name)) for name in listed.split(b"\0") if name)


def _git(folder: Path, *arguments: str) -> bytes:
    """What the command prints.

    Raises:
        GitError: It is missing, or ends with an error; its own words are the message.
    """
    # It only reads: no lock is taken beside a commit that is being made.
    environment = {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
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
        raise GitError("the command git is needed and was not found") from None
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise GitError(f"git cannot be run: {quoted(error)}") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        raise GitError(quoted(said) if said else f"git {arguments[0]} ended with {done.returncode}")
    return done.stdout
