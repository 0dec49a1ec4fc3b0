"""What a CI machine installs: a path of the project, a git URL with a tag, or an index that somebody names.

mfagate is on no public index, so a CI file never names it alone: whoever claims the name there would run in the
pipeline, beside its secrets.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import mfagate

EXAMPLE = "git+https://git.example.com/mfagate@v0.1.0"
"""What the templates name. example.com belongs to nobody (RFC 2606)."""

FORMS = (
    "git+https://HOST/mfagate@TAG; a wheel or a clone in the project, such as vendor/mfagate-0.1.0-py3-none-any.whl; "
    "or the URL of your own index, https://HOST/simple"
)

_PUBLIC_INDEXES = ("pypi.org", "pythonhosted.org", "pypi.python.org")

_SECONDS = 10

_MOVING = ("main", "master", "trunk", "develop", "dev", "HEAD", "latest")


class BadSource(Exception):
    """A source that a CI machine cannot install, or that is not pinned; the message says what to write."""


@dataclass(frozen=True, slots=True)
class Source:
    """One pinned source.

    Args:
        package: The requirement, with ``{extras}`` where extras are written.
        index: The index that pip asks, or empty.
        path: A path relative to the project, or None.
        doubt: Why it is not known whether the source exists, or empty.
    """

    package: str
    index: str = ""
    path: Path | None = None
    doubt: str = ""

    def requirement(self, extras: str) -> str:
        """Return what pip installs."""
        return self.package.format(extras=extras)


def parse(text: str, folder: Path) -> Source:
    """Read a source as a person writes it. A git URL is looked up, if it can be reached.

    Raises:
        BadSource: It does not exist, is not pinned, or could not be used on another machine.
    """
    if found := re.search(r"[\s\"'\\$`{}<>|;&\x00-\x1f\x7f]", text):
        raise BadSource(f"it has a character that CI files and shells read otherwise: {found[0]!r}")
    if text.startswith("git+"):
        return _git(text)
    if re.match(r"https?://", text):
        return _index(text)
    if re.match(r"mfagate(?![\w./-])", text) and not (folder / text).exists():
        raise BadSource(f"mfagate is on no public index, and somebody else could claim the name there. Write {FORMS}")
    if "://" in text:
        raise BadSource(f"it is no source that pip installs. Write {FORMS}")
    return _path(text, folder)


def _index(text: str) -> Source:
    url = urlsplit(text)
    host = (url.hostname or "").lower()
    if any(host == public or host.endswith(f".{public}") for public in _PUBLIC_INDEXES):
        raise BadSource(f"mfagate is not on {host}: somebody else could claim the name there. Name your own index")
    if url.scheme != "https":
        raise BadSource("it has to begin with https://, or somebody on the way can replace the package")
    _require_no_credential(url.username, url.password)
    return Source(f"mfagate{{extras}}=={mfagate.__version__}", index=text)


def _git(text: str) -> Source:
    url = urlsplit(text.removeprefix("git+"))
    if url.scheme not in ("https", "ssh", "file") or not url.path.strip("/"):
        raise BadSource("write a git URL as git+https://HOST/PATH@TAG or git+ssh://git@HOST/PATH@TAG")
    _require_no_credential(None if url.scheme == "ssh" else url.username, url.password)
    path, at, revision = url.path.rpartition("@")
    if not at or not revision:
        raise BadSource(f"it names no version: add a tag or a commit, as in {text.partition('#')[0]}@v0.1.0")
    if revision in _MOVING:
        raise BadSource(f"{revision} moves, and the pipeline would change with it: name a tag or a commit")
    if revision.startswith("-"):
        raise BadSource(f"{revision} is no name of a revision")
    doubt = _looked_up(url._replace(path=path, query="", fragment="").geturl(), revision)
    return Source(f"mfagate{{extras}} @ {text}", doubt=doubt)


def _require_no_credential(user: str | None, password: str | None) -> None:
    if user is not None or password is not None:
        raise BadSource(
            "it carries a user name or a token, which would be committed: let the CI machine log in by itself"
        )


def _looked_up(url: str, revision: str) -> str:
    """Ask the repository for the revision; return why it could not be asked.

    Raises:
        BadSource: It has no such tag, or the name is that of a branch.
    """
    try:
        status, listed = _git_answers("ls-remote", "--quiet", "--", url)
    except FileNotFoundError:
        return "git is not installed here"
    except (OSError, subprocess.TimeoutExpired):
        return "the repository did not answer"
    if status:
        return "the repository could not be asked from here"
    names = {line.partition("\t")[2] for line in listed.splitlines()}
    if f"refs/tags/{revision}" in names:
        return ""
    if f"refs/heads/{revision}" in names:
        raise BadSource(f"{revision} is a branch, which moves, and the pipeline with it: name a tag or a commit")
    if re.fullmatch(r"[0-9a-f]{7,64}", revision):
        return ""  # The repository is there; it lists no commits.
    raise BadSource(f"the repository has no tag {revision}")


def _git_answers(*arguments: str) -> tuple[int, str]:
    """Run git without a question to anybody; return its exit code and what it printed.

    Raises:
        OSError: It cannot be started.
        TimeoutExpired: It took too long, and was stopped with everything that it had started.
    """
    quiet = {"GIT_SSH_COMMAND": "ssh -o BatchMode=yes", **os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true"}
    command = ["git", *arguments]
    with subprocess.Popen(  # noqa: S603 - no shell
        command,
        env=quiet,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as git:
        try:
            listed, _ = git.communicate(timeout=_SECONDS)
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(git.pid, signal.SIGKILL)
            raise
    return git.returncode, listed.decode("utf-8", "replace")


def _path(text: str, folder: Path) -> Source:
    root = folder.resolve()
    full = (folder / text).resolve()
    if not full.exists():
        raise BadSource(f"there is no file or folder {text} in the project. Write {FORMS}")
    if not full.is_relative_to(root) or full == root:
        raise BadSource(
            f"{text} is not in the project, so a CI machine does not have it: copy it there, or write {FORMS}"
        )
    if full.is_dir() and not (full / "pyproject.toml").is_file():
        raise BadSource(f"the folder {text} has no pyproject.toml, so pip cannot install it")
    if full.is_file() and not full.name.endswith((".whl", ".tar.gz")):
        raise BadSource(f"{text} is no wheel (.whl) and no source distribution (.tar.gz)")
    if full.is_file() and not full.name.startswith("mfagate-"):
        raise BadSource(f"{text} is no package of mfagate: its name does not begin with mfagate-")
    relative = full.relative_to(root)
    return Source(f"./{relative.as_posix()}{{extras}}", path=relative)
