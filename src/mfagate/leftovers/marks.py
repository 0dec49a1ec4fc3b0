"""Name the things that mfagate makes at a provider. A name states which run made the thing, and when."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

_NAME = re.compile(r"mfagate-(?P<when>[0-9]{10})-(?P<run>[0-9a-f]{8})-(?P<one>[0-9a-f]{4})(?P<check>[0-9a-f]{6})")

ABANDONED_AFTER_SECONDS = 3600.0
"""The age at which things from another machine are removed; no run takes that long."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The mark of one thing: ``run`` in eight hexadecimal digits, ``when`` in seconds since 1970, ``one`` at random."""

    run: str
    when: int = field(default_factory=lambda: int(time.time()))
    one: str = field(default_factory=lambda: secrets.token_hex(2))

    @classmethod
    def read(cls, name: str) -> Mark | None:
        """Return the mark in a name; None for any other name, even a similar one."""
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        mark = cls(found["run"], int(found["when"]), found["one"])
        return mark if mark.name == name else None

    @property
    def name(self) -> str:
        """The name: 38 lower-case letters, digits and hyphens, with a checksum at the end."""
        text = f"mfagate-{self.when:010}-{self.run}-{self.one}"
        return text + hashlib.sha256(text.encode()).hexdigest()[:6]

    @property
    def note(self) -> str:
        """The same information in words (65 characters), for a field that people read."""
        made = datetime.fromtimestamp(self.when, UTC)
        return f"made by mfagate for a check, run {self.run}, {made:%Y-%m-%dT%H:%M:%SZ}"

    def is_abandoned(self, now: float) -> bool:
        """Return whether the thing is so old that no run can still use it."""
        return now - self.when > ABANDONED_AFTER_SECONDS


def short_run(run: str) -> str:
    """Return eight hexadecimal digits for a run id of any length."""
    return hashlib.sha256(run.encode("utf-8", "surrogatepass")).hexdigest()[:8]
