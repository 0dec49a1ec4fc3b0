"""Verifications: a code that was sent, and its checks.

Limits follow https://www.twilio.com/docs/verify/api/rate-limits-and-timeouts: a verification lasts
ten minutes and allows five sends and five checks. The emulator never reveals the code; a client
that must know it sets its own, with a service that allows custom codes.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from mfagate_sandbox.twilio.answers import moment, new_sid

LIFETIME_SECONDS = 600.0
MOST_SENDS = 5
MOST_CHECKS = 5

_LOUD = ("sms", "call", "email")


@dataclass(slots=True)
class Verification:
    """One verification. ``status`` is what was decided; :meth:`now` also considers the time."""

    account_sid: str
    service_url: str
    service_sid: str
    to: str
    channel: str
    code: str
    amount: str | None = None
    payee: str | None = None
    with_lookup: bool = False
    status: str = "pending"
    sid: str = field(default_factory=lambda: new_sid("VE"))
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    sends: list[dict[str, str]] = field(default_factory=list)
    checks: int = 0

    @property
    def is_current(self) -> bool:
        """Whether it still prevents another verification of the same number."""
        return self.now() in ("pending", "max_attempts_reached")

    def now(self) -> str:
        """Return the current status."""
        is_old = time.time() - self.created >= LIFETIME_SECONDS
        return "expired" if is_old and self.status in ("pending", "max_attempts_reached") else self.status

    def send(self, channel: str) -> None:
        """Send the code in another message."""
        self.channel = channel
        self.updated = time.time()
        written = channel.upper() if channel in _LOUD else channel
        self.sends.append({"time": moment(self.updated), "channel": written, "attempt_sid": new_sid("VL")})

    def check(self, code: str) -> None:
        """Compare a code; the fifth wrong code is the last."""
        self.checks += 1
        self.updated = time.time()
        if secrets.compare_digest(self.code.encode(), code.encode()):
            self.status = "approved"
        elif self.checks >= MOST_CHECKS:
            self.status = "max_attempts_reached"

    def checked_json(self, status: str) -> dict[str, Any]:
        """Return it as a result of a check; see https://www.twilio.com/docs/verify/api/verification-check."""
        return {
            "sid": self.sid,
            "service_sid": self.service_sid,
            "account_sid": self.account_sid,
            "to": self.to,
            "channel": self.channel,
            "status": status,
            "valid": status == "approved",
            "amount": self.amount,
            "payee": self.payee,
            "sna_attempts_error_codes": [],
            "date_created": moment(self.created),
            "date_updated": moment(self.updated),
        }

    def as_json(self) -> dict[str, Any]:
        """Return the verification; see https://www.twilio.com/docs/verify/api/verification."""
        shown = self.checked_json(self.now())
        del shown["sna_attempts_error_codes"]
        return shown | {
            "lookup": {"carrier": _CARRIER} if self.with_lookup else {},
            "send_code_attempts": list(self.sends),
            "sna": None,
            "url": f"{self.service_url}/Verifications/{self.sid}",
        }


_CARRIER = {
    "mobile_country_code": "311",
    "type": "mobile",
    "error_code": None,
    "mobile_network_code": "180",
    "name": "Example Wireless",
}
