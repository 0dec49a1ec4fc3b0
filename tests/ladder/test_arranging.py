"""Provider states take most of the requests of a run: there, too, it is asked whether there is time for more."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from mfagate.causes import CauseId, Outcome
from mfagate.config import load
from mfagate.ladder.arranging import Arranger, Overdue
from mfagate.ladder.cleanup import Cleanup
from mfagate.providers.states import Arranged
from mfagate.result import Check
from mfagate.sandbox.front import Handler, front
from mfagate.target import Target
from tests.ladder.fake import Fake, Settings

LATE = Check(
    id="contract.interaction",
    outcome=Outcome.INCONCLUSIVE,
    cause=CauseId.PROVIDER_DEGRADED,
    message="the provider answers so slowly",
    seconds=0,
)


class Live:
    """Whatever is sent is noted."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def arrange(self, request: requests.Request, settings: Any, at_most: float | None = None) -> Any:
        self.sent.append(request.url)
        return SimpleNamespace(failure=None, response=None, request=request)


def arranger(live: Live, monkeypatch: pytest.MonkeyPatch) -> Arranger:
    def states(send: Any, settings: Any, data: Any) -> Any:
        def arrange(state: Any) -> Arranged:
            for path in state:
                send(requests.Request("POST", path))
            return Arranged()

        return SimpleNamespace(arrange=arrange, close=lambda: send(requests.Request("DELETE", "/user")))

    monkeypatch.setattr("mfagate.ladder.arranging.definite_cause", lambda exchange, dialect: None)
    climb: Any = SimpleNamespace(
        test_data={},
        provider=SimpleNamespace(states=states, sends_message=lambda method, path, fields: False),
        cleanup=Cleanup(),
        settings=None,
        live=live,
        integration=SimpleNamespace(environment=SimpleNamespace(is_production=False), uses_sandbox=True),
        asking_seconds=5.0,
        pictures=[],
    )
    return Arranger(climb)


def test_what_is_too_late_is_not_sent_and_what_was_created_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    live = Live()
    one = arranger(live, monkeypatch)
    one.overdue = lambda: LATE if len(live.sent) == 2 else None
    wanted: Any = SimpleNamespace(description="one", states=[["/first", "/second", "/third"]])
    with pytest.raises(Overdue) as raised:
        one.arrange(wanted)
    assert (raised.value.check, one.is_late, live.sent) == (LATE, True, ["/first", "/second"])
    one.close()
    assert live.sent[-1] == "/user"


def stall(handler: Handler) -> bool:
    time.sleep(1.0)
    return False


@pytest.mark.parametrize(
    ("stated", "used"),
    [("timeout_seconds = 0.2", 0.2), ("timeout_seconds = 0.2\nstate_timeout_seconds = 0.3", 0.3)],
)
def test_a_setup_request_keeps_to_its_timeout(stated: str, used: float, tmp_path: Path) -> None:
    """It once took six seconds where two were configured."""
    (tmp_path / "integrations.toml").write_text(
        f'[integrations.x]\nprovider = "fake"\nenvironment = "staging"\n{stated}\n'
    )
    (integration,) = load(tmp_path / "integrations.toml", ["fake"]).select()
    settings = Settings.model_validate({"tenant": "acme", "client_secret": "s"})
    with front("http://127.0.0.1:9", stall) as silent:
        target = Target(integration, Fake(), settings, endpoint=silent.url)
        exchange = target.arrange(requests.Request("POST", "/login/token"))
    assert exchange.failure is not None
    assert exchange.failure.evidence["timeout_seconds"] == used
