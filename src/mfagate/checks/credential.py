"""Is the credential accepted, and would a bad one be refused?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from mfagate.checks.context import CheckContext, passed, skipped
from mfagate.checks.retry import CONFIRMING_ATTEMPTS, Attempt, Attempts, ask_probe, judging
from mfagate.core.causes import CauseId, is_no_answer, refuses
from mfagate.core.diagnosis import is_bare_refusal, is_html
from mfagate.core.exchange import Exchange
from mfagate.core.finding import Finding
from mfagate.core.result import Check, SkipReason
from mfagate.providers.base import Probe

ACCEPTED, ENFORCED = "credential.accepted", "credential.enforced"

_CONTROL_SETTLES = (
    CauseId.CREDENTIAL_REJECTED,
    CauseId.CREDENTIAL_UNKNOWN_KEY,
    CauseId.PROVIDER_REFUSAL_UNRECOGNISED,
)
"""Refusals that a failing authentication layer of the provider would give as well."""


def accepted(climb: CheckContext) -> Iterator[Check]:
    """Use each credential on the endpoints that production uses."""
    gone: Check | None = None
    for probe in climb.provider.credentials(climb.settings):
        if gone is not None:
            reason = f"not asked: {gone.title} found {gone.cause}"
            yield skipped(ACCEPTED, reason, subject=probe.subject, because=SkipReason.NOT_REACHED)
            continue
        check = _accepted(climb, probe)
        # A host that keeps silent would do so for each of the others, a whole timeout long.
        gone = check if check.outcome.is_red and is_no_answer(check.cause) else None
        yield check


def _accepted(climb: CheckContext, probe: Probe) -> Check:
    probe, picture = _proof(climb, probe)
    judge = judging(probe, climb.diagnose, reviewed=True)
    exchange = picture.shown.value
    if exchange.response is not None and probe.accepted(exchange.response):
        climb.accepted[probe.subject] = exchange
    finding = judge(exchange)
    if finding is None:
        status = exchange.response.status if exchange.response else None
        evidence = {"status": status, **picture.told, **_asked_instead(climb, probe)}
        return passed(ACCEPTED, "accepted", subject=probe.subject, seconds=exchange.seconds, **evidence)
    finding = _whose_fault(climb, probe, picture, _elsewhere(climb, probe, exchange, finding))
    if finding.cause.startswith(("credential.", "account.")):
        finding = climb.provider.refine(finding, climb.settings, climb.live.send)
    finding = climb.place(finding, probe.subject)
    return Check.from_finding(ACCEPTED, finding, subject=probe.subject, seconds=exchange.seconds)


def _proof(climb: CheckContext, probe: Probe) -> tuple[Probe, Attempts[Exchange]]:
    """Ask with the probe, or with the one that it names instead, where its own answer proves nothing."""
    picture = ask_probe(climb, probe, judging(probe, climb.diagnose, reviewed=True))
    other = probe.instead
    if other is None or picture.shown.cause is not CauseId.CREDENTIAL_NOT_PROVABLE:
        return probe, picture
    second = ask_probe(climb, other, judging(other, climb.diagnose, reviewed=True))
    if not _settles(climb, probe, second.shown):
        return probe, picture
    climb.proving[probe.subject] = other
    return other, second


def _settles(climb: CheckContext, probe: Probe, second: Attempt[Exchange]) -> bool:
    """Return whether a second answer proves something; acceptance does only if a made-up credential is refused there.

    That is looked at later, by the negative control.
    """
    if second.cause is None:
        return _may_send_a_bad_one(climb) or climb.provider.with_bad_credential(climb.settings, probe.subject) is None
    return second.cause is not CauseId.CREDENTIAL_NOT_PROVABLE and climb.explain(second.value) is not None


def _asked_instead(climb: CheckContext, probe: Probe) -> dict[str, str]:
    if climb.proving.get(probe.subject) is not probe:
        return {}
    return {"asked instead": f"{probe.method} {probe.path}, because the first answer hides its reason"}


def _elsewhere(climb: CheckContext, probe: Probe, exchange: Exchange, finding: Finding) -> Finding:
    """Return what the ping found, if this answer is not the provider's either: something else answers there."""
    response = exchange.response
    if not climb.missing_pings or response is None or finding.cause is CauseId.NETWORK_PROXY:
        return finding
    retired = finding.cause is CauseId.CONTRACT_ENDPOINT_RETIRED
    is_own = climb.provider.error_of(response) is not None or climb.explain(exchange) is not None
    if is_own and not retired:
        return finding
    if response.status < 400 or response.status >= 500 or response.status in (407, 429) or is_bare_refusal(response):
        return finding
    ping = climb.missing_pings[0]
    if response.status == _FORBIDDEN and is_html(response):
        return _filtered(ping, probe, finding)
    form = "which it does not have either" if retired else f"in no form of {climb.provider.title}'s"
    asked = f"{probe.method} {probe.path}: {response.status}, {form}"
    return replace(ping, evidence={**ping.evidence, "asked with the credential": asked})


_FORBIDDEN = 403


def _filtered(ping: Finding, probe: Probe, finding: Finding) -> Finding:
    """Return the finding of a page that refuses the request without a credential and the one with it."""
    paths = {"without a credential": ping.evidence.get("request"), "with it": f"{probe.method} {probe.path}"}
    finding = replace(finding, evidence={**finding.evidence, **paths})
    if finding.next_step is not None:
        return finding  # The page says itself whose it is.
    return replace(
        finding,
        message=f"something between this machine and the API refuses its requests with a page ({_FORBIDDEN})",
        next_step="See by title and server whose page it is: a web filter or firewall on the way, or the protection in "
        "front of the provider. Have its owner let this machine's address and these paths through, and leave the "
        "credential as it is. Only if it is another application's page, correct the URL.",
    )


