"""One run, one interaction, one request on the wire: whatever comes back, a message is not sent again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.support.project import REPOSITORY

from mfagate.app import gate
from mfagate.checks import Stage
from mfagate.config.load import load
from mfagate.contract import load as load_contract
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.result import Check
from mfagate.leftovers.ledger import NotRecorded
from mfagate.providers import registry
from mfagate.sandbox import BETWEEN_MESSAGES, Running
from mfagate.sandbox import registry as sandboxes
from mfagate.sandbox.faulty_proxy import Fault, FaultyProxy, Handler, always, faulty_proxy, hang_up, stall
from mfagate.testing.provider_project import ProviderProject

MESSAGES = {
    "auth0": ("push sent", "/mfa/challenge"),
    "duo": ("push sent", "/auth/v2/auth"),
    "okta": ("message sent", "/verify"),
    "twilio": ("code sent", "/Verifications"),
}
"""An interaction that sends a message, and how the path ends that sends it."""


def torn(handler: Handler) -> bool:
    """Half an answer."""
    status, body, headers = handler.ask()
    return handler.relay(status, body[: len(body) // 2], headers, "application/json", Content_Length=str(len(body)))


def done_and_hung_up(handler: Handler) -> bool:
    """The message is sent, and nobody hears of it."""
    handler.ask()
    return hang_up(handler)


FAULTS: dict[str, Fault] = {
    "500": always(500, b"oops"),
    "502 by a proxy": always(502, b"<html><title>Bad Gateway</title>"),
    "503 with a time": always(503, b"later", Retry_After="0"),
    "429 with a time": always(429, b"{}", "application/json", Retry_After="0"),
    "another shape": always(200, b"{}", "application/json"),
    "another status": always(401, b"{}", "application/json"),
    "reset": hang_up,
    "reset after it was done": done_and_hung_up,
    "half an answer": torn,
    "silence": stall,
}


class Counting:
    """Counts the requests that send a message, and does something wrong with each."""

    def __init__(self, path: str, fault: Fault) -> None:
        self.sent = 0
        self._path = path
        self._fault = fault

    def __call__(self, handler: Handler) -> bool:
        path = urlsplit(handler.path).path
        # Probes ask about nobody.
        if handler.command != "POST" or not path.endswith(self._path) or "nosuch" in path:
            return False
        self.sent += 1
        return self._fault(handler)


@pytest.fixture(scope="module", params=sorted(MESSAGES))
def sandbox(request: pytest.FixtureRequest) -> Iterator[tuple[str, Running]]:
    """A provider with such an interaction."""
    found = sandboxes.get(request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(BETWEEN_MESSAGES, "0")
        with found.start() as running:
            yield request.param, running


Ask = Callable[[Fault, str], tuple[Check, int]]


@pytest.fixture
def ask(sandbox: tuple[str, Running], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """The check of the interaction alone, and how often it was sent."""
    name, running = sandbox
    description, path = MESSAGES[name]
    # The same target each time, although the port of the front is another one.
    monkeypatch.setattr("mfagate.checks.state_cleanup.target_of", lambda live: name)

    class Suite:
        provider = name
        contract = tmp_path / "pact.json"
        cassettes = REPOSITORY / "cassettes" / name
        expect: dict[str, str] = {}

    pact = json.loads((REPOSITORY / f"contracts/{name}/auth-service-{name}.json").read_text())
    pact["interactions"] = [one for one in pact["interactions"] if one["description"] == description]
    Suite.contract.write_text(json.dumps(pact))

    def ask(fault: Fault, environment: str) -> tuple[Check, int]:
        project = ProviderProject(tmp_path, Suite, running)  # type: ignore[arg-type]
        counting = Counting(path, fault)
        with faulty_proxy(project.endpoint, counting) as before:
            (check,) = checks(project, before, environment, monkeypatch)
        return check, counting.sent

    return ask


def checks(
    project: ProviderProject, before: FaultyProxy, environment: str, monkeypatch: pytest.MonkeyPatch
) -> list[Check]:
    """The checks of interactions."""
    project.endpoint, project.environment, project.timeout_seconds = before.url, environment, 0.5
    text = project.text().replace("cassettes =", 'production_allows = ["unsafe-interactions"]\ncassettes =')
    (project.folder / "integrations.toml").write_text(text)
    for variable, value in project.env.items():
        monkeypatch.setenv(variable, value)
    loaded = load(project.folder / "integrations.toml", registry.names())
    report = gate.run(gate.GatePlan(loaded, list(loaded.integrations.values()), Stage.GATE)).report
    return [check for check in report.integrations[0].checks if check.id == "contract.interaction"]


@pytest.mark.parametrize("environment", ["staging", "production"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_message_is_sent_once(ask: Ask, fault: str, environment: str) -> None:
    check, sent = ask(FAULTS[fault], environment)
    assert (sent, check.outcome.is_red) == (1, True), check.message


def test_a_run_of_the_same_name_does_not_send_it_again(
    ask: Ask, sandbox: tuple[str, Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MFAGATE_RUN", "pipeline 4711")
    assert ask(hang_up, "staging")[1] == 1
    check, sent = ask(hang_up, "staging")
    assert (sent, check.cause, check.outcome) == (0, CauseId.CONTRACT_ALREADY_SENT, Outcome.INCONCLUSIVE)
    monkeypatch.setenv("MFAGATE_RUN", "pipeline 4712")
    assert ask(hang_up, "staging")[1] == 1


def test_a_message_that_never_left_this_machine_is_sent_again(
    ask: Ask, sandbox: tuple[str, Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a connection nothing was sent."""
    from mfagate.transport.transport import Transport

    _, path = MESSAGES[sandbox[0]]
    send = Transport.send
    refused: list[str] = []

    def refuse_once(self: Transport, request: Any, **how: Any) -> Any:
        asked = urlsplit(request.url).path
        is_message = request.method == "POST" and asked.endswith(path) and "nosuch" not in asked
        if is_message and not refused:
            refused.append(request.url)
            request.url = "http://127.0.0.1:9/"
        return send(self, request, **how)

    monkeypatch.setattr(Transport, "send", refuse_once)
    check, sent = ask(lambda handler: False, "staging")
    assert (len(refused), sent, check.outcome) == (1, 1, Outcome.PASS), check.message


def test_without_a_record_nothing_is_sent(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*target: str) -> Path:
        raise NotRecorded("/home/me cannot be written: set XDG_STATE_HOME to a folder that can")

    monkeypatch.setattr("mfagate.checks.state_cleanup.folder_of", fail)
    check, sent = ask(lambda handler: False, "staging")
    assert (sent, check.outcome) == (0, Outcome.INCONCLUSIVE)
    assert "set XDG_STATE_HOME" in check.message


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_the_contract_has_the_interaction(name: str) -> None:
    contract = load_contract(REPOSITORY / f"contracts/{name}/auth-service-{name}.json")
    assert MESSAGES[name][0] in [one.description for one in contract.interactions]
