"""Compare what a reader did with two answers.

A reader's behaviour is its decision, the type of the error that it raised, every value that it returned, and every
request that it sent. Two behaviours are the same if all of these are equal, except for values that the reader only
passes through: if the change replaced A with B, a reader that returned A may return B.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from mfagate.contract.path import walk
from mfagate.contract_strength.operators import AnswerChange, ChangeOperator
from mfagate.core.foreign import ForeignText
from mfagate.core.foreign.parsing import raw
from mfagate.fail_closed.call_runner import CallOutcome
from mfagate.fail_closed.loopback import Asked

Leaf = tuple[str, Any]
"""The name of a place, and its value: a text, number, boolean or None."""

MEMBER = "{}"
"""The end of the name of a leaf that is a member of a set."""


@dataclass(frozen=True)
class Behaviour:
    """What a reader did, in words and as leaves."""

    words: str
    leaves: Counter[Leaf]

    @classmethod
    def of(cls, outcome: CallOutcome, asked: list[Asked]) -> Behaviour:
        """Describe one watched call and the requests that it sent."""
        found = [*_of_the_call(outcome)]
        for number, request in enumerate(asked):
            found += _of_a_request(f"request {number}", request)
        return cls(_words(outcome, len(asked)), Counter((name, _typed(value)) for name, value in found))

    def is_same(self, changed: Behaviour, change: AnswerChange, volatile: AbstractSet[str] = frozenset()) -> bool:
        """Return whether a reader did the same with a changed answer.

        Args:
            changed: What the reader did with the changed answer.
            change: The change.
            volatile: Names of leaves that differ in every call.
        """
        mine, theirs = self._without(volatile), changed._without(volatile)
        gone, new = mine - theirs, theirs - mine
        if change.operator is ChangeOperator.MORE:
            new = Counter({leaf: count for leaf, count in new.items() if not _is_passed_on(leaf, change)})
        return _explained([*gone.elements()], [*new.elements()], change)

    def volatile(self, again: Behaviour) -> frozenset[str]:
        """Return the names of the leaves that differ between two calls with the same answer."""
        differing = (self.leaves - again.leaves) + (again.leaves - self.leaves)
        return frozenset(name for name, _ in differing)

    def _without(self, volatile: AbstractSet[str]) -> Counter[Leaf]:
        return Counter({leaf: count for leaf, count in self.leaves.items() if leaf[0] not in volatile})


def _explained(gone: list[Leaf], new: list[Leaf], change: AnswerChange) -> bool:
    """Return whether each new leaf is a leaf that is gone, with the changed value in it."""
    if len(gone) != len(new):
        return False
    left = [*new]
    for name, value in gone:
        match = next((leaf for leaf in left if leaf[0] == name and _is_handed_on(value, leaf[1], change)), None)
        if match is None:
            return False
        left.remove(match)
    return True


def _is_handed_on(was: Any, now: Any, change: AnswerChange) -> bool:
    """Return whether ``now`` is ``was`` with the changed value in it, and has the same type."""
    (was_type, old), (now_type, new) = was, now
    before, after = change.before, change.after
    if was_type != now_type or not _is_alike(before, after):
        return False
    if was_type == "number":
        return bool(_is_number(before) and old == before and new == after)
    return was_type == "text" and any(_is_substituted(old, new, *pair) for pair in _forms(str(before), str(after)))


def _is_alike(before: Any, after: Any) -> bool:
    """Return whether a text was changed to another text that is not empty, or a number to another number."""
    if isinstance(before, str) and isinstance(after, str):
        return bool(before and after)
    return _is_number(before) and _is_number(after)


def _forms(before: str, after: str) -> Iterator[tuple[str, str]]:
    """Yield the values, and the paths of two URLs, because a client follows a link on its own connection."""
    yield before, after
    if "://" in before and "://" in after:
        yield urlsplit(before).path, urlsplit(after).path


def _is_substituted(old: str, new: str, before: str, after: str) -> bool:
    if not before or before not in old:
        return False
    either = f"(?:{re.escape(before)}|{re.escape(after)})"
    return re.fullmatch(either.join(map(re.escape, old.split(before))), new, re.DOTALL) is not None


def _is_passed_on(leaf: Leaf, change: AnswerChange) -> bool:
    """Return whether a new member of a set is a value of the element that was added."""
    name, value = leaf
    return name.endswith(MEMBER) and value in {
        _typed(part) for _, part in walk(change.after) if not isinstance(part, dict | list)
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _typed(value: Any) -> tuple[str, Any]:
    """Return the value with its type: 1 and True are equal in Python, but not to a caller."""
    if isinstance(value, str):
        return "text", value
    if _is_number(value):
        return "number", value
    return type(value).__name__, value


def _of_the_call(outcome: CallOutcome) -> Iterator[Leaf]:
    if not outcome.ended:
        yield "ended", False
    elif outcome.raised is not None:
        kind = type(outcome.raised)
        yield "raised", f"{kind.__module__}.{kind.__qualname__}"
    else:
        yield from _leaves("returned", outcome.returned)


def _leaves(name: str, value: Any) -> Iterator[Leaf]:
    """Yield the leaves of a value that a reader returned; for an unknown class, only its name."""
    if value is None or isinstance(value, bool | int | float) or type(value) is str:
        yield name, value
        return
    found = _simple(value)
    if found is not None:
        yield name, found
        return
    yield f"{name} class", _class(value)
    for step, member in _members(value):
        yield from _leaves(name + step, member)


def _simple(value: Any) -> str | None:
    """Return a value that has no members as text; None for any other value."""
    if isinstance(value, Enum):
        return f"{type(value).__qualname__}.{value.name}"
    if isinstance(value, ForeignText):
        return raw(value)
    if isinstance(value, str):
        return str(value)
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else None


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the members of a value, each with the step that leads to it."""
    if is_dataclass(value) and not isinstance(value, type):
        yield from ((f".{field.name}", getattr(value, field.name)) for field in fields(value))
    elif isinstance(value, Mapping):
        yield from ((f".{key}", member) for key, member in value.items())
    elif isinstance(value, AbstractSet):
        yield from ((MEMBER, member) for member in value)
    elif isinstance(value, list | tuple):
        yield from ((f"[{index}]", item) for index, item in enumerate(value))


def _class(value: Any) -> str:
    for kind in (Mapping, AbstractSet, list, tuple):
        if isinstance(value, kind):
            return kind.__name__
    return type(value).__qualname__


def _of_a_request(name: str, request: Asked) -> Iterator[Leaf]:
    url = urlsplit(request.target)
    yield f"{name} method", request.method
    yield f"{name} path", unquote(url.path)
    for key, value in parse_qsl(url.query, keep_blank_values=True):
        yield f"{name} query {key}", value
    text = request.body.decode("utf-8", "backslashreplace")
    try:
        yield from _leaves(f"{name} body", json.loads(text))
        return
    except ValueError:
        pass
    pairs = parse_qsl(text, keep_blank_values=True)
    yield from ((f"{name} body {key}", value) for key, value in pairs) if pairs else [(f"{name} body", text)]


def _words(outcome: CallOutcome, requests: int) -> str:
    sent = f" after {requests} requests" if requests != 1 else ""
    return f"{outcome}{sent}"
