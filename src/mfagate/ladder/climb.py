"""Climbing: the rungs in order, stopping at the first red one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum

from mfagate.causes import CauseId, Outcome
from mfagate.ladder import (
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
    recording,
    recordings,
    steadiness,
    trends,
)
from mfagate.ladder.pace import overdue
from mfagate.ladder.rung import Climb, Rung, internal_error, skipped
from mfagate.result import Check, SkipReason


class Stage(StrEnum):
    """Which question is asked."""

    CHECK = "check"
    PROBE = "probe"
    """The gate without the contract's interactions: nothing is changed at the provider."""
    GATE = "gate"
    RECORD = "record"
    NIGHTLY = "nightly"


_CONTRACT_FILE = Rung(contract.FILE, contract.read)

_LIVE = (
    Rung(configuration.ID, configuration.run, clears="configuration"),
    Rung(network.RESOLVE, network.resolve),
    Rung(network.CONNECT, network.connect, clears="network"),
    Rung(network.TLS, network.tls),
    Rung(network.PING, network.ping, clears="provider"),
    Rung(clock.ID, clock.run, clears="clock"),
    Rung(credential.ACCEPTED, credential.accepted, clears="credential", asks=True),
    Rung(credential.ENFORCED, credential.enforced, asks=True),
    Rung(identity.ID, identity.run),
    Rung(permission.ID, permission.run, asks=True),
    Rung(expiry.ID, expiry.run, asks=True),
    _CONTRACT_FILE,
)

_LADDERS: dict[Stage, tuple[Rung, ...]] = {
    Stage.CHECK: (
        # Offline, contracts and recordings are judged however the configuration stands.
        Rung(configuration.ID, configuration.run, clears="configuration", bearing=False),
        _CONTRACT_FILE,
        Rung(recordings.ID, recordings.run),
    ),
    Stage.PROBE: _LIVE,
    Stage.GATE: (
        *_LIVE,
        Rung(contract.INTERACTION, contract.run),
        Rung(steadiness.ID, steadiness.run, bearing=False),
        Rung(recordings.ORIGIN, recordings.origins),
    ),
    Stage.NIGHTLY: (
        Rung(documentation.ID, documentation.run, bearing=False),
        *_LIVE,
        # What an interaction breaks is no reason not to look at the others.
        Rung(contract.INTERACTION, contract.run, bearing=False),
        Rung(drift.ID, drift.run, bearing=False),
        Rung(steadiness.ID, steadiness.run, bearing=False),
        Rung(trends.LATENCY, trends.latency, bearing=False),
        Rung(trends.ERRORS, trends.errors, bearing=False),
        Rung(recordings.ORIGIN, recordings.origins, bearing=False),
        Rung(recordings.AGE, recordings.ages, bearing=False),
    ),
    Stage.RECORD: (*_LIVE, Rung(recording.ID, recording.run)),
}


def plan(stage: Stage) -> Sequence[Rung]:
    """The rungs of a stage."""
    return _LADDERS[stage]


def climb(state: Climb, stage: Stage, on_check: Callable[[Check], None]) -> tuple[list[Check], list[str]]:
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
            if rung.bearing:
                stopped_by = next((check for check in here if _stops(check)), None)
            # A rung that was skipped has shown nothing, so it clears nothing; nor does a fault that is waived.
            if rung.clears and not any(check.found.is_red for check in here) and not _showed_nothing(here):
                cleared.append(rung.clears)
        checks += here
    return checks, cleared


def _showed_nothing(checks: Sequence[Check]) -> bool:
    """Return whether every check was skipped, or met something that is not the provider's answer."""
    return all(check.outcome is Outcome.SKIPPED or check.cause is CauseId.PROVIDER_PING_UNAVAILABLE for check in checks)


def _stops(check: Check) -> bool:
    return check.outcome.is_red and check.cause is not CauseId.GATE_INTERNAL_ERROR


def _guarded(state: Climb, rung: Rung) -> Iterator[Check]:
    try:
        if rung.asks and (late := overdue(state, rung.id, "the rungs below were climbed")) is not None:
            yield late
            return
        for check in rung.run(state):
            yield steadiness.in_context(state, check)
    except Exception as error:  # noqa: BLE001 - whatever our defect is, it becomes a finding
        yield internal_error(state.integration, state.redactor, rung.id, error)
