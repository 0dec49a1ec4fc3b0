"""Do the recordings satisfy the contract, and what are they worth? No network is used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Any

from mfagate.cassette import Cassette, CassetteError, Origin, load, origin_of, path_for
from mfagate.causes import CauseId
from mfagate.config.model import Integration
from mfagate.contract import Interaction
from mfagate.ladder.rung import Climb, guarded, passed, skipped
from mfagate.result import Check, Finding, Location

ID, ORIGIN, AGE = "cassette", "cassette.origin", "cassette.age"

_FILES_NAMED = 5
"""A finding names no more files than this; its count says how many there are."""


def run(climb: Climb) -> Iterator[Check]:
    """Judge the recording of each interaction, then the age of all of them."""
    read: list[Cassette] = []
    for interaction in climb.interactions:
        path = path_for(climb.integration.cassettes_path, interaction.description)
        try:
            cassette = load(path)
        except FileNotFoundError:
            yield _found(interaction, CauseId.CASSETTE_MISSING, f"there is no recording {path}", path)
        except CassetteError as error:
            yield _found(interaction, CauseId.CASSETTE_CONTRACT_MISMATCH, str(error), path)
        else:
            read.append(cassette)
            yield guarded(climb, ID, interaction.description, partial(_judge, climb, interaction, cassette))
    yield from _emulated(climb, sum(cassette.recorded_from is Origin.EMULATOR for cassette in read))
    yield from _aged(climb, read)


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
    """Say whether recordings are stale; whether they fit the contract is judged offline."""
    read: list[Cassette] = []
    for interaction in climb.interactions:
        with suppress(FileNotFoundError, CassetteError):
            read.append(load(path_for(climb.integration.cassettes_path, interaction.description)))
    yield from _aged(climb, read)


def _emulated(climb: Climb, number: int, check_id: str = ID) -> Iterator[Check]:
    if number:
        message = f"{number} recordings come from an emulator, never from {climb.provider.title}"
        yield Check.from_finding(check_id, Finding(CauseId.CASSETTE_EMULATED, message, {"recordings": number}))


def _judge(climb: Climb, interaction: Interaction, cassette: Cassette) -> Check:
    leaked = _leaked(climb, cassette)
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
    origin = str(cassette.recorded_from or "unknown origin")
    known: dict[str, Any] = {"recorded_from": origin}
    message = f"satisfies the contract; recorded from the {origin}"
    if cassette.recorded_at is not None:
        # The date, not the age: the report on an unchanged file is the same on every day.
        known["recorded_at"] = str(cassette.recorded_at)
        message += f" on {cassette.recorded_at}"
    return passed(ID, message, subject=interaction.description, **known)


def _leaked(climb: Climb, cassette: Cassette) -> list[str]:
    """Return the secrets in a recording, without public ids that somebody configured as secrets."""
    found = climb.redactor.found_in(cassette.text)
    if not found:
        return found
    from mfagate.inspection.values import public_ones

    subject = climb.subject
    public = public_ones({field.name: field for field in subject.declared.fields()}, subject.values)
    return [name for name in found if name not in public]


def _aged(climb: Climb, cassettes: Sequence[Cassette]) -> Iterator[Check]:
    """Report the age of all recordings of an integration in one check."""
    limit = climb.options.cassette_max_age_days
    stale = _stale(cassettes, datetime.now(UTC).date(), limit)
    if stale:
        yield Check.from_finding(AGE, _staleness(climb.integration, stale, len(cassettes), limit))
    elif cassettes:
        yield passed(AGE, f"none of {len(cassettes)} recordings is older than {limit} days")
    else:
        yield skipped(AGE, "there are no recordings")


def _stale(cassettes: Sequence[Cassette], today: date, limit: int) -> list[tuple[Cassette, int | None]]:
    """Recordings past the limit with their age in days, those of unknown age (None) first, then the oldest."""
    aged = [(cassette, cassette.age_days(today)) for cassette in cassettes]
    stale = [(cassette, age) for cassette, age in aged if age is None or age > limit]
    return sorted(stale, key=lambda pair: (pair[1] is not None, -(pair[1] or 0), pair[0].path))


def _staleness(integration: Integration, stale: list[tuple[Cassette, int | None]], total: int, limit: int) -> Finding:
    ages = [age for _, age in stale if age is not None]
    undated = len(stale) - len(ages)
    parts = []
    if ages:
        span = f"{ages[-1]} to {ages[0]}" if ages[0] != ages[-1] else f"{ages[0]}"
        parts.append(f"{len(ages)} of {total} recordings {_be(ages)} {span} days old; {limit} days are allowed")
    if undated:
        parts.append(f"{undated} of {total} recordings {'has' if undated == 1 else 'have'} no date")
    command = f"mfagate record --integration {quote(integration.name)}"
    evidence = {
        "recordings": len(stale),
        **({"oldest_days": ages[0], "newest_days": ages[-1]} if ages else {}),
        **({"without_date": undated} if undated else {}),
        "files": [cassette.path.name for cassette, _ in stale[:_FILES_NAMED]],
    }
    step = f"Record again with `{command}`, read the difference, and commit it."
    return Finding(CauseId.CASSETTE_STALE, ", ".join(parts), evidence, Location(stale[0][0].path), next_step=step)


def _be(subjects: Sequence[object]) -> str:
    return "is" if len(subjects) == 1 else "are"


def _found(interaction: Interaction, cause: CauseId, message: str, path: Path, **evidence: object) -> Check:
    finding = Finding(cause, message, evidence, Location(path))
    return Check.from_finding(ID, finding, subject=interaction.description)
