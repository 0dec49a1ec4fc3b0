"""What ties an answer to a login: the fields of the answer that repeat something of the request.

A provider that names the user or the transaction in its answer lets a client notice an answer
that belongs to another login. If it names neither, the answer alone does not show it.
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
"""A shorter text is in the request by chance: a 1, or "sms"."""


def bound(interaction: Interaction) -> frozenset[str]:
    """Return the places of the example answer whose value is one of the example request's."""
    sent = set(_sent(interaction))
    return frozenset(place.path for place in _leaves(interaction) if str(place.value) in sent)


_LONGEST = 60


def foreign(example: ProviderAnswer, place: BodyPlace, values: Collection[Any] = ()) -> Iterator[Mutation]:
    """Return the answer as it would be for another login: other values in one of its places.

    Without ``values``, some are made that look like the example's.
    """
    for value in values or alike(place.value):
        words = f"{place.path} is {quoted_json(value, _LONGEST)}: that of another login"
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
    """Make other values of the same look: the last sign changed, each, or the last two exchanged; or near numbers."""
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
