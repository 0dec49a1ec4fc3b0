"""Word the message of a run: plain text, the worst change first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from mfagate.core.foreign import harmless, quoted
from mfagate.notify.changes import ChangeKind, ProblemChange

_ORDER = (ChangeKind.NEW, ChangeKind.CHANGED, ChangeKind.FLAPPING, ChangeKind.REMINDER, ChangeKind.RECOVERED)

_LONGEST = 500
"""Characters of a headline: a text message or push notification has little more room."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One message. ``level`` selects the colour and sound in services that have them."""

    title: str
    body: str
    level: Literal["failure", "warning", "success"]
    changes: tuple[ProblemChange, ...]


def message(changes: Sequence[ProblemChange], report_url: str | None = None) -> Notification:
    """Return one message about at least one change of a run."""
    ordered = sorted(changes, key=lambda change: (_ORDER.index(change.kind), not change.severe, change.key))
    # Subjects and headlines also come from the history, which other programs can write.
    blocks = ["\n".join(map(harmless, _block(change))) for change in ordered]
    if report_url:
        blocks.append(f"report: {report_url}")
    return Notification(harmless(_title(ordered)), "\n\n".join(blocks), _level(ordered), tuple(ordered))


def _title(changes: Sequence[ProblemChange]) -> str:
    if len(changes) == 1:
        (change,) = changes
        return f"mfagate: {change.integration}: {_what(change)}"
    counted = Counter(change.kind for change in changes)
    return "mfagate: " + ", ".join(f"{counted[kind]} {kind}" for kind in _ORDER if counted[kind])


def _what(change: ProblemChange) -> str:
    match change.kind:
        case ChangeKind.RECOVERED:
            return f"recovered from {change.cause}"
        case ChangeKind.REMINDER:
            return f"still {change.cause}"
        case ChangeKind.FLAPPING:
            return f"flapping ({change.cause})"
        case _:
            return f"{change.kind} {change.cause}"


def _block(change: ProblemChange) -> Iterator[str]:
    about = f" ({change.subject})" if change.subject else ""
    yield f"{change.kind.upper()} {change.integration}{about}: {change.cause}"
    yield quoted(change.headline, _LONGEST)
    if change.kind is ChangeKind.FLAPPING:
        yield "This problem comes and goes. You get no more messages about it until it is stable."
    yield f"since {change.since:%Y-%m-%d %H:%M} UTC"
    if change.kind is not ChangeKind.RECOVERED:
        yield from change.details


def _level(changes: Sequence[ProblemChange]) -> Literal["failure", "warning", "success"]:
    open_ = [change for change in changes if change.kind is not ChangeKind.RECOVERED]
    if not open_:
        return "success"
    return "failure" if any(change.severe for change in open_) else "warning"
