"""Contracts and their interactions, as the rest of the package uses them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mfagate.config import jwt
from mfagate.contract.errors import StateValueError
from mfagate.contract.mismatch import Mismatch, Quotes, Showable, missing, of_another, unreadable_token
from mfagate.contract.path import as_text, at, steps
from mfagate.contract.request import ExampleRequest
from mfagate.contract.response import ExpectedResponse
from mfagate.core.exchange import Headers, Request, Response

if TYPE_CHECKING:
    import requests


@dataclass(frozen=True, slots=True)
class ProviderState:
    """What has to be so at the provider before the request is sent, e.g. "user alice exists"."""

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Interaction:
    """One request of the contract and the answer that the consumer understands.

    ``safe_in_production`` and ``note`` are the pact's own ``comments.mfagate``, written
    with ``set_comment("mfagate", {"safe-in-production": True, "note": "..."})``. So is ``bound``: it maps
    the path of a place in the answer to the name of the state's value that has to be there, such as
    ``{"$.sid": "verification_sid"}``. ``claims`` does so for what a JSON Web Token in the answer says, where the
    answer has one: ``{"$.id_token": {"email": "username"}}``.
    """

    description: str
    key: str | None = None
    states: tuple[ProviderState, ...] = ()
    safe_in_production: bool = False
    note: str | None = None
    bound: Mapping[str, str] = field(default_factory=dict)
    claims: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    pending: bool = False
    request: ExampleRequest = field(default_factory=ExampleRequest)
    response: ExpectedResponse = field(default_factory=ExpectedResponse)

    def build_request(self, values: Mapping[str, str]) -> requests.Request:
        """Return the request to send, with ``values`` from the provider states put in.

        Its URL is path and query only; join it with the base URL of the provider.

        Raises:
            StateValueError: A generator needs a value that is missing or of the wrong type.
        """
        return self.request.build(values)

    def example_request(self) -> Request:
        """Return the request with the pact's own examples in it; its URL is path and query only."""
        built = self.request.without_states().build({})
        headers = Headers(tuple((name, str(value)) for name, value in built.headers.items()))
        return Request(str(built.method), str(built.url), headers, built.data or b"")

    def match(
        self, response: Response, showable: Showable | None = None, values: Mapping[str, str] | None = None
    ) -> list[Mismatch]:
        """How an answer differs from the contract, the most telling difference first.

        Args:
            response: The answer.
            showable: Makes of the JSON of a live answer, which may hold secrets, what may be quoted.
            values: The values of the provider states. Without them, as for a recording, nobody knows
                what ``bound`` places have to hold.

        Raises:
            ContractError: Pact's core does not understand a matching rule.
            StateValueError: The states gave no value for a bound place or claim.
        """
        mismatches = self.response.match(response, showable)
        if mismatches or values is None:
            return mismatches
        return [*self._of_another(response, showable, values), *self._of_other_claims(response, values)]

    def example_values(self) -> dict[str, str]:
        """Return the values that the example answer is about, by the names of the states' values.

        A claim that the example does not have is about no value: its text is empty.
        """
        document = json.loads(self.response.body or "null") if self.bound or self.claims else None
        values: dict[str, str] = {}
        for path, names in self.claims.items():
            said = _claims(document, path) or {}
            values |= {name: as_text(said.get(claim, "")) for claim, name in names.items()}
        return values | {name: as_text(at(document, steps(path))) for path, name in self.bound.items()}

    def _of_another(
        self, response: Response, showable: Showable | None, values: Mapping[str, str]
    ) -> Iterator[Mismatch]:
        document = response.json() if self.bound else None
        quotes = Quotes(response.body.decode("utf-8", "replace"), showable)
        for path, name in self.bound.items():
            expected = _given(values, name, path)
            try:
                actual = at(document, steps(path))
            except LookupError:
                yield missing(path)
                continue
            if as_text(actual) != expected:
                yield of_another(path, name, quotes.of(path, actual))

    def _of_other_claims(self, response: Response, values: Mapping[str, str]) -> Iterator[Mismatch]:
        """Yield what tokens say of somebody else. A token or claim that is not there says nothing."""
        document = response.json() if self.claims else None
        for path, names in self.claims.items():
            expected = {claim: _given(values, name, f"{path} {claim}") for claim, name in names.items()}
            said = _claims(document, path)
            if said is None:
                continue
            if not said:
                yield unreadable_token(path)
            for claim, name in names.items():
                # Providers write addresses in small letters.
                if isinstance(said.get(claim), str) and said[claim].lower() != expected[claim].lower():
                    yield of_another(f"{path} {claim}", name, "another value")


def _given(values: Mapping[str, str], name: str, place: str) -> str:
    """Return the value that a place of the answer has to hold.

    Raises:
        StateValueError: The states gave no such value.
    """
    if name not in values:
        raise StateValueError(name, f"is not given by the state, and {place} has to hold it")
    return values[name]


def _claims(document: Any, path: str) -> Mapping[str, Any] | None:
    """Return what the token at a place says, nothing if it cannot be read; None if there is no token."""
    try:
        token = at(document, steps(path))
    except LookupError:
        return None
    if token is None:
        return None
    return jwt.claims(token) if isinstance(token, str) else {}


@dataclass(frozen=True, slots=True)
class Contract:
    """A pact file: what ``consumer`` expects of ``provider``, in file order."""

    path: Path
    consumer: str
    provider: str
    interactions: tuple[Interaction, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)
