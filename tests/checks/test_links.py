"""Hostile answers: neither a followed link nor a value of a state leads to another host."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from mfagate.core.causes import CauseId
from mfagate.providers.okta.client import OktaClient
from mfagate.providers.okta.settings import OktaSettings
from mfagate.providers.probes import Send
from mfagate.providers.second_factor import Challenge, ContractViolation, Factor
from mfagate.providers.state_setup import TabledStates
from mfagate.providers.states import StateValues
from tests.checks.fake import Fake, Run, of
from tests.support.listener import Listener, hostile_listener


@pytest.fixture
def hostile() -> Iterator[Listener]:
    with hostile_listener() as listener:
        yield listener


class Led(TabledStates[Any]):
    """States whose value, or whose link to follow, is an answer of the provider."""

    link = ""
    follows = False

    def arrangements(self) -> Mapping[Any, Any]:
        return {"a push": self._push}

    def _push(self) -> StateValues:
        if self.follows:
            self.answer(requests.Request("GET", self.link))
        return StateValues({"poll_path": self.link})


LINKS = [
    "http://127.0.0.1:{port}/api/read",
    "@127.0.0.1:{port}/api/read",
    "x:y@127.0.0.1:{port}/api/read",
    "//127.0.0.1:{port}/api/read",
    "/..//127.0.0.1:{port}/api/read",
    "http://[127.0.0.1:{port}/",
]


@pytest.fixture
def run_with_link(run: Run, provider: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    path = tmp_path / "contracts/fake/auth-service-fake.json"
    path.parent.mkdir(parents=True)
    generator = {"path": {"type": "ProviderState", "expression": "${poll_path}"}}
    interaction = {
        "description": "poll",
        "providerStates": [{"name": "a push"}],
        "request": {"method": "GET", "path": "/api/read", "generators": generator},
        "response": {"status": 200},
    }
    pact = {
        "consumer": {"name": "c"},
        "provider": {"name": "fake"},
        "interactions": [interaction],
        "metadata": {"pactSpecification": {"version": "4.0"}},
    }
    path.write_text(json.dumps(pact, indent=1))

    def states(send: Send[Any], settings: Any, test_data: Mapping[str, str]) -> Led:
        return Led(provider, send, settings, test_data)

    monkeypatch.setattr(provider, "states", states)
    return run


def test_a_link_home_is_followed(run_with_link: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Led, "link", "/api/read")
    monkeypatch.setattr(Led, "follows", True)
    assert of(run_with_link(), "contract.interaction")["poll"].outcome == "pass"


@pytest.mark.parametrize("follows", [True, False])
@pytest.mark.parametrize("link", LINKS)
def test_a_link_that_points_elsewhere(
    run_with_link: Run, hostile: Listener, monkeypatch: pytest.MonkeyPatch, link: str, follows: bool
) -> None:
    monkeypatch.setattr(Led, "link", link.format(port=hostile.port))
    monkeypatch.setattr(Led, "follows", follows)
    check = of(run_with_link(), "contract.interaction")["poll"]
    assert (check.cause, check.outcome) == (CauseId.CONTRACT_UNSAFE_PATH, "fail")
    assert str(hostile.port) not in check.model_dump_json()
    if not follows:
        assert check.location is not None
        assert check.location.line is not None
    assert hostile.received == []


@pytest.mark.parametrize("link", [*LINKS, "https:@127.0.0.1:{port}/", "https://org.okta.com@127.0.0.1:{port}/x"])
def test_a_poll_link_of_okta(hostile: Listener, link: str) -> None:
    """The client gets a link that was changed."""
    href = link.format(port=hostile.port)
    settings = OktaSettings.model_validate({"org_url": "https://127.0.0.1:9", "api_token": "00" + "a" * 40})
    client = OktaClient(settings, timeout_seconds=1.0)
    with pytest.raises(ContractViolation):
        client.verify(Challenge("alice", Factor.PUSH, href))
    assert hostile.received == []
