"""Find differences between a response and its known shape that the contract does not cover."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from mfagate.core.causes import CauseId
from mfagate.drift.shape import HEADER, RETIRING, Shape, reached


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs; ``known`` and ``seen`` describe both sides in words."""

    cause: CauseId
    path: str
    known: str
    seen: str

    @property
    def is_retirement(self) -> bool:
        """Whether the provider announces that the endpoint will be removed."""
        return self.cause is CauseId.DRIFT_FIELD_ADDED and self.path.removeprefix(HEADER) in RETIRING


def differences(
    known: Shape,
    seen: Shape,
    *,
    used: AbstractSet[str],
    words: Mapping[str, frozenset[str]],
    own: AbstractSet[str] = frozenset(),
) -> Iterator[Difference]:
    """Yield the differences of one response.

    The content of a field that was null or empty before is not a difference. Of a new or removed structure only the
    outermost field is reported.

    Args:
        known: The shape that earlier responses had.
        seen: The shape of this response.
        used: Paths that the contract already checks.
        words: The known values of enumerated fields.
        own: Values that the configuration has sent, such as names of test users.
    """
    for path, field in seen.items():
        if path not in known:
            if reached(known, path):
                yield Difference(CauseId.DRIFT_FIELD_ADDED, path, "absent", _words(field.kinds))
            continue
        before = known[path]
        if path not in used and before.kinds and not field.kinds <= before.kinds:
            yield Difference(CauseId.DRIFT_TYPE_CHANGED, path, _words(before.kinds), _words(field.kinds))
        elif path in words and field.values and (new := field.values - words[path] - own):
            yield Difference(CauseId.DRIFT_VALUE_NEW, path, _words(words[path]), _words(new))
    for path, field in known.items():
        if path not in seen and path not in used and not field.optional and reached(seen, path):
            yield Difference(CauseId.DRIFT_FIELD_REMOVED, path, _words(field.kinds), "absent")


def _words(values: AbstractSet[str]) -> str:
    return ", ".join(sorted(values)) or "null"
