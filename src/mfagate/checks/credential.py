"""Check that each credential is accepted, and that a made-up one is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from mfagate.checks.live import LiveContext
from mfagate.checks.probing import check_of, is_accepted, review_probe, send_probe
from mfagate.checks.results import AT_THE_SAME_TIME, not_reached, skipped
from mfagate.checks.retry import CONFIRMING_ATTEMPTS, Attempt, Attempts
from mfagate.config.settings import ProviderSettings
from mfagate.core import check_ids
from mfagate.core.causes import CauseId, is_no_answer, refuses
from mfagate.core.diagnosis import is_bare_refusal, is_html
from mfagate.core.exchange import Exchange
from mfagate.core.finding import Finding
from mfagate.core.result import Check, SkipReason
from mfagate.providers.probes import Probe

_CONTROL_SETTLES = (CauseId.CREDENTIAL_REJECTED, CauseId.CREDENTIAL_UNKNOWN_KEY, CauseId.PROVIDER_REFUSAL_UNRECOGNISED)
"""Refusals that a failing authentication service of the provider would give, too."""


def accepted(live: LiveContext) -> Iterator[Check]:
    """Use each credential on the endpoints that production uses."""
    gone: Check | None = None
    probes = live.provider.probes.credentials(live.settings)
    for check in live.at_once([partial(_accepted, live, probe) for probe in probes]):
        is_gone = check.outcome.is_red and is_no_answer(check.cause)
        if is_gone and gone is not None:
            yield not_reached(check.id, gone, subject=check.subject, not_done=AT_THE_SAME_TIME)
            continue
        gone = gone or (check if is_gone else None)
        yield check


def _accepted(live: LiveContext, probe: Probe) -> Check:
    probe, attempts = _proof(live, probe)
    exchange, finding = attempts.value, attempts.finding
    if is_accepted(probe, exchange):
        live.evidence.accepted[probe.subject] = exchange
    if finding is not None:
        finding = _whose_fault(live, probe, attempts, _elsewhere(live, probe, exchange, finding))
        if finding.cause.family.concerns_access:
            finding = live.provider.probes.refine(finding, live.settings, live.target.send)
        finding = live.locate(finding, probe.subject)
    evidence = {"status": _status(exchange), **attempts.summary, **_asked_instead(live, probe)}
    return check_of(check_ids.CREDENTIAL_ACCEPTED, probe.subject, exchange, finding, "accepted", **evidence)


def _status(exchange: Exchange) -> int | None:
    return exchange.response.status if exchange.response is not None else None


def _proof(live: LiveContext, probe: Probe) -> tuple[Probe, Attempts[Exchange]]:
    """Send the probe, or its alternative if its own answer proves nothing."""
    attempts = review_probe(live, probe)
    other = probe.instead
    if other is None or attempts.representative.cause is not CauseId.CREDENTIAL_NOT_PROVABLE:
        return probe, attempts
    second = review_probe(live, other)
    if not _settles(live, probe, second.representative):
        return probe, attempts
    live.evidence.proved_by[probe.subject] = other
    return other, second


def _settles(live: LiveContext, probe: Probe, second: Attempt[Exchange]) -> bool:
    """Return whether the alternative's answer proves something.

    Acceptance proves something only if a made-up credential is refused there, which a later check tests.
    """
    if second.cause is None:
        return _may_send_bad_credential(live) or _bad_credential(live, probe) is None
    return second.cause is not CauseId.CREDENTIAL_NOT_PROVABLE and live.dialect.explain(second.value) is not None


def _asked_instead(live: LiveContext, probe: Probe) -> dict[str, str]:
    if live.evidence.proved_by.get(probe.subject) is not probe:
        return {}
    return {"asked instead": f"{probe.method} {probe.path}, because the first answer gives no reason"}


def _elsewhere(live: LiveContext, probe: Probe, exchange: Exchange, finding: Finding) -> Finding:
    """Return the ping's finding if this answer is not the provider's either: another server answers there."""
    response = exchange.response
    ping = live.evidence.missing_ping
    if ping is None or ping.finding is None or response is None or finding.cause is CauseId.NETWORK_PROXY:
        return finding
    retired = finding.cause is CauseId.CONTRACT_ENDPOINT_RETIRED
    is_own = live.provider.dialect.error_of(response) is not None or live.dialect.explain(exchange) is not None
    if is_own and not retired:
        return finding
    if response.status < 400 or response.status >= 500 or response.status in (407, 429) or is_bare_refusal(response):
        return finding
    if response.status == _FORBIDDEN and is_html(response):
        return _filtered(ping.finding, probe, finding)
    form = "this path does not exist either" if retired else f"not in a form that {live.provider.title} uses"
    asked = f"{probe.method} {probe.path}: {response.status}, {form}"
    return Finding(
        CauseId.CONFIG_MALFORMED_URL,
        f"the server at this address is not {live.provider.title}'s API: it has no {ping.probe.path}, and does not "
        "understand the request with the credential",
        {**ping.finding.evidence, "asked with the credential": asked},
        live.integration.locate("settings"),
        next_step="Check host, port and path of the base URL: it may be another application's. If the login service "
        "uses the same URL, check what is in front of the server: a proxy, a gateway, a firewall.",
    )


_FORBIDDEN = 403


def _filtered(ping: Finding, probe: Probe, finding: Finding) -> Finding:
    """Return the finding of a page that refuses the request without a credential and the one with it."""
    paths = {"without a credential": ping.evidence.get("request"), "with it": f"{probe.method} {probe.path}"}
    finding = replace(finding, evidence={**finding.evidence, **paths})
    if finding.next_step is not None:
        return finding  # The page names its owner.
    return replace(
        finding,
        message=f"something between this machine and the API refuses its requests with a page ({_FORBIDDEN})",
        next_step="Use its title and server to find out who owns the page: a web filter or firewall on the way, or "
        "the protection in front of the provider. Ask the owner to allow this machine's address and these paths, and "
        "do not change the credential. Correct the URL only if the page belongs to another application.",
    )


def _whose_fault(live: LiveContext, probe: Probe, attempts: Attempts[Exchange], finding: Finding) -> Finding:
    """Decide whether the fault is ours or the provider's, as far as the answers show it."""
    failed, total = len(attempts.failures), len(attempts.all)
    if attempts.inconsistent and refuses(finding.cause):
        return Finding(
            CauseId.PROVIDER_AUTH_OUTAGE,
            f"the provider refuses the credential in {failed} of {total} attempts and accepts it in the others",
            {**finding.evidence, **attempts.summary, "refused as": str(finding.cause)},
            next_step="A wrong credential is never accepted: suspect one of several instances at the provider, or a "
            "rotation that has not reached all of them. Run the gate again in a few minutes.",
        )
    finding = attempts.counted(finding)
    if finding.cause is CauseId.PROVIDER_OUTAGE:
        # The earlier checks passed, so the provider is not down as a whole.
        return replace(
            finding,
            cause=CauseId.PROVIDER_AUTH_OUTAGE,
            message=f"the provider answers without a credential, but not with one: {finding.message}",
            evidence={**finding.evidence, "without a credential": "answered"},
            next_step=finding.next_step
            or "Check the provider's status page. No credential was refused: do not rotate any.",
        )
    control = _second_opinion(live, probe, finding)
    unknown = control.cause is CauseId.PROVIDER_REFUSAL_UNRECOGNISED
    return _without_words(live, probe, attempts, control) if unknown else control


