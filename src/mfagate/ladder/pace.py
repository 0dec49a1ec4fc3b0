"""Is there time for more? A slow provider is known to be slow long before everything has been asked."""

from __future__ import annotations

import time

from mfagate.causes import CauseId, Outcome
from mfagate.exchange import Exchange, Phase
from mfagate.ladder.rung import Climb
from mfagate.result import Check, Finding

SLOW_SECONDS = 0.8
"""From here on a phase of an exchange is slow: TCP repeats what got lost after a second (RFC 6298 section 2)."""

SLOW_CLIMB_SECONDS = 6.0
"""After so long a slow provider is known to be slow, which is the answer that people wait for."""

_RECENT = 6
"""Answers by which it is judged whether the provider is slow now."""


def slow_phase(exchange: Exchange) -> Phase | None:
    """The slowest phase of an exchange, if it was slow."""
    slowest = max(exchange.phases, key=lambda phase: exchange.phases[phase], default=None)
    return slowest if slowest is not None and exchange.phases[slowest] >= SLOW_SECONDS else None


def overdue(climb: Climb, check_id: str, done: str) -> Check | None:
    """The check that says why nothing more is asked, and what was ``done``; None while there is time."""
    elapsed = time.monotonic() - climb.began
    recent = _recent(climb)
    slow = sum(slow_phase(exchange) is not None for exchange in recent) * 2 > len(recent)
    deadline = climb.options.deadline_seconds
    if slow and elapsed > SLOW_CLIMB_SECONDS:
        return Check.from_finding(check_id, _too_slow(recent, f"{done} in {elapsed:.0f} s"))
    if elapsed > deadline:
        finding = Finding(
            CauseId.GATE_NOTHING_CHECKED,
            f"the deadline of {deadline:g} s was over when {done}",
            {"seconds": round(elapsed)},
            next_step="Raise deadline_seconds in [gate], or see in the JSON report what took so long.",
            outcome=Outcome.INCONCLUSIVE,
        )
        return Check.from_finding(check_id, finding)
    return None


def _recent(climb: Climb) -> list[Exchange]:
    shown = [picture.shown.exchange for picture in climb.pictures[-_RECENT:]]
    return [exchange for exchange in shown if exchange is not None and exchange.response is not None]


def _too_slow(recent: list[Exchange], done: str) -> Finding:
    longest = max(recent, key=lambda exchange: exchange.seconds)
    phase = max(longest.phases, key=lambda phase: longest.phases[phase])
    return Finding(
        CauseId.PROVIDER_DEGRADED,
        f"the provider answers so slowly that only {done}",
        {"slowest answer": f"{longest.seconds:.1f} s", "of which": f"{phase} {longest.phases[phase]:.1f} s"},
        outcome=Outcome.INCONCLUSIVE,
    )