def _whose_fault(climb: CheckContext, probe: Probe, picture: Attempts[Exchange], finding: Finding) -> Finding:
    """Decide whether the fault is ours or the provider's, as far as its answers settle it."""
    failed, total = len(picture.failures), len(picture.samples)
    if picture.mixed and refuses(finding.cause):
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
            next_step=finding.next_step
            or "Look at the provider's status page. No credential was refused: rotate nothing.",
        )
    control = _second_opinion(climb, probe, finding)
    unknown = control.cause is CauseId.PROVIDER_REFUSAL_UNRECOGNISED
    return _without_words(climb, probe, picture, control) if unknown else control


def _without_words(climb: CheckContext, probe: Probe, picture: Attempts[Exchange], finding: Finding) -> Finding:
    """Make ``credential.rejected`` of a refusal without a reason, where further answers leave nothing else.

    It must be confirmed, a made-up credential must be refused in the same way (or may not be sent), and a
    known-good control credential, where there is one, must be accepted. The ping must have been answered: what
    refuses everything says nothing of the credential.
    """
    exchanges = [sample.value for sample in picture.samples]
    if len(exchanges) < CONFIRMING_ATTEMPTS or not all(is_bare_refusal(one.response) for one in exchanges):
        return finding
    if climb.missing_pings:
        return finding
    if climb.control_settings is not None and finding.evidence.get(_CONTROL) != _CONTROL_ACCEPTED:
        return finding
    is_alike, result = _made_up(climb, probe, exchanges[0])
    finding = replace(finding, evidence={**finding.evidence, "made-up credential": result})
    if not is_alike:
        return finding
    return replace(
        finding,
        cause=CauseId.CREDENTIAL_REJECTED,
        message=f"{finding.message}, {len(exchanges)} times, on a request that only proves the credential",
        next_step="Compare the fingerprint with that of the last run that passed. If the value was changed since, put "
        "the former one back. If not, look in the provider's console whether the key is still listed and active, and "
        "ask its owner before you replace it.",
    )


def _made_up(climb: CheckContext, probe: Probe, own: Exchange) -> tuple[bool, str]:
    """Return whether a made-up credential fares as the configured one did, or may not be tried; and that in words."""
    if not _may_send_a_bad_one(climb):
        return True, "not sent in production"
    bad = climb.provider.with_bad_credential(climb.settings, probe.subject)
    if bad is None:
        return False, "none is sent to this server"
    exchange = climb.live.send(probe.request(), bad)
    if exchange.response is None:
        return False, "not answered"
    if is_bare_refusal(exchange.response):
        same = own.response is not None and own.response.status == exchange.response.status
        return same, f"refused in the same way ({exchange.response.status})" if same else "refused with another status"
    accepted = probe.accepted(exchange.response)
    return False, "accepted" if accepted else f"refused in other words ({exchange.response.status})"


_CONTROL, _CONTROL_ACCEPTED = "control credential", "accepted in the same minute"


def _second_opinion(climb: CheckContext, probe: Probe, finding: Finding) -> Finding:
    """Ask with the known-good control credential whose fault a refusal is."""
    if climb.control_settings is None or finding.cause not in _CONTROL_SETTLES:
        return finding
    judge = judging(probe, climb.diagnose)
    picture = ask_probe(climb, probe, judge, settings=climb.control_settings)
    control = judge(picture.shown.value)
    if control is None or not control.effective_outcome.is_red:
        return replace(finding, evidence={**finding.evidence, _CONTROL: _CONTROL_ACCEPTED})
    if control.cause in _CONTROL_SETTLES:
        return Finding(
            CauseId.PROVIDER_AUTH_OUTAGE,
            "the provider refuses the known-good control credential as well",
            {**finding.evidence, _CONTROL: f"refused too ({control.cause})"},
        )
    return replace(finding, evidence={**finding.evidence, _CONTROL: f"not settled ({control.cause})"})


def enforced(climb: CheckContext) -> Iterator[Check]:
    """The negative control: a made-up credential must be refused, else acceptance proves nothing."""
    if not _may_send_a_bad_one(climb):
        reason = 'production: allow it with production_allows = ["failing-credential"]'
        yield skipped(ENFORCED, reason, because=SkipReason.READ_ONLY)
        return
    for declared in climb.provider.credentials(climb.settings):
        probe = climb.proving.get(declared.subject, declared)
        bad = climb.provider.with_bad_credential(climb.settings, probe.subject)
        if bad is None:
            yield skipped(ENFORCED, "the configuration says that no credential is needed", subject=probe.subject)
            continue
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


def _refused(climb: CheckContext, probe: Probe, exchange: Exchange) -> Finding | None:
    """None if the made-up credential was refused, as it has to be."""
    if exchange.response is not None and probe.accepted(exchange.response):
        return Finding(
            CauseId.CREDENTIAL_NOT_ENFORCED,
            f"{probe.method} {probe.path} takes a made-up {probe.subject}, so a pass would prove nothing",
            {"status": exchange.response.status, "endpoint": f"{probe.method} {probe.path}"},
        )
    finding = climb.diagnose(exchange, probe)
    return None if refuses(finding.cause) else finding


def _may_send_a_bad_one(climb: CheckContext) -> bool:
    integration = climb.integration
    return not integration.environment.is_production or "failing-credential" in integration.production_allows