def _without_words(live: LiveContext, probe: Probe, attempts: Attempts[Exchange], finding: Finding) -> Finding:
    """Report a refusal without a reason as ``credential.rejected``, if further answers leave no other cause.

    The refusal must be confirmed. A made-up credential must be refused in the same way, or must not be sent. A
    known-good control credential, if there is one, must be accepted. The ping must have been answered: a server that
    refuses every request shows nothing about the credential.
    """
    exchanges = [attempt.value for attempt in attempts.all]
    if len(exchanges) < CONFIRMING_ATTEMPTS or not all(is_bare_refusal(exchange.response) for exchange in exchanges):
        return finding
    if live.evidence.missing_ping is not None:
        return finding
    if live.typed.control is not None and finding.evidence.get(_CONTROL) != _CONTROL_ACCEPTED:
        return finding
    is_alike, result = _made_up(live, probe, exchanges[0])
    finding = replace(finding, evidence={**finding.evidence, "made-up credential": result})
    if not is_alike:
        return finding
    return replace(
        finding,
        cause=CauseId.CREDENTIAL_REJECTED,
        message=f"{finding.message}, {len(exchanges)} times, to a request that only tests the credential",
        next_step="Compare the fingerprint with that of the last run that passed. If the value has changed since then, "
        "restore the previous one. If not, check in the provider's console that the key is still listed and active, "
        "and ask its owner before you replace it.",
    )


