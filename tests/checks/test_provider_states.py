"""Provider states take most of the requests of a run: there, too, it is asked whether there is time for more."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from mfagate.checks.cleanup import Cleanup
from mfagate.checks.live_target import LiveTarget
from mfagate.checks.provider_states import Overdue, StateManager
from mfagate.checks.retry import MOST_ATTEMPTS
from mfagate.config.load import load
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.finding import Finding
from mfagate.core.result import Check
from mfagate.providers.states import StateUnavailable, StateValues
from mfagate.sandbox.faulty_proxy import Handler, faulty_proxy
from mfagate.secrets.redaction import Redactor
from tests.checks.fake import Fake, Settings

LATE = Check(
    id="contract.interaction",
    outcome=Outcome.INCONCLUSIVE,
    cause=CauseId.PROVIDER_DEGRADED,
    message="the provider answers so slowly",
    seconds=0,
)


OUTAGE = Finding(CauseId.PROVIDER_OUTAGE, "the provider failed")


class Live:
    """Whatever is sent is noted."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.at_most: float | None = None

    def arrange(self, request: requests.Request, settings: Any, at_most: float | None = None) -> Any:
        self.sent.append(request.url)
        self.at_most = at_most
        return SimpleNamespace(failure=None, response=None, request=request)


def arranger(live: Live, monkeypatch: pytest.MonkeyPatch, *, ago: float = 0.0) -> StateManager:
    def states(send: Any, settings: Any, data: Any) -> Any:
        def arrange(state: Any) -> StateValues:
            for path in state:
                send(requests.Request("POST", path))
            return StateValues()

        return SimpleNamespace(arrange=arrange, close=lambda: send(requests.Request("DELETE", "/user")))

    monkeypatch.setattr("mfagate.checks.provider_states.definite_cause", lambda exchange, dialect: None)
    climb: Any = SimpleNamespace(
        test_data={},
        provider=SimpleNamespace(states=states, sends_message=lambda method, path, fields: False),
        cleanup=Cleanup(),
        settings=None,
        live=live,
        integration=SimpleNamespace(name="x", environment=SimpleNamespace(is_production=False), uses_sandbox=True),
        redactor=Redactor(),
        asking_seconds=5.0,
        began=time.monotonic() - ago,
        options=SimpleNamespace(deadline_seconds=60.0),
        pictures=[],
    )
    return StateManager(climb)


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


@pytest.mark.parametrize(("ago", "seconds"), [(0.0, 20.0), (50.0, 10.0), (58.0, 5.0), (3600.0, 5.0)])
def test_cleaning_up_ends_with_the_run_or_soon_after_it(
    ago: float, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = Live()
    arranger(live, monkeypatch, ago=ago).close()
    assert live.at_most is not None and 0 < live.at_most <= seconds


@pytest.mark.parametrize(
    ("findings", "sent"),
    [
        ([], 1),
        ([OUTAGE], 2),
        ([OUTAGE, OUTAGE], 3),
        ([OUTAGE] * 9, MOST_ATTEMPTS),
        ([Finding(CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION, "forbidden")], 1),
    ],
)
def test_a_removal_is_tried_again_as_any_request(
    findings: list[Finding], sent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = Live()
    one = arranger(live, monkeypatch)
    left = iter(findings)
    monkeypatch.setattr("mfagate.checks.provider_states.definite_cause", lambda exchange, dialect: next(left, None))
    monkeypatch.setattr("mfagate.checks.retry.time.sleep", lambda seconds: None)
    one.close()
    assert live.sent == ["/user"] * sent
    assert one._climb.pictures == [], "removals say nothing of the checks"


def test_a_defect_in_cleaning_up_is_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one = arranger(Live(), monkeypatch)
    one._climb.redactor.add("key", "c4n4ry-of-the-key")

    def defect() -> None:
        raise TypeError("c4n4ry-of-the-key\nPASS: deploy")

    monkeypatch.setattr(one.states, "close", defect)
    one.close()
    one.close_now(time.monotonic() + 60)
    (record,) = caplog.records
    assert "cleaning up of x failed" in record.getMessage()
    assert "| TypeError: " in record.getMessage()
    assert "c4n4ry" not in record.getMessage() and "\nPASS" not in record.getMessage()


def test_what_the_provider_does_not_remove_is_no_defect(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one = arranger(Live(), monkeypatch)

    def refuse() -> None:
        raise StateUnavailable("DELETE /user: error 403")

    monkeypatch.setattr(one.states, "close", refuse)
    one.close()
    assert not caplog.records


def test_a_run_that_is_interrupted_while_it_cleans_up_waits_for_that(monkeypatch: pytest.MonkeyPatch) -> None:
    live, reached, released = Live(), threading.Event(), threading.Event()
    one = arranger(live, monkeypatch)

    def slow() -> None:
        reached.set()
        released.wait(60)
        live.sent.append("/removed")

    monkeypatch.setattr(one.states, "close", slow)
    with ThreadPoolExecutor() as pool:
        closing = pool.submit(one.close)
        assert reached.wait(60)
        interrupting = pool.submit(one.close_now, time.monotonic() + 60)
        with pytest.raises(TimeoutError):
            interrupting.result(0.1)
        released.set()
        interrupting.result(60)
        assert live.sent == ["/removed"]
        closing.result(60)


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
    with faulty_proxy("http://127.0.0.1:9", stall) as silent:
        target = LiveTarget(integration, Fake(), settings, endpoint=silent.url)
        exchange = target.arrange(requests.Request("POST", "/login/token"))
    assert exchange.failure is not None
    assert exchange.failure.evidence["timeout_seconds"] == used
