"""Check that the live provider answers each interaction as the contract says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from mfagate.checks.deadline import overdue
from mfagate.checks.live import LiveContext
from mfagate.checks.messages import never_left
from mfagate.checks.probing import send_probe
from mfagate.checks.provider_states import Overdue, StateManager, managed_states
from mfagate.checks.replay import is_sent_once, replay
from mfagate.checks.results import guarded, not_reached
from mfagate.checks.retry import Attempt, Attempts
from mfagate.checks.user_lock import UsersInUse
from mfagate.contract import Interaction
from mfagate.core import check_ids
from mfagate.core.causes import CauseFamily, CauseId, Outcome, family_of, is_no_answer, refuses, rejects_credential
from mfagate.core.finding import Finding, Location
from mfagate.core.result import Check
from mfagate.providers.probes import Probe
from mfagate.providers.states import StateValues

_CONFIRMED = 3
"""How many broken interactions are repeated; further repetitions would show nothing new."""

_CONSEQUENCES = (
    CauseId.CONTRACT_ENDPOINT_RETIRED, CauseId.CONTRACT_STATUS_CHANGED, CauseId.CONTRACT_VALUE_UNEXPECTED,
    CauseId.CONTRACT_STATE_UNAVAILABLE,
)  # fmt: skip
"""Causes that may follow from a state that was set up with a changed answer."""


def run(live: LiveContext) -> Iterator[Check]:
    """Replay each interaction, unless another run uses the test users."""
    try:
        yield from _replayed(live)
    except UsersInUse as error:
        yield Check.from_finding(check_ids.CONTRACT_INTERACTION, error.finding)


def _replayed(live: LiveContext) -> Iterator[Check]:
    """Replay each interaction; stop when the provider no longer answers at all, or far too slowly."""
    stopped_by: Check | None = None
    interactions = live.context.interactions
    broken, total = 0, len(interactions)
    with managed_states(live) as manager:
        for number, interaction in enumerate(interactions):
            if stopped_by is None:
                done = f"{number} of {total} interactions were verified"
                manager.overdue = partial(overdue, live, check_ids.CONTRACT_INTERACTION, done)
                stopped_by = manager.overdue()
                if stopped_by is not None:
                    yield stopped_by
            if stopped_by is not None:
                yield not_reached(check_ids.CONTRACT_INTERACTION, stopped_by, subject=interaction.description)
                continue
            verify = partial(_verify, live, interaction, manager, confirming=broken < _CONFIRMED)
            check = guarded(live.context, check_ids.CONTRACT_INTERACTION, interaction.description, verify)
            broken += check.outcome.is_red
            is_gone = check.outcome.is_red and is_no_answer(check.cause)
            if manager.is_late or is_gone:
                stopped_by = check
            if is_gone and not manager.is_late:
                manager.cleanup.abandon()
            yield check


def _verify(live: LiveContext, interaction: Interaction, manager: StateManager, *, confirming: bool) -> Check:
    """Replay an interaction until its result is settled, and return its check."""
    is_once = is_sent_once(live, interaction)
    kept: StateValues | None = None

    def once(at_most: float | None) -> Attempt[Check]:
        nonlocal kept
        check, sent = replay(live, interaction, manager, check_ids.CONTRACT_INTERACTION, kept)
        if sent is not None and manager.has_sent:
            kept = sent.values
        return Attempt.checked(check, sent.exchange if sent is not None else None)

    def may_repeat(attempt: Attempt[Check]) -> bool:
        if attempt.exchange is not None and never_left(attempt.exchange):
            return True
        if manager.has_sent:
            # A state that sent a message is not set up again; it is still valid for requests that only read.
            return kept is not None and not is_once and interaction.request.method == "GET"
        return not is_once or (attempt.exchange is None and not live.integration.environment.is_production)

    try:
        attempts = live.transcript.attempt_until_settled(
            once, confirming=confirming, bounded=False, may_repeat=may_repeat
        )
    except Overdue as late:
        return late.check
    check, exchange = _counted(attempts), attempts.representative.exchange
    if exchange is not None and check.outcome in (Outcome.PASS, Outcome.WARN):
        live.evidence.answered[interaction.description] = exchange
    return _explained(live, interaction, manager, check) if check.outcome.is_red else check


def _explained(live: LiveContext, interaction: Interaction, manager: StateManager, check: Check) -> Check:
    """Return the check of a broken interaction, with its reason if other answers show it."""
    if rejects_credential(check.cause):
        check = _contradicted(live, interaction, check)
    if check.cause in _CONSEQUENCES and (broken := manager.broken()) is not None:
        # An answer during the setup of the state broke the contract, so this failure is a consequence.
        evidence = {**broken.evidence, "so that": check.message}
        finding = replace(broken, evidence=evidence)
        return Check.from_finding(check.id, finding, subject=check.subject, seconds=check.seconds)
    return check


def _counted(attempts: Attempts[Check]) -> Check:
    """Return the check with the counts. A broken contract is a failure, even if other attempts succeeded."""
    check = attempts.value
    if len(attempts.all) == 1:
        return check
    message, outcome = check.message, check.outcome
    if attempts.inconsistent:
        message += f" ({attempts.share}; the others were as agreed)"
        outcome = outcome if family_of(check.cause) is CauseFamily.CONTRACT else Outcome.INCONCLUSIVE
    evidence = {**check.evidence, **attempts.summary}
    return check.model_copy(update={"message": message, "outcome": outcome, "evidence": evidence})


def _contradicted(live: LiveContext, interaction: Interaction, check: Check) -> Check:
    """Probe a credential again that was accepted earlier and refused by an interaction."""
    declared = live.provider.probes.credentials(live.settings)
    probes = [live.evidence.proved_by.get(probe.subject, probe) for probe in declared]
    refused = [probe for probe in probes if _refuses(live, probe)]
    evidence = {**check.evidence, "refused as": str(check.cause)}
    if refused:
        finding = Finding(
            CauseId.PROVIDER_AUTH_OUTAGE,
            f"{interaction.description}: the credential was accepted at the start of this run and is refused now",
            {**evidence, "asked again": f"{refused[0].method} {refused[0].path} refuses {refused[0].subject} as well"},
            next_step="Run the gate again. If the credential is then refused from the start, it has been revoked; if "
            "not, the provider's authentication is unreliable.",
        )
    else:
        finding = Finding(
            CauseId.CONTRACT_STATUS_CHANGED,
            f"{interaction.description}: refused as if the credential were bad, but the credential is valid",
            {**evidence, "credential": f"accepted in the same minute by {', '.join(probe.path for probe in probes)}"},
            Location(live.integration.contract_path),
        )
    return Check.from_finding(check.id, finding, subject=check.subject, seconds=check.seconds)


def _refuses(live: LiveContext, probe: Probe) -> bool:
    return refuses(send_probe(live, probe).representative.cause)
