"""Write contracts: consumer tests run a client against Pact's mock server.

This module adds to pact-python: provider states with shared names, the mark "safe in production" in the pact, request
values from provider states, lists in which one item matters, a refusal of interactions that check less than they show,
and a comparison with the committed pact.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mfagate.contract import load
from mfagate.contract.weak_rules import WeakPlace, weak_places
from mfagate.core.files import open_regular

if TYPE_CHECKING:
    from pact.interaction import HttpInteraction
    from pact.match import AbstractMatcher

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


class ContractTestFailed(AssertionError):
    """The client sent another request, the interaction checks too little, or the pact is out of date."""


class ConsumerPact:
    """Collects the interactions of one consumer with one provider into a pact file.

    ``directory`` should be empty at first: Pact merges into existing files, so removed interactions would remain.
    """

    def __init__(self, consumer: str, provider: str, directory: Path) -> None:
        # Pact's core reports its usage over the network unless this is set.
        os.environ["PACT_DO_NOT_TRACK"] = "true"
        self.file = directory / f"{consumer}-{provider}.json"
        self._names = (consumer, provider)
        self._pact: Any = None
        self.description = ""

    def interaction(
        self,
        description: str,
        *,
        given: str | None = None,
        safe_in_production: bool = False,
        note: str | None = None,
        bound: Mapping[str, str] | None = None,
        claims: Mapping[str, Mapping[str, str]] | None = None,
    ) -> HttpInteraction:
        """Begin one interaction; describe it with pact-python, then :meth:`serve` it.

        Args:
            description: The name of the interaction.
            given: The provider state.
            safe_in_production: Whether the gate may send it in production: it changes nothing, contacts no user, and
                sends no bad credential.
            note: A note for people, such as why more than one answer is right.
            bound: Paths of the answer, and the values of the provider state that must be there when the gate sends
                the request, such as ``{"$.sid": "verification_sid"}``. Use it for a client that checks that the answer
                belongs to its request.
            claims: Paths of JSON Web Tokens, and the values of the state that their claims must have, if present, such
                as ``{"$.id_token": {"email": "username"}}``.
        """
        from pact import Pact

        self.description = description
        self._pact = Pact(*self._names).with_specification("V4")
        interaction: HttpInteraction = self._pact.upon_receiving(description)
        if given is not None:
            interaction.given(str(given))
        about: dict[str, Any] = {"safe-in-production": safe_in_production, "note": note, "bound": dict(bound or {})}
        about["claims"] = {path: dict(names) for path, names in (claims or {}).items()}
        if any(about.values()):
            interaction.set_comment("mfagate", {name: value for name, value in about.items() if value})
        return interaction

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Yield the mock server's URL, and write the interaction to the pact at the end.

        Raises:
            ContractTestFailed: The client's request was not as described, or the answer has a list that may be empty,
                or a value that may be any other, without a rule for it.
            ContractError: mfagate cannot check the interaction.
        """
        self._require_strong()
        with self._pact.serve(addr="127.0.0.1", raises=False) as server:
            try:
                yield str(server.url).rstrip("/")
            except Exception as error:
                # The mock server answers any other request with 500, so the test's error is a consequence.
                _require_match(server, error)
                raise
            _require_match(server)
        self._pact.write_file(self.file.parent, overwrite=False)

    def _require_strong(self) -> None:
        with TemporaryDirectory() as folder:
            self._pact.write_file(Path(folder))
            (interaction,) = load(Path(folder) / self.file.name).interactions
        if places := weak_places(interaction.response):
            raise ContractTestFailed(_too_weak(interaction.description, places))


def fill(interaction: HttpInteraction, part: str, names: Mapping[str, str]) -> HttpInteraction:
    """Fill in parts of the request from provider states when it is replayed.

    ``part`` is ``path``, ``query``, ``header`` or ``body``. ``names`` maps a field to the name of the state's value;
    for ``path``, it maps the key ``""`` to an expression.
    """
    if part == "path":
        generators: Any = {"path": _generator(names[""])}
    else:
        prefix = "$." if part == "body" else ""
        generators = {part: {f"{prefix}{field}": _generator(f"${{{name}}}") for field, name in names.items()}}
    return interaction.with_generators(generators, part="Request")


def respond_with_any_of(interaction: HttpInteraction, *statuses: int) -> HttpInteraction:
    """Allow any of these statuses; the mock server answers with the first.

    Use it if two behaviours are documented, and explain them in the interaction's ``note``.
    """
    import pact_ffi

    interaction.will_respond_with(statuses[0])
    matcher = {"pact:matcher:type": "statusCode", "status": list(statuses), "value": statuses[0]}
    pact_ffi.response_status_v2(interaction._handle, json.dumps(matcher))
    return interaction


