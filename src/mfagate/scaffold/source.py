"""What a CI machine installs: a path in the project, a git URL with a tag, or a package index.

mfagate is not on a public index, so a CI file never installs it by name alone: anyone could claim the name there, and
their code would run in the pipeline, with its secrets.
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

from mfagate.core.version import __version__

EXAMPLE = "git+https://git.example.com/mfagate@v0.1.0"
"""The source in the templates. example.com is reserved for examples (RFC 2606)."""

FORMS = (
    "git+https://HOST/mfagate@TAG; a wheel or a clone in the project, such as vendor/mfagate-0.1.0-py3-none-any.whl; "
    "or the URL of your own index, https://HOST/simple"
)

_PUBLIC_INDEXES = ("pypi.org", "pythonhosted.org", "pypi.python.org")

_SECONDS = 10

_MOVING = ("main", "master", "trunk", "develop", "dev", "HEAD", "latest")


class BadSource(Exception):
    """A CI machine cannot install the source, or it is not pinned. The message says what to write."""


@dataclass(frozen=True, slots=True)
class Source:
    """One pinned source.

    Args:
        package: The requirement, with ``{extras}`` as the placeholder of extras.
        index: The package index, or empty.
        path: A path relative to the project, or None.
        doubt: Why the existence of the source could not be checked, or empty.
    """

    package: str
    index: str = ""
    path: Path | None = None
    doubt: str = ""

    def requirement(self, extras: str) -> str:
        """Return the requirement for pip."""
        return self.package.format(extras=extras)


def parse(text: str, folder: Path) -> Source:
    """Read a source. A git URL is looked up if the repository can be reached.

    Raises:
        BadSource: It does not exist, is not pinned, or cannot be used on another machine.
    """
    if found := re.search(r"[\s\"'\\$`{}<>|;&\x00-\x1f\x7f]", text):
        raise BadSource(f"it contains a character that is special in CI files and shells: {found[0]!r}")
    if text.startswith("git+"):
        return _git(text)
    if re.match(r"https?://", text):
        return _index(text)
    if re.match(r"mfagate(?![\w./-])", text) and not (folder / text).exists():
        raise BadSource(f"mfagate is not on a public index, and anyone could claim the name there. Write {FORMS}")
    if "://" in text:
        raise BadSource(f"pip cannot install it. Write {FORMS}")
    return _path(text, folder)


def _index(text: str) -> Source:
    url = urlsplit(text)
    host = (url.hostname or "").lower()
    if any(host == public or host.endswith(f".{public}") for public in _PUBLIC_INDEXES):
        raise BadSource(f"mfagate is not on {host}, and anyone could claim the name there. Name your own index")
    if url.scheme != "https":
        raise BadSource("it must begin with https://; otherwise the package could be replaced in transit")
    _require_no_credential(url.username, url.password)
    return Source(f"mfagate{{extras}}=={__version__}", index=text)


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
        raise BadSource(f"{revision} is not the name of a revision")
    doubt = _looked_up(url._replace(path=path, query="", fragment="").geturl(), revision)
    return Source(f"mfagate{{extras}} @ {text}", doubt=doubt)


def _require_no_credential(user: str | None, password: str | None) -> None:
    if user is not None or password is not None:
        raise BadSource(
            "it contains a user name or a token, which would be committed: give the CI machine credentials of its own"
        )


def _looked_up(url: str, revision: str) -> str:
    """Look the revision up in the repository. Return why that was not possible, or an empty text.

    Raises:
        BadSource: It has no such tag, or the revision is a branch.
    """
    try:
        status, listed = _git_answers("ls-remote", "--quiet", "--", url)
    except FileNotFoundError:
        return "git is not installed here"
    except (OSError, subprocess.TimeoutExpired):
        return "the repository did not answer"
    if status:
        return "the repository cannot be read from here"
    names = {line.partition("\t")[2] for line in listed.splitlines()}
    if f"refs/tags/{revision}" in names:
        return ""
    if f"refs/heads/{revision}" in names:
        raise BadSource(f"{revision} is a branch, and the pipeline would change with it: name a tag or a commit")
    if re.fullmatch(r"[0-9a-f]{7,64}", revision):
        return ""  # The repository exists, but does not list commits.
    raise BadSource(f"the repository has no tag {revision}")


def _git_answers(*arguments: str) -> tuple[int, str]:
    """Run git without prompts. Return its exit code and its output.

    Raises:
        OSError: It cannot be started.
        TimeoutExpired: It took too long, and was stopped with all processes that it started.
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
        raise BadSource(f"{text} is neither a wheel (.whl) nor a source distribution (.tar.gz)")
    if full.is_file() and not full.name.startswith("mfagate-"):
        raise BadSource(f"{text} is not a package of mfagate: its name does not begin with mfagate-")
    relative = full.relative_to(root)
    return Source(f"./{relative.as_posix()}{{extras}}", path=relative)
