"""Check offline that the recordings satisfy the contract, where they come from, and how old they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Any

from mfagate.cassettes.reader import Cassette, CassetteError, CassetteOrigin, load, origin_of, path_for
from mfagate.checks.context import CheckContext
from mfagate.checks.results import guarded, passed, skipped
from mfagate.config.model import Integration
from mfagate.contract import Interaction
from mfagate.core import check_ids
from mfagate.core.causes import CauseId
from mfagate.core.finding import Finding, Location
from mfagate.core.result import Check

_FILES_NAMED = 5
"""The most files that a finding names; it also contains their number."""


def run(context: CheckContext) -> Iterator[Check]:
    """Check the recording of each interaction, then the age of all recordings."""
    read: list[Cassette] = []
    for interaction in context.interactions:
        path = path_for(context.integration.cassettes_path, interaction.description)
        try:
            cassette = load(path)
        except FileNotFoundError:
            yield _found(interaction, CauseId.CASSETTE_MISSING, f"the recording {path} does not exist", path)
        except CassetteError as error:
            yield _found(interaction, CauseId.CASSETTE_CONTRACT_MISMATCH, str(error), path)
        else:
            read.append(cassette)
            yield guarded(
                context, check_ids.CASSETTE, interaction.description, partial(_check, context, interaction, cassette)
            )
    yield from _emulated(context, sum(cassette.recorded_from is CassetteOrigin.EMULATOR for cassette in read))
    yield from _aged(context, read)


def origins(context: CheckContext) -> Iterator[Check]:
    """Report where the recordings come from. Their contents are checked offline."""
    paths = [
        path_for(context.integration.cassettes_path, interaction.description) for interaction in context.interactions
    ]
    recorded = [origin for origin in map(origin_of, paths) if origin is not None]
    emulated = recorded.count(CassetteOrigin.EMULATOR)
    if not recorded:
        yield skipped(check_ids.CASSETTE_ORIGIN, "no recording states where it comes from")
    elif emulated:
        yield from _emulated(context, emulated, check_ids.CASSETTE_ORIGIN)
    else:
        yield passed(check_ids.CASSETTE_ORIGIN, f"{len(recorded)} recordings come from {context.provider.title} itself")


def ages(context: CheckContext) -> Iterator[Check]:
    """Report stale recordings. Whether they match the contract is checked offline."""
    read: list[Cassette] = []
    for interaction in context.interactions:
        with suppress(FileNotFoundError, CassetteError):
            read.append(load(path_for(context.integration.cassettes_path, interaction.description)))
    yield from _aged(context, read)


def _emulated(context: CheckContext, number: int, check_id: str = check_ids.CASSETTE) -> Iterator[Check]:
    if number:
        message = f"{number} recordings come from an emulator, not from {context.provider.title}"
        yield Check.from_finding(check_id, Finding(CauseId.CASSETTE_EMULATED, message, {"recordings": number}))


def _check(context: CheckContext, interaction: Interaction, cassette: Cassette) -> Check:
    leaked = _leaked(context, cassette)
    if leaked:
        message = f"{cassette.path} contains the secret {', '.join(leaked)}"
        return _found(interaction, CauseId.CASSETTE_SECRET_LEAKED, message, cassette.path)
    answers = [exchange.response for exchange in cassette.exchanges if exchange.response is not None]
    if not answers:
        return _found(interaction, CauseId.CASSETTE_MISSING, f"{cassette.path} contains no answer", cassette.path)
    mismatches = [mismatch for answer in answers for mismatch in interaction.match(answer)]
    if mismatches:
        message = f"{interaction.description}: the recording breaks the contract: {mismatches[0].message}"
        shown = [mismatch.message for mismatch in mismatches[:5]]
        return _found(interaction, CauseId.CASSETTE_CONTRACT_MISMATCH, message, cassette.path, mismatches=shown)
    origin = str(cassette.recorded_from or "unknown origin")
    known: dict[str, Any] = {"recorded_from": origin}
    message = f"satisfies the contract; recorded from the {origin}"
    if cassette.recorded_at is not None:
        # The date, not the age, so that the report on an unchanged file is the same every day.
        known["recorded_at"] = str(cassette.recorded_at)
        message += f" on {cassette.recorded_at}"
    return passed(check_ids.CASSETTE, message, subject=interaction.description, **known)


def _leaked(context: CheckContext, cassette: Cassette) -> list[str]:
    """Return the secrets in a recording, except public ids that were configured in place of a secret."""
    found = context.redactor.found_in(cassette.text)
    if not found:
        return found
    from mfagate.inspection.values import public_ones

    settings = context.tables.settings
    public = public_ones({field.name: field for field in settings.declared.fields()}, settings.values)
    return [name for name in found if name not in public]


def _aged(context: CheckContext, cassettes: Sequence[Cassette]) -> Iterator[Check]:
    """Report the age of all recordings of an integration in one check."""
    limit = context.options.cassette_max_age_days
    stale = _stale(cassettes, datetime.now(UTC).date(), limit)
    if stale:
        yield Check.from_finding(check_ids.CASSETTE_AGE, _staleness(context.integration, stale, len(cassettes), limit))
    elif cassettes:
        yield passed(check_ids.CASSETTE_AGE, f"none of {len(cassettes)} recordings is older than {limit} days")
    else:
        yield skipped(check_ids.CASSETTE_AGE, "there are no recordings")


def _stale(cassettes: Sequence[Cassette], today: date, limit: int) -> list[tuple[Cassette, int | None]]:
    """Return the recordings past the limit, with their age in days: unknown ages (None) first, then the oldest."""
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
    step = f"Record again with `{command}`, review the difference, and commit it."
    return Finding(CauseId.CASSETTE_STALE, ", ".join(parts), evidence, Location(stale[0][0].path), next_step=step)


def _be(subjects: Sequence[object]) -> str:
    return "is" if len(subjects) == 1 else "are"


def _found(interaction: Interaction, cause: CauseId, message: str, path: Path, **evidence: object) -> Check:
    finding = Finding(cause, message, evidence, Location(path))
    return Check.from_finding(check_ids.CASSETTE, finding, subject=interaction.description)
