"""Compare response headers as Pact's Verifier does.

https://github.com/pact-foundation/pact-reference/blob/master/rust/pact_matching/src/headers.rs
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mfagate.contract.core import CompiledExpectation
from mfagate.contract.mismatch import Mismatch, header_changed
from mfagate.core.exchange import Headers
from mfagate.core.foreign.parsing import raw

# Pact splits only these at commas, on both sides (pact_models/src/headers.rs).
_LISTS = frozenset(
    {
        "accept", "accept-encoding", "accept-language", "access-control-allow-headers", "access-control-allow-methods",
        "access-control-expose-headers", "access-control-request-headers", "allow", "cache-control", "if-match",
        "if-none-match", "vary",
    }
)  # fmt: skip
# These have a value and parameters, of which only the expected ones are compared.
_PARAMETERISED = frozenset({"accept", "content-type"})


class ExpectedHeader:
    """One header of the contract, with its values and its matching rule, if any."""

    __slots__ = ("_is_exact", "_key", "_rule", "name", "values")

    def __init__(self, name: str, values: Sequence[str], rule: Mapping[str, Any] | None, where: str) -> None:
        """Prepare the comparison; ``rule`` is the matching rule for this header, if any."""
        self.name = name
        self.values = tuple(value.strip() for value in values)
        self._key = name.lower()
        self._is_exact = rule is not None and rule["matchers"] == [{"match": "equality"}]
        self._rule = None
        if rule is not None and not self._is_exact:
            # Pact compares every actual value with the first expected value.
            example = self.values[0] if self.values and self.values[0] else "-"
            self._rule = CompiledExpectation("text/plain", example, {"$": rule}, where)

    def mismatch(self, headers: Headers) -> Mismatch | None:
        """Return how this header differs in an answer; None if it matches."""
        actual = split(self._key, map(raw, headers.all(self._key)))
        if not actual:
            return header_changed(self.name, ", ".join(self.values), None)
        if self._matches(actual):
            return None
        return header_changed(self.name, ", ".join(self.values), ", ".join(actual))

    def allows(self, value: str) -> bool:
        """Return whether the header's matching rule allows ``value``; False without a rule."""
        return self._rule is not None and not self._rule.mismatches(value)

    def _matches(self, actual: Sequence[str]) -> bool:
        if self._rule is not None:
            return all(map(self.allows, actual))
        if self._is_exact:
            return actual == self.values
        return len(actual) == len(self.values) and all(
            _same(self._key, *pair) for pair in zip(self.values, actual, strict=True)
        )


def split(name: str, values: Iterable[str]) -> tuple[str, ...]:
    """Return the values of a header; a comma-separated list counts as several.

    Pact ignores values that are not ASCII.
    """
    readable = filter(str.isascii, values)
    if name in _LISTS:
        return tuple(part.strip() for value in readable for part in value.split(","))
    return tuple(map(str.strip, readable))


def _same(name: str, expected: str, actual: str) -> bool:
    if expected == actual:
        return True
    if name not in _PARAMETERISED:
        # Spaces around a comma are ignored.
        return _trimmed(expected, ",") == _trimmed(actual, ",")
    expected_value, *expected_parameters = _trimmed(expected, ";")
    actual_value, *actual_parameters = _trimmed(actual, ";")
    # All expected parameters must be present, in any order and case; others are allowed.
    return expected_value == actual_value and _pairs(expected_parameters) <= _pairs(actual_parameters)


def _trimmed(text: str, separator: str) -> list[str]:
    return [part.strip() for part in text.split(separator)]


def _pairs(parameters: Iterable[str]) -> set[tuple[str, str]]:
    pairs = (parameter.partition("=") for parameter in parameters)
    return {(name.strip(), value.strip().lower()) for name, equals, value in pairs if equals}
