"""Writing contracts: consumer tests drive a client against Pact's mock server.

What this adds to pact-python is little: the provider states in the shared
vocabulary, the mark "safe in production" in the pact itself, request values
that a provider state fills in, lists of which one item counts, a refusal of
interactions that check less than they show, and a comparison with the committed pact.
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

    ``directory`` should be empty at first: Pact merges into files that are
    there, and interactions removed from the tests would stay.
    """

    def __init__(self, consumer: str, provider: str, directory: Path) -> None:
        # Pact's core reports usage over the network unless told otherwise.
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

        ``safe_in_production`` says that it changes nothing, reaches no user and
        sends no bad credential, so that the gate may send it in production. ``note``
        is for people: why more than one answer is right, for example. ``bound`` maps places of the
        answer to values of the provider state that have to be there when the gate asks, such as
        ``{"$.sid": "verification_sid"}``: a client that looks whether the answer is about what it
        asked for needs them. ``claims`` maps places of JSON Web Tokens to their claims that have to hold a
        value of the state where they are there, such as ``{"$.id_token": {"email": "username"}}``.
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
        """Return the mock server's URL; afterwards the interaction is written to the pact.

        Raises:
            ContractTestFailed: The client's request was not the one described, or the answer has a
                list that may be empty or a value that may be any other one, and no rule says so.
            ContractError: The interaction is one that mfagate cannot check.
        """
        self._require_strong()
        with self._pact.serve(addr="127.0.0.1", raises=False) as server:
            try:
                yield str(server.url).rstrip("/")
            except Exception as error:
                # The mock server answers 500 to another request, so what the test saw is a consequence.
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
    """Let provider states fill in parts of the request when it is replayed.

    ``part`` is ``path``, ``query``, ``header`` or ``body``; ``names`` maps a field
    to the value of the state, or for ``path`` the one key ``""`` to an expression.
    """
    if part == "path":
        generators: Any = {"path": _generator(names[""])}
    else:
        prefix = "$." if part == "body" else ""
        generators = {part: {f"{prefix}{field}": _generator(f"${{{name}}}") for field, name in names.items()}}
    return interaction.with_generators(generators, part="Request")


def respond_with_any_of(interaction: HttpInteraction, *statuses: int) -> HttpInteraction:
    """Let the provider answer with one of these; the mock server answers with the first.

    For behaviour that is documented in two ways: say so in the interaction's ``note``.
    """
    import pact_ffi

    interaction.will_respond_with(statuses[0])
    matcher = {"pact:matcher:type": "statusCode", "status": list(statuses), "value": statuses[0]}
    pact_ffi.response_status_v2(interaction._handle, json.dumps(matcher))
    return interaction


def text(example: str, regex: str = "^.+$") -> Any:
    """Match a text of this pattern, and any text but the empty one without a pattern.

    Pact's own ``match.regex`` takes numbers, booleans and objects as well if they look like that,
    and ``match.str`` an empty text. A client that reads a text takes none of them.
    """
    from pact import match

    return match.like(match.regex(example, regex=regex))


def number(example: int, regex: str) -> Any:
    """Match a whole number whose digits have this pattern: the codes that the client knows, say."""
    both = [{"pact:matcher:type": "integer"}, {"pact:matcher:type": "regex", "regex": regex}]
    return {"pact:matcher:type": both, "value": example}


def positive(example: int) -> Any:
    """Match a whole number of 1 or more; ``match.int`` takes 0 and negative ones."""
    return number(example, "^[1-9][0-9]*$")


def including(element: Any) -> Any:
    """Match a list with one element that matches this one; the others need only be of its shape.

    Pact's own ``match.array_containing`` demands nothing of the other elements. Use it for a
    client that skips what it does not know, and this one for a client that reads each element.
    """
    from pact import match

    return match.like(match.array_containing([element]))


def only_objects(interaction: HttpInteraction, path: str = "$") -> HttpInteraction:
    """Demand that every item of the list at a path is an object.

    ``match.array_containing`` demands that one item is as described, and says nothing of the others,
    which may then be texts or null. ``path`` is that of the list, such as ``$.factors``. Call this after
    ``with_body``.
    """
    any_key = {"match": "eachKey", "rules": [{"match": "regex", "regex": ".*"}]}
    rules = {path: {"match": "type"}, f"{path}[*]": any_key}
    body = {where: {"combine": "AND", "matchers": [matcher]} for where, matcher in rules.items()}
    return interaction.with_matching_rules({"body": body}, part="Response")


def any_number_of(item: Any) -> AbstractMatcher[Any]:
    """Describe a list that may be empty on purpose, with items that are all like this one.

    ``match.each_like`` without ``min`` allows an empty list as well, and does not say whether this is meant.
    """
    from pact.match.matcher import GenericMatcher

    return GenericMatcher("type", value=[item], extra_fields={"min": 0})


def _too_weak(description: str, places: Sequence[WeakPlace]) -> str:
    lines = [f"the answer of {description!r} checks less than it shows:", *(f"  {place}" for place in places), ""]
    lines.append("A rule of a list or an object applies to everything inside it. Say what you mean with:")
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
    """How a freshly written pact differs from the committed one, or None.

    The version of Pact's library stands in every file and is no difference.
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
    interactions = {one["description"]: one for one in pact["interactions"]}
    return {"consumer": pact["consumer"], "provider": pact["provider"], "metadata": metadata, **interactions}


def _require_match(server: Any, seen: Exception | None = None) -> None:
    if not server.matched:
        mismatches = json.dumps(server.mismatches, indent=2, default=str)
        raise ContractTestFailed(f"the client sent another request, or none:\n{mismatches}") from seen
