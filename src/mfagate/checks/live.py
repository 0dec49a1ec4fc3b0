"""The context of live checks, which exists once the configuration has passed its check."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from mfagate.cassettes.scrub import showable
from mfagate.checks.context import CheckContext
from mfagate.checks.diagnoser import Diagnoser
from mfagate.checks.limits import RequestLimit
from mfagate.checks.retry import Attempts
from mfagate.checks.tables import TypedSettings
from mfagate.checks.transcript import Transcript
from mfagate.config.model import Integration
from mfagate.config.settings import ProviderSettings
from mfagate.contract.mismatch import Showable
from mfagate.core.causes import CauseFamily, CauseId
from mfagate.core.exchange import Exchange
from mfagate.core.finding import Finding
from mfagate.core.result import TargetKind
from mfagate.core.workers import Done, at_once
from mfagate.providers.errors import ProviderDialect
from mfagate.providers.limits import PAID
from mfagate.providers.probes import Probe
from mfagate.providers.provider import InstalledProvider
from mfagate.secrets.fingerprint import fingerprint

if TYPE_CHECKING:
    from mfagate.checks.live_target import LiveTarget


_WRONG_VALUES = frozenset(
    {
        CauseId.CREDENTIAL_REJECTED, CauseId.CREDENTIAL_UNKNOWN_KEY, CauseId.CREDENTIAL_EXPIRED,
        CauseId.CREDENTIAL_REVOKED, CauseId.CREDENTIAL_WRONG_KIND, CauseId.CREDENTIAL_WRONG_ACCOUNT,
        CauseId.CREDENTIAL_WRONG_REGION, CauseId.ACCOUNT_RESOURCE_MISSING, CauseId.CONFIG_MALFORMED_VALUE,
        CauseId.CONFIG_MALFORMED_URL, CauseId.CONFIG_WRONG_KIND, CauseId.CONFIG_SETTING_MISSING,
    }
)  # fmt: skip
"""Causes that another value of the setting removes. No value removes a missing permission or a suspension."""


@dataclass(frozen=True, slots=True)
class Ping:
    """A ping and its answers. ``subject`` names the host if there are several."""

    probe: Probe
    attempts: Attempts[Exchange]
    subject: str | None

    @property
    def exchange(self) -> Exchange:
        """The representative exchange."""
        return self.attempts.value

    @property
    def finding(self) -> Finding | None:
        """What the exchange shows."""
        return self.attempts.finding


@dataclass(slots=True)
class Evidence:
    """The results of checks that later checks need.

    Args:
        pings: The answer of each host to a request without a credential.
        accepted: The exchange in which a credential was accepted, by credential.
        proved_by: The probe that proved a credential instead of its own, by credential.
        answered: The exchange that met the contract, by interaction.
        shapes: The shape of each of these answers, merged with those of earlier runs.
    """

    pings: Sequence[Ping] = ()
    accepted: dict[str, Exchange] = field(default_factory=dict)
    proved_by: dict[str, Probe] = field(default_factory=dict)
    answered: dict[str, Exchange] = field(default_factory=dict)
    shapes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def answers(self) -> list[Exchange]:
        """The exchange of each ping."""
        return [ping.exchange for ping in self.pings]

    @property
    def missing_ping(self) -> Ping | None:
        """The first ping that was answered by a server that does not serve its path."""
        unavailable = CauseId.PROVIDER_PING_UNAVAILABLE
        missing = (ping for ping in self.pings if ping.finding is not None and ping.finding.cause is unavailable)
        return next(missing, None)


@dataclass(frozen=True)
class LiveContext:
    """The context of the checks that send requests or examine answers.

    Args:
        context: The inputs.
        typed: The settings.
        transcript: Records the attempts.
        evidence: The results of earlier checks.
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
    def provider(self) -> InstalledProvider:
        """The provider of the integration."""
        return self.context.provider

    @property
    def settings(self) -> ProviderSettings:
        """The settings of the login service."""
        return self.typed.settings

    @property
    def target_kind(self) -> TargetKind:
        """The kind of server that answers, as far as the pings show."""
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
            limit=self.limit,
        )

    def close(self) -> None:
        """Close the connections, if there are any."""
        if "target" in self.__dict__:
            self.target.close()

    @cached_property
    def limit(self) -> RequestLimit:
        """The limit of the account, which all integrations that use it share."""
        account = self.provider.api.account(self.settings)
        key = f"{self.provider.name} {account} {self.context.endpoint}"
        api, most = self.provider.api, self.context.options.concurrency
        published = api.limits.get(self.integration.plan or PAID, ())
        return self.context.limits.of(key, min(most, api.most_at_once or most), published)

    @cached_property
    def dialect(self) -> ProviderDialect[ProviderSettings]:
        """Reads the provider's error answers."""
        return ProviderDialect(self.provider.dialect, self.settings)

    @cached_property
    def diagnoser(self) -> Diagnoser:
        """Finds the cause of answers that were not accepted."""
        return Diagnoser(self.context, self.dialect, self.typed.identity)

    @property
    def showable(self) -> Showable:
        """Make an answer's JSON safe to show: the tokens of a live answer are not registered as secrets."""
        return partial(showable, self.provider.scrubbing)

    def at_once(self, jobs: Sequence[Callable[[], Done]]) -> list[Done]:
        """Run the jobs, which send requests, at once, and return their results in order."""
        return at_once(jobs, self.context.options.concurrency)

    def locate(self, finding: Finding, probed: str | None = None) -> Finding:
        """Add the setting, the line to change and, if the value is wrong, where to find the right one.

        Args:
            finding: What was found. It may name the setting itself.
            probed: The credential that was used; it is the setting if the cause is a credential.
        """
        settings, cause = self.context.tables.settings, finding.cause
        accused = cause.family is CauseFamily.CREDENTIAL and cause is not CauseId.CREDENTIAL_NOT_PROVABLE
        name = finding.setting or (probed if accused else None)
        value = settings.values.get(name) if name else None
        if value is None:
            return finding
        field = next(field for field in settings.declared.fields() if field.name == name)
        evidence = {
            "setting": f"{settings.integration.name}.settings.{name}",
            "read from": value.read_from,
            **({"fingerprint": fingerprint(str(value.value))} if field.secret else {"value": value.value}),
            **finding.evidence,
        }
        step = f"Put the right value in {value.read_from}. Where to find it: {field.setting.where}."
        return replace(
            finding,
            message=f"{name}: {finding.message}",
            evidence=evidence,
            location=finding.location or value.change_here,
            next_step=finding.next_step or (step if cause in _WRONG_VALUES else None),
        )
