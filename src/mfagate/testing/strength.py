"""Test that the contract of a provider is strong: for its client, its provider states and the whole gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from mfagate.contract import load as load_contract
from mfagate.core import check_ids
from mfagate.core.result import SkipReason
from mfagate.providers.provider import InstalledProvider
from mfagate.sandbox import Running
from mfagate.sandbox import registry as sandboxes
from mfagate.testing.breaking import faults, spread
from mfagate.testing.consumer_tests import prove_contract
from mfagate.testing.project import CommandResult
from mfagate.testing.provider_project import ProviderProject
from mfagate.testing.state_readers import NothingRead, blind_states
from mfagate.testing.suite_base import PASS, SuiteBase

MOST_BROKEN = 6
"""How many of the changes that break a reader are tried with the gate; each takes about a second."""


Proofs = Sequence[Mapping[str, Any]]


class StrongContract(SuiteBase):
    """The proofs of a contract's strength."""

    @pytest.fixture(scope="class")
    @classmethod
    def proofs(cls) -> Proofs:
        """Return the proofs of strength that the consumer tests beside the contract make."""
        return prove_contract(cls.contract)

    def test_contract_is_strong(self, proofs: Proofs) -> None:
        """The consumer tests prove each interaction; strict findings were reviewed."""
        proved = {proof["interaction"] for proof in proofs}
        asked = {interaction.description for interaction in load_contract(self.contract).interactions}
        assert asked - proved == set(), "call contract_strength in the consumer test of each interaction"
        findings = [(proof["interaction"], finding) for proof in proofs for finding in proof["findings"]]
        assert [finding for finding in findings if finding[1]["reason"] is None] == []

    def test_states_are_not_misled(self, definition: InstalledProvider, running: Running) -> None:
        """The contract rejects every change of an answer that prevents a provider state."""
        names = sandboxes.get(self.provider).settings
        settings = definition.settings.model_validate({name: running.values[name] for name in names})
        try:
            assert blind_states(definition, settings, running, load_contract(self.contract)) == []
        except NothingRead as reason:
            pytest.skip(str(reason))

    def test_changes_that_break_a_reader_do_not_pass(self, tmp_path: Path, drilled: Running, proofs: Proofs) -> None:
        """The gate does not pass if the fault layer makes a change that breaks a reader."""
        chosen = spread(faults(load_contract(self.contract), proofs), MOST_BROKEN)
        changed = [self._does_not_pass(tmp_path, drilled, fault) for fault in chosen]
        drilled.change_faults([])
        assert any(changed), f"no fault changed an answer: {chosen}"

    def _does_not_pass(self, folder: Path, drilled: Running, fault: str) -> bool:
        """Run the gate with a fault, and return whether the fault changed anything."""
        drilled.change_faults([fault])
        result = ProviderProject(folder, self, drilled).run("gate")
        if _was_too_soon(result):
            # An earlier change left a state unfinished, so the provider refuses requests for a while.
            return self._does_not_pass_alone(folder, fault)
        return _changed_and_failed(result, drilled, fault)

    def _does_not_pass_alone(self, folder: Path, fault: str) -> bool:
        """Run the gate with a fault on a separate sandbox."""
        with sandboxes.get(self.provider).start(faults=[fault]) as running:
            return _changed_and_failed(ProviderProject(folder, self, running).run("gate"), running, fault)


def _changed_and_failed(result: CommandResult, running: Running, fault: str) -> bool:
    changed = not running.idle_faults()
    assert result.exit_code != PASS or not changed, (fault, result.stdout)
    return changed


def _was_too_soon(result: CommandResult) -> bool:
    """Return whether the provider asked to retry later."""
    return any(
        check["skipped_because"] == SkipReason.TOO_SOON for check in result.checks(check_ids.CONTRACT_INTERACTION)
    )
