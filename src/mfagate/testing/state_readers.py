"""Test provider states as readers of a contract's answers.

Arranging a state sends requests and reads their answers. If the contract describes such an answer, it
must reject every change that prevents the state from being arranged. The states are arranged once on
a sandbox. Then each is arranged again from the recorded answers, with one change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import requests

from mfagate.config.settings import ProviderSettings
from mfagate.contract import Contract, Interaction, ProviderState
from mfagate.contract_strength import Behaviour, changes
from mfagate.exchange import Exchange, Request, Response
from mfagate.fail_closed.answer import Answer
from mfagate.fail_closed.watch import Outcome
from mfagate.foreign.parsing import raw
from mfagate.ladder.agreed import path_fits
from mfagate.providers.api_client import ApiClient
from mfagate.providers.base import Provider
from mfagate.providers.states import StateNotConfigured, StateUnavailable
from mfagate.sandbox import Running

Answers = tuple[tuple[requests.Request, Response], ...]


@dataclass(frozen=True, slots=True)
class StateReader:
    """Arrange one state from recorded answers."""

    provider: Provider
    settings: ProviderSettings
    test_data: Mapping[str, str]
    state: ProviderState
    recorded: Answers

    def read(self, answers: Sequence[Response]) -> Behaviour:
        """Arrange the state from these answers, and return which values it gives and which requests it sends.

        Codes and generated names differ each time, so only the presence of each value is compared.
        """
        asked: list[tuple[str, str]] = []
        left = iter(answers)

        def send(request: requests.Request, settings: Any = None) -> Exchange:
            asked.append((request.method, urlsplit(request.url).path))
            return _exchange(request, next(left, Response(404)))

        states = self.provider.states(send, self.settings, self.test_data)
        assert states is not None
        try:
            arranged = states.arrange(self.state)
        except Exception as error:  # noqa: BLE001 - the type of the error is compared
            return Behaviour.of(Outcome(raised=error), [])
        values = {name: bool(value) for name, value in arranged.values.items()}
        return Behaviour.of(Outcome(returned={"values": values, "asked": asked}), [])

    def blind(self, contract: Contract) -> Iterator[str]:
        """Yield the changes that the contract accepts although the state is no longer arranged as before."""
        answers = [response for _, response in self.recorded]
        usual = self.read(answers)
        volatile = usual.volatile(self.read(answers))
        for index, (request, response) in enumerate(self.recorded):
            for interaction in _interactions(contract, request, response):
                for change in changes(interaction, answer=_answer(response)):
                    changed = [*answers[:index], change.answer.response, *answers[index + 1 :]]
                    if interaction.match(change.answer.response):
                        continue
                    now = self.read(changed)
                    if not usual.is_same(now, change, volatile):
                        said = f"{self.state.name}: {usual.words}, and then {now.words}"
                        yield f"{interaction.description}: {change.words}; {said}"


def blind_states(provider: Provider, settings: ProviderSettings, running: Running, contract: Contract) -> list[str]:
    """Arrange each state of a contract on a sandbox, and return the changes that the contract is blind to.

    Args:
        provider: The provider of the states.
        settings: A healthy configuration of the sandbox.
        running: The sandbox.
        contract: The contract.
    """
    test_data = {name: running.values[name] for name in provider.test_data if name in running.values}
    found: list[str] = []
    for state in dict.fromkeys((each.name, tuple(each.params.items())) for each in _states(contract)):
        with suppress(StateNotConfigured, StateUnavailable):
            recorded = _record(provider, settings, running, test_data, ProviderState(state[0], dict(state[1])))
            reader = StateReader(provider, settings, test_data, ProviderState(state[0], dict(state[1])), recorded)
            with _no_waiting():
                found += reader.blind(contract)
    return found


def _states(contract: Contract) -> Iterator[ProviderState]:
    for interaction in contract.interactions:
        yield from interaction.states


def _record(
    provider: Provider,
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


def _answer(response: Response) -> Answer:
    kind = raw(response.headers.get("content-type"))
    return Answer(response.status, (("Content-Type", kind),) if kind else (), response.body)


@contextmanager
def _no_waiting() -> Iterator[None]:
    """Replace ``time.sleep``, because recorded answers need no waiting."""
    with patch("time.sleep"):
        yield
