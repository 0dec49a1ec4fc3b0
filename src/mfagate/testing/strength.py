"""The contract of a provider is strong: for its client, for its provider states and for the whole gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from mfagate.contract import load as load_contract
from mfagate.providers import registry
from mfagate.providers.base import Provider
from mfagate.result import SkipReason
from mfagate.sandbox import Running
from mfagate.testing.breaking import faults, spread
from mfagate.testing.consumer_tests import prove_contract
from mfagate.testing.project import Result
from mfagate.testing.provider_project import ProviderProject
from mfagate.testing.state_readers import blind_states
from mfagate.testing.suite_base import PASS, SuiteBase

MOST_BROKEN = 6
"""How many of the changes that break a reader the suite sends through the gate: one takes about a second."""


Proofs = Sequence[Mapping[str, Any]]


class StrongContract(SuiteBase):
    """The proofs of a contract's strength."""

    @pytest.fixture(scope="class")
    @classmethod
    def proofs(cls) -> Proofs:
        """The proofs of strength that the consumer tests beside the contract make."""
        return prove_contract(cls.contract)

    def test_contract_is_strong(self, proofs: Proofs) -> None:
        """The consumer tests prove each interaction: none is blind, and what is strict was reviewed."""
        proved = {proof["interaction"] for proof in proofs}
        asked = {interaction.description for interaction in load_contract(self.contract).interactions}
        assert asked - proved == set(), "call contract_strength in the consumer test of each interaction"
        findings = [(proof["interaction"], finding) for proof in proofs for finding in proof["findings"]]
        assert [each for each in findings if each[1]["reason"] is None] == []

    def test_states_are_not_misled(self, definition: Provider, running: Running) -> None:
        """What arranges the provider states reads no answer otherwise that the contract accepts."""
        names = definition.sandbox_settings(running.values)
        settings = definition.settings.model_validate({name: running.values[name] for name in names})
        assert blind_states(definition, settings, running, load_contract(self.contract)) == []

    def test_changes_that_break_a_reader_do_not_pass(self, tmp_path: Path, drilled: Running, proofs: Proofs) -> None:
        """Some of the changes that break a reader, sent on the way through the whole gate."""
        for fault in spread(faults(load_contract(self.contract), proofs), MOST_BROKEN):
            drilled.change_faults([fault])
            result = ProviderProject(tmp_path, self, drilled).run("gate")
            if _was_too_soon(result):
                # What the change before broke could not be ended, and keeps this one from being asked.
                self._assert_no_pass(tmp_path, fault)
            else:
                assert result.exit_code != PASS or drilled.idle_faults(), (fault, result.stdout)
        drilled.change_faults([])

    def _assert_no_pass(self, folder: Path, fault: str) -> None:
        """Send a change through a sandbox of its own."""
        sandbox = registry.get(self.provider).sandbox()
        assert sandbox is not None
        with sandbox.start(faults=[fault]) as running:
            result = ProviderProject(folder, self, running).run("gate")
            assert result.exit_code != PASS or running.idle_faults(), (fault, result.stdout)


def _was_too_soon(result: Result) -> bool:
    """Whether the provider wanted something later."""
    return any(check["skipped_because"] == SkipReason.TOO_SOON for check in result.checks("contract.interaction"))
