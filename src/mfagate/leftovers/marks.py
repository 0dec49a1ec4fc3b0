"""The names of what mfagate makes at a provider: each one tells which run made it, and when."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

_NAME = re.compile(r"mfagate-(?P<when>[0-9]{10})-(?P<run>[0-9a-f]{8})-(?P<one>[0-9a-f]{4})(?P<check>[0-9a-f]{6})")

ABANDONED_AFTER_SECONDS = 3600.0
"""Age from which what another machine made is removed: no run takes that long."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing that a run makes: ``run`` is the run in eight hexadecimal digits, ``when`` is in seconds since 1970."""

    run: str
    when: int = field(default_factory=lambda: int(time.time()))
    one: str = field(default_factory=lambda: secrets.token_hex(2))

    @classmethod
    def read(cls, name: str) -> Mark | None:
        """Return the mark that a name is, or None for any other name, however similar."""
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        mark = cls(found["run"], int(found["when"]), found["one"])
        return mark if mark.name == name else None

    @property
    def name(self) -> str:
        """A name of 38 lower-case letters, digits and hyphens; its end is a checksum of the rest."""
        text = f"mfagate-{self.when:010}-{self.run}-{self.one}"
        return text + hashlib.sha256(text.encode()).hexdigest()[:6]

    @property
    def note(self) -> str:
        """The same for a field that people read, in 65 characters."""
        made = datetime.fromtimestamp(self.when, UTC)
        return f"made by mfagate for a check, run {self.run}, {made:%Y-%m-%dT%H:%M:%SZ}"

    def is_abandoned(self, now: float) -> bool:
        """Whether no run can still be using it."""
        return now - self.when > ABANDONED_AFTER_SECONDS


def short_run(run: str) -> str:
    """The run in eight hexadecimal digits, from an id of any length."""
    return hashlib.sha256(run.encode("utf-8", "surrogatepass")).hexdigest()[:8]
