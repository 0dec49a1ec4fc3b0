"""Climbing: the rungs in order, stopping at the first red one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum

from mfagate.checks import (
    baseline,
    cassette_files,
    clock,
    configuration,
    contract,
    credential,
    documentation,
    drift,
    expiry,
    identity,
    network,
    permission,
    record,
    stability,
)
from mfagate.checks.context import CheckContext, CheckStep, internal_error, skipped
from mfagate.checks.deadline import overdue
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.result import Check, SkipReason


class Stage(StrEnum):
    """Which question is asked."""

    CHECK = "check"
    PROBE = "probe"
    """The gate without the contract's interactions: nothing is changed at the provider."""
    GATE = "gate"
    RECORD = "record"
    NIGHTLY = "nightly"


_CONTRACT_FILE = CheckStep(contract.FILE, contract.read)

_LIVE = (
    CheckStep(configuration.ID, configuration.run, exonerates="configuration"),
    CheckStep(network.RESOLVE, network.resolve),
    CheckStep(network.CONNECT, network.connect, exonerates="network"),
    CheckStep(network.TLS, network.tls),
    CheckStep(network.PING, network.ping, exonerates="provider"),
    CheckStep(clock.ID, clock.run, exonerates="clock"),
    CheckStep(credential.ACCEPTED, credential.accepted, exonerates="credential", asks=True),
    CheckStep(credential.ENFORCED, credential.enforced, asks=True),
    CheckStep(identity.ID, identity.run),
    CheckStep(permission.ID, permission.run, asks=True),
    CheckStep(expiry.ID, expiry.run, asks=True),
    _CONTRACT_FILE,
)

_LADDERS: dict[Stage, tuple[CheckStep, ...]] = {
    Stage.CHECK: (
        # Offline, contracts and recordings are judged however the configuration stands.
        CheckStep(configuration.ID, configuration.run, exonerates="configuration", blocking=False),
        _CONTRACT_FILE,
        CheckStep(cassette_files.ID, cassette_files.run),
    ),
    Stage.PROBE: _LIVE,
    Stage.GATE: (
        *_LIVE,
        CheckStep(contract.INTERACTION, contract.run),
        CheckStep(stability.ID, stability.run, blocking=False),
        CheckStep(cassette_files.ORIGIN, cassette_files.origins),
    ),
    Stage.NIGHTLY: (
        CheckStep(documentation.ID, documentation.run, blocking=False),
        *_LIVE,
        # What an interaction breaks is no reason not to look at the others.
        CheckStep(contract.INTERACTION, contract.run, blocking=False),
        CheckStep(drift.ID, drift.run, blocking=False),
        CheckStep(stability.ID, stability.run, blocking=False),
        CheckStep(baseline.LATENCY, baseline.latency, blocking=False),
        CheckStep(baseline.ERRORS, baseline.errors, blocking=False),
        CheckStep(cassette_files.ORIGIN, cassette_files.origins, blocking=False),
        CheckStep(cassette_files.AGE, cassette_files.ages, blocking=False),
    ),
    Stage.RECORD: (*_LIVE, CheckStep(record.ID, record.run)),
}


def plan(stage: Stage) -> Sequence[CheckStep]:
    """The rungs of a stage."""
    return _LADDERS[stage]


def run_checks(state: CheckContext, stage: Stage, on_check: Callable[[Check], None]) -> tuple[list[Check], list[str]]:
    """Run the rungs; the second value lists what the green ones took out of suspicion.

    A defect of ours in one rung is reported as such and does not stop the
    others, except where they have nothing to stand on without it.
    """
    checks: list[Check] = []
    cleared: list[str] = []
    stopped_by: Check | None = None
    for rung in plan(stage):
        here: list[Check] = []
        if stopped_by is not None:
            reason = f"not reached: {stopped_by.title} found {stopped_by.cause}"
            here.append(skipped(rung.id, reason, because=SkipReason.NOT_REACHED))
            on_check(here[-1])
        else:
            for found in _guarded(state, rung):
                here.append(state.waivers.applied(found))
                on_check(here[-1])
            if rung.blocking:
                stopped_by = next((check for check in here if _stops(check)), None)
            # A rung that was skipped has shown nothing, so it clears nothing; nor does a fault that is waived.
            if rung.exonerates and not any(check.found.is_red for check in here) and not _showed_nothing(here):
                cleared.append(rung.exonerates)
        checks += here
    return checks, cleared


def _showed_nothing(checks: Sequence[Check]) -> bool:
    """Return whether every check was skipped, or met something that is not the provider's answer."""
    return all(check.outcome is Outcome.SKIPPED or check.cause is CauseId.PROVIDER_PING_UNAVAILABLE for check in checks)


def _stops(check: Check) -> bool:
    return check.outcome.is_red and check.cause is not CauseId.GATE_INTERNAL_ERROR


def _guarded(state: CheckContext, rung: CheckStep) -> Iterator[Check]:
    try:
        if rung.asks and (late := overdue(state, rung.id, "the rungs below were climbed")) is not None:
            yield late
            return
        for check in rung.run(state):
            yield stability.in_context(state, check)
    except Exception as error:  # noqa: BLE001 - whatever our defect is, it becomes a finding
        yield internal_error(state.integration, state.redactor, rung.id, error)
