"""The results of the examination, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from mfagate.core.version import __version__


class Area(StrEnum):
    """The areas, in the order of the report."""

    INSTALLED = "installed"
    READABLE = "readable"
    WRITABLE = "writable"
    REACHABLE = "reachable"


class Readiness(StrEnum):
    """The result for one item. Only ``NO`` prevents mfagate from working."""

    YES = "yes"
    NO = "no"
    WARNING = "warning"
    NOT_NEEDED = "not needed"


@dataclass(frozen=True, slots=True)
class Item:
    """One examined thing. ``next_step`` is set if something must be done."""

    area: Area
    name: str
    state: Readiness
    detail: str = ""
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """All results."""

    items: Sequence[Item]

    @property
    def sound(self) -> bool:
        """Whether mfagate can work on this machine."""
        return all(item.state is not Readiness.NO for item in self.items)

    def as_json(self) -> str:
        """Return the document ``mfagate.doctor/1``."""
        document = {
            "schema": "mfagate.doctor/1",
            "version": __version__,
            "sound": self.sound,
            "items": [asdict(item) for item in self.items],
        }
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    def as_text(self) -> str:
        """Return a table for each area, and the next steps."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield "This machine is ready." if self.sound else "This machine is not ready: see the next steps."
        for area in Area:
            mine = [item for item in self.items if item.area is area]
            if not mine:
                continue
            width = max(len(item.name) for item in mine)
            yield f"\n{area}"
            for item in mine:
                yield f"  {item.state.ljust(10)}  {item.name.ljust(width)}  {item.detail}".rstrip()
        steps = list(dict.fromkeys(item.next_step for item in self.items if item.next_step))
        if steps:
            yield "\nnext steps"
            yield from (f"  {number}. {step}" for number, step in enumerate(steps, 1))
