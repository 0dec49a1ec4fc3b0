"""Describe how an answer breaks the contract: each of Pact's mismatches with a cause and a sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mfagate.contract.core import GAVE_UP
from mfagate.contract.path import at, steps
from mfagate.core.causes import CauseId
from mfagate.core.foreign import quoted, quoted_json

# Longer values are cut off: an answer may contain tokens and seeds that are not registered as secrets.
LONGEST_VALUE = 60
_LONGEST_DEMAND = 2 * LONGEST_VALUE
_LONGEST_PATH = 200

_MISSING_KEYS = "Actual map is missing the following keys"
_UNREADABLE_JSON = "Failed to parse the actual body"
_IS_NULL = "Type mismatch: Expected null"
_VARIANT = "Variant at index"
_DEMAND = re.compile(r"\bto (?:match|be|not be|have|include|contain)\b")
_DETAIL = ": Error("
_SAME_TYPE = ") to be the same type as "
_PLAIN_KEY = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)

# The most informative first: a wrong status explains a wrong body, and a missing field explains others.
_ORDER = (
    CauseId.CONTRACT_ENDPOINT_RETIRED, CauseId.CONTRACT_STATUS_CHANGED, CauseId.CONTRACT_BODY_UNREADABLE,
    CauseId.CONTRACT_NOT_JSON, CauseId.CONTRACT_FIELD_MISSING, CauseId.CONTRACT_TYPE_CHANGED,
    CauseId.CONTRACT_VALUE_UNEXPECTED, CauseId.CONTRACT_HEADER_CHANGED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One difference between an answer and its contract.

    ``path`` is ``status``, ``header NAME`` or a JSON path into the body, such as ``$.result.value``. ``message`` is one
    sentence; it quotes no more than 60 characters of a value.
    """

    cause: CauseId
    path: str
    message: str


Showable = Callable[[Any], Any]
"""Returns the JSON of an answer without its secrets, so that it may be quoted."""


class Quotes:
    """The values that messages may quote from the JSON body of one answer."""

    def __init__(self, body: str, showable: Showable | None) -> None:
        self._body, self._showable = body, showable

    def of(self, path: str, actual: object) -> str:
        """Return the value at a path in a form that may be shown; an ellipsis if it is unknown."""
        if self._showable is None:
            return _quoted(actual)
        try:
            shown = at(self._document, steps(path))
        except (ValueError, LookupError, RecursionError):
            return _HIDDEN
        # JSON inside a text is not searched for secrets.
        return _HIDDEN if isinstance(shown, str) and shown.lstrip()[:1] in ("{", "[") else _quoted(shown)

    @cached_property
    def _document(self) -> Any:
        return self._showable(json.loads(self._body)) if self._showable is not None else None


_HIDDEN = "…"


def rank(mismatch: Mismatch) -> tuple[int, str]:
    """Return the sort key: the most informative cause first, then by path."""
    return _ORDER.index(mismatch.cause), mismatch.path


def status_changed(expected: int, actual: int, pact_text: str = "") -> Mismatch:
    """Describe a status that the contract does not allow; ``pact_text`` is Pact's sentence about it."""
    message = f"The status is {actual}; the contract {_demand(pact_text, str(actual), expected)}."
    return Mismatch(CauseId.CONTRACT_STATUS_CHANGED, "status", message)


def header_changed(name: str, expected: str, actual: str | None) -> Mismatch:
    """Describe a header that differs from the contract; ``actual`` is None if the answer has none."""
    is_now = "is missing" if actual is None else f"is {_quoted(actual)}"
    message = f"The header {name} {is_now}; the contract has {_quoted(expected)}."
    return Mismatch(CauseId.CONTRACT_HEADER_CHANGED, f"header {name}", message)


def endpoint_retired(message: str, path: str) -> Mismatch:
    """Describe an endpoint that is gone, or whose end is announced while its answers already differ."""
    return Mismatch(CauseId.CONTRACT_ENDPOINT_RETIRED, path, message)


def body_not_empty() -> Mismatch:
    """Describe a body that the contract does not have."""
    return Mismatch(CauseId.CONTRACT_VALUE_UNEXPECTED, "$", "The answer has a body; the contract has none.")


def body_unreadable(problem: str) -> Mismatch:
    """Describe a body that cannot be compared: empty, cut off, not UTF-8."""
    return Mismatch(CauseId.CONTRACT_BODY_UNREADABLE, "$", f"The body {problem}.")


def not_json(body: str) -> Mismatch:
    """Describe HTML or text in place of JSON. Only markup is quoted, because a text may be a token."""
    start = body.lstrip()
    how = f"begins with {_quoted(start)}" if start.startswith("<") else f"is a text of {len(body)} characters"
    return Mismatch(CauseId.CONTRACT_NOT_JSON, "$", f"The body is not JSON; it {how}.")


def missing(path: str) -> Mismatch:
    """Describe a field that the answer does not have."""
    return Mismatch(CauseId.CONTRACT_FIELD_MISSING, path, f"{path} is missing from the answer.")


