"""The fingerprint key that several runs share: an environment variable, or a file of one user.

The key is never in a database, because readers of the history must not be able to test guesses against fingerprints.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping
from pathlib import Path

from mfagate.core.files import NotOurs, create_private, read_private
from mfagate.secrets.fingerprint import KEY_VARIABLE, Key

FILE_NAME = "fingerprint.key"

SHORTEST = 16
"""Minimum length of a key in the variable. A shorter key could be guessed, and with it the secrets."""

_FEWEST_CHARACTERS = 5
"""Minimum number of different characters of a key in the variable."""

MAKE_ONE = "openssl rand -hex 32"
"""A command that prints a good key."""

_KEY = re.compile(r"[0-9a-f]{64}")
_LARGEST_FILE = 1024
_TRIES, _BETWEEN_TRIES_SECONDS = 20, 0.05


class KeyProblem(Exception):
    """The key cannot be used. The message says which key, why, and what to do, and quotes nothing of the key."""


def from_environment(environ: Mapping[str, str]) -> Key | None:
    """Return the key in ``MFAGATE_FINGERPRINT_KEY``, or None if the variable is unset or empty.

    White space around the key is ignored, because CI services and files often add a line break.

    Raises:
        KeyProblem: The key is too short, or repeats a few characters.
    """
    text = environ.get(KEY_VARIABLE, "").strip()
    if not text:
        return None
    if len(text) < SHORTEST or len(set(text)) < _FEWEST_CHARACTERS:
        raise KeyProblem(
            f"{KEY_VARIABLE} can be guessed: it needs at least {SHORTEST} random characters; make one with: {MAKE_ONE}"
        )
    return Key(text, kept=True)


def read(path: Path) -> Key | None:
    """Return the key in a file, or None if there is no file.

    Raises:
        KeyProblem: The file cannot be read, other users can read it, or it contains no key.
    """
    try:
        text = _complete(path)
    except FileNotFoundError:
        return None
    except NotOurs as error:
        raise KeyProblem(f"the fingerprint key {path} {error}; if that cannot be changed, set {KEY_VARIABLE}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        step = "make it readable for this user" if path.is_file() else "remove it, and the next run makes a file"
        raise KeyProblem(
            f"the fingerprint key {path} cannot be read: {reason}; {step}, or set {KEY_VARIABLE}"
        ) from None
    if _KEY.fullmatch(text) is None:
        raise KeyProblem(
            f"the file {path} contains no fingerprint key: restore it, or remove it, and the next run makes a new key"
        )
    return Key(text, kept=True)


def _complete(path: Path) -> str:
    """Read the key. On a file system without hard links, another run may still be writing an empty file."""
    for _ in range(_TRIES):
        if text := read_private(path, _LARGEST_FILE).strip():
            return text
        time.sleep(_BETWEEN_TRIES_SECONDS)
    return ""


def read_or_make(path: Path) -> tuple[Key, bool]:
    """Return the key in a file, and whether this run made it. Two simultaneous runs get the same key.

    Raises:
        KeyProblem: See :func:`read`; or the file cannot be written.
    """
    if (key := read(path)) is not None:
        return key, False
    try:
        made = create_private(path, secrets.token_hex(32) + "\n")
    except OSError as error:
        raise KeyProblem(
            f"the fingerprint key {path} cannot be written: {error.strerror or error}; "
            f"make its folder writable, or set {KEY_VARIABLE}"
        ) from None
    key = read(path)
    if key is None:
        raise KeyProblem(f"the fingerprint key {path} was removed while it was read; run again")
    return key, made
