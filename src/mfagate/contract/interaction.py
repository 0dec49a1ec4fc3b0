"""Contracts and their interactions."""

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
    """A condition at the provider before the request is sent, such as "user alice exists"."""

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Interaction:
    """One request of the contract and the answer that the consumer understands.

    ``safe_in_production``, ``note``, ``bound`` and ``claims`` come from the pact's ``comments.mfagate``, written with
    ``set_comment("mfagate", {"safe-in-production": True, "note": "..."})``. ``bound`` maps a path in the answer to the
    name of the state's value that must be there, such as ``{"$.sid": "verification_sid"}``. ``claims`` does so for the
    claims of a JSON Web Token, if the answer has one: ``{"$.id_token": {"email": "username"}}``.
    """

    description: str
    states: tuple[ProviderState, ...] = ()
    safe_in_production: bool = False
    note: str | None = None
    bound: Mapping[str, str] = field(default_factory=dict)
    claims: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    pending: bool = False
    request: ExampleRequest = field(default_factory=ExampleRequest)
    response: ExpectedResponse = field(default_factory=ExpectedResponse)

    def build_request(self, values: Mapping[str, str]) -> requests.Request:
        """Return the request to send, with the ``values`` of the provider states.

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
        """Return how an answer differs from the contract, the most informative difference first.

        Args:
            response: The answer.
            showable: Removes the secrets from the JSON of a live answer before it is quoted.
            values: The values of the provider states. Without them, as for a recording, ``bound`` fields and claims
                are not compared.

        Raises:
            ContractError: Pact's core does not understand a matching rule.
            StateValueError: The states gave no value for a bound field or claim.
        """
        mismatches = self.response.match(response, showable)
        if mismatches or values is None:
            return mismatches
        return [*self._of_another(response, showable, values), *self._of_other_claims(response, values)]

    def example_values(self) -> dict[str, str]:
        """Return the values that the example answer contains, by the names of the states' values.

        The value of a claim that the example does not have is empty.
        """
        document = json.loads(self.response.body or "null") if self.bound or self.claims else None
        values: dict[str, str] = {}
        for path, names in self.claims.items():
            claims = _claims(document, path) or {}
            values |= {name: as_text(claims.get(claim, "")) for claim, name in names.items()}
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
        """Yield the claims about another user. A missing token or claim is not a mismatch."""
        document = response.json() if self.claims else None
        for path, names in self.claims.items():
            expected = {claim: _given(values, name, f"{path} {claim}") for claim, name in names.items()}
            claims = _claims(document, path)
            if claims is None:
                continue
            if not claims:
                yield unreadable_token(path)
            for claim, name in names.items():
                # Providers change addresses to lower case.
                if isinstance(claims.get(claim), str) and claims[claim].lower() != expected[claim].lower():
                    yield of_another(f"{path} {claim}", name, "another value")


def _given(values: Mapping[str, str], name: str, place: str) -> str:
    """Return the value that must be at a place of the answer.

    Raises:
        StateValueError: The states gave no such value.
    """
    if name not in values:
        raise StateValueError(name, f"is not given by the state, and {place} must have it")
    return values[name]


def _claims(document: Any, path: str) -> Mapping[str, Any] | None:
    """Return the claims of the token at a path: empty if it cannot be read, None if there is no token."""
    try:
        token = at(document, steps(path))
    except LookupError:
        return None
    if token is None:
        return None
    return jwt.claims(token) if isinstance(token, str) else {}


@dataclass(frozen=True, slots=True)
class Contract:
    """A pact file: the interactions that ``consumer`` expects of ``provider``, in file order."""

    path: Path
    consumer: str
    provider: str
    interactions: tuple[Interaction, ...]
