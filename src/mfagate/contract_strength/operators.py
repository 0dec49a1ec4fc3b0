"""Make the changes of an answer that a proof of strength tries, with a fixed list of operators.

Each change alters one place of the contract's own example, or its status or content type. The contract's matcher, not
this module, decides whether the contract accepts a change.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from mfagate.contract import Interaction
from mfagate.contract_strength.listed import listed
from mfagate.core.foreign import quoted_json
from mfagate.fail_closed.answer import ProviderAnswer
from mfagate.fail_closed.login_binding import alike
from mfagate.fail_closed.places import BodyPlace, places

OTHER = "mfagate-other"
"""A word that no provider uses."""

_STATUSES = (
    *(200, 201, 202, 204, 206),
    *(301, 302, 304),
    *(400, 401, 402, 403, 404, 405, 409, 410, 422, 429),
    *(500, 502, 503, 504),
)
_WITHOUT_BODY = (204, 304)
_MEDIA_TYPES = ("text/html", "text/plain", "application/xml", "application/problem+json", "application/octet-stream")
_SHOWN = 160


class ChangeOperator(StrEnum):
    """What a change does. The values are stable, because exceptions name them."""

    REMOVED = "removed"
    NULL = "null"
    RETYPED = "retyped"
    OTHER_VALUE = "other-value"
    EMPTY_TEXT = "empty-text"
    EMPTY = "empty"
    OTHER_KIND = "other-kind"
    MORE = "more"
    REORDERED = "reordered"
    BODY = "body"
    STATUS = "status"
    CONTENT_TYPE = "content-type"
    HEADER = "header"


@dataclass(frozen=True, slots=True)
class AnswerChange:
    """One changed answer.

    Args:
        operator: What kind of change it is.
        place: The path of the changed place, as in Pact, or ``status``, ``content-type`` or ``header NAME``.
        words: The change in words.
        answer: The changed answer.
        before: The value that was in the place.
        after: The value that is there now.
    """

    operator: ChangeOperator
    place: str
    words: str
    answer: ProviderAnswer
    before: Any = None
    after: Any = None


def changes(
    interaction: Interaction, neighbours: Iterable[Interaction] = (), answer: ProviderAnswer | None = None
) -> Iterator[AnswerChange]:
    """Yield every change of an interaction's answer.

    Args:
        interaction: The interaction whose example is changed.
        neighbours: Interactions with the same request; the values of their examples are tried as well.
        answer: A live answer to change instead of the example, in the places that the example has.
    """
    example = ProviderAnswer.example(interaction) if answer is None else answer
    named = {place.path for place in places(_document(ProviderAnswer.example(interaction)))}
    found = _of_the_body(example, interaction.response.body_rules, _values_of(neighbours))
    yield from (change for change in found if change.place in named or change.operator is ChangeOperator.BODY)
    yield from _of_the_status(interaction, example)
    yield from _of_the_headers(example)


def _values_of(neighbours: Iterable[Interaction]) -> Mapping[str, Sequence[Any]]:
    values: dict[str, list[Any]] = {}
    for interaction in neighbours:
        for place in places(_document(ProviderAnswer.example(interaction))):
            if isinstance(place.value, dict):
                continue  # Its members are tried one by one.
            values.setdefault(place.path, []).append(place.value)
    return values


def _document(answer: ProviderAnswer) -> Any:
    try:
        return answer.document()
    except ValueError:
        return None


def _of_the_body(
    example: ProviderAnswer, rules: Mapping[str, Any], known: Mapping[str, Sequence[Any]]
) -> Iterator[AnswerChange]:
    if example.body:
        yield AnswerChange(ChangeOperator.BODY, "$", "the body is empty", replace(example, body=b""))
        yield AnswerChange(ChangeOperator.BODY, "$", "the body is text", replace(example, body=b"OK"))
    document = _document(example)
    if document is None:
        return
    for place in places(document):
        yield from _removed(example, place)
        allowed = [*known.get(place.path, ()), *listed(rules, place.path, place.value)]
        for operator, value in _unique(place.value, _others(place.value, allowed)):
            was = "" if isinstance(value, dict | list) else f" instead of {quoted_json(place.value, _SHOWN)}"
            words = f"{place.path} is {quoted_json(value, _SHOWN)}{was}"
            yield AnswerChange(operator, place.path, words, example.with_document(place.put(value)), place.value, value)


def _removed(example: ProviderAnswer, place: BodyPlace) -> Iterator[AnswerChange]:
    if place.drop is not None:
        answer = example.with_document(place.drop())
        yield AnswerChange(ChangeOperator.REMOVED, place.path, f"{place.path} is missing", answer, place.value)
    if isinstance(place.value, list) and len(place.value) > 1:
        for index, item in enumerate(place.value):
            path = f"{place.path}[{index}]"
            answer = example.with_document(place.put([*place.value[:index], *place.value[index + 1 :]]))
            yield AnswerChange(ChangeOperator.REMOVED, path, f"{path} is missing", answer, item)


def _unique(before: Any, values: Iterable[tuple[ChangeOperator, Any]]) -> Iterator[tuple[ChangeOperator, Any]]:
    seen = {json.dumps(before)}
    for operator, value in values:
        text = json.dumps(value)
        if text not in seen:
            seen.add(text)
            yield operator, value


def _others(value: Any, known: Sequence[Any]) -> Iterator[tuple[ChangeOperator, Any]]:
    yield from _within(value)
    for other in known:
        yield _operator_for(value, other), other
    yield ChangeOperator.NULL, None
    for other in _retyped(value):
        yield ChangeOperator.RETYPED, other


def _operator_for(value: Any, other: Any) -> ChangeOperator:
    if other is None:
        return ChangeOperator.NULL
    if _kind(other) is not _kind(value):
        return ChangeOperator.RETYPED
    if not isinstance(value, dict | list):
        return ChangeOperator.OTHER_VALUE if other != "" else ChangeOperator.EMPTY_TEXT
    return ChangeOperator.MORE if other else ChangeOperator.EMPTY


def _kind(value: Any) -> type:
    return float if type(value) is int else type(value)


def _within(value: Any) -> Iterator[tuple[ChangeOperator, Any]]:
    """Yield other values of the same type."""
    if isinstance(value, bool):
        yield ChangeOperator.OTHER_VALUE, not value
    elif isinstance(value, int | float):
        for number in (value + 1, 0, -1, 10**12):
            yield ChangeOperator.OTHER_VALUE, number
    elif isinstance(value, str):
        yield ChangeOperator.EMPTY_TEXT, ""
        for text in (OTHER, *alike(value), value.swapcase(), f"{value} "):
            if text:
                yield ChangeOperator.OTHER_VALUE, text
    elif isinstance(value, list):
        yield from _lists(value)
    elif isinstance(value, dict):
        yield ChangeOperator.EMPTY, {}
        yield ChangeOperator.MORE, {**value, "mfagate_new": OTHER}
        yield ChangeOperator.REORDERED, dict(reversed(value.items()))


def _lists(value: list[Any]) -> Iterator[tuple[ChangeOperator, Any]]:
    yield ChangeOperator.EMPTY, []
    for item in _of_other_kinds(value):
        yield ChangeOperator.OTHER_KIND, [item]
        if value:
            yield ChangeOperator.OTHER_KIND, [*value, item]
            yield ChangeOperator.OTHER_KIND, [item, *value]
    if not value:
        return
    unknown = _unknown(value[-1])
    yield ChangeOperator.MORE, [*value, value[-1]]
    yield ChangeOperator.MORE, [*value, unknown]
    yield ChangeOperator.MORE, [unknown, *value]
    yield from ((ChangeOperator.MORE, [broken, *value]) for broken in _broken(value[-1]))
    yield ChangeOperator.REORDERED, value[::-1]


def _of_other_kinds(value: list[Any]) -> Iterator[Any]:
    kinds = {_kind(item) for item in value}
    others: tuple[Any, ...] = (None, OTHER, 0, {}, [])
    yield from (item for item in others if _kind(item) not in kinds)


def _unknown(item: Any) -> Any:
    """Return an element with the same structure and other texts."""
    if isinstance(item, dict):
        return {name: _unknown(value) for name, value in item.items()}
    if isinstance(item, list):
        return [_unknown(value) for value in item]
    return OTHER if isinstance(item, str) else item


def _broken(item: Any) -> Iterator[Any]:
    """Yield elements that lack one field, or in which one field has another type."""
    if isinstance(item, dict):
        for name, value in item.items():
            yield {key: other for key, other in item.items() if key != name}
            yield {**item, name: [] if not isinstance(value, list) else {}}


def _retyped(value: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        yield from (str(value).lower(), int(value), str(value))
    elif isinstance(value, int | float):
        yield from (str(value), value + 0.5, bool(value))
    elif isinstance(value, str):
        yield from (int(value) if value.isdecimal() else 1, True, False)
    elif isinstance(value, list):
        yield from (dict(enumerate(value)), *value[:1])
    elif isinstance(value, dict):
        yield list(value.values())
    elif value is None:
        yield from (OTHER, 1, True)
    if not isinstance(value, str):
        yield OTHER
    if not isinstance(value, list):
        yield [value]
    if not isinstance(value, dict):
        yield {"value": value}


def _of_the_status(interaction: Interaction, example: ProviderAnswer) -> Iterator[AnswerChange]:
    for status in (*_STATUSES, *_allowed_statuses(interaction)):
        if status != example.status:
            body = b"" if status in _WITHOUT_BODY else example.body
            words = f"the status is {status} instead of {example.status}"
            yield AnswerChange(ChangeOperator.STATUS, "status", words, replace(example, status=status, body=body))


def _allowed_statuses(interaction: Interaction) -> Iterator[int]:
    rule = interaction.response.status_rule
    for matcher in rule["matchers"] if rule else ():
        named = matcher.get("status", ())
        yield from (status for status in (named if isinstance(named, list) else ()) if status not in _STATUSES)


def _of_the_headers(example: ProviderAnswer) -> Iterator[AnswerChange]:
    kind = next((value for name, value in example.headers if name.lower() == "content-type"), None)
    if example.body:
        named = (*_MEDIA_TYPES, *([f"{kind}; charset=utf-8"] if kind and ";" not in kind else ()))
        for other in named:
            changed = example.with_header("Content-Type", other)
            yield AnswerChange(ChangeOperator.CONTENT_TYPE, "content-type", f"the content type is {other}", changed)
        changed = example.with_header("Content-Type", None)
        yield AnswerChange(ChangeOperator.CONTENT_TYPE, "content-type", "there is no content type", changed)
    for name, value in example.headers:
        if name.lower() != "content-type":
            place = f"header {name}"
            removed = example.with_header(name, None)
            yield AnswerChange(ChangeOperator.HEADER, place, f"the header {name} is missing", removed, value)
            other = example.with_header(name, OTHER)
            yield AnswerChange(ChangeOperator.HEADER, place, f"the header {name} is {OTHER}", other, value, OTHER)
