"""Contracts and their interactions, as the rest of the package uses them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mfagate.contract.mismatch import Mismatch, Showable
from mfagate.contract.request import ExampleRequest
from mfagate.contract.response import ExpectedResponse
from mfagate.exchange import Headers, Request, Response

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
    with ``set_comment("mfagate", {"safe-in-production": True, "note": "..."})``.
    """

    description: str
    key: str | None = None
    states: tuple[ProviderState, ...] = ()
    safe_in_production: bool = False
    note: str | None = None
    pending: bool = False
    request: ExampleRequest = field(default_factory=ExampleRequest)
    response: ExpectedResponse = field(default_factory=ExpectedResponse)

    def build_request(self, values: Mapping[str, str]) -> requests.Request:
        """The request to send, with ``values`` from the provider states put in.

        Its URL is path and query only; join it with the base URL of the provider.

        Raises:
            StateValueError: A generator needs a value that is missing or of the wrong type.
        """
        return self.request.build(values)

    def example_request(self) -> Request:
        """The request with the pact's own examples in it; its URL is path and query only."""
        built = self.request.without_states().build({})
        headers = Headers(tuple((name, str(value)) for name, value in built.headers.items()))
        return Request(str(built.method), str(built.url), headers, built.data or b"")

    def match(self, response: Response, showable: Showable | None = None) -> list[Mismatch]:
        """How an answer differs from the contract, the most telling difference first.

        The messages quote from the answer. Of a live one, which may hold secrets, ``showable``
        makes of its JSON what may be quoted.

        Raises:
            ContractError: Pact's core does not understand a matching rule.
        """
        return self.response.match(response, showable)


@dataclass(frozen=True, slots=True)
class Contract:
    """A pact file: what ``consumer`` expects of ``provider``, in file order."""

    path: Path
    consumer: str
    provider: str
    interactions: tuple[Interaction, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)
