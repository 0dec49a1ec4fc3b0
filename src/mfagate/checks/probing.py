"""Send the probes of a provider: read-only requests, which may be repeated freely."""

from __future__ import annotations

from collections.abc import Callable

from mfagate.checks.live import LiveContext
from mfagate.checks.retirement import announced
from mfagate.checks.retry import Attempt, Attempts
from mfagate.config.settings import ProviderSettings
from mfagate.core.exchange import Exchange
from mfagate.core.finding import Finding
from mfagate.providers.base import Probe

Judge = Callable[[Exchange], Finding | None]
"""Tells what an answer shows; None if nothing is wrong with it."""


def ask_probe(
    live: LiveContext, probe: Probe, judge: Judge, *, settings: ProviderSettings | None = None, unsigned: bool = False
) -> Attempts[Exchange]:
    """Send a probe until its result is settled.

    Args:
        live: The integration.
        probe: What to send.
        judge: Judges each answer, once.
        settings: The settings to sign with, if not the integration's own.
        unsigned: Whether to send no credential.
    """

    def once(at_most: float | None) -> Attempt[Exchange]:
        request, target = probe.request(), live.target
        exchange = (
            target.send_unsigned(request, at_most=at_most)
            if unsigned
            else target.send(request, settings, at_most=at_most)
        )
        return Attempt(exchange, exchange, judge(exchange))

    return live.transcript.attempt_until_settled(once)


def is_accepted(probe: Probe, exchange: Exchange) -> bool:
    """Return whether the provider accepted a probe."""
    return exchange.response is not None and probe.accepted(exchange.response)


def judging(probe: Probe, diagnose: Callable[[Exchange, Probe], Finding], *, reviewed: bool = False) -> Judge:
    """Return a judge of a probe's answers.

    An accepted answer is in order unless it announces the end of its endpoint.

    Args:
        probe: The probe that is answered.
        diagnose: Finds the cause of an answer that was not accepted.
        reviewed: Whether the probe's own review looks at an accepted answer as well.
    """

    def judge(exchange: Exchange) -> Finding | None:
        response = exchange.response
        if response is None or not probe.accepted(response):
            return diagnose(exchange, probe)
        found = probe.review(response) if reviewed and probe.review else None
        return found or announced(exchange)

    return judge
