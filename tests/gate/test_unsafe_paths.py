"""Hostile pacts and hostile answers: a signed request goes to its own provider, and not a byte anywhere else."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests

from mfagate.causes import CauseId
from mfagate.providers.arranging import TabledStates
from mfagate.providers.base import Send
from mfagate.providers.okta.client import OktaClient
from mfagate.providers.okta.settings import OktaSettings
from mfagate.providers.states import Arranged
from mfagate.second_factor import Challenge, ContractViolation, Factor
from tests.ladder.fake import Fake, Run, Server, of
from tests.ladder.conftest import provider, run, server as fake_server  # noqa: F401 - fixtures

from ..support.project import Project


class Listener:
    """Takes every connection, and keeps what comes."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.received: list[bytes] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(2)
                self.received.append(connection.recv(1 << 16))
                answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
                connection.sendall(answer)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture
def hostile() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


def test_the_listener_would_notice(hostile: Listener) -> None:
    requests.get(f"http://127.0.0.1:{hostile.port}/seen", timeout=5)
    assert b"/seen" in hostile.received[0]


PATHS = [
    "http://127.0.0.1:{port}/validate/check",
    "HTTP://127.0.0.1:{port}/validate/check",
    "@127.0.0.1:{port}/validate/check",
    "x:y@127.0.0.1:{port}/validate/check",
    "//127.0.0.1:{port}/validate/check",
    "/\\127.0.0.1:{port}/validate/check",
]


def spoil(project: Project, **request: Any) -> None:
    """The shipped contract with another request in its first interaction, and nothing else."""
    good = project.folder / "contracts/privacyidea/auth-service-privacyidea.json"
    pact = json.loads(good.read_text())
    interaction = next(one for one in pact["interactions"] if one["request"]["path"] == "/validate/check")
    interaction["request"] |= request
    pact["interactions"] = [interaction]
    (project.folder / "spoilt.json").write_text(json.dumps(pact, indent=2))
    project.settings["more"] = 'contract = "spoilt.json"'


@pytest.mark.parametrize("path", PATHS)
def test_a_pact_that_points_elsewhere(project: Project, hostile: Listener, path: str) -> None:
    spoil(project, path=path.format(port=hostile.port))
    result = project.run("gate")
    assert (result.exit_code, result.first["cause"]) == (1, "contract.unsafe-path")
    assert result.first_red["location"]["file"] == "spoilt.json"
    line = (project.folder / "spoilt.json").read_text().splitlines()[result.first_red["location"]["line"] - 1]
    assert line.strip().startswith('"path"')
    assert hostile.received == []


@pytest.mark.parametrize("stage", ["check", "record"])
def test_other_commands_refuse_it_too(project: Project, hostile: Listener, stage: str) -> None:
    spoil(project, path=PATHS[0].format(port=hostile.port))
    result = project.run(stage)
    assert (result.exit_code, result.first["cause"]) == (1, "contract.unsafe-path")
    assert hostile.received == []


def test_a_header_that_names_another_host(project: Project) -> None:
    spoil(project, headers={"Host": ["evil.example"]})
    assert project.run("gate").first["cause"] == "contract.unsafe-path"


class Led(TabledStates[Any]):
    """States whose value, or whose link to follow, is an answer of the provider."""

    link = ""
    follows = False

    def arrangements(self) -> Mapping[Any, Any]:
        return {"a push": self._push}

    def _push(self) -> Arranged:
        if self.follows:
            self.answer(requests.Request("GET", self.link))
        return Arranged({"poll_path": self.link})


LINKS = [
    "http://127.0.0.1:{port}/api/read",
    "@127.0.0.1:{port}/api/read",
    "x:y@127.0.0.1:{port}/api/read",
    "//127.0.0.1:{port}/api/read",
    "/..//127.0.0.1:{port}/api/read",
    "http://[127.0.0.1:{port}/",
]


@pytest.fixture
def run_with_link(run: Run, provider: Fake, fake_server: Server, tmp_path: Any, monkeypatch: Any) -> Run:  # noqa: F811
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

    def states(send: Send, settings: Any, test_data: Mapping[str, str]) -> Led:
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
    """The client is handed one that somebody changed."""
    href = link.format(port=hostile.port)
    settings = OktaSettings.model_validate({"org_url": "https://127.0.0.1:9", "api_token": "00" + "a" * 40})
    client = OktaClient(settings, timeout_seconds=1.0)
    with pytest.raises(ContractViolation):
        client.verify(Challenge("alice", Factor.PUSH, href))
    assert hostile.received == []
