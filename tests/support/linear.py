"""Find out whether a regular expression can take more than linear time on some text.

``re`` backtracks. This module turns a pattern into an automaton without empty moves (Glushkov), and searches the
automaton for the two forms of ambiguity that cost time (Weber and Seidl, "On the degree of ambiguity of finite
automata", https://doi.org/10.1016/0304-3975(91)90381-B):

* exponential: a word leads from a state back to itself along two different paths, as in ``(a*)*b``;
* polynomial: two states have loops with the same word, which also leads from the first to the second, as in ``a*a*b``.

A search starts again at each character, which acts as a loop before the pattern. So ``<title[^>]*>`` is quadratic in a
search and linear in a match. The published analyser regexploit examines only the pattern and misses this case, which
all slow patterns in this project had.

The analysis is conservative. A lookahead is a dead end beside the pattern. A lookbehind or ``\\b`` is ignored unless it
begins the pattern. An atomic group counts as a plain group, and a repetition of more than 256 counts as unlimited. So a
pattern that is reported as quadratic may be linear, but not the other way round.
"""

from __future__ import annotations

import importlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from typing import Any

# The standard library has no public parser for its patterns, and its type stubs do not contain the private parser.
ops: Any = importlib.import_module("re._constants")
sre: Any = importlib.import_module("re._parser")

MOST_COUNTED = 256
"""Repetitions up to this number cost a constant factor."""

_COPIES = 3
"""Three copies of a repeated item show which positions can follow each other."""

_OTHERS = "éßЖ٣\u2028\u3042\U0001f600"
_REPRESENTATIVES = frozenset(map(chr, range(128))) | frozenset(_OTHERS)

Set = frozenset[str]


class Uses:
    """The ways to apply a pattern to a text."""

    ONCE_ANCHORED = "match"  # match, fullmatch
    ONCE = "search"
    MANY = "sub"  # sub, split, findall, finditer


@dataclass(slots=True)
class _Part:
    """A part of a pattern: the positions where it can begin and end, and whether it can be empty.

    ``first`` and ``last`` contain a position once for each path that leads to it.
    """

    first: list[int] = field(default_factory=list)
    last: list[int] = field(default_factory=list)
    empty: bool = False


