"""Has the provider's answer changed where the contract does not look?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from mfagate.cassettes.reader import CassetteError, load, path_for
from mfagate.cassettes.scrub import Scrubber
from mfagate.checks.context import CheckContext, passed, skipped
from mfagate.contract import Interaction
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import Exchange, Response
from mfagate.core.finding import Finding, Location
from mfagate.core.foreign import quoted
from mfagate.core.result import Check
from mfagate.drift import Difference, Shape, differences, enumerated, from_json, merged, of_answer, to_json

ID = "drift"

_LONGEST_PATH = 200

_MESSAGES = {
    CauseId.DRIFT_FIELD_ADDED: "the answer has a field that was not there: {path} ({seen})",
    CauseId.DRIFT_FIELD_REMOVED: "the answer lacks a field that was there, and that the contract does not use: {path}",
    CauseId.DRIFT_TYPE_CHANGED: "{path} was {known} and is {seen} now",
    CauseId.DRIFT_VALUE_NEW: "{path} has a value that was never seen: {seen}",
}


def run(climb: CheckContext) -> Iterator[Check]:
    """Compare each answer that met the contract with those of the night before, or else with its recording."""
    seen = {name: _scrubbed(climb, exchange) for name, exchange in climb.answered.items()}
    by_name = {one.description: one for one in climb.interactions}
    known = {name: shape for name in seen if (shape := _known(climb, by_name[name]))}
    words, own = _words(climb, known), frozenset(str(value.value) for value in climb.test_data.values())
    found: defaultdict[tuple[CauseId, str], dict[str, Difference]] = defaultdict(dict)
    for name, before in known.items():
        used = _used(by_name[name])
        for difference in differences(before, seen[name], used=used, words=words, own=own):
            found[difference.cause, difference.path][name] = difference
    for (_, path), where in found.items():
        yield _check(climb, path, where)
    learned = {name: to_json(merged(known[name], shape) if name in known else shape) for name, shape in seen.items()}
    climb.past.shapes = {**climb.past.shapes, **learned}
    if not seen:
        yield skipped(ID, "no answer met the contract, so there is nothing to compare")
    elif not known:
        yield skipped(ID, "nothing is known of these answers yet: there is neither a recording nor an earlier night")
    elif not found:
        yield passed(ID, f"{len(known)} answers have the fields and values that are known of them")


def _scrubbed(climb: CheckContext, exchange: Exchange) -> Shape:
    """As it would be recorded, so that what differs each time, and what is secret, is the same in both."""
    rules = climb.provider.scrubbing
    _, response = Scrubber(rules, f"{climb.provider.name}.invalid").scrub(exchange)
    assert exchange.response is not None, "an answer met the contract"
    kept = exchange.response.headers
    return of_answer(type(response)(response.status, headers=kept, body=response.body), rules.kept_headers)


def _known(climb: CheckContext, interaction: Interaction) -> Shape:
    """By the night before, or by the recording."""
    stored = climb.past.shapes.get(interaction.description)
    return from_json(stored) if stored is not None else _recorded(climb, interaction)


def _recorded(climb: CheckContext, interaction: Interaction) -> Shape:
    try:
        cassette = load(path_for(climb.integration.cassettes_path, interaction.description))
    except (FileNotFoundError, CassetteError):
        return {}  # The rung about recordings says so.
    answers = [exchange.response for exchange in cassette.exchanges if exchange.response is not None]
    shape: Shape = {}
    for number, answer in enumerate(answers):
        one = of_answer(answer, climb.provider.scrubbing.kept_headers)
        shape = merged(shape, one) if number else one
    return shape


def _used(interaction: Interaction) -> set[str]:
    """The fields and headers that the contract has."""
    response = interaction.response
    headers = {f"header {name.lower()}" for name in response.headers}
    example = of_answer(_example(interaction), ()) if response.body else {}
    return headers | example.keys()


def _example(interaction: Interaction) -> Response:
    return Response(200, body=(interaction.response.body or "").encode())


def _words(climb: CheckContext, known: Mapping[str, Shape]) -> Mapping[str, frozenset[str]]:
    """The values of enumerated fields by all recordings, contract examples and nights, whatever is asked tonight."""
    shapes = [*known.values()]
    for interaction in climb.interactions:
        shapes += [_recorded(climb, interaction), of_answer(_example(interaction), ())]
    return enumerated(shapes)


def _check(climb: CheckContext, path: str, where: Mapping[str, Difference]) -> Check:
    first = next(iter(where.values()))
    field, known, seen = quoted(path, _LONGEST_PATH), quoted(first.known), quoted(first.seen)
    recorded = climb.integration.cassettes_path
    if first.is_retirement:
        message = f"the provider announces that an endpoint will go: {field}"
    else:
        message = _MESSAGES[first.cause].format(path=field, known=known, seen=seen)
    evidence = {"field": field, "before": known, "now": seen, "in the answers to": list(where)}
    outcome = Outcome.WARN if first.is_retirement else None
    finding = Finding(first.cause, message, evidence, Location(recorded), outcome=outcome)
    return Check.from_finding(ID, finding, subject=field)
