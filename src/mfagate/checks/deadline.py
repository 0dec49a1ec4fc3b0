"""Decide whether there is time for further requests.

Requests to a slow provider are sent until the deadline, because a login would wait for it, too. The run ends earlier if
it can no longer pass: answers exceed the login's own budget, or the first attempt of too many requests failed.
"""

from __future__ import annotations

from dataclasses import replace

from mfagate.checks.live import LiveContext
from mfagate.checks.stability import beyond_budget, slow_phase, sporadic
from mfagate.checks.transcript import Transcript
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import Exchange
from mfagate.core.finding import Finding
from mfagate.core.result import Check

TROUBLED_SECONDS = 5.0
"""The time after which a run ends if it can no longer pass."""

_RECENT = 6
"""The number of the latest answers that show whether the provider is slow now."""


def overdue(live: LiveContext, check_id: str, done: str) -> Check | None:
    """Return a check with the reason to send no more requests, and what was ``done``; None while there is time."""
    transcript = live.transcript
    elapsed, deadline = transcript.elapsed, transcript.deadline_seconds
    recent = _recent(transcript)
    if elapsed > TROUBLED_SECONDS:
        done = f"{done} in {elapsed:.0f} s"
        if beyond_budget(live.context.tables.client, recent):
            return Check.from_finding(check_id, _too_slow(recent, done))
        if (unsteady := sporadic(transcript)) is not None and unsteady.effective_outcome.is_red:
            return Check.from_finding(check_id, replace(unsteady, message=f"{unsteady.message}, and only {done}"))
    if elapsed > deadline:
        slow = sum(slow_phase(exchange) is not None for exchange in recent) * 2 > len(recent)
        return Check.from_finding(check_id, _too_slow(recent, done) if slow else _too_late(deadline, elapsed, done))
    return None


def _too_late(deadline: float, elapsed: float, done: str) -> Finding:
    return Finding(
        CauseId.GATE_NOTHING_CHECKED,
        f"the deadline of {deadline:g} s passed when {done}",
        {"seconds": round(elapsed)},
        next_step="Raise deadline_seconds in [gate], or see in the JSON report which requests were slow.",
        outcome=Outcome.INCONCLUSIVE,
    )


def _recent(transcript: Transcript) -> list[Exchange]:
    exchanges = [attempts.representative.exchange for attempts in transcript.requests[-_RECENT:]]
    return [exchange for exchange in exchanges if exchange is not None and exchange.response is not None]


def _too_slow(recent: list[Exchange], done: str) -> Finding:
    longest = max(recent, key=lambda exchange: exchange.seconds)
    phase = max(longest.phases, key=lambda phase: longest.phases[phase])
    return Finding(
        CauseId.PROVIDER_DEGRADED,
        f"the provider answers so slowly that only {done}",
        {"slowest answer": f"{longest.seconds:.1f} s", "of which": f"{phase} {longest.phases[phase]:.1f} s"},
        outcome=Outcome.INCONCLUSIVE,
    )
