"""Run the checks of one integration, by the plan of a stage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from itertools import groupby

from mfagate.checks import (
    baseline,
    cassette_files,
    clock,
    configuration,
    contract_file,
    credential,
    documentation,
    drift,
    expiry,
    identity,
    interactions,
    network,
    permission,
    record,
    stability,
)
from mfagate.checks.context import CheckContext
from mfagate.checks.deadline import overdue
from mfagate.checks.live import LiveContext
from mfagate.checks.results import AT_THE_SAME_TIME, internal_error, not_reached, skipped
from mfagate.checks.transcript import Transcript
from mfagate.core import check_ids
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.result import Check, SkipReason
from mfagate.core.workers import at_once


class Stage(StrEnum):
    """The set of checks to run."""

    CHECK = "check"
    PROBE = "probe"
    """The gate without the contract's interactions; it changes nothing at the provider."""
    GATE = "gate"
    RECORD = "record"
    NIGHTLY = "nightly"


@dataclass(frozen=True, kw_only=True)
class CheckStep:
    """One step of a plan.

    Args:
        id: The id of its checks.
        exonerates: What is not at fault if the step passes.
        blocking: Whether later steps are skipped if this one fails.
        at_once: Whether it runs at the same time as the steps beside it that have this, too.
    """

    id: str = field(kw_only=False)
    exonerates: str | None = None
    blocking: bool = True
    at_once: bool = False


@dataclass(frozen=True)
class OfflineStep(CheckStep):
    """A step that needs no settings of the provider and no network."""

    run: Callable[[CheckContext], Iterable[Check]]


@dataclass(frozen=True)
class LiveStep(CheckStep):
    """A step that needs a configuration that has passed its check.

    Args:
        run: Makes the checks.
        sends_requests: Whether the step sends further requests, so that it is not run after the deadline.
    """

    run: Callable[[LiveContext], Iterable[Check]]
    sends_requests: bool = field(default=False, kw_only=True)


_CONFIGURATION = OfflineStep(check_ids.CONFIGURATION, configuration.run, exonerates="configuration")
_CONTRACT_FILE = OfflineStep(check_ids.CONTRACT_FILE, contract_file.run)

_LIVE: tuple[CheckStep, ...] = (
    _CONFIGURATION,
    LiveStep(check_ids.NETWORK_RESOLVE, network.resolve),
    LiveStep(check_ids.NETWORK_CONNECT, network.connect, exonerates="network"),
    LiveStep(check_ids.NETWORK_TLS, network.tls),
    LiveStep(check_ids.PROVIDER_PING, network.ping, exonerates="provider"),
    LiveStep(check_ids.CLOCK, clock.run, exonerates="clock"),
    LiveStep(check_ids.CREDENTIAL_ACCEPTED, credential.accepted, exonerates="credential", sends_requests=True),
    LiveStep(check_ids.CREDENTIAL_ENFORCED, credential.enforced, sends_requests=True, at_once=True),
    LiveStep(check_ids.IDENTITY, identity.run, at_once=True),
    LiveStep(check_ids.PERMISSION, permission.run, sends_requests=True, at_once=True),
    LiveStep(check_ids.CREDENTIAL_EXPIRY, expiry.run, sends_requests=True, at_once=True),
    _CONTRACT_FILE,
)

_PLANS: dict[Stage, tuple[CheckStep, ...]] = {
    Stage.CHECK: (
        # Offline, contracts and recordings are checked even if the configuration has failed.
        OfflineStep(check_ids.CONFIGURATION, configuration.run, exonerates="configuration", blocking=False),
        _CONTRACT_FILE,
        OfflineStep(check_ids.CASSETTE, cassette_files.run),
    ),
    Stage.PROBE: _LIVE,
    Stage.GATE: (
        *_LIVE,
        LiveStep(check_ids.CONTRACT_INTERACTION, interactions.run),
        LiveStep(check_ids.PROVIDER_STEADY, stability.run, blocking=False),
        OfflineStep(check_ids.CASSETTE_ORIGIN, cassette_files.origins),
    ),
    Stage.NIGHTLY: (
        OfflineStep(check_ids.DOCUMENTATION, documentation.run, blocking=False),
        *_LIVE,
        # The later checks run even if an interaction is broken.
        LiveStep(check_ids.CONTRACT_INTERACTION, interactions.run, blocking=False),
        LiveStep(check_ids.DRIFT, drift.run, blocking=False),
        LiveStep(check_ids.PROVIDER_STEADY, stability.run, blocking=False),
        LiveStep(check_ids.LATENCY, baseline.latency, blocking=False),
        LiveStep(check_ids.ERRORS, baseline.errors, blocking=False),
        OfflineStep(check_ids.CASSETTE_ORIGIN, cassette_files.origins, blocking=False),
        OfflineStep(check_ids.CASSETTE_AGE, cassette_files.ages, blocking=False),
    ),
    Stage.RECORD: (*_LIVE, LiveStep(check_ids.RECORDING, record.run)),
}


