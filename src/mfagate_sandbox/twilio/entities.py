"""Entities, their factors, and the challenges of factors.

Limits follow https://www.twilio.com/docs/verify/api/rate-limits-and-timeouts and the pages of the
error codes 60308, 60310, 60312 and 60326.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote, urlencode

from mfagate.providers.totp import Totp
from mfagate_sandbox.twilio.answers import moment, new_sid

MOST_TRIES = 5
MOST_FACTORS_A_DAY = 100

Owner = Literal["accepts", "declines", "is away"]
"""What the owner of a device does with a push."""


@dataclass(slots=True)
class VerifyFactor:
    """A TOTP secret, or a device for pushes. ``binding`` is shown only in the answer that creates it."""

    factor_type: str
    friendly_name: str
    config: dict[str, Any]
    binding: dict[str, str]
    metadata: Any = None
    status: str = "unverified"
    tries: int = 0
    sid: str = field(default_factory=lambda: new_sid("YF"))
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    challenged: list[float] = field(default_factory=list)

    def takes(self, code: str) -> bool:
        """Return whether a TOTP code is correct. It may be used twice; Twilio does not document whether it may."""
        config = self.config
        totp = Totp(self.binding["secret"], config["code_length"], config["time_step"], config["alg"])
        return totp.step_of(code, window=config["skew"]) is not None

    def may_be_challenged(self) -> bool:
        """Apply the limits: 10 challenges a day for short codes, 50 an hour and 100 a day for longer ones."""
        now = time.time()
        today = [when for when in self.challenged if now - when < 86400]
        if self.config.get("code_length", 6) <= 4:
            return len(today) < 10
        return len(today) < 100 and sum(now - when < 3600 for when in today) < 50


@dataclass(slots=True)
class FactorChallenge:
    """A challenge of one factor."""

    factor: VerifyFactor
    expires: float
    details: dict[str, Any] | None = None
    hidden_details: Any = None
    metadata: Any = None
    owner: Owner = "is away"
    status: str = "pending"
    tries: int = 0
    sid: str = field(default_factory=lambda: new_sid("YC"))
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    responded: float | None = None

    def respond(self, status: str) -> None:
        """Record an answer."""
        self.status = status
        self.updated = self.responded = time.time()

    def now(self) -> str:
        """Return the current status."""
        if self.status == "pending" and self.factor.factor_type == "push" and self.owner != "is away":
            self.respond("approved" if self.owner == "accepts" else "denied")
        return "expired" if self.status == "pending" and time.time() >= self.expires else self.status


@dataclass(slots=True)
class Entity:
    """A user with factors. ``owner`` is what the user does with a push."""

    account_sid: str
    service_sid: str
    service_url: str
    identity: str
    owner: Owner = "is away"
    sid: str = field(default_factory=lambda: new_sid("YE"))
    created: float = field(default_factory=time.time)
    factors: dict[str, VerifyFactor] = field(default_factory=dict)
    challenges: dict[str, FactorChallenge] = field(default_factory=dict)
    enrolled: list[float] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its URL at Twilio, where identities ignore case."""
        return f"{self.service_url}/Entities/{self.identity.lower()}"

    def _owned(self) -> dict[str, Any]:
        return {"account_sid": self.account_sid, "service_sid": self.service_sid, "identity": self.identity}

    def as_json(self) -> dict[str, Any]:
        """Return the entity; see https://www.twilio.com/docs/verify/api/entity."""
        return {
            "sid": self.sid,
            **self._owned(),
            "date_created": moment(self.created),
            "date_updated": moment(self.created),
            "url": self.url,
            "links": {
                "factors": f"{self.url}/Factors",
                "new_factors": f"{self.url}/Factors",
                "challenges": f"{self.url}/Challenges",
            },
        }

    def factor_json(self, factor: VerifyFactor) -> dict[str, Any]:
        """Return a factor; see https://www.twilio.com/docs/verify/api/factor."""
        return {
            "sid": factor.sid,
            **self._owned(),
            "entity_sid": self.sid,
            "date_created": moment(factor.created),
            "date_updated": moment(factor.updated),
            "friendly_name": factor.friendly_name,
            "status": factor.status,
            "factor_type": factor.factor_type,
            "config": factor.config,
            "metadata": factor.metadata,
            "url": f"{self.url}/Factors/{factor.sid}",
        }

    def new_factor_json(self, factor: VerifyFactor, issuer: str) -> dict[str, Any]:
        """Return a new factor with its binding, which is shown only once."""
        binding = dict(factor.binding)
        if factor.factor_type == "totp":
            binding["uri"] = _uri(factor, issuer)
        return self.factor_json(factor) | {"binding": binding, "options": None}

    def challenge_json(self, challenge: FactorChallenge) -> dict[str, Any]:
        """Return a challenge; see https://www.twilio.com/docs/verify/api/challenge."""
        status = challenge.now()
        url = f"{self.url}/Challenges/{challenge.sid}"
        return {
            "sid": challenge.sid,
            **self._owned(),
            "entity_sid": self.sid,
            "factor_sid": challenge.factor.sid,
            "date_created": moment(challenge.created),
            "date_updated": moment(challenge.updated),
            "date_responded": None if challenge.responded is None else moment(challenge.responded),
            "expiration_date": moment(challenge.expires),
            "status": status,
            "responded_reason": "none",
            "details": challenge.details,
            "hidden_details": challenge.hidden_details,
            "metadata": challenge.metadata,
            "factor_type": challenge.factor.factor_type,
            "url": url,
            "links": {"notifications": f"{url}/Notifications"},
        }


def _uri(factor: VerifyFactor, issuer: str) -> str:
    """Return the URI of a factor; see https://github.com/google/google-authenticator/wiki/Key-Uri-Format."""
    config = factor.config
    query = {
        "secret": factor.binding["secret"],
        "issuer": issuer,
        "algorithm": config["alg"].upper(),
        "digits": config["code_length"],
        "period": config["time_step"],
    }
    label = f"{quote(issuer, safe='')}:{quote(factor.friendly_name, safe='')}"
    return f"otpauth://totp/{label}?{urlencode(query, quote_via=quote)}"
