"""How an answer differs from what is known, where the contract has nothing to say about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from mfagate.core.causes import CauseId
from mfagate.drift.shape import HEADER, RETIRING, Shape, reached


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is otherwise; ``known`` and ``seen`` say how, in words."""

    cause: CauseId
    path: str
    known: str
    seen: str

    @property
    def is_retirement(self) -> bool:
        """Whether it is the provider's word that the endpoint will go."""
        return self.cause is CauseId.DRIFT_FIELD_ADDED and self.path.removeprefix(HEADER) in RETIRING


def differences(
    known: Shape,
    seen: Shape,
    *,
    used: AbstractSet[str],
    words: Mapping[str, frozenset[str]],
    own: AbstractSet[str] = frozenset(),
) -> Iterator[Difference]:
    """Return the differences of one answer.

    ``used`` are the paths that the contract looks at: of these it has said already whether they are in order.
    ``words`` are the values known of enumerated fields; ``own`` words, such as names of test users, are none of the
    provider's. What is in a field that was null or empty could not be seen
    before, and is no difference; of something new, or gone, only the outermost field is named.
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
