"""Setup requests of provider states: their deadline, their repetition, and the cleanup."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
import requests

from mfagate.checks.live import LiveContext
from mfagate.checks.live_target import LiveTarget
from mfagate.checks.provider_states import Overdue, StateManager
from mfagate.checks.retry import MOST_ATTEMPTS
from mfagate.config.load import load
from mfagate.contract.interaction import ProviderState
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import Exchange, Headers, Request, Response
from mfagate.core.result import Check
from mfagate.providers.probes import Send
from mfagate.providers.provider import InstalledProvider
from mfagate.providers.states import StateUnavailable, StateValues
from mfagate.sandbox.faulty_proxy import Handler, faulty_proxy
from tests.checks.contexts import live_context, write_pact
from tests.checks.fake import Fake, Settings

LATE = Check(
    id="contract.interaction",
    outcome=Outcome.INCONCLUSIVE,
    cause=CauseId.PROVIDER_DEGRADED,
    message="the provider answers so slowly",
    seconds=0,
)


OUTAGE = Response(503, body=b"{}")
FORBIDDEN = Response(403, headers=Headers((("Content-Type", "application/json"),)), body=b'{"error": "no_right"}')


class Sent:
    """The setup requests that were sent; ``left`` are the answers to the next ones."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.at_most: float | None = None
        self.left: list[Response] = []

    def arrange(
        self,
        target: LiveTarget,
        request: requests.Request,
        settings: Any = None,
        *,
        at_most: float | None = None,
        fresh: bool = False,
    ) -> Exchange:
        self.paths.append(request.url)
        self.at_most = at_most
        answer = self.left.pop(0) if self.left else Response(204)
        return Exchange(Request(request.method, request.url), datetime.now(UTC), answer)


@dataclass
class PathStates:
    """States that send a request to the path in their name."""

    send: Send[Any]

    def arrange(self, state: ProviderState) -> StateValues:
        self.send(requests.Request("POST", state.name))
        return StateValues()

    def close(self) -> None:
        self.send(requests.Request("DELETE", "/user"))


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    noted = Sent()
    monkeypatch.setattr(LiveTarget, "arrange", lambda *args, **kwargs: noted.arrange(*args, **kwargs))
    return noted


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LiveContext:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(Fake, "states", lambda self, send, settings, test_data: PathStates(send))
    return live_context(tmp_path)


def test_a_setup_request_after_the_deadline_is_not_sent_and_what_was_created_is_removed(
    live: LiveContext, sent: Sent, tmp_path: Path
) -> None:
    states = [{"name": path} for path in ("/first", "/second", "/third")]
    request, response = {"path": "/api/read"}, {"status": 200}
    write_pact(tmp_path, {"description": "read", "providerStates": states, "request": request, "response": response})
    manager = StateManager(live)
    manager.overdue = lambda: LATE if len(sent.paths) == 2 else None
    with pytest.raises(Overdue) as raised:
        manager.arrange(live.context.interactions[0])
    assert (raised.value.check, manager.is_late, sent.paths) == (LATE, True, ["/first", "/second"])
    manager.cleanup.close()
    assert sent.paths[-1] == "/user"


@pytest.mark.parametrize(("ago", "seconds"), [(0.0, 20.0), (50.0, 10.0), (58.0, 5.0), (3600.0, 5.0)])
def test_cleaning_up_ends_with_the_run_or_soon_after_it(
    ago: float, seconds: float, live: LiveContext, sent: Sent
) -> None:
    live.transcript.began -= ago
    StateManager(live).cleanup.close()
    assert sent.at_most is not None and 0 < sent.at_most <= seconds


@pytest.mark.parametrize(
    ("answers", "number"),
    [([], 1), ([OUTAGE], 2), ([OUTAGE, OUTAGE], 3), ([OUTAGE] * 9, MOST_ATTEMPTS), ([FORBIDDEN], 1)],
)
def test_a_removal_is_repeated_like_any_request(
    answers: list[Response], number: int, live: LiveContext, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mfagate.checks.retry.time.sleep", lambda seconds: None)
    sent.left = list(answers)
    StateManager(live).cleanup.close()
    assert sent.paths == ["/user"] * number
    assert live.transcript.requests == [], "removals do not belong to the checks"


def test_a_defect_in_cleaning_up_is_in_the_log(
    live: LiveContext, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    live.context.redactor.add("key", "c4n4ry-of-the-key")

    def defect(self: PathStates) -> None:
        raise TypeError("c4n4ry-of-the-key\nPASS: deploy")

    monkeypatch.setattr(PathStates, "close", defect)
    manager = StateManager(live)
    manager.cleanup.close()
    manager.cleanup.close_now(time.monotonic() + 60)
    (record,) = caplog.records
    assert "cleaning up of x failed" in record.getMessage()
    assert "| TypeError: " in record.getMessage()
    assert "c4n4ry" not in record.getMessage() and "\nPASS" not in record.getMessage()


def test_a_refused_removal_is_not_a_defect(
    live: LiveContext, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(self: PathStates) -> None:
        raise StateUnavailable("DELETE /user: error 403")

    monkeypatch.setattr(PathStates, "close", refuse)
    StateManager(live).cleanup.close()
    assert not caplog.records


def test_a_run_that_is_interrupted_while_it_cleans_up_waits_for_that(
    live: LiveContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed, reached, released = threading.Event(), threading.Event(), threading.Event()

    def slow(self: PathStates) -> None:
        reached.set()
        released.wait(60)
        removed.set()

    monkeypatch.setattr(PathStates, "close", slow)
    cleanup = StateManager(live).cleanup
    with ThreadPoolExecutor() as pool:
        closing = pool.submit(cleanup.close)
        assert reached.wait(60)
        interrupting = pool.submit(cleanup.close_now, time.monotonic() + 60)
        with pytest.raises(TimeoutError):
            interrupting.result(0.1)
        released.set()
        interrupting.result(60)
        assert removed.is_set()
        closing.result(60)


def stall(handler: Handler) -> bool:
    time.sleep(1.0)
    return False


@pytest.mark.parametrize(
    ("stated", "used"),
    [("timeout_seconds = 0.2", 0.2), ("timeout_seconds = 0.2\nstate_timeout_seconds = 0.3", 0.3)],
)
def test_a_setup_request_keeps_to_its_timeout(stated: str, used: float, tmp_path: Path) -> None:
    """It once took six seconds with a timeout of two seconds."""
    (tmp_path / "integrations.toml").write_text(
        f'[integrations.x]\nprovider = "fake"\nenvironment = "staging"\n{stated}\n'
    )
    (integration,) = load(tmp_path / "integrations.toml", ["fake"]).select()
    settings = Settings.model_validate({"tenant": "acme", "client_secret": "s"})
    with faulty_proxy("http://127.0.0.1:9", stall) as silent:
        target = LiveTarget(integration, cast(InstalledProvider, Fake()), settings, endpoint=silent.url)
        exchange = target.arrange(requests.Request("POST", "/login/token"))
    assert exchange.failure is not None
    assert exchange.failure.evidence["timeout_seconds"] == used
