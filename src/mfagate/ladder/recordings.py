"""Do the recordings satisfy the contract, and what are they worth? No network is used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from mfagate.cassette import Cassette, CassetteError, Origin, load, origin_of, path_for
from mfagate.causes import CauseId, Outcome
from mfagate.contract import Interaction
from mfagate.ladder.rung import Climb, guarded, passed, skipped
from mfagate.result import Check, Finding, Location

ID, ORIGIN, AGE = "cassette", "cassette.origin", "cassette.age"


def run(climb: Climb) -> Iterator[Check]:
    """Judge the recording of each interaction."""
    emulated = 0
    for interaction in climb.interactions:
        path = path_for(climb.integration.cassettes_path, interaction.description)
        try:
            cassette = load(path)
        except FileNotFoundError:
            yield _found(interaction, CauseId.CASSETTE_MISSING, f"there is no recording {path}", path)
        except CassetteError as error:
            yield _found(interaction, CauseId.CASSETTE_CONTRACT_MISMATCH, str(error), path)
        else:
            emulated += cassette.recorded_from is Origin.EMULATOR
            yield guarded(climb, ID, interaction.description, partial(_judge, climb, interaction, cassette))
    yield from _emulated(climb, emulated)


def origins(climb: Climb) -> Iterator[Check]:
    """Say where the recordings come from; their contents are judged offline."""
    paths = [path_for(climb.integration.cassettes_path, one.description) for one in climb.interactions]
    recorded = [origin for origin in map(origin_of, paths) if origin is not None]
    emulated = recorded.count(Origin.EMULATOR)
    if not recorded:
        yield skipped(ORIGIN, "there are no recordings that say where they come from")
    elif emulated:
        yield from _emulated(climb, emulated, ORIGIN)
    else:
        yield passed(ORIGIN, f"{len(recorded)} recordings come from {climb.provider.title} itself")


def ages(climb: Climb) -> Iterator[Check]:
    """Say which recordings are stale; whether they fit the contract is judged offline."""
    judged: list[Check] = []
    for interaction in climb.interactions:
        with suppress(FileNotFoundError, CassetteError):
            cassette = load(path_for(climb.integration.cassettes_path, interaction.description))
            judged.append(_aged(climb, interaction, cassette).model_copy(update={"id": AGE}))
    stale = [check for check in judged if check.outcome is not Outcome.PASS]
    yield from stale
    if not judged:
        yield skipped(AGE, "there are no recordings")
    elif not stale:
        yield passed(AGE, f"none of {len(judged)} recordings is older than {climb.options.cassette_max_age_days} days")


def _emulated(climb: Climb, number: int, check_id: str = ID) -> Iterator[Check]:
    if number:
        message = f"{number} recordings come from an emulator, never from {climb.provider.title}"
        yield Check.from_finding(check_id, Finding(CauseId.CASSETTE_EMULATED, message, {"recordings": number}))


def _judge(climb: Climb, interaction: Interaction, cassette: Cassette) -> Check:
    leaked = climb.redactor.found_in(cassette.text)
    if leaked:
        message = f"{cassette.path} holds the secret {', '.join(leaked)}"
        return _found(interaction, CauseId.CASSETTE_SECRET_LEAKED, message, cassette.path)
    answers = [exchange.response for exchange in cassette.exchanges if exchange.response is not None]
    if not answers:
        return _found(interaction, CauseId.CASSETTE_MISSING, f"{cassette.path} holds no answer", cassette.path)
    mismatches = [mismatch for answer in answers for mismatch in interaction.match(answer)]
    if mismatches:
        message = f"{interaction.description}: the recording breaks the contract: {mismatches[0].message}"
        shown = [mismatch.message for mismatch in mismatches[:5]]
        return _found(interaction, CauseId.CASSETTE_CONTRACT_MISMATCH, message, cassette.path, mismatches=shown)
    return _aged(climb, interaction, cassette)


def _aged(climb: Climb, interaction: Interaction, cassette: Cassette) -> Check:
    age = cassette.age_days(datetime.now(UTC).date())
    origin = cassette.recorded_from or "unknown origin"
    limit = climb.options.cassette_max_age_days
    if age is not None and age <= limit:
        message = f"satisfies the contract; recorded from the {origin}, {age} days old"
        return passed(ID, message, subject=interaction.description, recorded_from=str(origin), age_days=age)
    known = f"{age} days old" if age is not None else "of unknown age"
    message = f"{cassette.path.name} is {known}; {limit} days are allowed"
    return _found(interaction, CauseId.CASSETTE_STALE, message, cassette.path, recorded_from=str(origin))


def _found(interaction: Interaction, cause: CauseId, message: str, path: Path, **evidence: object) -> Check:
    finding = Finding(cause, message, evidence, Location(path))
    return Check.from_finding(ID, finding, subject=interaction.description)
