"""Generate answers that an interaction allows, from its matching rules.

Pact defines what a rule means: the contract's matcher evaluates everything generated here, and
answers that it rejects are not used. A place without a rule of its own keeps its example value,
even if a ``type`` rule of an outer place would let it vary, because the example shows what the
contract means.
"""

from __future__ import annotations

import json
import re
import string
import unicodedata
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from mfagate.contract import Interaction
from mfagate.fail_closed.answer import ProviderAnswer
from mfagate.fail_closed.places import step

_PRINTABLE = st.characters(codec="ascii", min_codepoint=32, max_codepoint=126)
_NEW_FIELDS = st.dictionaries(
    st.sampled_from(["x_new", "xNew", "_x"]),
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    max_size=1,
)
_STATUS_CLASSES = {
    "info": range(100, 200),
    "success": range(200, 300),
    "redirect": range(300, 400),
    "clientError": range(400, 500),
    "serverError": range(500, 600),
    "nonError": range(200, 400),
    "error": range(400, 600),
}
_JAVA = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S", "'T'": "T"}
"""Patterns of Java's dates that Pact accepts, and Python's equivalents."""


def answers(interaction: Interaction, keep: Collection[str] = ()) -> st.SearchStrategy[ProviderAnswer]:
    """Return a strategy for answers that an interaction allows; the places in ``keep`` have their example value."""
    generated = st.builds(
        ProviderAnswer, _statuses(interaction), _headers(interaction), _bodies(interaction, frozenset(keep))
    )
    return generated.filter(lambda answer: answer.conforms_to(interaction))


def _statuses(interaction: Interaction) -> st.SearchStrategy[int]:
    expected = interaction.response
    matchers = expected.status_rule["matchers"] if expected.status_rule else []
    allowed = [matcher["status"] for matcher in matchers if matcher["match"] == "statusCode"]
    numbers: list[int] = [expected.status]
    for statuses in allowed:
        numbers += _STATUS_CLASSES.get(statuses, ()) if isinstance(statuses, str) else statuses
    # An informational status is not a final answer (RFC 9110 section 15.2).
    return st.sampled_from([number for number in dict.fromkeys(numbers) if number >= 200])


def _headers(interaction: Interaction) -> st.SearchStrategy[tuple[tuple[str, str], ...]]:
    expected = interaction.response
    fields = []
    for name, values in expected.headers.items():
        example = ", ".join(values)
        rule = expected.header_rules.get(name.lower())
        value = _ruled(rule, example) if rule else st.just(example)
        if name.lower() == "content-type" and not rule and ";" not in example:
            value = st.sampled_from([example, f"{example}; charset=utf-8", f"{example};charset=UTF-8"])
        fields.append(st.tuples(st.just(name), value.filter(lambda text: _is_sendable(text))))
    more = st.sampled_from([(), (("X-Request-Id", "0"),), (("Cache-Control", "no-store"), ("Pragma", "no-cache"))])
    return st.tuples(st.tuples(*fields), more).map(lambda both: (*both[0], *both[1]))


def _is_sendable(text: Any) -> bool:
    return isinstance(text, str) and text == text.strip() and text.isascii() and text.isprintable()


def _bodies(interaction: Interaction, keep: frozenset[str]) -> st.SearchStrategy[bytes]:
    expected = interaction.response
    if not expected.body:
        return st.just(b"")
    if expected.media_type is None or not expected.media_type.is_json:
        rule = expected.body_rules.get("$")
        texts = _ruled(rule, expected.body) if rule else st.just(expected.body)
        return texts.map(lambda text: str(text).encode())
    documents = _Documents(expected.body_rules, keep).at("$", json.loads(expected.body))
    layouts = st.sampled_from([{}, {"indent": 2}, {"separators": (",", ":")}, {"ensure_ascii": False}])
    return st.builds(lambda document, how: json.dumps(document, **how).encode("utf-8", "replace"), documents, layouts)


