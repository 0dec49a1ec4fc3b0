"""What earlier checks have found out and later checks need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mfagate.checks.retry import Attempts
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange
from mfagate.core.finding import Finding
from mfagate.providers.base import Probe


@dataclass(frozen=True, slots=True)
class Ping:
    """A ping and its answers. ``subject`` names the host if there are several."""

    probe: Probe
    attempts: Attempts[Exchange]
    subject: str | None

    @property
    def exchange(self) -> Exchange:
        """The representative exchange."""
        return self.attempts.value

    @property
    def finding(self) -> Finding | None:
        """What the exchange shows."""
        return self.attempts.finding


@dataclass(slots=True)
class Evidence:
    """The evidence of one run.

    Args:
        pings: The answer of each host to a request without a credential.
        accepted: The exchange in which a credential was accepted, by credential.
        proved_by: The probe that proved a credential instead of its own, by credential.
        answered: The exchange that met the contract, by interaction.
        shapes: The shape of each of these answers, merged with those of earlier runs.
    """

    pings: Sequence[Ping] = ()
    accepted: dict[str, Exchange] = field(default_factory=dict)
    proved_by: dict[str, Probe] = field(default_factory=dict)
    answered: dict[str, Exchange] = field(default_factory=dict)
    shapes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def answers(self) -> list[Exchange]:
        """The exchange of each ping."""
        return [ping.exchange for ping in self.pings]

    @property
    def missing_ping(self) -> Ping | None:
        """The first ping whose path something answered without serving it."""
        unavailable = CauseId.PROVIDER_PING_UNAVAILABLE
        missing = (ping for ping in self.pings if ping.finding is not None and ping.finding.cause is unavailable)
        return next(missing, None)
