"""Runs on one machine use the test users one after another; a run that waits in vain names the other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mfagate.app import gate
from mfagate.checks import Stage
from mfagate.config.load import load
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.locking import locked, private_folder
from mfagate.core.result import Check
from tests.checks.fake import CANARY, Fake, Server, of


class NoStates:
    """The states of a contract that needs no states."""

    def arrange(self, state: Any) -> Any:
        raise AssertionError("the contract names no state")

    def close(self) -> None:
        pass


@pytest.fixture
def verify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server, provider: Fake) -> Any:
    monkeypatch.setenv("SECRET", CANARY)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(Fake, "test_data", {"user": "a user of ours"})
    monkeypatch.setattr(provider, "states", lambda send, settings, test_data: NoStates())
    interaction = {"description": "read", "request": {"path": "/api/read"}, "response": {"status": 200}}
    pact: Mapping[str, Any] = {
        "consumer": {"name": "c"},
        "provider": {"name": "fake"},
        "interactions": [interaction],
        "metadata": {"pactSpecification": {"version": "4.0"}},
    }
    (tmp_path / "pact.json").write_text(json.dumps(pact))
    (tmp_path / "integrations.toml").write_text(
        '[integrations.x]\nprovider = "fake"\nenvironment = "staging"\ncontract = "pact.json"\n'
        '[integrations.x.settings]\ntenant = "acme"\nclient_secret = "env:SECRET"\n'
        '[integrations.x.test_data]\nuser = "alice"\n'
    )
    configuration = load(tmp_path / "integrations.toml", ["fake"])

    def verify() -> list[Check]:
        report = gate.run(gate.GatePlan(configuration, configuration.select(), Stage.GATE)).report
        return list(of(report.integrations[0], "contract.interaction").values())

    return verify


def test_free_test_users_are_taken(verify: Any) -> None:
    assert [check.outcome for check in verify()] == [Outcome.PASS]
    assert [path.suffix for path in private_folder().iterdir()] == [".lock"]


def test_the_run_with_the_test_users_is_named(verify: Any, monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    verify()
    (lock,) = private_folder().iterdir()
    asked = len(server.bodies["/api/read"])
    monkeypatch.setattr("mfagate.checks.user_lock._is_too_late", lambda live: True)
    with locked(lock.stem, lambda: True):
        (check,) = verify()
    assert (check.cause, check.outcome) == (CauseId.CONTRACT_STATE_UNAVAILABLE, Outcome.INCONCLUSIVE)
    assert "another run on this machine is using the test users: process " in check.message
    assert "wait for the other run to end" in str(check.next_step).lower()
    assert len(server.bodies["/api/read"]) - asked == 1, "the probe of the permission, and no interaction"


def test_a_lock_that_is_a_link_is_not_followed(verify: Any, tmp_path: Path) -> None:
    verify()
    (lock,) = private_folder().iterdir()
    lock.unlink()
    lock.symlink_to(tmp_path / "elsewhere")
    (check,) = verify()
    assert (check.cause, check.outcome) == (CauseId.CONTRACT_STATE_UNAVAILABLE, Outcome.INCONCLUSIVE)
    assert not (tmp_path / "elsewhere").exists()