class _Documents:
    """JSON documents that follow the rules of a body."""

    def __init__(self, rules: Mapping[str, Any], keep: frozenset[str]) -> None:
        self._rules = [(_pattern(path), path, rule) for path, rule in rules.items()]
        self._keep = keep

    def at(self, path: str, example: Any) -> st.SearchStrategy[Any]:
        """Return a strategy for the values of a place, given its example."""
        if path in self._keep:
            return st.just(example)
        rule = self._rule(path)
        if isinstance(example, dict):
            known = st.fixed_dictionaries({name: self.at(path + step(name), value) for name, value in example.items()})
            return st.builds(lambda fields, new: {**fields, **new}, known, _NEW_FIELDS)
        if isinstance(example, list):
            return self._lists(path, example, rule)
        return _ruled(rule, example) if rule else st.just(example)

    def _rule(self, path: str) -> Any:
        # A path with an index is more specific than a path with a wildcard.
        matching = [(written.count("*"), rule) for pattern, written, rule in self._rules if pattern.fullmatch(path)]
        return min(matching, key=lambda found: found[0])[1] if matching else None

    def _lists(self, path: str, example: list[Any], rule: Any) -> st.SearchStrategy[list[Any]]:
        items = [self.at(f"{path}[{index}]", value) for index, value in enumerate(example)]
        whole = st.tuples(*items).map(list)
        if rule is None or not items:
            return whole
        further = st.lists(items[0], max_size=2)
        return st.builds(lambda first, more: [*first, *more], whole, further)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.escape(path).replace(r"\[\*\]", r"\[\d+\]").replace(r"\.\*", r"\.[^.\[\]]+"))


def _ruled(rule: Mapping[str, Any], example: Any) -> st.SearchStrategy[Any]:
    values = [_matched(matcher, example) for matcher in rule["matchers"]]
    # The values of the first matcher suffice, because the contract's matcher filters by the others.
    return st.one_of(values) if rule.get("combine") == "OR" else values[0]


def _matched(matcher: Mapping[str, Any], example: Any) -> st.SearchStrategy[Any]:
    make = _MATCHERS.get(matcher["match"])
    # equality has one value; for arrayContains, values, eachKey, eachValue and contentType the example suffices.
    return st.just(example) if make is None else st.just(example) | make(matcher, example)


def _like(example: Any) -> st.SearchStrategy[Any]:
    """Return values of the example's type: any text for a sentence, and for an id a text of similar characters."""
    if isinstance(example, bool):
        return st.booleans()
    if isinstance(example, int):
        return st.just(example) | st.integers(-(2**53), 2**53)
    if isinstance(example, float):
        return st.just(example) | st.floats(-1e9, 1e9)
    if not isinstance(example, str):
        return st.just(example)
    if " " in example:
        return st.just(example) | st.text(max_size=40)
    signs = "".join(sorted({*example} - {*string.ascii_letters} - {*string.digits}))
    if not all(unicodedata.category(sign)[0] in "PS" for sign in signs):
        return st.just(example)
    return st.just(example) | st.text(string.ascii_letters + string.digits + signs, min_size=1, max_size=40)


def _from_regex(matcher: Mapping[str, Any], example: Any) -> st.SearchStrategy[Any]:
    try:
        generated = st.from_regex(matcher["regex"], alphabet=_PRINTABLE)
        generated.validate()
    except Exception:  # noqa: BLE001 - Rust's dialect differs from Python's, and Hypothesis raises many types of errors
        return st.just(example)
    return generated


def _including(matcher: Mapping[str, Any], example: Any) -> st.SearchStrategy[Any]:
    around = st.text(_PRINTABLE, max_size=8)
    return st.builds(lambda before, after: f"{before}{matcher['value']}{after}", around, around)


def _dates(matcher: Mapping[str, Any], example: Any) -> st.SearchStrategy[Any]:
    java = str(matcher.get("format", ""))
    python = re.sub("|".join(map(re.escape, _JAVA)), lambda found: _JAVA[found[0]], java)
    if not java or re.search(r"(?<!%)[A-Za-z]", python.replace("T", "")):
        return st.just(example)  # the pattern has parts without an equivalent
    moments = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31))  # noqa: DTZ001 - the format has no zone
    return moments.map(lambda moment: moment.strftime(python))


_INTEGERS = st.integers(-(2**53), 2**53)
_FLOATS = st.floats(-1e9, 1e9)

_MATCHERS: Mapping[str, Callable[[Mapping[str, Any], Any], st.SearchStrategy[Any]]] = {
    **dict.fromkeys(("type", "min", "max", "notEmpty"), lambda matcher, example: _like(example)),
    **dict.fromkeys(("date", "time", "datetime", "timestamp"), _dates),
    **dict.fromkeys(("decimal", "real"), lambda matcher, example: _FLOATS.filter(lambda value: not value.is_integer())),
    "regex": _from_regex,
    "include": _including,
    "integer": lambda matcher, example: _INTEGERS,
    "number": lambda matcher, example: _INTEGERS | _FLOATS,
    "boolean": lambda matcher, example: st.booleans(),
    "null": lambda matcher, example: st.none(),
    "semver": lambda matcher, example: st.from_regex(
        r"(0|[1-9][0-9]?)\.(0|[1-9][0-9]?)\.(0|[1-9][0-9]?)", fullmatch=True
    ),
}
