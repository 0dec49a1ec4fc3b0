"""Is the credential accepted, and would a bad one be refused?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mfagate.causes import CauseId
from mfagate.diagnosis import diagnose
from mfagate.exchange import Exchange
from mfagate.ladder.rung import Climb, passed, skipped
from mfagate.providers.base import Probe
from mfagate.result import Check, Finding

ACCEPTED, ENFORCED = "credential.accepted", "credential.enforced"

_CONTROL_SETTLES = (CauseId.CREDENTIAL_REJECTED, CauseId.CREDENTIAL_UNKNOWN_KEY)
"""Refusals that a failing authentication layer of the provider would give as well."""


def accepted(climb: Climb) -> Iterator[Check]:
    """Use each credential once, on the endpoints that production uses."""
    for probe in climb.provider.credentials(climb.settings):
        exchange = climb.live.send(probe.request())
        finding: Finding | None
        if exchange.response is not None and probe.accepted(exchange.response):
            climb.accepted[probe.subject] = exchange
            finding = probe.review(exchange.response) if probe.review else None
        else:
            finding = _second_opinion(climb, probe, diagnose(exchange, climb))
            if finding.cause.startswith(("credential.", "account.")):
                finding = climb.provider.narrow(finding, climb.settings, climb.live.send)
        if finding is None:
            status = exchange.response.status if exchange.response else None
            yield passed(ACCEPTED, "accepted", subject=probe.subject, seconds=exchange.seconds, status=status)
        else:
            yield Check.from_finding(
                ACCEPTED, climb.place(finding, probe.subject), subject=probe.subject, seconds=exchange.seconds
            )


def _second_opinion(climb: Climb, probe: Probe, finding: Finding) -> Finding:
    """Ask with the known-good control credential whose fault a refusal is."""
    if climb.control_settings is None or finding.cause not in _CONTROL_SETTLES:
        return finding
    exchange = climb.live.send(probe.request(), settings=climb.control_settings)
    if exchange.response is not None and probe.accepted(exchange.response):
        evidence = {**finding.evidence, "control credential": "accepted in the same minute"}
        return replace(finding, evidence=evidence)
    control = diagnose(exchange, climb)
    if control.cause in _CONTROL_SETTLES:
        return Finding(
            CauseId.PROVIDER_AUTH_OUTAGE,
            "the provider refuses the known-good control credential as well",
            {**finding.evidence, "control credential": f"refused too ({control.cause})"},
        )
    return finding


def enforced(climb: Climb) -> Iterator[Check]:
    """The negative control: a made-up credential must be refused, else acceptance proves nothing."""
    integration = climb.integration
    if integration.environment.is_production and "failing-credential" not in integration.production_allows:
        yield skipped(ENFORCED, 'production: allow it with production_allows = ["failing-credential"]')
        return
    for probe in climb.provider.credentials(climb.settings):
        bad = climb.provider.known_bad(climb.settings, probe.subject)
        exchange = climb.live.send(probe.request(), settings=bad)
        yield _judge_refusal(climb, probe, exchange)


def _judge_refusal(climb: Climb, probe: Probe, exchange: Exchange) -> Check:
    if exchange.response is not None and probe.accepted(exchange.response):
        finding = Finding(
            CauseId.CREDENTIAL_NOT_ENFORCED,
            f"{probe.method} {probe.path} takes a made-up {probe.subject}, so a pass would prove nothing",
            {"status": exchange.response.status, "endpoint": f"{probe.method} {probe.path}"},
        )
        return Check.from_finding(ENFORCED, finding, subject=probe.subject, seconds=exchange.seconds)
    finding = diagnose(exchange, climb)
    if finding.cause.startswith("credential."):
        status = exchange.response.status if exchange.response else None
        return passed(
            ENFORCED, "a made-up one is refused", subject=probe.subject, seconds=exchange.seconds, status=status
        )
    return Check.from_finding(ENFORCED, finding, subject=probe.subject, seconds=exchange.seconds)
