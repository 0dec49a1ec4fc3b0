"""Find what binds an answer to a login: the fields of the answer that repeat a value of the request.

If a provider names the user or the transaction in its answer, a client can detect the answer of
another login. Otherwise the answer alone does not reveal it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from mfagate.contract import Interaction
from mfagate.core.foreign import quoted_json
from mfagate.fail_closed.answer import ProviderAnswer
from mfagate.fail_closed.mutations import Mutation, MutationKind
from mfagate.fail_closed.places import BodyPlace, places

_SHORTEST = 4
"""Shorter texts, such as 1 or "sms", are in the request by coincidence."""


def bound(interaction: Interaction) -> frozenset[str]:
    """Return the places of the example answer whose value the example request contains."""
    sent = set(_sent(interaction))
    return frozenset(place.path for place in _leaves(interaction) if str(place.value) in sent)


_LONGEST = 60


def foreign(example: ProviderAnswer, place: BodyPlace, values: Collection[Any] = ()) -> Iterator[Mutation]:
    """Yield the answers to other logins: with other values in one place.

    Without ``values``, similar values are made up.
    """
    for value in values or alike(place.value):
        words = f"{place.path} is {quoted_json(value, _LONGEST)}: the value of another login"
        yield Mutation(MutationKind.FIELD, words, example.with_document(place.put(value)))


def _leaves(interaction: Interaction) -> Iterator[BodyPlace]:
    try:
        document = ProviderAnswer.example(interaction).document()
    except ValueError:
        return
    for place in places(document):
        if place.is_leaf and len(str(place.value)) >= _SHORTEST and not isinstance(place.value, bool):
            yield place


def _sent(interaction: Interaction) -> Iterator[str]:
    request = interaction.example_request()
    url = urlsplit(request.url)
    yield from map(unquote, url.path.split("/"))
    yield from (value for _, value in parse_qsl(url.query))
    body = request.body.decode("utf-8", "replace")
    try:
        yield from (str(place.value) for place in places(json.loads(body)) if place.is_leaf)
    except ValueError:
        yield from (value for _, value in parse_qsl(body))


def alike(value: Any) -> Iterator[Any]:
    """Make similar values: the last character changed, every character, or the last two swapped; or other numbers."""
    if isinstance(value, int | float):
        yield from (other for other in (value + 1, 2 * value, -value - 1) if other != value)
        return
    text = str(value)
    changed = [text[:-1] + _other(text[-1:]), "".join(map(_other, text)), text[:-2] + text[:-3:-1]]
    yield from (other for other in dict.fromkeys(changed) if other.casefold() != text.casefold())


def _other(sign: str) -> str:
    if not sign:
        return sign
    for signs in ("0123456789", "abcdef", "ABCDEF", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
        if sign in signs:
            return signs[(signs.index(sign) + 1) % len(signs)]
    return sign
