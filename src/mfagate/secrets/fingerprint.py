"""Keyed fingerprints, which show whether two secrets are equal without revealing them.

A fingerprint is the beginning of an HMAC-SHA-256 (https://www.rfc-editor.org/rfc/rfc2104). Without the key, nobody can
test guesses against it, however short the secret is. With the same key, the fingerprints of two runs can be compared.

A run uses one key: the variable ``MFAGATE_FINGERPRINT_KEY``, or the key file beside its history
(:mod:`mfagate.secrets.fingerprint_key`). Without either, it uses a random key of its process.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

KEY_VARIABLE = "MFAGATE_FINGERPRINT_KEY"

DIGITS = 10
"""Hexadecimal digits of a fingerprint. 40 bits distinguish the values of one configuration."""

_IDENTIFIER = b"\0mfagate: identifier of the fingerprint key\0"
"""No secret is equal to this text, so the identifier is never the fingerprint of a secret."""


@dataclass(frozen=True, slots=True)
class Key:
    """The key of fingerprints. ``kept`` is true if other runs have the same key."""

    text: str = field(repr=False)
    kept: bool = False

    @property
    def identifier(self) -> str | None:
        """Return an identifier that does not reveal the key; None for a key that no other run has."""
        return self._digest(_IDENTIFIER) if self.kept else None

    def fingerprint(self, value: str) -> str:
        """Return the fingerprint of a value under this key."""
        return self._digest(value.encode("utf-8", "surrogatepass"))

    def _digest(self, data: bytes) -> str:
        key = self.text.encode("utf-8", "surrogateescape")
        return hmac.new(key, data, hashlib.sha256).hexdigest()[:DIGITS]


OF_THIS_PROCESS = Key(secrets.token_hex(32))
"""The key of a process that has no other key."""

_in_use: ContextVar[Key] = ContextVar("fingerprint key", default=OF_THIS_PROCESS)
"""Two runs in one process may have different keys. :class:`~mfagate.core.workers.Workers` hands it to its threads."""


def key_in_use() -> Key:
    """Return the key of this run."""
    return _in_use.get()


@contextmanager
def using(key: Key) -> Iterator[None]:
    """Use a key for all fingerprints of this run until the context ends."""
    before = _in_use.set(key)
    try:
        yield
    finally:
        _in_use.reset(before)


def fingerprint(value: str) -> str:
    """Return the fingerprint of a value under the key of this run."""
    return _in_use.get().fingerprint(value)