class _Automaton:
    """The positions of a pattern, each with the characters that it accepts and the positions that may follow."""

    def __init__(self, pattern: str | bytes, flags: int) -> None:
        text = pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern
        parsed = sre.parse(text, flags)
        self.flags = parsed.state.flags
        self._widths = parsed.state.groupwidths
        self.alphabet = _REPRESENTATIVES | _literals(parsed)
        self.takes: list[Set] = []
        self.follow: defaultdict[int, list[int]] = defaultdict(list)
        self.begins_at_start = False
        self.ends_at_end = False
        self.not_behind: Set = frozenset()
        self.empty_twice = False
        self._leading = True
        self.whole = self._sequence(list(parsed))

    def accepting(self) -> set[int]:
        """Return the positions where a match can end."""
        return set(self.whole.last)

    def _position(self, takes: Set) -> _Part:
        self._leading = False
        self.takes.append(takes)
        number = len(self.takes) - 1
        return _Part([number], [number])

    def _sequence(self, items: Sequence[tuple[Any, Any]]) -> _Part:
        whole = _Part(empty=True)
        for op, value in items:
            whole = self._joined(whole, self._item(op, value))
        return whole

    def _joined(self, left: _Part, right: _Part) -> _Part:
        for end in left.last:
            self.follow[end] += right.first
        return _Part(
            left.first + (right.first if left.empty else []),
            right.last + (left.last if right.empty else []),
            left.empty and right.empty,
        )

    def _item(self, op: Any, value: Any) -> _Part:
        if op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
            return self._repeat(*value)
        if op is ops.BRANCH:
            return self._branch(value[1])
        if op is ops.SUBPATTERN:
            return self._sequence(value[3])
        if op is ops.ATOMIC_GROUP:
            return self._sequence(value)
        if op in (ops.ASSERT, ops.ASSERT_NOT):
            return self._look(op, *value)
        if op is ops.AT:
            return self._at(value)
        if op is ops.GROUPREF and self._widths[value] == (1, 1):
            return self._position(self.alphabet)
        return self._position(self._characters(op, value))

    def _branch(self, branches: Iterable[Any]) -> _Part:
        parts = []
        leading = self._leading
        for branch in branches:
            self._leading = leading
            parts.append(self._sequence(branch))
        self._leading = False
        self.empty_twice |= sum(part.empty for part in parts) > 1
        return _Part(
            [number for part in parts for number in part.first],
            [number for part in parts for number in part.last],
            any(part.empty for part in parts),
        )

    def _repeat(self, least: int, most: int, item: Any) -> _Part:
        whole = _Part(empty=True)
        for _ in range(min(least, _COPIES) - (most > MOST_COUNTED)):
            whole = self._joined(whole, self._sequence(item))
        if most > MOST_COUNTED:
            part = self._sequence(item)
            for end in part.last:
                self.follow[end] += part.first
            part.empty = part.empty or least == 0
            return self._joined(whole, part)
        # x{0,3} is (x(x(x)?)?)?, because x?x?x? would have several paths to the same text.
        chain = _Part(empty=True)
        for _ in range(min(most - least, _COPIES)):
            chain = self._joined(self._sequence(item), chain)
            chain.empty = True
        return self._joined(whole, chain)

    def _look(self, op: Any, direction: int, item: Any) -> _Part:
        if direction < 0:
            if self._leading and op is ops.ASSERT_NOT and len(item) == 1 and item[0][0] in _ONE_CHARACTER:
                self.not_behind |= self._characters(*item[0])
            return _Part(empty=True)
        inner = self._sequence(item)
        return _Part(inner.first, [], empty=True)

    def _at(self, where: Any) -> _Part:
        if self._leading and where in (ops.AT_BEGINNING, ops.AT_BEGINNING_STRING):
            self.begins_at_start = where is ops.AT_BEGINNING_STRING or not self.flags & re.MULTILINE
        if where is ops.AT_BOUNDARY and self._leading:
            self.not_behind |= self._characters(ops.IN, [(ops.CATEGORY, ops.CATEGORY_WORD)])
        if where in (ops.AT_END, ops.AT_END_STRING):
            self.ends_at_end = True
        return _Part(empty=True)

    def _characters(self, op: Any, value: Any) -> Set:
        if op is ops.ANY:
            return self.alphabet if self.flags & re.DOTALL else self.alphabet - {"\n"}
        if op is ops.LITERAL:
            return self._cased({chr(value)})
        if op is ops.NOT_LITERAL:
            return self.alphabet - self._cased({chr(value)})
        if op is ops.IN:
            return self._in(value)
        raise ValueError(f"{op} is not known to this analyser")

    def _in(self, items: Sequence[tuple[Any, Any]]) -> Set:
        found: set[str] = set()
        for op, value in items:
            if op is ops.LITERAL:
                found |= self._cased({chr(value)})
            elif op is ops.RANGE:
                found |= self._cased({one for one in self.alphabet if value[0] <= ord(one) <= value[1]})
            elif op is ops.CATEGORY:
                found |= {one for one in self.alphabet if _in_category(value, one, bool(self.flags & re.ASCII))}
        negated = bool(items) and items[0][0] is ops.NEGATE
        return self.alphabet - found if negated else frozenset(found)

    def _cased(self, found: set[str]) -> Set:
        if not self.flags & re.IGNORECASE:
            return frozenset(found)
        return frozenset(one for one in self.alphabet if {one, one.lower(), one.upper()} & found) | frozenset(found)


_ONE_CHARACTER = (ops.LITERAL, ops.NOT_LITERAL, ops.IN, ops.ANY)

