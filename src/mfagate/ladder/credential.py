"""Is the credential accepted, and would a bad one be refused?"""

from __future__ import annotations

from collections.abc import Iterator

from mfagate.causes import CauseId
from mfagate.diagnosis import diagnose
from mfagate.exchange import Exchange
from mfagate.ladder.rung import Climb, passed, skipped
from mfagate.providers.base import Probe
from mfagate.result import Check, Finding
from mfagate.secrets.fingerprint import fingerprint

ACCEPTED, ENFORCED = "credential.accepted", "credential.enforced"

_CONTROL_SETTLES = (CauseId.CREDENTIAL_REJECTED, CauseId.CREDENTIAL_UNKNOWN_KEY)
"""Refusals that a failing authentication layer of the provider would give as well."""


def accepted(climb: Climb) -> Iterator[Check]:
    """Use each credential once, on the endpoints that production uses."""
    for probe in climb.provider.credentials(climb.settings):
        exchange = climb.live.send(probe.request())
        if exchange.response is not None and probe.accepted(exchange.response):
            climb.accepted[probe.subject] = exchange
            yield passed(
                ACCEPTED, "accepted", subject=probe.subject, seconds=exchange.seconds, status=exchange.response.status
            )
        else:
            finding = _place(climb, probe, _second_opinion(climb, probe, diagnose(exchange, climb.explain)))
            yield Check.from_finding(ACCEPTED, finding, subject=probe.subject, seconds=exchange.seconds)


def _second_opinion(climb: Climb, probe: Probe, finding: Finding) -> Finding:
    """Ask with the known-good control credential whose fault a refusal is."""
    if climb.control_settings is None or finding.cause not in _CONTROL_SETTLES:
        return finding
    exchange = climb.live.send(probe.request(), settings=climb.control_settings)
    if exchange.response is not None and probe.accepted(exchange.response):
        evidence = {**finding.evidence, "control credential": "accepted in the same minute"}
        return Finding(finding.cause, finding.message, evidence, finding.location, finding.next_step)
    control = diagnose(exchange, climb.explain)
    if control.cause in _CONTROL_SETTLES:
        return Finding(
            CauseId.PROVIDER_AUTH_OUTAGE,
            "the provider refuses the known-good control credential as well",
            {**finding.evidence, "control credential": f"refused too ({control.cause})"},
        )
    return finding


def _place(climb: Climb, probe: Probe, finding: Finding) -> Finding:
    """Name the setting, the line to change and where the right value is, where the cause is the credential."""
    value = climb.subject.values.get(probe.subject)
    if value is None or not finding.cause.startswith("credential."):
        return finding
    where = next(field.setting.where for field in climb.subject.declared.fields() if field.name == probe.subject)
    evidence = {
        "setting": f"{climb.integration.name}.settings.{probe.subject}",
        "read from": value.read_from,
        "fingerprint": fingerprint(str(value.value)),
        **finding.evidence,
    }
    return Finding(
        finding.cause,
        f"{probe.subject}: {finding.message}",
        evidence,
        finding.location or value.change_here,
        finding.next_step or f"Put the right value where {value.read_from} is read from. It is issued {where}.",
        finding.outcome,
    )


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
    finding = diagnose(exchange, climb.explain)
    if finding.cause.startswith("credential."):
        status = exchange.response.status if exchange.response else None
        return passed(
            ENFORCED, "a made-up one is refused", subject=probe.subject, seconds=exchange.seconds, status=status
        )
    return Check.from_finding(ENFORCED, finding, subject=probe.subject, seconds=exchange.seconds)
