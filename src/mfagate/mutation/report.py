"""Report the results of mutants, for people and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from mfagate.core.version import __version__
from mfagate.mutation.model import Class, MutantResult, MutantStatus

FORMAT = "mfagate.mutation/1"

_INVISIBLE = {
    Class.TYPO: "the value still has the right format, and no request of the gate shows the difference",
    Class.STRAY: "the provider accepts the value with it",
    Class.ENCODING: "the encoded value still has the right format",
    Class.WRONG_VALUE: "the other value works here, too",
    Class.STALE: "the provider still accepts it",
    Class.PERMISSION: "no probe needs the missing permission",
    Class.ADDRESS: "it leads to the same server",
    Class.MISSING: "the integration works without it",
    Class.TYPE: "the loader reads it as text",
    Class.REFERENCE: "it reads a value that works",
    Class.EXPECTATION: "the provider does not report the compared value",
    Class.CLIENT: "the gate cannot see how the client behaves",
}


_ONLY_LIVE = "only the provider can show it: run without --offline"


def survivors(results: Sequence[MutantResult]) -> list[MutantResult]:
    """Return the harmful edits that the gate accepts."""
    return [result for result in results if result.status is MutantStatus.SURVIVED]


def refused(results: Sequence[MutantResult]) -> list[MutantResult]:
    """Return the harmless edits that the gate refuses."""
    return [result for result in results if result.status is MutantStatus.REFUSED]


def misnamed(results: Sequence[MutantResult]) -> list[MutantResult]:
    """Return the harmful edits that are caught with a cause that their operator does not declare."""
    return [result for result in results if result.status.is_caught and not result.rightly_named]


def console(results: Sequence[MutantResult], *, live: bool, verbose: bool = False) -> str:
    """Return the summary, then everything that needs attention."""
    blocks = [_headline(results, live=live), _table(results)]
    if verbose:
        blocks.append("\n".join(_line(result) for result in results))
    for title, found in (("survived", survivors(results)), ("refused, although harmless", refused(results))):
        blocks += [_entry(title, result, live=live) for result in found]
    named = misnamed(results)
    if named:
        lines = [f"  {result.mutant.id}: {result.cause}" for result in named]
        blocks.append("caught, with another cause than expected\n" + "\n".join(lines))
    blocks.append(_last_line(results))
    return "\n\n".join(blocks) + "\n"


def _headline(results: Sequence[MutantResult], *, live: bool) -> str:
    harmful, caught = _harmful(results)
    percent = f"{100 * caught / harmful:.1f} %" if harmful else "none"
    where = "the gate" if live else "the offline check alone"
    return f"{where} catches {caught} of {harmful} harmful edits ({percent})"


def _harmful(results: Sequence[MutantResult]) -> tuple[int, int]:
    statuses = Counter(result.status for result in results)
    caught = statuses[MutantStatus.CAUGHT_OFFLINE] + statuses[MutantStatus.CAUGHT_LIVE]
    return caught + statuses[MutantStatus.SURVIVED], caught


def _table(results: Sequence[MutantResult]) -> str:
    rows: list[tuple[str, ...]] = [("class", "edits", "offline", "live", "survived", "other name")]
    for kind in Class:
        mine = [result for result in results if result.mutant.operator.kind is kind]
        statuses = Counter(result.status for result in mine)
        counted = len(mine) - statuses[MutantStatus.EQUIVALENT]
        if kind is not Class.HARMLESS and counted:
            numbers = (
                statuses[MutantStatus.CAUGHT_OFFLINE],
                statuses[MutantStatus.CAUGHT_LIVE],
                statuses[MutantStatus.SURVIVED],
                len(misnamed(mine)),
            )
            rows.append((kind.value, str(counted), *map(str, numbers)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = (
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )
    statuses = Counter(result.status for result in results)
    harmless = f"harmless edits: {statuses[MutantStatus.GREEN]} green, {statuses[MutantStatus.REFUSED]} refused"
    warned = sum(result.only_warned for result in results)
    by_warning = [f"caught by a warning alone, which stops no deployment: {warned}"] if warned else []
    return "\n".join([*lines, "", harmless, *by_warning])


def _line(result: MutantResult) -> str:
    cause = f"  {result.cause}" if result.cause else ""
    return f"{result.status.value:<14}  {result.mutant.id}{cause}"


def _entry(title: str, result: MutantResult, *, live: bool) -> str:
    mutant = result.mutant
    rows = {
        "setting": mutant.setting,
        "location": str(mutant.location),
        "edit": f"{mutant.operator.name}: {mutant.operator.sentence}",
    }
    if result.status is MutantStatus.SURVIVED:
        rows["perhaps"] = result.message or (_INVISIBLE[mutant.operator.kind] if live else _ONLY_LIVE)
    else:
        rows["cause"] = f"{result.cause}: {result.message}"
    return "\n".join([f"{title}: {mutant.id}", *(f"  {name:<10} {text}" for name, text in rows.items())])


def _last_line(results: Sequence[MutantResult]) -> str:
    statuses = Counter(result.status for result in results)
    same = statuses[MutantStatus.EQUIVALENT]
    return f"{len(results)} edits; {same} are equivalent and not counted (mfagate {__version__} mutate)"


def as_json(results: Sequence[MutantResult], *, live: bool, seed: int, seconds: float) -> str:
    """Return all results as one JSON document."""
    harmful, caught = _harmful(results)
    statuses = Counter(result.status.value for result in results)
    document: dict[str, Any] = {
        "format": FORMAT,
        "version": __version__,
        "live": live,
        "seed": seed,
        "seconds": round(seconds, 3),
        "harmful": harmful,
        "caught": caught,
        "only_warned": sum(result.only_warned for result in results),
        "rightly_named": caught - len(misnamed(results)),
        "fates": {status.value: statuses[status.value] for status in MutantStatus},
        "mutants": [_mutant(result) for result in results],
    }
    return json.dumps(document, indent=2) + "\n"


def _mutant(result: MutantResult) -> dict[str, Any]:
    mutant = result.mutant
    return {
        "id": mutant.id,
        "integration": mutant.integration,
        "setting": mutant.setting,
        "location": {"file": str(mutant.location.file), "line": mutant.location.line},
        "operator": mutant.operator.name,
        "class": mutant.operator.kind.value,
        "sentence": mutant.operator.sentence,
        "harmful": mutant.operator.harmful,
        "expected_causes": sorted(map(str, mutant.expected)),
        "fate": result.status.value,
        "cause": result.cause,
        "only_warned": result.only_warned,
        "rightly_named": result.rightly_named if result.status.is_caught else None,
        "message": result.message,
        "seconds": result.seconds,
    }