_CATEGORIES = {
    ops.CATEGORY_DIGIT: r"\d", ops.CATEGORY_NOT_DIGIT: r"\D", ops.CATEGORY_SPACE: r"\s",
    ops.CATEGORY_NOT_SPACE: r"\S", ops.CATEGORY_WORD: r"\w", ops.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip


@cache
def _in_category(category: Any, character: str, ascii_only: bool) -> bool:
    return re.match(_CATEGORIES[category], character, re.ASCII if ascii_only else 0) is not None


def _literals(items: Any) -> Set:
    """Return the characters in a pattern, and the ends of its ranges."""
    found: set[str] = set()
    waiting = [items]
    while waiting:
        one = waiting.pop()
        if isinstance(one, tuple) and len(one) == 2 and one[0] in (ops.LITERAL, ops.NOT_LITERAL):
            found.add(chr(one[1]))
        elif isinstance(one, tuple) and len(one) == 2 and one[0] is ops.RANGE:
            found |= {chr(one[1][0]), chr(one[1][1])}
        elif isinstance(one, tuple | list | sre.SubPattern):
            waiting += list(one)
    return frozenset(found | {other for one in found for other in (one.lower(), one.upper()) if len(other) == 1})


Edges = dict[int, list[tuple[Set, int]]]


def verdict(pattern: str | bytes, flags: int = 0, use: str = Uses.ONCE) -> str | None:
    """Return why the pattern is not linear in this use; None if it is."""
    automaton = _Automaton(pattern, flags)
    if automaton.empty_twice or _exponential(automaton):
        return "exponential: two paths through the same loop"
    edges = _edges(automaton)
    inside = _pair(edges, set(edges), set(edges))
    if inside is not None and not _takes_everything(automaton, inside[1]):
        return f"polynomial: two loops share text ({_shown(automaton, inside[0])}, {_shown(automaton, inside[1])})"
    if use == Uses.ONCE_ANCHORED or automaton.begins_at_start:
        return None
    again = _restarted(automaton, use)
    return f"quadratic: a search starts again inside {_shown(automaton, again)}" if again is not None else None


def _shown(automaton: _Automaton, position: int) -> str:
    takes = sorted(automaton.takes[position])
    return f"position {position} of {''.join(takes[:6])!r}{'…' if len(takes) > 6 else ''}"


def _edges(automaton: _Automaton) -> Edges:
    return {
        number: [(automaton.takes[after], after) for after in dict.fromkeys(automaton.follow[number])]
        for number in range(len(automaton.takes))
    }


def _takes_everything(automaton: _Automaton, position: int) -> bool:
    """Return whether a match cannot fail from here on: ``.*`` at the end, with DOTALL."""
    return (
        position in automaton.accepting()
        and automaton.takes[position] >= automaton.alphabet
        and position in automaton.follow[position]
    )


def _exponential(automaton: _Automaton) -> bool:
    edges = _edges(automaton)
    reach = _reachable(edges)
    for number, followers in automaton.follow.items():
        twice = {after for after in followers if followers.count(after) > 1}
        if any(number in reach[after] for after in twice):
            return True
    # Look for a word that leads from a state back to itself along two different paths.
    for start in edges:
        seen, waiting = {(start, start)}, [(start, start)]
        while waiting:
            left, right = waiting.pop()
            for (a, to_left), (b, to_right) in product(edges[left], edges[right]):
                if not a & b or start not in reach[to_left] or start not in reach[to_right]:
                    continue
                # A pair of different states shows that the paths have separated.
                pair = (to_left, to_right)
                if pair not in seen:
                    seen.add(pair)
                    waiting.append(pair)
        parted = {pair for pair in seen if pair[0] != pair[1]}
        if any(_meets(edges, pair, start) for pair in parted):
            return True
    return False


def _meets(edges: Edges, pair: tuple[int, int], goal: int) -> bool:
    seen, waiting = {pair}, [pair]
    while waiting:
        left, right = waiting.pop()
        if left == right == goal:
            return True
        for (a, to_left), (b, to_right) in product(edges[left], edges[right]):
            if a & b and (to_left, to_right) not in seen:
                seen.add((to_left, to_right))
                waiting.append((to_left, to_right))
    return False


def _reachable(edges: Edges) -> dict[int, set[int]]:
    reach: dict[int, set[int]] = {}
    for start in edges:
        seen, waiting = {start}, [start]
        while waiting:
            for _, after in edges[waiting.pop()]:
                if after not in seen:
                    seen.add(after)
                    waiting.append(after)
        reach[start] = seen
    return reach


def _pair(edges: Edges, firsts: set[int], seconds: set[int]) -> tuple[int, int] | None:
    """Return two states p and q with a word that leads from p to p, from p to q and from q to q."""
    reach = _reachable(edges)
    looping = {number for number in edges if any(number in reach[after] for _, after in edges[number])}
    for p in sorted(firsts & looping):
        for q in sorted((seconds & looping & reach[p]) - {p}):
            if _ambiguous(edges, reach, p, q):
                return p, q
    return None


def _ambiguous(edges: Edges, reach: dict[int, set[int]], p: int, q: int) -> bool:
    seen = {(p, p, q)}
    waiting = [(p, p, q)]
    while waiting:
        one, two, three = waiting.pop()
        for (a, x), (b, y), (c, z) in product(edges[one], edges[two], edges[three]):
            if p not in reach[x] or q not in reach[y] or q not in reach[z] or not a & b & c:
                continue
            if (x, y, z) == (p, q, q):
                return True
            if (x, y, z) not in seen:
                seen.add((x, y, z))
                waiting.append((x, y, z))
    return False


def _restarted(automaton: _Automaton, use: str) -> int | None:
    """Return a loop of the pattern that a search can also reach from a later start.

    Where a match can end, a search does not fail. If only one match is searched for, there is no later start; otherwise
    the next search starts after the match.
    """
    accepting = set() if automaton.ends_at_end else automaton.accepting()
    edges = _edges(automaton)
    start, ready = len(automaton.takes), len(automaton.takes) + 1
    firsts = [(automaton.takes[number], number) for number in dict.fromkeys(automaton.whole.first)]
    behind = automaton.alphabet - automaton.not_behind
    # Leave ``start`` only over a character that may precede the pattern.
    edges[start] = [(automaton.alphabet, start), (behind, ready)]
    edges[ready] = firsts
    if not automaton.not_behind:
        edges[start] = [(automaton.alphabet, start), *firsts]
    if use == Uses.ONCE:
        for number in accepting:
            edges[number] = []
        edges = {
            number: [(takes, after) for takes, after in after_it if after not in accepting]
            for number, after_it in edges.items()
        }
    found = _pair(edges, {start}, set(range(len(automaton.takes))) - accepting)
    return found[1] if found else None