def _made_up(live: LiveContext, probe: Probe, own: Exchange) -> tuple[bool, str]:
    """Return whether a made-up credential has the same result as the configured one, or must not be sent.

    The text describes the result.
    """
    if not _may_send_bad_credential(live):
        return True, "not sent in production"
    bad = _bad_credential(live, probe)
    if bad is None:
        return False, "not sent: this server needs no credential"
    exchange = live.target.send(probe.request(), bad)
    if exchange.response is None:
        return False, "not answered"
    if is_bare_refusal(exchange.response):
        same = _status(own) == exchange.response.status
        return same, f"refused in the same way ({exchange.response.status})" if same else "refused with another status"
    accepted = probe.accepted(exchange.response)
    return False, "accepted" if accepted else f"refused in other words ({exchange.response.status})"


_CONTROL, _CONTROL_ACCEPTED = "control credential", "accepted in the same minute"


def _second_opinion(live: LiveContext, probe: Probe, finding: Finding) -> Finding:
    """Send the probe with the known-good control credential, to see whose fault a refusal is."""
    if live.typed.control is None or finding.cause not in _CONTROL_SETTLES:
        return finding
    control = send_probe(live, probe, settings=live.typed.control).representative.failure
    if control is None:
        return replace(finding, evidence={**finding.evidence, _CONTROL: _CONTROL_ACCEPTED})
    if control.cause in _CONTROL_SETTLES:
        return Finding(
            CauseId.PROVIDER_AUTH_OUTAGE,
            "the provider refuses the known-good control credential as well",
            {**finding.evidence, _CONTROL: f"refused too ({control.cause})"},
        )
    return replace(finding, evidence={**finding.evidence, _CONTROL: f"not settled ({control.cause})"})


def enforced(live: LiveContext) -> Iterator[Check]:
    """Check that a made-up credential is refused: if it is accepted, acceptance proves nothing."""
    if not _may_send_bad_credential(live):
        reason = 'production: allow it with production_allows = ["failing-credential"]'
        yield skipped(check_ids.CREDENTIAL_ENFORCED, reason, because=SkipReason.READ_ONLY)
        return
    probes = live.provider.probes.credentials(live.settings)
    yield from live.at_once([partial(_enforced, live, probe) for probe in probes])


def _enforced(live: LiveContext, declared: Probe) -> Check:
    probe = live.evidence.proved_by.get(declared.subject, declared)
    bad = _bad_credential(live, probe)
    if bad is None:
        reason = "the configuration says that no credential is needed"
        return skipped(check_ids.CREDENTIAL_ENFORCED, reason, subject=probe.subject)
    attempts = send_probe(live, probe, partial(_not_refused, live, probe), settings=bad)
    exchange, finding = attempts.value, attempts.finding and attempts.counted(attempts.finding)
    message, evidence = "a made-up credential is refused", {"status": _status(exchange), **attempts.summary}
    return check_of(check_ids.CREDENTIAL_ENFORCED, probe.subject, exchange, finding, message, **evidence)


def _not_refused(live: LiveContext, probe: Probe, exchange: Exchange) -> Finding | None:
    """Return what happened to a made-up credential; None if it was refused, as it should be."""
    if is_accepted(probe, exchange):
        return Finding(
            CauseId.CREDENTIAL_NOT_ENFORCED,
            f"{probe.method} {probe.path} accepts a made-up {probe.subject}, so a pass would prove nothing",
            {"status": _status(exchange), "endpoint": f"{probe.method} {probe.path}"},
        )
    finding = live.diagnoser.diagnose(exchange, probe)
    return None if refuses(finding.cause) else finding


def _bad_credential(live: LiveContext, probe: Probe) -> ProviderSettings | None:
    """Return the settings with a made-up credential; None if the server needs none."""
    return live.provider.probes.with_bad_credential(live.settings, probe.subject)


def _may_send_bad_credential(live: LiveContext) -> bool:
    integration = live.integration
    return not integration.environment.is_production or "failing-credential" in integration.production_allows
