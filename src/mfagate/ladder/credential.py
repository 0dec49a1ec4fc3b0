"""Is the credential accepted, and would a bad one be refused?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from mfagate.causes import CauseId
from mfagate.exchange import Exchange
from mfagate.ladder.asking import Picture, ask_probe, judging
from mfagate.ladder.rung import Climb, is_gone, passed, skipped
from mfagate.providers.base import Probe
from mfagate.result import Check, Finding, SkipReason

ACCEPTED, ENFORCED = "credential.accepted", "credential.enforced"

_CONTROL_SETTLES = (CauseId.CREDENTIAL_REJECTED, CauseId.CREDENTIAL_UNKNOWN_KEY)
"""Refusals that a failing authentication layer of the provider would give as well."""


def accepted(climb: Climb) -> Iterator[Check]:
    """Use each credential on the endpoints that production uses."""
    gone: Check | None = None
    for probe in climb.provider.credentials(climb.settings):
        if gone is not None:
            reason = f"not asked: {gone.title} found {gone.cause}"
            yield skipped(ACCEPTED, reason, subject=probe.subject, because=SkipReason.NOT_REACHED)
            continue
        check = _accepted(climb, probe)
        # A host that keeps silent would do so for each of the others, a whole timeout long.
        gone = check if check.outcome.is_red and is_gone(check.cause) else None
        yield check


def _accepted(climb: Climb, probe: Probe) -> Check:
    judge = judging(probe, climb.diagnose, reviewed=True)
    picture = ask_probe(climb, probe, judge)
    exchange = picture.shown.value
    if exchange.response is not None and probe.accepted(exchange.response):
        climb.accepted[probe.subject] = exchange
    finding = judge(exchange)
    if finding is None:
        status = exchange.response.status if exchange.response else None
        return passed(
            ACCEPTED, "accepted", subject=probe.subject, seconds=exchange.seconds, status=status, **picture.told
        )
    finding = _whose_fault(climb, probe, picture, finding)
    if finding.cause.startswith(("credential.", "account.")):
        finding = climb.provider.narrow(finding, climb.settings, climb.live.send)
    finding = climb.place(finding, probe.subject)
    return Check.from_finding(ACCEPTED, finding, subject=probe.subject, seconds=exchange.seconds)


def _whose_fault(climb: Climb, probe: Probe, picture: Picture[Exchange], finding: Finding) -> Finding:
    """Ours or the provider's, as far as its answers settle it."""
    failed, total = len(picture.failures), len(picture.samples)
    if picture.mixed and finding.cause.startswith("credential."):
        return Finding(
            CauseId.PROVIDER_AUTH_OUTAGE,
            f"the provider refuses the credential in {failed} of {total} attempts and accepts it in the others",
            {**finding.evidence, **picture.told, "refused as": str(finding.cause)},
            next_step="A wrong credential is never accepted: suspect one of several instances at the provider, or a "
            "rotation that has not reached all of them. Run the gate again in a few minutes.",
        )
    finding = picture.counted(finding)
    if finding.cause is CauseId.PROVIDER_OUTAGE:
        # The rungs below are green, so it is not down as a whole.
        return replace(
            finding,
            cause=CauseId.PROVIDER_AUTH_OUTAGE,
            message=f"the provider answers without a credential, but not with one: {finding.message}",
            evidence={**finding.evidence, "without a credential": "answered"},
            next_step="Look at the provider's status page. No credential was refused: rotate nothing.",
        )
    return _second_opinion(climb, probe, finding)


def _second_opinion(climb: Climb, probe: Probe, finding: Finding) -> Finding:
    """Ask with the known-good control credential whose fault a refusal is."""
    if climb.control_settings is None or finding.cause not in _CONTROL_SETTLES:
        return finding
    judge = judging(probe, climb.diagnose)
    picture = ask_probe(climb, probe, judge, settings=climb.control_settings)
    control = judge(picture.shown.value)
    if control is None or not control.effective_outcome.is_red:
        evidence = {**finding.evidence, "control credential": "accepted in the same minute"}
        return replace(finding, evidence=evidence)
    if control.cause in _CONTROL_SETTLES:
        return Finding(
            CauseId.PROVIDER_AUTH_OUTAGE,
            "the provider refuses the known-good control credential as well",
            {**finding.evidence, "control credential": f"refused too ({control.cause})"},
        )
    return replace(finding, evidence={**finding.evidence, "control credential": f"not settled ({control.cause})"})


def enforced(climb: Climb) -> Iterator[Check]:
    """The negative control: a made-up credential must be refused, else acceptance proves nothing."""
    integration = climb.integration
    if integration.environment.is_production and "failing-credential" not in integration.production_allows:
        reason = 'production: allow it with production_allows = ["failing-credential"]'
        yield skipped(ENFORCED, reason, because=SkipReason.READ_ONLY)
        return
    for probe in climb.provider.credentials(climb.settings):
        bad = climb.provider.known_bad(climb.settings, probe.subject)
        judge = partial(_refused, climb, probe)
        picture = ask_probe(climb, probe, judge, settings=bad)
        exchange = picture.shown.value
        finding = judge(exchange)
        if finding is None:
            status = exchange.response.status if exchange.response else None
            evidence = {"status": status, **picture.told}
            message = "a made-up one is refused"
            yield passed(ENFORCED, message, subject=probe.subject, seconds=exchange.seconds, **evidence)
        else:
            finding = picture.counted(finding)
            yield Check.from_finding(ENFORCED, finding, subject=probe.subject, seconds=exchange.seconds)


def _refused(climb: Climb, probe: Probe, exchange: Exchange) -> Finding | None:
    """None if the made-up credential was refused, as it has to be."""
    if exchange.response is not None and probe.accepted(exchange.response):
        return Finding(
            CauseId.CREDENTIAL_NOT_ENFORCED,
            f"{probe.method} {probe.path} takes a made-up {probe.subject}, so a pass would prove nothing",
            {"status": exchange.response.status, "endpoint": f"{probe.method} {probe.path}"},
        )
    finding = climb.diagnose(exchange, probe)
    return None if finding.cause.startswith("credential.") else finding
