"""Mutations of an answer: what proxies, releases, accidents and attackers can turn it into.

The contract's matcher decides whether a mutated answer violates the contract.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Any

from hypothesis import strategies as st

from mfagate.contract import Interaction
from mfagate.core.foreign import quoted_json
from mfagate.fail_closed.answer import Ending, ProviderAnswer
from mfagate.fail_closed.places import BodyPlace, places


class MutationKind(StrEnum):
    """What is changed. A proof that tolerates a kind reports it."""

    STATUS = "status"
    HEADER = "header"
    CONTENT_TYPE = "content type"
    BODY = "body"
    ENCODING = "encoding"
    SYNTAX = "syntax"
    TRUNCATED = "truncated"
    FIELD = "field"
    CONNECTION = "connection"
    WAITING = "waiting"
    DRIPPING = "dripping"


WAITS = frozenset({MutationKind.WAITING, MutationKind.DRIPPING})
"""The kinds of answers that a client could wait for forever: each takes the client's whole timeout."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A changed answer, and the change in words."""

    kind: MutationKind
    words: str
    answer: ProviderAnswer


_STATUSES = (200, 201, 202, 204, 206, 301, 302, 304, 307, 400, 401, 403, 404, 407, 409, 418, 429, 500, 502, 503, 504)
_TYPES = ("text/html", "text/plain", "application/xml", "application/octet-stream", "application/problem+json", "json")
_HTML = b"<!DOCTYPE html><html><body>200 OK: access allowed, success, approved, true</body></html>"
_WORDS = (
    "accept", "allow", "allowed", "approved", "authenticated", "bypass", "completed", "success", "true", "valid",
    "yes", "ok", "fraud", "unknown", "waiting", "error", "",
)  # fmt: skip
_OF_OTHER_TYPES: tuple[Any, ...] = (None, True, False, 0, 1, -1, 1.5, 10**30, "", "true", "false", "0", [], {})
_CUTS = 64
_REDIRECTS = (301, 302, 303, 307, 308)
_WITHIN_THE_BODY = frozenset(
    {Ending.CUT, Ending.RESET, Ending.SHORT, Ending.UNENDED, Ending.SILENT_MIDWAY, Ending.DRIPPING}
)

ELSEWHERE = "/mfagate-elsewhere"
"""A path that no contract contains. After a redirect to it, the server sends the example of the contract."""


def mutations(answer: ProviderAnswer, vocabulary: Sequence[str] = ()) -> Iterator[Mutation]:
    """Yield every single change, the simplest first; ``vocabulary`` has texts to try as values of each field."""
    yield from _of_the_body(answer)
    yield from _of_the_head(answer)
    yield from _of_fields(answer, vocabulary)
    yield from _of_the_syntax(answer)
    for length in _spread(len(answer.body), _CUTS):
        cut = replace(answer, body=answer.body[:length])
        yield Mutation(
            MutationKind.TRUNCATED,
            f"only {length} of the {len(answer.body)} bytes of the body, with a length that fits",
            cut,
        )
    cut_off = (Ending.CLOSED, Ending.REFUSED, Ending.CUT, Ending.RESET, Ending.SHORT, Ending.UNENDED)
    yield from _ended(answer, MutationKind.CONNECTION, cut_off)


def waits(answer: ProviderAnswer) -> Iterator[Mutation]:
    """Yield the answer without its end: a client that waits for the end waits forever."""
    yield from _ended(answer, MutationKind.WAITING, (Ending.SILENT, Ending.SILENT_MIDWAY, Ending.UNACCEPTED))
    yield from _ended(answer, MutationKind.DRIPPING, (Ending.DRIPPING, Ending.DRIPPING_HEAD))


def of_impostors(answer: ProviderAnswer) -> Iterator[Mutation]:
    """Yield the answer from TLS servers that are not the provider."""
    yield from _ended(answer, MutationKind.CONNECTION, (Ending.FOREIGN, Ending.MISNAMED, Ending.EXPIRED))


def of_others(interactions: Iterable[Interaction]) -> Iterator[Mutation]:
    """Yield the provider's answers in other cases, such as an unknown user."""
    for other in interactions:
        words = f"the answer is that of {other.description!r}"
        yield Mutation(MutationKind.BODY, words, ProviderAnswer.example(other))


def _ended(answer: ProviderAnswer, kind: MutationKind, endings: Sequence[Ending]) -> Iterator[Mutation]:
    for ending in endings:
        # An answer without a body cannot end in the middle of it.
        if answer.body or ending not in _WITHIN_THE_BODY:
            yield Mutation(kind, f"the answer {ending}", replace(answer, ending=ending))


