"""Test provider states as readers of a contract's answers.

Arranging a state means sending requests and reading their answers. If such an answer belongs to the
contract, the contract must reject every change that prevents the state. The states are arranged once
on a sandbox; then each is arranged again from the recorded answers, with one change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import requests

from mfagate.checks.expectation import path_fits
from mfagate.config.settings import ProviderSettings
from mfagate.contract import Contract, Interaction, ProviderState
from mfagate.contract_strength import Behaviour, changes
from mfagate.core.exchange import Exchange, Request, Response
from mfagate.core.foreign.parsing import raw
from mfagate.fail_closed.answer import ProviderAnswer
from mfagate.fail_closed.call_runner import CallOutcome
from mfagate.providers.api_client import ApiClient
from mfagate.providers.provider import InstalledProvider
from mfagate.providers.states import StateNotConfigured
from mfagate.sandbox import Running

Answers = tuple[tuple[requests.Request, Response], ...]


@dataclass(frozen=True, slots=True)
class StateReader:
    """Arrange one state from recorded answers."""

    provider: InstalledProvider
    settings: ProviderSettings
    test_data: Mapping[str, str]
    state: ProviderState
    recorded: Answers

    def read(self, answers: Sequence[Response]) -> Behaviour:
        """Arrange the state from these answers, and describe its requests and which values it provides.

        Codes and made-up names differ each time, so only the presence of values is compared.
        """
        sent: list[tuple[str, str]] = []
        left = iter(answers)

        def send(request: requests.Request, settings: Any = None) -> Exchange:
            sent.append((request.method, urlsplit(request.url).path))
            return _exchange(request, next(left, Response(404)))

        states = self.provider.states(send, self.settings, self.test_data)
        assert states is not None
        try:
            arranged = states.arrange(self.state)
        except Exception as error:  # noqa: BLE001 - the type of the error is compared
            return Behaviour.of(CallOutcome(raised=error), [])
        values = {name: bool(value) for name, value in arranged.values.items()}
        return Behaviour.of(CallOutcome(returned={"values": values, "sent": sent}), [])

    def reads(self, contract: Contract) -> list[tuple[int, Interaction]]:
        """Return the recorded answers that belong to the contract: the index of each, and its interaction."""
        return [
            (index, interaction)
            for index, (request, response) in enumerate(self.recorded)
            for interaction in _interactions(contract, request, response)
        ]

    def blind(self, contract: Contract) -> Iterator[str]:
        """Yield the changes that the contract accepts although the state is no longer arranged as before."""
        answers = [response for _, response in self.recorded]
        usual = self.read(answers)
        volatile = usual.volatile(self.read(answers))
        for index, interaction in self.reads(contract):
            for change in changes(interaction, answer=_answer(answers[index])):
                if interaction.match(change.answer.response):
                    continue
                now = self.read([*answers[:index], change.answer.response, *answers[index + 1 :]])
                if not usual.is_same(now, change, volatile):
                    effect = f"{self.state.name}: {usual.words}, and then {now.words}"
                    yield f"{interaction.description}: {change.words}; {effect}"


class NothingRead(ValueError):
    """No provider state reads an answer of the contract, so there is nothing to prove."""


def blind_states(
    provider: InstalledProvider, settings: ProviderSettings, running: Running, contract: Contract
) -> list[str]:
    """Arrange each state of a contract on a sandbox, and return the changes that the contract is blind to.

    States that need other settings are left out.

    Args:
        provider: The provider of the states.
        settings: A healthy configuration of the sandbox.
        running: The sandbox.
        contract: The contract.

    Raises:
        NothingRead: No state reads an answer of the contract.
        StateUnavailable: The sandbox could not be put into a state.
    """
    test_data = {name: running.values[name] for name in provider.test_data if name in running.values}
    readers: list[StateReader] = []
    for state in _states(contract):
        with suppress(StateNotConfigured):
            recorded = _record(provider, settings, running, test_data, state)
            readers.append(StateReader(provider, settings, test_data, state, recorded))
    if not any(reader.reads(contract) for reader in readers):
        raise NothingRead(f"no provider state reads an answer of {contract.path}")
    # Recorded answers need no waiting.
    with patch("time.sleep"):
        return [blind for reader in readers for blind in reader.blind(contract)]


def _states(contract: Contract) -> list[ProviderState]:
    """Return each state of the contract once."""
    found: list[ProviderState] = []
    for interaction in contract.interactions:
        found += [state for state in interaction.states if state not in found]
    return found


def _record(
    provider: InstalledProvider,
    settings: ProviderSettings,
    running: Running,
    test_data: Mapping[str, str],
    state: ProviderState,
) -> Answers:
    recorded: list[tuple[requests.Request, Response]] = []
    own = settings
    bundle = Path(running.ca_bundle) if running.ca_bundle else None

    def send(request: requests.Request, settings: Any = None) -> Exchange:
        client = ApiClient(provider, settings or own, endpoint=running.endpoint, ca_bundle=bundle)
        about = {name: getattr(request, name) for name in ("params", "data", "json", "headers")}
        response = client.ask(request.method, request.url, **about)
        recorded.append((request, response))
        return _exchange(request, response)

    states = provider.states(send, settings, test_data)
    assert states is not None, "a provider with a contract arranges its states"
    try:
        states.arrange(state)
        return tuple(recorded)
    finally:
        states.close()


def _exchange(request: requests.Request, response: Response) -> Exchange:
    return Exchange(Request(request.method, request.url), datetime.now(UTC), response)


def _interactions(contract: Contract, request: requests.Request, response: Response) -> Iterator[Interaction]:
    """Yield the interactions of this endpoint that the answer satisfies."""
    path = urlsplit(request.url).path
    for interaction in contract.interactions:
        same = interaction.request.method == request.method and path_fits(interaction, path)
        if same and not interaction.match(response):
            yield interaction


def _answer(response: Response) -> ProviderAnswer:
    kind = raw(response.headers.get("content-type"))
    return ProviderAnswer(response.status, (("Content-Type", kind),) if kind else (), response.body)
