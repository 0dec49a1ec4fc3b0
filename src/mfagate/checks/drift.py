"""Check for changes of the provider's answers that the contract does not cover."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import reduce

from mfagate.cassettes.reader import CassetteError, load, path_for
from mfagate.cassettes.scrub import Scrubber
from mfagate.checks.live import LiveContext
from mfagate.checks.results import passed, skipped
from mfagate.contract import Interaction
from mfagate.core import check_ids
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import Exchange, Response
from mfagate.core.finding import Finding, Location
from mfagate.core.foreign import quoted
from mfagate.core.result import Check
from mfagate.drift import Difference, Shape, differences, enumerated, from_json, merged, of_answer, to_json

_LONGEST_PATH = 200

_MESSAGES = {
    CauseId.DRIFT_FIELD_ADDED: "the answer has a new field: {path} ({seen})",
    CauseId.DRIFT_FIELD_REMOVED: "the answer no longer has a field, which the contract does not use: {path}",
    CauseId.DRIFT_TYPE_CHANGED: "{path} was {known} and is now {seen}",
    CauseId.DRIFT_VALUE_NEW: "{path} has a new value: {seen}",
}


def run(live: LiveContext) -> Iterator[Check]:
    """Compare each answer that met the contract with the previous run, or with its recording."""
    seen = {name: _scrubbed(live, exchange) for name, exchange in live.evidence.answered.items()}
    by_name = {interaction.description: interaction for interaction in live.context.interactions}
    known = {name: shape for name in seen if (shape := _known(live, by_name[name]))}
    words, own = _words(live, known), frozenset(str(value.value) for value in live.context.tables.test_data.values())
    found: defaultdict[tuple[CauseId, str], dict[str, Difference]] = defaultdict(dict)
    for name, before in known.items():
        used = _used(by_name[name])
        for difference in differences(before, seen[name], used=used, words=words, own=own):
            found[difference.cause, difference.path][name] = difference
    for (_, path), where in found.items():
        yield _check(live, path, where)
    learned = {name: to_json(merged(known[name], shape) if name in known else shape) for name, shape in seen.items()}
    live.evidence.shapes = learned
    if not seen:
        yield skipped(check_ids.DRIFT, "no answer met the contract, so there is nothing to compare")
    elif not known:
        reason = "there is neither a recording nor an earlier nightly run to compare the answers with"
        yield skipped(check_ids.DRIFT, reason)
    elif not found:
        yield passed(check_ids.DRIFT, f"{len(known)} answers have only known fields and values")


def _scrubbed(live: LiveContext, exchange: Exchange) -> Shape:
    """Return the shape as it would be recorded, so that secrets and values that always differ are equal in both."""
    rules = live.provider.scrubbing
    _, response = Scrubber(rules, f"{live.provider.name}.invalid").scrub(exchange)
    original = exchange.response or response
    return of_answer(replace(response, headers=original.headers), rules.kept_headers)


def _known(live: LiveContext, interaction: Interaction) -> Shape:
    """Return the shape of the previous run, or of the recording."""
    stored = live.context.prior.shapes.get(interaction.description)
    return from_json(stored) if stored is not None else _recorded(live, interaction)


def _recorded(live: LiveContext, interaction: Interaction) -> Shape:
    try:
        cassette = load(path_for(live.integration.cassettes_path, interaction.description))
    except (FileNotFoundError, CassetteError):
        return {}  # The check of the recordings reports it.
    answers = [exchange.response for exchange in cassette.exchanges if exchange.response is not None]
    shapes = [of_answer(answer, live.provider.scrubbing.kept_headers) for answer in answers]
    return reduce(merged, shapes) if shapes else {}


def _used(interaction: Interaction) -> set[str]:
    """Return the fields and headers that the contract holds."""
    response = interaction.response
    headers = {f"header {name.lower()}" for name in response.headers}
    example = of_answer(_example(interaction), ()) if response.body else {}
    return headers | example.keys()


def _example(interaction: Interaction) -> Response:
    return Response(200, body=(interaction.response.body or "").encode())


def _words(live: LiveContext, known: Mapping[str, Shape]) -> Mapping[str, frozenset[str]]:
    """Collect the values of enumerated fields from all recordings, contract examples and earlier runs."""
    shapes = [*known.values()]
    for interaction in live.context.interactions:
        shapes += [_recorded(live, interaction), of_answer(_example(interaction), ())]
    return enumerated(shapes)


def _check(live: LiveContext, path: str, where: Mapping[str, Difference]) -> Check:
    first = next(iter(where.values()))
    field, known, seen = quoted(path, _LONGEST_PATH), quoted(first.known), quoted(first.seen)
    if first.is_retirement:
        message = f"the provider announces the end of an endpoint: {field}"
    else:
        message = _MESSAGES[first.cause].format(path=field, known=known, seen=seen)
    evidence = {"field": field, "before": known, "now": seen, "in the answers to": list(where)}
    outcome = Outcome.WARN if first.is_retirement else None
    finding = Finding(first.cause, message, evidence, Location(live.integration.cassettes_path), outcome=outcome)
    return Check.from_finding(check_ids.DRIFT, finding, subject=field)
