"""Time-based one-time passwords (RFC 6238): the phone that provider states play, and what an emulator checks."""

from __future__ import annotations

import base64
import secrets
import time
from dataclasses import dataclass
from typing import Literal

_LONGEST = 8
"""Digits of the longest codes; a shorter code is the end of a longer one (RFC 4226 section 5.3)."""

_LEAST_SECONDS = 2.0
"""For a request that shows a code which is about to be too old."""


@dataclass(frozen=True, slots=True)
class Totp:
    """One authenticator; by default six digits, SHA-1, 30 seconds, as most providers enrol it. ``secret`` is base32."""

    secret: str
    digits: int = 6
    step_seconds: int = 30
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha1"

    @classmethod
    def generate(cls) -> Totp:
        """A new one, with a secret of 160 bits."""
        return cls(base64.b32encode(secrets.token_bytes(20)).decode())

    def code(self, steps: int = 0) -> str:
        """The code now, or some steps away."""
        return self._at(self._now() + steps)

    def code_for_enrolment(self) -> str:
        """The code of the step before, for a provider that takes each code once: that of now stays good for a login.

        Providers take it as long as this step lasts. If that is too short for a request, the next step is waited for.
        """
        left = self.step_seconds - time.time() % self.step_seconds
        if left < _LEAST_SECONDS:
            time.sleep(left)
        return self.code(-1)

    def wrong_code(self) -> str:
        """A code that is not right within four steps of now."""
        near = {self.code(steps) for steps in range(-4, 5)}
        return next(code for code in iter(self._random, None) if code not in near)

    def step_of(self, code: str, window: int = 1) -> int | None:
        """The step for which a code is right, looked for ``window`` steps around now; None if it is wrong."""
        now = self._now()
        return next((step for step in range(now - window, now + window + 1) if self._at(step) == code), None)

    def _at(self, step: int) -> str:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.twofactor.totp import TOTP

        padded = self.secret + "=" * (-len(self.secret) % 8)
        key = base64.b32decode(padded, casefold=True)
        algorithm = getattr(hashes, self.algorithm.upper())()
        totp = TOTP(key, _LONGEST, algorithm, self.step_seconds, enforce_key_length=False)
        return totp.generate(step * self.step_seconds).decode()[-self.digits :]

    def _now(self) -> int:
        return int(time.time()) // self.step_seconds

    def _random(self) -> str:
        return f"{secrets.randbelow(10**self.digits):0{self.digits}}"
