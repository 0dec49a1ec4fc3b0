"""Repeated, simultaneous and interrupted runs of the gate: no run blocks another."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mfagate.core import check_ids
from mfagate.sandbox import Running
from mfagate.sandbox.faulty_proxy import faulty_proxy
from mfagate.testing.holding import Holding
from mfagate.testing.leftovers import things_left
from mfagate.testing.project import CommandResult
from mfagate.testing.provider_project import ProviderProject
from mfagate.testing.suite_base import PASS, SuiteBase, messages


class RepeatedGates(SuiteBase):
    """Several runs of the gate for one provider."""

    def test_three_times_in_a_row(self, project: ProviderProject, healthy: tuple[CommandResult, int]) -> None:
        """A run leaves nothing at the provider that blocks the next run."""
        for result in (healthy[0], project.run("gate"), project.run("gate")):
            _assert_passed(result)
        assert things_left(project.folder / "integrations.toml", project.env) == set()

    def test_two_at_once(self, tmp_path: Path, running: Running) -> None:
        """Two pipelines with the same test data both pass."""
        projects = [ProviderProject(tmp_path / name, self, running) for name in ("one", "other")]
        for project in projects:
            project.folder.mkdir()
        with ThreadPoolExecutor() as pool:
            results = list(pool.map(lambda project: project.run("gate"), projects))
        for result in results:
            _assert_passed(result)
        assert things_left(projects[0].folder / "integrations.toml", projects[0].env) == set()

    def test_interrupted(self, project: ProviderProject, healthy: tuple[CommandResult, int]) -> None:
        """The next run removes what a killed run left; a terminated run reports what it leaves."""
        requests = healthy[1]
        # In the middle of the interactions; a run after a kill may send fewer requests, if the provider defers some.
        self._interrupted(project, requests * 3 // 5, signal.SIGKILL)
        result = self._interrupted(project, requests * 2 // 5, signal.SIGTERM)
        assert result.exit_code == 128 + signal.SIGTERM
        left = things_left(project.folder / "integrations.toml", project.env)
        assert not [thing for thing in left if thing not in result.stderr], result.stderr
        _assert_passed(project.run("gate"))
        assert things_left(project.folder / "integrations.toml", project.env) == set()

    def _interrupted(self, project: ProviderProject, number: int, how: signal.Signals) -> CommandResult:
        """Interrupt a run when the provider has processed a request, before the answer arrives."""
        holding, endpoint = Holding(number), project.endpoint
        with faulty_proxy(endpoint, holding) as front:
            project.endpoint = front.url
            project.write()
            with project.start("gate") as command:
                holding.wait_for(command)
                command.send_signal(how)
                result = project.ended(command)
            holding.released.set()
        project.endpoint = endpoint
        project.write()
        return result


def _assert_passed(result: CommandResult) -> None:
    """Require that every interaction passed or was skipped with a reason, without warnings."""
    assert (result.exit_code, result.report["verdict"]) == (PASS, "pass"), result.stdout
    interactions = result.checks(check_ids.CONTRACT_INTERACTION)
    assert not [check for check in interactions if check["outcome"] not in ("pass", "skipped")], messages(interactions)
    assert result.report["run"]["warnings"] == []
