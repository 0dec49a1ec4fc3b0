"""Writing contracts: consumer tests drive a client against Pact's mock server.

What this adds to pact-python is little: the provider states in the shared
vocabulary, the mark "safe in production" in the pact itself, request values
that a provider state fills in, and a comparison with the committed pact.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mfagate.files import open_regular

if TYPE_CHECKING:
    from pact.interaction import HttpInteraction

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


class ContractTestFailed(AssertionError):
    """The client sent something else than the interaction says, or the pact is out of date."""


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

    def interaction(
        self, description: str, *, given: str | None = None, safe_in_production: bool = False, note: str | None = None
    ) -> HttpInteraction:
        """Begin one interaction; describe it with pact-python, then :meth:`serve` it.

        ``safe_in_production`` says that it changes nothing, reaches no user and
        sends no bad credential, so that the gate may send it in production. ``note``
        is for people: why more than one answer is right, for example.
        """
        from pact import Pact

        self._pact = Pact(*self._names).with_specification("V4")
        interaction: HttpInteraction = self._pact.upon_receiving(description)
        if given is not None:
            interaction.given(str(given))
        about = {"safe-in-production": True} if safe_in_production else {}
        if about or note:
            interaction.set_comment("mfagate", about | ({"note": note} if note else {}))
        return interaction

    @contextmanager
    def serve(self) -> Iterator[str]:
        """The mock server's URL; afterwards the interaction is written to the pact.

        Raises:
            ContractTestFailed: The client's request was not the one described.
        """
        with self._pact.serve(addr="127.0.0.1", raises=False) as server:
            try:
                yield str(server.url).rstrip("/")
            except Exception as error:
                # The mock server answers 500 to another request, so what the test saw is a consequence.
                _require_match(server, error)
                raise
            _require_match(server)
        self._pact.write_file(self.file.parent, overwrite=False)


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
