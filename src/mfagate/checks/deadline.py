"""Decide whether there is time to ask more.

A slow provider is asked until the deadline, because a login would wait for it too. An early end is for what no
longer can become a pass: answers beyond the login's own budget, and questions that were too often not answered.
"""

from __future__ import annotations

import time
from dataclasses import replace

from mfagate.checks.context import CheckContext
from mfagate.checks.stability import beyond_budget, slow_phase, sporadic
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import Exchange
from mfagate.core.finding import Finding
from mfagate.core.result import Check

TROUBLED_CLIMB_SECONDS = 5.0
"""After so long a provider that cannot pass any more is known to be that, which is the answer people wait for."""

_RECENT = 6
"""Answers by which it is judged whether the provider is slow now."""


def overdue(climb: CheckContext, check_id: str, done: str) -> Check | None:
    """The check that says why nothing more is asked, and what was ``done``; None while there is time."""
    elapsed = time.monotonic() - climb.began
    deadline = climb.options.deadline_seconds
    recent = _recent(climb)
    if elapsed > TROUBLED_CLIMB_SECONDS:
        done = f"{done} in {elapsed:.0f} s"
        if beyond_budget(climb, recent):
            return Check.from_finding(check_id, _too_slow(recent, done))
        if (unsteady := sporadic(climb)) is not None and unsteady.effective_outcome.is_red:
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
        next_step="Raise deadline_seconds in [gate], or find out from the JSON report what took so long.",
        outcome=Outcome.INCONCLUSIVE,
    )


def _recent(climb: CheckContext) -> list[Exchange]:
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