def random_mutations(
    answer: ProviderAnswer, vocabulary: Sequence[str] = (), without: Collection[MutationKind] = ()
) -> st.SearchStrategy[Mutation]:
    """Return a strategy for what single changes omit: pairs, and any status, bytes and values."""
    single = [mutation for mutation in mutations(answer, vocabulary) if mutation.kind not in without]
    twice = [st.sampled_from(single).flatmap(partial(_twice, vocabulary, without))] if single else []
    drawn: dict[MutationKind, Iterable[st.SearchStrategy[Mutation]]] = {
        MutationKind.STATUS: [st.integers(200, 599).map(partial(_status, answer))],
        MutationKind.BODY: [st.binary(max_size=200).map(partial(_bytes, answer))],
        MutationKind.FIELD: _random_fields(answer),
    }
    return st.one_of(*twice, *(strategy for kind, some in drawn.items() if kind not in without for strategy in some))


def _bytes(answer: ProviderAnswer, body: bytes) -> Mutation:
    return Mutation(MutationKind.BODY, "the body is other bytes", replace(answer, body=body))


def _twice(
    vocabulary: Sequence[str], without: Collection[MutationKind], first: Mutation
) -> st.SearchStrategy[Mutation]:
    further = [other for other in mutations(first.answer, vocabulary) if other.kind not in {first.kind, *without}]
    if not further:
        return st.just(first)
    return st.sampled_from(further).map(lambda second: replace(second, words=f"{first.words}; and {second.words}"))


def _random_fields(answer: ProviderAnswer) -> Iterator[st.SearchStrategy[Mutation]]:
    document = _document(answer)
    if document is None:
        return
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    )
    yield st.builds(lambda place, value: _put(answer, place, value), st.sampled_from(list(places(document))), values)
    yield values.map(lambda value: _put(answer, BodyPlace("$", document, lambda whole: whole), value))


def _of_the_head(answer: ProviderAnswer) -> Iterator[Mutation]:
    for status in _STATUSES:
        if status != answer.status:
            yield _status(answer, status)
    for kind in _TYPES:
        changed = answer.with_header("Content-Type", kind)
        yield Mutation(MutationKind.CONTENT_TYPE, f"the content type is {kind}", changed)
    yield Mutation(MutationKind.CONTENT_TYPE, "there is no content type", answer.with_header("Content-Type", None))
    coded = answer.with_header("Content-Encoding", "gzip")
    yield Mutation(MutationKind.ENCODING, "the header says gzip, and the body is not compressed", coded)
    for name, _ in answer.headers:
        if name.lower() != "content-type":
            yield Mutation(MutationKind.HEADER, f"the header {name} is missing", answer.with_header(name, None))
            yield Mutation(MutationKind.HEADER, f"the header {name} has another value", answer.with_header(name, "x"))
    for status in _REDIRECTS:
        words = f"the status is {status}, and the target of the redirect sends the good answer"
        yield Mutation(MutationKind.STATUS, words, replace(answer.with_header("Location", ELSEWHERE), status=status))


def _status(answer: ProviderAnswer, status: int) -> Mutation:
    return Mutation(
        MutationKind.STATUS, f"the status is {status} instead of {answer.status}", replace(answer, status=status)
    )


def _of_the_body(answer: ProviderAnswer) -> Iterator[Mutation]:
    named: dict[str, bytes] = {
        "is empty": b"",
        "is {}": b"{}",
        "is []": b"[]",
        "is null": b"null",
        "is true": b"true",
        'is "true"': b'"true"',
        "is a number": b"1",
        "is a page of HTML": _HTML,
        "is text": b"OK",
    }
    for words, body in named.items():
        if body != answer.body:
            yield Mutation(MutationKind.BODY, f"the body {words}", replace(answer, body=body))
    page = replace(answer.with_header("Content-Type", "text/html"), body=_HTML)
    yield Mutation(MutationKind.BODY, "the answer is a page of HTML", page)


def _of_the_syntax(answer: ProviderAnswer) -> Iterator[Mutation]:
    """Change bytes so that the document keeps its meaning, or almost."""
    body = answer.body
    if not body:
        return
    text = body.decode("utf-8", "replace")
    encodings = {
        "begins with a byte order mark": b"\xef\xbb\xbf" + body,
        "is in UTF-16": text.encode("utf-16"),
        "is in UTF-32, little-endian, without a byte order mark": text.encode("utf-32-le"),
        "ends in a byte that is not UTF-8": body + b"\xff",
        "ends in NUL": body + b"\0",
    }
    for words, changed in encodings.items():
        yield Mutation(MutationKind.ENCODING, f"the body {words}", replace(answer, body=changed))
    latin = answer.with_header("Content-Type", "application/json; charset=utf-16")
    yield Mutation(
        MutationKind.ENCODING,
        "the body is in UTF-16, and the content type says so",
        replace(latin, body=text.encode("utf-16")),
    )
    syntax = {
        "is followed by another document": body + body,
        "is followed by garbage": body + b" x",
        "is in single quotes": body.replace(b'"', b"'"),
        "is inside a comment": b"/*" + body + b"*/",
        "is wrapped in a call, as in JSONP": b"callback(" + body + b");",
        "is quoted as a string": json.dumps(text).encode(),
        "is preceded by )]}'": b")]}'\n" + body,
    }
    if body.rstrip().endswith(b"}"):
        start = body.rstrip()[:-1]
        separator = b"" if start.rstrip().endswith(b"{") else b","
        for words, value in {
            "holds NaN": b"NaN",
            "holds Infinity": b"Infinity",
            "holds a number larger than any float": b"1e999",
            "holds a number of 400 digits": b"9" * 400,
            "holds a number of 5000 digits": b"9" * 5000,
            "is nested 200 deep": b"[" * 200 + b"]" * 200,
            "is nested 100000 deep": b"[" * 100_000 + b"]" * 100_000,
            "holds half of a surrogate pair": b'"\\ud800"',
        }.items():
            syntax[f"{words}, in a new field"] = start + separator + b'"x_new":' + value + b"}"
    for words, changed in syntax.items():
        yield Mutation(MutationKind.SYNTAX, f"the body {words}", replace(answer, body=changed))


