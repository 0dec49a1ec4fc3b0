"""The inputs of a run of checks of one integration. They never change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mfagate.checks.cleanup import Cleanup
from mfagate.checks.limits import AccountLimits
from mfagate.checks.tables import ResolvedTables
from mfagate.checks.waivers import Waivers
from mfagate.config.model import GateOptions, Integration
from mfagate.core.exchange import Exchange
from mfagate.core.finding import Finding
from mfagate.core.result import TargetKind
from mfagate.history.prior_runs import PriorRuns
from mfagate.providers.provider import InstalledProvider
from mfagate.sandbox import EMULATOR
from mfagate.sandbox import registry as sandboxes
from mfagate.secrets.redaction import Redactor

if TYPE_CHECKING:
    from mfagate.contract import Contract, Interaction


@dataclass(frozen=True)
class CheckContext:
    """The inputs of the checks of one integration.

    Args:
        integration: What is configured.
        provider: Its provider.
        options: The ``[gate]`` table.
        redactor: Knows every secret value.
        waivers: The waivers for accepted findings.
        tables: The resolved values.
        endpoint: Where requests go instead of the provider's own address.
        ca_bundle: The CA bundle of a sandbox.
        cleanup: The cleanup that all integrations of the run share.
        limits: The limits of provider accounts, which all integrations of the run share.
        shared: Findings from a comparison with other integrations.
        prior: The results of earlier runs.
    """

    integration: Integration
    provider: InstalledProvider
    options: GateOptions
    redactor: Redactor
    waivers: Waivers
    tables: ResolvedTables
    endpoint: str | None = None
    ca_bundle: Path | None = None
    cleanup: Cleanup = field(default_factory=Cleanup)
    limits: AccountLimits = field(default_factory=AccountLimits)
    shared: Sequence[Finding] = ()
    prior: PriorRuns = field(default_factory=PriorRuns)

    @property
    def horizon(self) -> timedelta:
        """How long before an expiry date to warn."""
        return timedelta(days=self.options.expiring_soon_days)

    @cached_property
    def contract(self) -> Contract:
        """The contract of the integration.

        Raises:
            ContractError: It cannot be read.
        """
        from mfagate.contract import load

        return load(self.integration.contract_path, provider=self.integration.provider)

    @property
    def interactions(self) -> list[Interaction]:
        """The contract's interactions, sorted by state, so that each state is set up once.

        Raises:
            ContractError: The contract cannot be read.
        """
        interactions = self.contract.interactions
        return sorted(interactions, key=lambda interaction: [state.name for state in interaction.states])

    def target_kind(self, answers: Iterable[Exchange] = ()) -> TargetKind:
        """Return the kind of server that answers, as far as its answers show."""
        responses = [exchange.response for exchange in answers if exchange.response is not None]
        if any(response.headers.get("server") == EMULATOR for response in responses):
            return "emulator"
        if not self.integration.uses_sandbox:
            return "provider"
        sandbox = sandboxes.find(self.integration.provider)
        return "emulator" if sandbox is not None and sandbox.is_emulator else "sandbox"
