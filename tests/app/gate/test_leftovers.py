"""What earlier runs left at a provider is removed by the next one, and nothing else is."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support.project import REPOSITORY

from mfagate.app import gate
from mfagate.app.session import Session, prepared
from mfagate.checks import Stage, run_checks
from mfagate.checks.provider_states import StateManager
from mfagate.config.load import load
from mfagate.contract import ProviderState
from mfagate.core.result import Report
from mfagate.leftovers.ledger import Ledger, Thing
from mfagate.leftovers.marks import Mark
from mfagate.providers import registry
from mfagate.providers.state_setup import TabledStates
from mfagate.providers.states import StateName
from mfagate.sandbox import Running
from mfagate.sandbox import registry as sandboxes
from mfagate.testing.provider_project import ProviderProject

PROVIDERS = {
    "auth0": StateName.NO_FACTOR,
    "duo": StateName.NO_FACTOR,
    "okta": StateName.NO_FACTOR,
    "privacyidea": StateName.WORKING_OTP,
    "twilio": StateName.NO_FACTOR,
}
"""A state for which something is made."""

WITHOUT_NOTE = {"twilio"}
"""Where the name is the only field: an entity has an identity and nothing else."""

HOUR = 3600


@pytest.fixture(scope="module", params=sorted(PROVIDERS))
def sandbox(request: pytest.FixtureRequest) -> Iterator[tuple[str, Running]]:
    """A provider that goes on running."""
    found = sandboxes.get(request.param)
    with found.start() as running:
        yield request.param, running


class Project(ProviderProject):
    """A project with one interaction, for which nothing has to be made."""

    def __init__(self, folder: Path, name: str, running: Running) -> None:
        class Suite:
            provider = name
            contract = folder / "pact.json"
            cassettes = REPOSITORY / "cassettes" / name
            expect: dict[str, str] = {}

        pact = json.loads((REPOSITORY / f"contracts/{name}/auth-service-{name}.json").read_text())
        about_nobody = [one for one in pact["interactions"] if one["description"] == "unknown user"]
        Suite.contract.write_text(json.dumps({**pact, "interactions": about_nobody}))
        self.name = name
        super().__init__(folder, Suite, running)  # type: ignore[arg-type]

    def gate(self) -> Report:
        """Run the gate in this process."""
        self.write()
        loaded = load(self.folder / "integrations.toml", registry.names())
        with pytest.MonkeyPatch.context() as patch:
            for variable, value in self.env.items():
                patch.setenv(variable, value)
            return gate.run(gate.GatePlan(loaded, list(loaded.integrations.values()), Stage.GATE)).report

    @contextmanager
    def states(self) -> Iterator[TabledStates[Any]]:
        """Arrange states beside the gate, as another run does; nothing is removed at the end."""
        self.write()
        loaded = load(self.folder / "integrations.toml", registry.names())
        session = Session(loaded, environ=self.env)
        with prepared(session, loaded.integrations["mfa"], live=True) as context:
            live = run_checks(context, Stage.PROBE).live
            assert live is not None
            states = StateManager(live).states
            assert isinstance(states, TabledStates)
            states.ledger = Ledger()
            yield states

    def make(self) -> Thing:
        """Let a run make something and end before it removes it."""
        with self.states() as states:
            states.arrange(ProviderState(PROVIDERS[self.name]))
            (thing,) = states.ledger.things
            return thing

    def left(self) -> set[Thing]:
        """What carries a mark."""
        with self.states() as states:
            return {thing for thing, _ in states.marked()}

    def remove(self, *things: Thing) -> None:
        """Clean up after a test."""
        with self.states() as states:
            for thing in things:
                states.remove(thing)


@pytest.fixture
def project(sandbox: tuple[str, Running], tmp_path: Path) -> Project:
    """Somebody's project."""
    return Project(tmp_path, *sandbox)


@pytest.fixture
def aged(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let things be made so many seconds ago from now on."""

    def aged(seconds: int) -> None:
        monkeypatch.setattr(Ledger, "mark", lambda self: Mark("0a1b2c3d", int(time.time()) - seconds))

    return aged


def test_what_another_machine_made_is_removed_after_an_hour(project: Project, aged: Callable[[int], None]) -> None:
    aged(HOUR + 60)
    old = project.make()
    assert project.left() == {old}
    assert project.gate().verdict == "pass"
    assert project.left() == set()
    aged(HOUR - 60)
    young = project.make()
    assert project.gate().run.warnings == []
    assert project.left() == {young}
    project.remove(young)


def test_in_production_nothing_is_removed(project: Project, aged: Callable[[int], None]) -> None:
    aged(HOUR + 60)
    old = project.make()
    project.environment = "production"
    assert project.gate().verdict == "pass"
    project.environment = "staging"
    assert project.left() == {old}
    project.remove(old)


@pytest.mark.parametrize("sandbox", sorted(PROVIDERS.keys() - WITHOUT_NOTE), indirect=True)
def test_things_with_similar_names_are_kept(
    project: Project, aged: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is right to the last character, and what is said of it is somebody's own."""
    aged(HOUR + 60)
    with monkeypatch.context() as patch:
        patch.setattr(Mark, "note", property(lambda self: "of the helpdesk"))
        similar = project.make()
        assert project.left() == {similar}
    assert project.left() == set()
    assert project.gate().verdict == "pass"
    with monkeypatch.context() as patch:
        patch.setattr(Mark, "note", property(lambda self: "of the helpdesk"))
        assert project.left() == {similar}
    project.remove(similar)


def test_a_name_without_the_right_checksum_stays(
    project: Project, aged: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    aged(HOUR + 60)
    wrong = property(lambda self: f"mfagate-{self.when}-{self.run}-{self.one}ffffff")
    with monkeypatch.context() as patch:
        patch.setattr(Mark, "name", wrong)
        similar = project.make()
        assert project.left() == {similar}
    assert project.left() == set()
    assert project.gate().verdict == "pass"
    with monkeypatch.context() as patch:
        patch.setattr(Mark, "name", wrong)
        assert project.left() == {similar}
    project.remove(similar)


def test_what_cannot_be_removed_is_named(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run says so, and the next one on this machine removes it, however young it is."""
    pact = json.loads((REPOSITORY / f"contracts/{project.name}/auth-service-{project.name}.json").read_text())
    wanted = [PROVIDERS[project.name]]
    made = [one for one in pact["interactions"] if [state["name"] for state in one["providerStates"]] == wanted]
    (project.folder / "pact.json").write_text(json.dumps({**pact, "interactions": made[:1]}))
    with monkeypatch.context() as patch:
        patch.setattr(TabledStates, "close", lambda self: None)
        report = project.gate()
    assert report.verdict == "pass"
    (left,) = project.left()
    (warning,) = report.run.warnings
    assert str(left) in warning
    assert "(mfa)" in warning
    assert project.gate().run.warnings == []
    assert project.left() == set()
