"""Time-based one-time passwords (RFC 6238), for provider states and for emulators."""

from __future__ import annotations

import base64
import secrets
import time
from dataclasses import dataclass
from typing import Literal

_LONGEST = 8
"""Digits of the longest code; a shorter code is the end of the longest one (RFC 4226 section 5.3)."""

_LEAST_SECONDS = 2.0
"""The shortest remaining validity of a code that is sent."""


@dataclass(frozen=True, slots=True)
class Totp:
    """An authenticator; by default six digits, SHA-1, 30 seconds, as with most providers. ``secret`` is in base32."""

    secret: str
    digits: int = 6
    step_seconds: int = 30
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha1"

    @classmethod
    def generate(cls) -> Totp:
        """Create an authenticator with a secret of 160 bits."""
        return cls(base64.b32encode(secrets.token_bytes(20)).decode())

    def code(self, steps: int = 0) -> str:
        """Return the current code, or the code of an earlier or later time step."""
        return self._at(self._now() + steps)

    def code_for_enrolment(self) -> str:
        """Return the code of the previous time step, so that the current code stays unused for a login.

        Providers accept it during the current step. If the step ends too soon for a request, wait for the next one.
        """
        left = self.step_seconds - time.time() % self.step_seconds
        if left < _LEAST_SECONDS:
            time.sleep(left)
        return self.code(-1)

    def wrong_code(self) -> str:
        """Return a code that is wrong for at least four steps before and after now."""
        near = {self.code(steps) for steps in range(-4, 5)}
        return next(code for code in iter(self._random, None) if code not in near)

    def step_of(self, code: str, window: int = 1) -> int | None:
        """Return the time step of a code, at most ``window`` steps from now; None if the code is wrong."""
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
