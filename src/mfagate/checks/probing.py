"""Send the probes of a provider: read-only requests, which may be repeated freely."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mfagate.checks.live import LiveContext
from mfagate.checks.results import passed
from mfagate.checks.retirement import announced
from mfagate.checks.retry import Attempt, Attempts
from mfagate.config.settings import ProviderSettings
from mfagate.core.exchange import Exchange
from mfagate.core.finding import Finding
from mfagate.core.result import Check
from mfagate.providers.probes import Probe

FindFault = Callable[[Exchange], Finding | None]
"""Returns what is wrong with an answer; None if nothing is."""


def send_probe(
    live: LiveContext,
    probe: Probe,
    find_fault: FindFault | None = None,
    *,
    settings: ProviderSettings | None = None,
    unsigned: bool = False,
) -> Attempts[Exchange]:
    """Send a probe until its result is settled.

    Args:
        live: The integration.
        probe: What to send.
        find_fault: Examines each answer, once; :func:`fault_of` by default.
        settings: The settings to sign with, if not the integration's own.
        unsigned: Whether to send no credential.
    """
    find_fault = find_fault or partial(fault_of, live, probe)

    def once(at_most: float | None) -> Attempt[Exchange]:
        request, target = probe.request(), live.target
        if unsigned:
            exchange = target.send_unsigned(request, at_most=at_most)
        else:
            # A repetition may reach another instance of the provider.
            exchange = target.send(request, settings, at_most=at_most, fresh=at_most is not None)
        return Attempt(exchange, exchange, find_fault(exchange))

    return live.transcript.attempt_until_settled(once)


def review_probe(live: LiveContext, probe: Probe) -> Attempts[Exchange]:
    """Send a probe whose own review examines accepted answers as well."""
    return send_probe(live, probe, partial(fault_of, live, probe, reviewed=True))


def is_accepted(probe: Probe, exchange: Exchange) -> bool:
    """Return whether the provider accepted a probe."""
    return exchange.response is not None and probe.accepted(exchange.response)


def fault_of(
    live: LiveContext,
    probe: Probe,
    exchange: Exchange,
    *,
    reviewed: bool = False,
    diagnose: Callable[[Exchange, Probe], Finding] | None = None,
) -> Finding | None:
    """Return what is wrong with the answer to a probe: an accepted answer may announce the end of its endpoint.

    Args:
        live: The integration.
        probe: The probe that was answered.
        exchange: The answer.
        reviewed: Whether the probe's own review examines an accepted answer.
        diagnose: Finds the cause of an answer that was not accepted, if not the usual diagnosis.
    """
    response = exchange.response
    if response is None or not probe.accepted(response):
        return (diagnose or live.diagnoser.diagnose)(exchange, probe)
    found = probe.review(response) if reviewed and probe.review else None
    return found or announced(exchange)


def check_of(
    check_id: str, subject: str | None, exchange: Exchange, finding: Finding | None, message: str, **evidence: object
) -> Check:
    """Return the check of a settled probe: the finding, or a pass with the message and the evidence."""
    if finding is None:
        return passed(check_id, message, subject=subject, seconds=exchange.seconds, **evidence)
    return Check.from_finding(check_id, finding, subject=subject, seconds=exchange.seconds)
