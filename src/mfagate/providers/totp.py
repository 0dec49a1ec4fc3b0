"""Time-based one-time passwords (RFC 6238): the phone that provider states play, and what an emulator checks."""

from __future__ import annotations

import base64
import secrets
import time
from dataclasses import dataclass

STEP_SECONDS = 30
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Totp:
    """One authenticator: six digits, SHA-1, 30 seconds, as the providers enrol it. ``secret`` is base32."""

    secret: str

    @classmethod
    def generate(cls) -> Totp:
        """A new one, with a secret of 160 bits."""
        return cls(base64.b32encode(secrets.token_bytes(20)).decode())

    def code(self, steps: int = 0) -> str:
        """The code now, or some steps of 30 seconds away.

        A provider that takes each code once is shown the code of the step before at
        enrolment, so that the one of now is still good for a login.
        """
        return self._at(self._now() + steps)

    def wrong_code(self) -> str:
        """A code that is not right within two minutes of now."""
        near = {self.code(steps) for steps in range(-4, 5)}
        return next(code for code in iter(_random, None) if code not in near)

    def step_of(self, code: str, window: int = 1) -> int | None:
        """The step for which a code is right, looked for ``window`` steps around now; None if it is wrong."""
        now = self._now()
        return next((step for step in range(now - window, now + window + 1) if self._at(step) == code), None)

    def _at(self, step: int) -> str:
        from cryptography.hazmat.primitives.hashes import SHA1
        from cryptography.hazmat.primitives.twofactor.totp import TOTP

        padded = self.secret + "=" * (-len(self.secret) % 8)
        # Authenticator apps know SHA-1 alone.
        totp = TOTP(base64.b32decode(padded, casefold=True), DIGITS, SHA1(), STEP_SECONDS, enforce_key_length=False)  # noqa: S303
        return totp.generate(step * STEP_SECONDS).decode()

    @staticmethod
    def _now() -> int:
        return int(time.time()) // STEP_SECONDS


def _random() -> str:
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
