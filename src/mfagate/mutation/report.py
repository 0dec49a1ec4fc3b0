"""What a run of mutants shows, for people and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from mfagate.core.version import __version__
from mfagate.mutation.model import Class, MutantResult, MutantStatus

FORMAT = "mfagate.mutation/1"

_INVISIBLE = {
    Class.TYPO: "the value still has the right shape, and nothing that the gate sends uses it in a way that shows",
    Class.STRAY: "the provider takes the value with it",
    Class.ENCODING: "what was made of it still has the right shape",
    Class.WRONG_VALUE: "the other value serves as well here",
    Class.STALE: "the provider still takes it",
    Class.PERMISSION: "no probe needs the missing right",
    Class.ADDRESS: "it leads to the same server",
    Class.MISSING: "the integration works without it",
    Class.TYPE: "the loader takes it for text",
    Class.REFERENCE: "it reads a value that works",
    Class.EXPECTATION: "the provider does not tell what is compared",
    Class.CLIENT: "the gate cannot see how the client behaves",
}


_ONLY_LIVE = "only the provider knows better: leave --offline out"


def survivors(results: Sequence[MutantResult]) -> list[MutantResult]:
    """Harmful edits that the gate lets through."""
    return [result for result in results if result.fate is MutantStatus.SURVIVED]


def refused(results: Sequence[MutantResult]) -> list[MutantResult]:
    """Harmless edits that the gate refuses."""
    return [result for result in results if result.fate is MutantStatus.REFUSED]


def misnamed(results: Sequence[MutantResult]) -> list[MutantResult]:
    """Harmful edits that are caught under a cause that their operator does not declare."""
    return [result for result in results if result.fate.is_caught and not result.rightly_named]


def console(results: Sequence[MutantResult], *, live: bool, verbose: bool = False) -> str:
    """Write the summary, then everything that needs a person's attention."""
    blocks = [_headline(results, live=live), _table(results)]
    if verbose:
        blocks.append("\n".join(_line(result) for result in results))
    for title, found in (("survived", survivors(results)), ("refused, though harmless", refused(results))):
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
    fates = Counter(result.fate for result in results)
    caught = fates[MutantStatus.CAUGHT_OFFLINE] + fates[MutantStatus.CAUGHT_LIVE]
    return caught + fates[MutantStatus.SURVIVED], caught


def _table(results: Sequence[MutantResult]) -> str:
    rows: list[tuple[str, ...]] = [("class", "edits", "offline", "live", "survived", "other name")]
    for kind in Class:
        mine = [result for result in results if result.mutant.operator.kind is kind]
        fates = Counter(result.fate for result in mine)
        counted = len(mine) - fates[MutantStatus.EQUIVALENT]
        if kind is not Class.HARMLESS and counted:
            numbers = (
                fates[MutantStatus.CAUGHT_OFFLINE],
                fates[MutantStatus.CAUGHT_LIVE],
                fates[MutantStatus.SURVIVED],
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
    fates = Counter(result.fate for result in results)
    harmless = f"harmless edits: {fates[MutantStatus.GREEN]} green, {fates[MutantStatus.REFUSED]} refused"
    warned = sum(result.only_warned for result in results)
    by_warning = [f"caught by a warning alone, which stops no deployment: {warned}"] if warned else []
    return "\n".join([*lines, "", harmless, *by_warning])


def _line(result: MutantResult) -> str:
    cause = f"  {result.cause}" if result.cause else ""
    return f"{result.fate.value:<14}  {result.mutant.id}{cause}"


def _entry(title: str, result: MutantResult, *, live: bool) -> str:
    mutant = result.mutant
    rows = {
        "setting": mutant.setting,
        "place": str(mutant.location),
        "edit": f"{mutant.operator.name}: {mutant.operator.sentence}",
    }
    if result.fate is MutantStatus.SURVIVED:
        rows["perhaps"] = result.message or (_INVISIBLE[mutant.operator.kind] if live else _ONLY_LIVE)
    else:
        rows["cause"] = f"{result.cause}: {result.message}"
    return "\n".join([f"{title}: {mutant.id}", *(f"  {name:<10} {text}" for name, text in rows.items())])


def _last_line(results: Sequence[MutantResult]) -> str:
    fates = Counter(result.fate for result in results)
    same = fates[MutantStatus.EQUIVALENT]
    return f"{len(results)} edits, {same} of them equivalent and not counted (mfagate {__version__} mutate)"


def as_json(results: Sequence[MutantResult], *, live: bool, seed: int, seconds: float) -> str:
    """Everything, as one document."""
    harmful, caught = _harmful(results)
    fates = Counter(result.fate.value for result in results)
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
        "fates": {fate.value: fates[fate.value] for fate in MutantStatus},
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
        "fate": result.fate.value,
        "cause": result.cause,
        "only_warned": result.only_warned,
        "rightly_named": result.rightly_named if result.fate.is_caught else None,
        "message": result.message,
        "seconds": result.seconds,
    }