def plan(stage: Stage) -> Sequence[CheckStep]:
    """Return the steps of a stage, in order."""
    return _PLANS[stage]


class CheckRun:
    """The checks of one integration while they run, and what they have found.

    Attributes:
        context: The inputs.
        checks: The results so far.
        exonerated: What the passed steps have shown not to be at fault.
        transcript: The attempts.
        live: The live context; None until a live step runs.
    """

    def __init__(self, context: CheckContext) -> None:
        self.context = context
        self.checks: list[Check] = []
        self.exonerated: list[str] = []
        self.transcript = Transcript(context.options.deadline_seconds)
        self.live: LiveContext | None = None
        self._stopped_by: Check | None = None

    def take(self, steps: Sequence[CheckStep], on_check: Callable[[Check], None]) -> None:
        """Run steps that do not need each other. A defect of mfagate is reported, and does not stop other steps.

        If one of several fails, it alone is the reason to stop: a failure of a later one is not judged.
        """
        if len(steps) == 1:
            self._add(steps[0], self._found(steps[0]), on_check)
            return
        stopped_before = self._stopped_by
        found = at_once([partial(_listed, self._found, step) for step in steps], len(steps))
        for step, checks in zip(steps, found, strict=True):
            if stopped_before is None and (stopped_by := self._stopped_by) is not None:
                checks = [_unjudged(check, stopped_by) for check in checks]
            self._add(step, checks, on_check)

    def _add(self, step: CheckStep, checks: Iterable[Check], on_check: Callable[[Check], None]) -> None:
        found: list[Check] = []
        for check in checks:
            found.append(self.context.waivers.applied(check))
            on_check(found[-1])
        self.checks += found
        if step.blocking and self._stopped_by is None:
            self._stopped_by = next(filter(_stops, found), None)
        # Neither a skipped step nor a waived fault exonerates anything.
        if step.exonerates and not any(check.found.is_red for check in found) and not _showed_nothing(found):
            self.exonerated.append(step.exonerates)

    def _found(self, step: CheckStep) -> Iterator[Check]:
        if self._stopped_by is not None:
            yield not_reached(step.id, self._stopped_by, not_done="not reached")
            return
        try:
            late = self._overdue(step)
            if late is not None:
                yield late
                return
            for check in self._run(step):
                yield stability.with_other_answers(self.transcript, check)
        except Exception as error:  # noqa: BLE001 - every defect of mfagate becomes a finding
            yield internal_error(self.context.integration, self.context.redactor, step.id, error)

    def _run(self, step: CheckStep) -> Iterable[Check]:
        if isinstance(step, OfflineStep):
            return step.run(self.context)
        typed = self.context.tables.typed
        if self.live is None and typed is not None:
            self.live = LiveContext(self.context, typed, self.transcript)
        if not isinstance(step, LiveStep) or self.live is None:
            return [skipped(step.id, "not reached: there are no settings", because=SkipReason.NOT_REACHED)]
        return step.run(self.live)

    def _overdue(self, step: CheckStep) -> Check | None:
        if self.live is None or not (isinstance(step, LiveStep) and step.sends_requests):
            return None
        return overdue(self.live, step.id, "the earlier checks were done")


def run_checks(context: CheckContext, stage: Stage, on_check: Callable[[Check], None] = lambda check: None) -> CheckRun:
    """Run the steps of a stage. Call ``on_check`` with each check as soon as it is done."""
    run = CheckRun(context)
    try:
        for is_together, steps in groupby(plan(stage), lambda step: step.at_once):
            for together in [list(steps)] if is_together else [[step] for step in steps]:
                run.take(together, on_check)
    finally:
        if run.live is not None:
            run.live.close()
    return run


def _listed(find: Callable[[CheckStep], Iterable[Check]], step: CheckStep) -> list[Check]:
    return list(find(step))


def _unjudged(check: Check, stopped_by: Check) -> Check:
    """Return a check that was made beside the one that stopped the run: a failure of it is no second cause."""
    if not check.outcome.is_red:
        return check
    return not_reached(check.id, stopped_by, subject=check.subject, not_done=AT_THE_SAME_TIME)


def _showed_nothing(checks: Sequence[Check]) -> bool:
    """Return whether every check was skipped, or got an answer that is not the provider's."""
    return all(check.outcome is Outcome.SKIPPED or check.cause is CauseId.PROVIDER_PING_UNAVAILABLE for check in checks)


def _stops(check: Check) -> bool:
    return check.outcome.is_red and check.cause is not CauseId.GATE_INTERNAL_ERROR