def text(example: str, regex: str = "^.+$") -> Any:
    """Match a text with this pattern; by default any text that is not empty.

    Pact's own ``match.regex`` also matches numbers, booleans and objects, and ``match.str`` an empty text. A client
    that reads a text accepts none of them.
    """
    from pact import match

    return match.like(match.regex(example, regex=regex))


def number(example: int, regex: str) -> Any:
    """Match a whole number whose digits match this pattern, such as the codes that the client knows."""
    matchers = [{"pact:matcher:type": "integer"}, {"pact:matcher:type": "regex", "regex": regex}]
    return {"pact:matcher:type": matchers, "value": example}


def positive(example: int) -> Any:
    """Match a whole number of at least 1; ``match.int`` also matches 0 and negative numbers."""
    return number(example, "^[1-9][0-9]*$")


def including(element: Any) -> Any:
    """Match a list with an element that matches this one; the others must have the same structure.

    Pact's own ``match.array_containing`` allows any other elements. Use that for a client that skips unknown elements,
    and this function for a client that reads each element.
    """
    from pact import match

    return match.like(match.array_containing([element]))


def only_objects(interaction: HttpInteraction, path: str = "$") -> HttpInteraction:
    """Require that every item of the list at a path, such as ``$.factors``, is an object.

    ``match.array_containing`` checks only one item, so the others may be texts or null. Call this after ``with_body``.
    """
    any_key = {"match": "eachKey", "rules": [{"match": "regex", "regex": ".*"}]}
    rules = {path: {"match": "type"}, f"{path}[*]": any_key}
    body = {where: {"combine": "AND", "matchers": [matcher]} for where, matcher in rules.items()}
    return interaction.with_matching_rules({"body": body}, part="Response")


def any_number_of(item: Any) -> AbstractMatcher[Any]:
    """Match a list that may be empty, whose items all have the structure of this one.

    ``match.each_like`` without ``min`` also allows an empty list, but does not show whether this is intended.
    """
    from pact.match.matcher import GenericMatcher

    return GenericMatcher("type", value=[item], extra_fields={"min": 0})


def _too_weak(description: str, places: Sequence[WeakPlace]) -> str:
    lines = [f"the answer of {description!r} checks less than it shows:", *(f"  {place}" for place in places), ""]
    lines.append("A rule of a list or an object applies to everything inside it. Be explicit, with:")
    if any(place.is_list for place in places):
        lines += [
            "  match.array_containing([...])      one item is as described, with exactly its values; others may differ",
            "  match.each_like(..., min=1)        all items are alike, and there is at least one",
            "  any_number_of(...)                 all items are alike, and the list may be empty",
        ]
    if not all(place.is_list for place in places):
        lines += [
            "  match.regex('a', regex='^(a|b)$')  the words that the client understands",
            "  match.str(...), match.int(...)     any value of the type",
        ]
    lines.append("any_number_of is in mfagate.contract.consumer; docs/how-to/contracts.md has examples.")
    return "\n".join(lines)


def _generator(expression: str) -> dict[str, str]:
    return {"type": "ProviderState", "expression": expression}


def compare(written: Path, committed: Path) -> str | None:
    """Return how a newly written pact differs from the committed one; None if it does not.

    The version of Pact's library, which every file contains, is ignored.
    """
    if not committed.exists():
        return f"{committed} does not exist; copy {written} there"
    new, old = _comparable(written), _comparable(committed)
    if new == old:
        return None
    changed = sorted(name for name in new.keys() | old.keys() if new.get(name) != old.get(name))
    return f"{committed} is not what the consumer tests write; they differ in: {', '.join(changed)}"


def _comparable(path: Path) -> dict[str, Any]:
    with open_regular(path) as file:
        pact = json.load(file)
    metadata = {name: value for name, value in pact["metadata"].items() if name != "pactRust"}
    interactions = {interaction["description"]: interaction for interaction in pact["interactions"]}
    return {"consumer": pact["consumer"], "provider": pact["provider"], "metadata": metadata, **interactions}


def _require_match(server: Any, seen: Exception | None = None) -> None:
    if not server.matched:
        mismatches = json.dumps(server.mismatches, indent=2, default=str)
        raise ContractTestFailed(f"the client sent another request, or none:\n{mismatches}") from seen