def of_another(path: str, name: str, quote: str) -> Mismatch:
    """Describe an answer about another object than the request; ``name`` is the name of the state's value."""
    message = f"{path} is {quote}, which is not the {name} that the request was about."
    return Mismatch(CauseId.CONTRACT_VALUE_UNEXPECTED, path, message)


def unreadable_token(path: str) -> Mismatch:
    """Describe a JSON Web Token without claims; it is never quoted."""
    message = f"{path} is not a JSON Web Token that can be read."
    return Mismatch(CauseId.CONTRACT_VALUE_UNEXPECTED, path, message)


def in_text(pact_mismatch: Mapping[str, Any], showable: Showable | None) -> Mismatch:
    """Describe Pact's mismatch of a body that is not JSON. It is not shown, because it is not searched for secrets."""
    expected, actual, text = (pact_mismatch[name] for name in ("expected", "actual", "mismatch"))
    return _differs("$", expected, actual, text, _quoted(actual) if showable is None else _HIDDEN)


def in_json(pact_mismatch: Mapping[str, Any], body: str, quotes: Quotes) -> list[Mismatch]:
    """Describe one of Pact's mismatches of a JSON body; returns several if several keys are missing."""
    # The core names keys of the answer in its paths.
    path, text = pact_mismatch["path"], pact_mismatch["mismatch"]
    expected, actual = _value(pact_mismatch["expected"]), _value(pact_mismatch["actual"])
    if text.startswith(_IS_NULL):
        actual = None
    if text.startswith(_UNREADABLE_JSON):
        # Cut off in the middle of JSON, or never JSON at all?
        is_cut = body.lstrip()[:1] in ("{", "[", '"')
        return [body_unreadable("is not valid JSON; it may have been cut off") if is_cut else not_json(body)]
    if text.startswith(_MISSING_KEYS):
        return [_missing(path, key) for key in expected if key not in actual]
    return [_differs(quoted(path, _LONGEST_PATH), expected, actual, text, quotes.of(path, actual))]


def _differs(path: str, expected: object, actual: object, text: str, quote: str) -> Mismatch:
    if _kind(expected) != _kind(actual) and not text.startswith(_VARIANT):
        cause = CauseId.CONTRACT_TYPE_CHANGED
        message = f"{path} is {_described(actual, quote)}; the contract has {_described(expected, _quoted(expected))}."
    else:
        # JSON inside a string was read as JSON above, so only Pact's sentence shows its type.
        cause = CauseId.CONTRACT_TYPE_CHANGED if _names_other_type(text) else CauseId.CONTRACT_VALUE_UNEXPECTED
        # Pact's sentence repeats the value, which can be removed only if it is a text.
        may_repeat = isinstance(actual, str) or quote == _quoted(actual)
        demand = _demand(text, actual, expected) if may_repeat else f"has {_quoted(expected)}"
        message = f"{path} is {quote}; the contract {demand}."
    return Mismatch(cause, path, message)


def _names_other_type(text: str) -> bool:
    """Return whether Pact's sentence is "Expected VALUE (TYPE) to be the same type as VALUE (TYPE)" with two types."""
    before, same, behind = text.partition(_SAME_TYPE)
    if not same or "(" not in before or not behind.endswith(")"):
        return False
    return before.rpartition("(")[2] != behind[:-1].rpartition("(")[2]


def _missing(path: str, key: str) -> Mismatch:
    return missing(quoted(f"{path}.{key}" if _PLAIN_KEY.fullmatch(key) else f"{path}[{key!r}]", _LONGEST_PATH))


def _value(text: str | None) -> Any:
    try:
        return json.loads(text or "")
    except (ValueError, RecursionError):
        return text


_KINDS = {
    type(None): "null", bool: "a boolean", int: "an integer", float: "a decimal", str: "a string", list: "a list",
    dict: "an object",
}  # fmt: skip


def _kind(value: object) -> str:
    return _KINDS[type(value)]


def _described(value: object, quote: str) -> str:
    return "null" if value is None else f"{_kind(value)} ({quote})"


def _quoted(value: object) -> str:
    return quoted_json(value, LONGEST_VALUE)


def _demand(text: str, actual: object, expected: object) -> str:
    """Return the contract's demand from Pact's sentence "Expected ACTUAL to match PATTERN: DETAIL"."""
    if text == GAVE_UP:
        return "has a regular expression that takes too many steps on it"
    # The value may contain "to be", so search after it.
    behind = text.partition(actual)[2] if isinstance(actual, str) and actual else text
    found = _DEMAND.search(behind)
    demand = behind[found.start() :].partition(_DETAIL)[0] if found else ""
    # An equality repeats the whole expected value.
    if not demand or demand.startswith("to be equal"):
        return f"has {_quoted(expected)}"
    return f"requires it {quoted(demand, _LONGEST_DEMAND)}"
