"""Convert the changes that break a reader of a contract's answers to faults."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from mfagate.contract import Contract, Interaction
from mfagate.contract_strength import ChangeOperator
from mfagate.fail_closed.answer import ProviderAnswer
from mfagate.fail_closed.places import BodyPlace, places

_SIMPLE = {
    ChangeOperator.REMOVED: "removed",
    ChangeOperator.NULL: "nulled",
    ChangeOperator.RETYPED: "retyped",
    ChangeOperator.EMPTY: "emptied",
    ChangeOperator.EMPTY_TEXT: "emptied",
}
_OF_THE_ANSWER = {
    ChangeOperator.BODY: "empty",
    ChangeOperator.STATUS: "status:418",
    ChangeOperator.CONTENT_TYPE: "content-type:text/html",
}


def faults(contract: Contract, proofs: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the faults that cause the breaking changes of a contract, each once.

    Args:
        contract: The contract.
        proofs: The proofs of its interactions, as ``--mfagate-strength-report`` writes them.
    """
    known = {interaction.description: interaction for interaction in contract.interactions}
    found: dict[str, None] = {}
    for proof in proofs:
        interaction = known[proof["interaction"]]
        for place, operator, value in proof["breaking"]:
            found |= dict.fromkeys(_faults(interaction, place, ChangeOperator(operator), value))
    return list(found)


def spread(chosen: list[str], count: int) -> list[str]:
    """Choose ``count`` faults, one of each kind in turn; the choice is always the same."""
    kinds: dict[str, list[str]] = {}
    for fault in chosen:
        kinds.setdefault(fault.partition(":")[0], []).append(fault)
    turns = max(map(len, kinds.values()), default=0)
    in_turn = [group[turn * 7 % len(group)] for turn in range(turns) for group in kinds.values()]
    return list(dict.fromkeys(in_turn))[:count]


def _faults(interaction: Interaction, path: str, operator: ChangeOperator, value: Any) -> Iterator[str]:
    where = f",path={_beginning(interaction)}"
    if operator in _OF_THE_ANSWER:
        yield _OF_THE_ANSWER[operator] + where
        return
    place = next(
        (known for known in places(ProviderAnswer.example(interaction).document()) if known.path == path), None
    )
    field = _field(place) if place is not None else None
    if place is None or not field:
        return
    if operator in _SIMPLE and place.name is not None:
        yield f"{_SIMPLE[operator]}:{field}{where}"
    elif operator is ChangeOperator.OTHER_KIND and place.name is not None:
        yield f"mixed:{field}{where}" if len(value) > 1 else f"value:{field}={json.dumps(value)}{where}"
    elif operator is ChangeOperator.OTHER_VALUE:
        yield from (f"{fault}{where}" for fault in _other_values(place, field, value))


def _other_values(place: BodyPlace, field: str, value: Any) -> Iterator[str]:
    if not isinstance(value, str) or _is_of_an_element(place):
        yield f"value:{field}={json.dumps(value)}"
    elif re.fullmatch("[^,=]+", place.value) and re.fullmatch("[^,=]+", value):
        yield f"reworded:{place.value}={value}"


def _is_of_an_element(place: BodyPlace) -> bool:
    """Return whether it is a field of a list's element. A live list may have more elements, and each must change."""
    return place.name is not None and any(isinstance(key, int) for key in place.keys)


def _field(place: BodyPlace) -> str | None:
    """Return the place as a fault names it: a dotted path, or the name alone if a name contains dots."""
    names = [str(key) for key in place.keys if isinstance(key, str)]
    if not names or any(re.search("[,=]", name) for name in names):
        return None
    return names[-1] if any("." in name for name in names) else ".".join(names)


def _beginning(interaction: Interaction) -> str:
    """Return the beginning of the request's path, up to the first value of a provider state; at least ``/``."""
    generator = interaction.request.generators.get("path", {}).get("")
    path = generator.expression if generator is not None else urlsplit(interaction.example_request().url).path
    return path.partition("$")[0] or "/"
