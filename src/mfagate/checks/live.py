"""An integration whose configuration has passed, so that requests can be sent to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING

from mfagate.cassettes.scrub import showable
from mfagate.checks.context import CheckContext
from mfagate.checks.diagnoser import Diagnoser
from mfagate.checks.evidence import Evidence
from mfagate.checks.tables import TypedSettings
from mfagate.checks.transcript import Transcript
from mfagate.config.model import Integration
from mfagate.config.settings import ProviderSettings
from mfagate.contract.mismatch import Showable
from mfagate.core.finding import Finding
from mfagate.core.result import TargetKind
from mfagate.providers.base import Provider, ProviderDialect

if TYPE_CHECKING:
    from mfagate.checks.live_target import LiveTarget


@dataclass(frozen=True)
class LiveContext:
    """The context of the checks that send requests or judge answers.

    Args:
        context: The inputs.
        typed: The settings.
        transcript: Records the attempts.
        evidence: What earlier checks have found out.
    """

    context: CheckContext
    typed: TypedSettings
    transcript: Transcript
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def integration(self) -> Integration:
        """What is configured."""
        return self.context.integration

    @property
    def provider(self) -> Provider:
        """The provider of the integration."""
        return self.context.provider

    @property
    def settings(self) -> ProviderSettings:
        """The settings of the login service."""
        return self.typed.settings

    @property
    def target_kind(self) -> TargetKind:
        """What kind of server answers, as far as the pings tell."""
        return self.context.target_kind(self.evidence.answers)

    @property
    def may_change(self) -> bool:
        """Whether requests may change something at the provider."""
        integration = self.integration
        return not integration.environment.is_production or "unsafe-interactions" in integration.production_allows

    @property
    def address(self) -> tuple[str, str | None]:
        """Where requests go: the provider's base URL, and the endpoint that replaces it."""
        return self.target.base_url, self.context.endpoint

    @cached_property
    def target(self) -> LiveTarget:
        """The server, with connections of its own.

        Raises:
            CaBundleError: The authorities to trust cannot be read.
        """
        from mfagate.checks.live_target import LiveTarget

        return LiveTarget(
            self.integration,
            self.provider,
            self.settings,
            endpoint=self.context.endpoint,
            ca_bundle=self.context.ca_bundle,
            identity=self.typed.identity,
            learn=self.context.redactor.add,
        )

    @cached_property
    def dialect(self) -> ProviderDialect:
        """Reads answers as the provider words them."""
        return ProviderDialect(self.provider, self.settings)

    @cached_property
    def diagnoser(self) -> Diagnoser:
        """Finds the cause of answers that were not accepted."""
        return Diagnoser(self.context, self.dialect, self.typed.identity)

    @property
    def showable(self) -> Showable:
        """Make an answer's JSON fit for a report: nobody has registered the tokens of a live answer as secrets."""
        return partial(showable, self.provider.scrubbing)

    def locate(self, finding: Finding, probed: str | None = None) -> Finding:
        """Point the finding at the setting to change; see :func:`~mfagate.checks.locate.locate`."""
        from mfagate.checks.locate import locate

        return locate(self.context.tables.settings, finding, probed)