def _of_fields(answer: ProviderAnswer, vocabulary: Sequence[str]) -> Iterator[Mutation]:
    document = _document(answer)
    if document is None:
        return
    for place in places(document):
        yield from _of_a_name(answer, place)
        for value in _others(place, vocabulary):
            yield _put(answer, place, value)
    yield from _duplicates(answer, document)


def _of_a_name(answer: ProviderAnswer, place: BodyPlace) -> Iterator[Mutation]:
    if place.drop is None or place.rename is None or place.name is None:
        return
    yield Mutation(MutationKind.FIELD, f"{place.path} is missing", answer.with_document(place.drop()))
    if place.unwrap is not None:
        words = f"{place.path} is missing, and its fields replace it"
        yield Mutation(MutationKind.FIELD, words, answer.with_document(place.unwrap()))
    for other in dict.fromkeys((place.name.upper(), place.name.capitalize(), f"{place.name}_", f" {place.name}")):
        if other != place.name:
            words = f"{place.path} has the name {json.dumps(other)}"
            yield Mutation(MutationKind.FIELD, words, answer.with_document(place.rename(other)))


_LONGEST = 60


def _put(answer: ProviderAnswer, place: BodyPlace, value: Any) -> Mutation:
    words = f"{place.path} is {quoted_json(value, _LONGEST)} instead of {quoted_json(place.value, _LONGEST)}"
    kind = MutationKind.BODY if place.path == "$" else MutationKind.FIELD
    return Mutation(kind, words, answer.with_document(place.put(value)))


def _others(place: BodyPlace, vocabulary: Sequence[str]) -> Iterator[Any]:
    value = place.value
    if place.path != "$":  # other bodies are tried anyway
        yield from (other for other in _OF_OTHER_TYPES if (type(other), other) != (type(value), value))
    yield from ([value], {"value": value}, [value, value])
    if isinstance(value, bool):
        yield from (not value, str(value), str(value).lower(), int(value))
    elif isinstance(value, int):
        yield from (value + 1, -value, str(value), f"{value}.0")
    elif isinstance(value, str):
        spellings = (value.upper(), value.lower(), value.title(), value.swapcase(), f" {value}", f"{value} ")
        pieces = (f"{value}\n", f"{value}\0", f"{value}x", f"x{value}", f"not {value}", value[:-1], f"{value},deny")
        words = [*spellings, *pieces, *_WORDS, *(word.upper() for word in _WORDS), *vocabulary]
        yield from (word for word in dict.fromkeys(words) if word != value)
    elif isinstance(value, list) and len(value) > 1:
        yield from (value[1:], value[::-1])


def _duplicates(answer: ProviderAnswer, document: Any) -> Iterator[Mutation]:
    """Repeat a name in an object; parsers differ in which of the two they use (RFC 8259 section 4)."""
    marker = "mfagate-duplicate"
    for place in places(document):
        if place.name is None or place.rename is None or not place.is_leaf:
            continue
        for other in (None, "deny", False):
            text = json.dumps(place.rename(marker))
            name, value = json.dumps(place.name), json.dumps(place.value)
            both = f"{name}: {value}, {name}: {json.dumps(other)}"
            twice = text.replace(f'"{marker}": {value}', both, 1).encode()
            words = f"{place.path} occurs twice, the second time as {json.dumps(other)}"
            yield Mutation(MutationKind.SYNTAX, words, replace(answer, body=twice))


def _document(answer: ProviderAnswer) -> Any:
    try:
        return answer.document()
    except (ValueError, RecursionError):
        return None


def _spread(length: int, most: int) -> Sequence[int]:
    """Return at most ``most`` numbers from 1 to below ``length``, evenly distributed."""
    if length - 1 <= most:
        return range(1, length)
    return sorted({1, length - 1, *(length * index // most for index in range(1, most))})
