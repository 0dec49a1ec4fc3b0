"""Check that the live provider answers each interaction as the contract says."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from functools import partial

from mfagate.checks.deadline import overdue
from mfagate.checks.lanes import Queue, queues
from mfagate.checks.live import LiveContext
from mfagate.checks.messages import never_left
from mfagate.checks.probing import send_probe
from mfagate.checks.provider_states import LaneManagers, Overdue, StateManager, managed_states
from mfagate.checks.replay import is_sent_once, replay
from mfagate.checks.results import AT_THE_SAME_TIME, guarded, not_reached
from mfagate.checks.retry import Attempt, Attempts
from mfagate.checks.user_lock import UsersInUse
from mfagate.contract import Interaction
from mfagate.core import check_ids
from mfagate.core.causes import CauseFamily, CauseId, Outcome, family_of, is_no_answer, refuses, rejects_credential
from mfagate.core.finding import Finding, Location
from mfagate.core.result import Check
from mfagate.core.workers import Workers
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
        with managed_states(live) as managers:
            yield from _Replay(live, managers).run()
    except UsersInUse as error:
        yield Check.from_finding(check_ids.CONTRACT_INTERACTION, error.finding)


class _Replay:
    """Replays the interactions of one integration in several lanes at once, and keeps their order in the report.

    It stops when the provider no longer answers at all, or far too slowly.
    """

    def __init__(self, live: LiveContext, managers: LaneManagers) -> None:
        self._live = live
        self._managers = managers
        self._interactions = live.context.interactions
        self._results: list[Future[list[Check]]] = [Future() for _ in self._interactions]
        self._changed = threading.Condition()
        self._running: dict[int, float] = {}
        self._ended: dict[int, float] = {}
        """When each interaction began that is in progress, and when each ended that was verified (monotonic clock)."""
        self._broken = 0
        self._stopped_by: Check | None = None
        self._gone_since: float | None = None
        """When the interaction began to which the provider gave no answer (monotonic clock)."""

    def run(self) -> Iterator[Check]:
        """Yield the checks in the order of the interactions."""
        lanes = queues(self._interactions, self._managers.lane_of)
        waiting = sum(queue.lane.waits for queue in lanes)
        # A lane that waits for the provider's clock sends few requests.
        pool = Workers(min(len(lanes), self._live.context.options.concurrency + waiting), "mfagate lane")
        try:
            for queue in lanes:
                pool.submit(self._replay_lane, queue)
            for number, result in enumerate(self._results):
                yield from (self._judged(number, check) for check in result.result())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        answered = self._live.evidence.answered
        names = [interaction.description for interaction in self._interactions]
        self._live.evidence.answered = {name: answered[name] for name in names if name in answered}

    def _replay_lane(self, queue: Queue) -> None:
        """Replay the interactions of one lane in order. An interrupt ends all that are left."""
        try:
            manager = self._managers.manager(queue.lane)
            manager.overdue = self._overdue
            for number, interaction in queue.entries:
                self._results[number].set_result(list(self._checks(number, interaction, manager)))
        except BaseException as error:  # noqa: BLE001 - raised again where the results are read
            left = [number for number, _ in queue.entries if not self._results[number].done()]
            for number in left:
                self._results[number].set_exception(error)
            with self._changed:
                for number in left:
                    self._running.pop(number, None)
                self._changed.notify_all()

    def _overdue(self) -> Check | None:
        done = f"{len(self._ended)} of {len(self._interactions)} interactions were verified"
        return overdue(self._live, check_ids.CONTRACT_INTERACTION, done)

    def _checks(self, number: int, interaction: Interaction, manager: StateManager) -> Iterator[Check]:
        """Yield the check of an interaction, and before it the reason to stop if there is one."""
        live, name = self._live, interaction.description
        live.context.cleanup.pause(0)
        with self._changed:
            if self._stopped_by is None and (late := self._overdue()) is not None:
                self._stopped_by = late
                yield late
            stopped_by = self._stopped_by
            if stopped_by is None:
                self._running[number] = time.monotonic()
        if stopped_by is not None:
            yield not_reached(check_ids.CONTRACT_INTERACTION, stopped_by, subject=name)
            return
        verify = partial(_verify, live, interaction, manager, confirming=self._broken < _CONFIRMED)
        check = guarded(live.context, check_ids.CONTRACT_INTERACTION, name, verify)
        self._note(number, check, manager)
        yield check

    def _note(self, number: int, check: Check, manager: StateManager) -> None:
        """Count a check, and stop the replay if it is a reason to."""
        with self._changed:
            began = self._running.pop(number)
            self._ended[number] = time.monotonic()
            self._broken += check.outcome.is_red
            is_gone = check.outcome.is_red and is_no_answer(check.cause)
            if self._stopped_by is None and (manager.is_late or is_gone):
                self._stopped_by = check
            if is_gone and not manager.is_late:
                self._gone_since = self._gone_since or began
                self._managers.cleanup.abandon()
            self._changed.notify_all()

    def _judged(self, number: int, check: Check) -> Check:
        """Return the check, unless its failure may have the same reason as the one that stopped the replay.

        Only that one is reported. Therefore a failure waits for the interactions that were sent at the same time.
        """
        if not check.outcome.is_red or number not in self._ended:
            return check
        with self._changed:
            ended = self._ended[number]
            self._changed.wait_for(lambda: all(began > ended for began in self._running.values()))
        stopped_by, gone_since = self._stopped_by, self._gone_since
        if stopped_by is None or check is stopped_by:
            return check
        if is_no_answer(check.cause) or (gone_since is not None and ended > gone_since):
            return not_reached(check.id, stopped_by, subject=check.subject, not_done=AT_THE_SAME_TIME)
        return check


def _verify(live: LiveContext, interaction: Interaction, manager: StateManager, *, confirming: bool) -> Check:
    """Replay an interaction until its result is settled, and return its check."""
    is_once = is_sent_once(live, interaction)
    kept: StateValues | None = None

    def once(at_most: float | None) -> Attempt[Check]:
        nonlocal kept
        # A repetition may reach another instance of the provider.
        again = at_most is not None
        check, sent = replay(live, interaction, manager, check_ids.CONTRACT_INTERACTION, kept, fresh=again)
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
