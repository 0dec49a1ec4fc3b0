"""The words of a message: one for each run, plain text, the worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from mfagate.foreign import harmless, quoted
from mfagate.notify.changes import Change, Kind

_ORDER = {Kind.NEW: 0, Kind.CHANGED: 1, Kind.FLAPPING: 2, Kind.REMINDER: 3, Kind.RECOVERED: 4}

_LONGEST = 500
"""Characters of one headline: a text message or a push has room for little more."""


@dataclass(frozen=True, slots=True)
class Message:
    """What people get. ``level`` chooses colour and sound where the service has them."""

    title: str
    body: str
    level: Literal["failure", "warning", "success"]
    changes: tuple[Change, ...]


def message(changes: Sequence[Change], report_url: str | None = None) -> Message:
    """One message about all changes of a run; there is at least one."""
    ordered = sorted(changes, key=lambda change: (_ORDER[change.kind], not change.severe, change.key))
    # Subjects and headlines also come from the file of the last run, which others may have written.
    blocks = ["\n".join(map(harmless, _block(change))) for change in ordered]
    if report_url:
        blocks.append(f"report: {report_url}")
    return Message(harmless(_title(ordered)), "\n\n".join(blocks), _level(ordered), tuple(ordered))


def _title(changes: Sequence[Change]) -> str:
    if len(changes) == 1:
        (change,) = changes
        return f"mfagate: {change.integration}: {_what(change)}"
    counted = Counter(change.kind for change in changes)
    return "mfagate: " + ", ".join(f"{counted[kind]} {kind}" for kind in _ORDER if counted[kind])


def _what(change: Change) -> str:
    match change.kind:
        case Kind.RECOVERED:
            return f"recovered from {change.cause}"
        case Kind.REMINDER:
            return f"still {change.cause}"
        case Kind.FLAPPING:
            return f"flapping ({change.cause})"
        case _:
            return f"{change.kind} {change.cause}"


def _block(change: Change) -> Iterator[str]:
    about = f" ({change.subject})" if change.subject else ""
    yield f"{change.kind.upper()} {change.integration}{about}: {change.cause}"
    yield quoted(change.headline, _LONGEST)
    if change.kind is Kind.FLAPPING:
        yield "It comes and goes. Nothing more is said of it until it stays as it is."
    yield f"since {change.since:%Y-%m-%d %H:%M} UTC"
    if change.kind is not Kind.RECOVERED:
        yield from change.details


def _level(changes: Sequence[Change]) -> Literal["failure", "warning", "success"]:
    open_ = [change for change in changes if change.kind is not Kind.RECOVERED]
    if not open_:
        return "success"
    return "failure" if any(change.severe for change in open_) else "warning"
