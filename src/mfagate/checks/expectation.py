"""Compare an answer with the contract, or with the documented answer to a probe."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from mfagate.contract import Contract, Interaction, Mismatch
from mfagate.contract.media_type import parse
from mfagate.contract.mismatch import Showable
from mfagate.contract.request import PLACEHOLDER
from mfagate.contract.response import ExpectedResponse
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Response

OTHER_FORM = (CauseId.CONTRACT_HEADER_CHANGED, CauseId.CONTRACT_FIELD_MISSING, CauseId.CONTRACT_TYPE_CHANGED)
"""Causes of an answer with the agreed content in another form, which a client may not be able to read."""

_JSON = parse("application/json")
_TYPES = {"$": {"combine": "AND", "matchers": [{"match": "type"}]}}


def difference(
    contract: Contract, exchange: Exchange, showable: Showable, *, nearest_only: bool = False
) -> list[Mismatch]:
    """Return how the answer differs from the nearest interaction of this endpoint and status.

    Args:
        contract: The contract.
        exchange: The answer.
        showable: Makes the answer fit for a report.
        nearest_only: Whether to compare with the nearest interaction only; by default, a match with any is enough.
    """
    response = exchange.response
    if response is None:
        return []
    path = urlsplit(exchange.request.url).path
    same = [
        interaction
        for interaction in contract.interactions
        if interaction.request.method == exchange.request.method
        and interaction.response.status == response.status
        and path_fits(interaction, path)
    ]
    nearest = max(same, key=lambda interaction: _likeness(interaction, response), default=None)
    if nearest is None or (not nearest_only and any(not interaction.match(response) for interaction in same)):
        return []
    return nearest.match(response, showable)


def _likeness(interaction: Interaction, response: Response) -> float:
    """Return the share of fields and values that the answer and the interaction's example share (Jaccard index)."""
    try:
        agreed, answered = _fields(json.loads(interaction.response.body or "{}")), _fields(response.json())
    except ValueError:
        return 0.0
    return len(agreed & answered) / (len(agreed | answered) or 1)


def _fields(node: Any, where: str = "") -> set[str]:
    """Return the paths of all fields with their values; the items of a list share a path."""
    if isinstance(node, dict):
        return {f"{where}.{name}" for name in node}.union(*(_fields(node[name], f"{where}.{name}") for name in node))
    if isinstance(node, list):
        return {f"{where}[]"}.union(*(_fields(item, f"{where}[]") for item in node)) if node else set()
    return {f"{where}={node}"}


def path_fits(interaction: Interaction, path: str) -> bool:
    """Return whether a URL's path ends like the interaction's; a value of a state is any text within a segment.

    A path that is entirely a value of the state would match every path, so it matches none.
    """
    generator = interaction.request.generators.get("path", {}).get("")
    expected = generator.expression if generator is not None else interaction.request.path
    parts = PLACEHOLDER.split(expected)[::2]
    if not any(parts):
        return False
    segments = "\0".join(parts).split("/")
    found = path.rsplit("/", len(segments) - 1)[-len(segments) :]
    return (
        len(found) == len(segments)
        and all(_segment_fits(*both) for both in zip(segments[1:], found[1:], strict=True))
        and _segment_fits(segments[0], found[0], whole=False)
    )


def _segment_fits(expected: str, segment: str, *, whole: bool = True) -> bool:
    """Return whether a segment matches the expected one, in which each NUL matches at least one character.

    Without ``whole``, the end of the segment is enough. Each part is searched for once, so the time is linear.
    """
    first, *others = expected.split("\0")
    if not others:
        return segment == first if whole else segment.endswith(first)
    last = others.pop()
    begin = 0 if whole else segment.find(first)
    if begin < 0 or (whole and not segment.startswith(first)):
        return False
    position, end = begin + len(first), len(segment) - len(last)
    for part in others:
        found = segment.find(part, position + 1, end - 1)
        if found < 0:
            return False
        position = found + len(part)
    return segment.endswith(last) and position < end


def _is_another(body: Any, shape: Mapping[str, Any]) -> bool:
    return not isinstance(body, dict) or body.keys().isdisjoint(shape)


def other_shape(shape: Mapping[str, Any], response: Response, showable: Showable) -> list[Mismatch]:
    """Return how the answer's types differ from those of an example; empty for an entirely different answer."""
    try:
        body = response.json()
    except ValueError:
        return []
    if isinstance(body, list) or (response.status >= 400 and _is_another(body, shape)):
        return []
    expected = ExpectedResponse(response.status, body=json.dumps(shape), media_type=_JSON, body_rules=_TYPES)
    return [
        replace(mismatch, message=mismatch.message.replace("the contract", "its documentation"))
        for mismatch in expected.match(response, showable)
    ]
