"""What a rung gets and gives."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mfagate.cassettes.scrub import showable
from mfagate.checks.cleanup import Cleanup
from mfagate.checks.retry import INTEGRATION_RETRY_SECONDS, Attempts
from mfagate.checks.waivers import Waivers
from mfagate.config.model import GateOptions, Integration
from mfagate.config.settings import ProviderSettings
from mfagate.core.causes import CauseId, Outcome, refuses
from mfagate.core.exchange import Exchange
from mfagate.core.finding import Finding
from mfagate.core.foreign import harmless, hiding, quoted
from mfagate.core.resources import shortage_of
from mfagate.core.result import Check, Measured, SkipReason
from mfagate.core.result import TargetKind as ReportTarget
from mfagate.history.past import PriorRuns
from mfagate.providers.base import Probe, Provider
from mfagate.sandbox import EMULATOR
from mfagate.secrets.fingerprint import fingerprint
from mfagate.secrets.redaction import Redactor

if TYPE_CHECKING:
    from mfagate.checks.live_target import LiveTarget
    from mfagate.config.resolved import Value
    from mfagate.contract import Contract, Interaction, Mismatch
    from mfagate.inspection.settings import InspectedSettings
    from mfagate.transport.identity import ClientIdentity


_REFUSALS = (
    CauseId.CREDENTIAL_REJECTED,
    CauseId.CREDENTIAL_UNKNOWN_KEY,
    CauseId.CREDENTIAL_EXPIRED,
    CauseId.CREDENTIAL_REVOKED,
)

_WRONG_VALUES = frozenset(
    {
        CauseId.CREDENTIAL_REJECTED, CauseId.CREDENTIAL_UNKNOWN_KEY, CauseId.CREDENTIAL_EXPIRED,
        CauseId.CREDENTIAL_REVOKED, CauseId.CREDENTIAL_WRONG_KIND, CauseId.CREDENTIAL_WRONG_ACCOUNT,
        CauseId.CREDENTIAL_WRONG_REGION, CauseId.ACCOUNT_RESOURCE_MISSING, CauseId.CONFIG_MALFORMED_VALUE,
        CauseId.CONFIG_MALFORMED_URL, CauseId.CONFIG_WRONG_KIND, CauseId.CONFIG_SETTING_MISSING,
    }
)  # fmt: skip
"""Causes that another value of the setting ends. Of a missing right or a suspended account, it ends none."""

log = logging.getLogger("mfagate")


@dataclass(slots=True)
class CheckContext:
    """One integration on its way up; later rungs use what earlier ones left here."""

    integration: Integration
    provider: Provider
    options: GateOptions
    subject: InspectedSettings
    redactor: Redactor
    waivers: Waivers = field(init=False)
    shared: list[Finding] = field(default_factory=list)
    endpoint: str | None = None
    control: InspectedSettings | None = None
    client: Mapping[str, Value] = field(default_factory=dict)
    expect: Mapping[str, Value] = field(default_factory=dict)
    test_data: Mapping[str, Value] = field(default_factory=dict)
    client_certificate: Mapping[str, Value] = field(default_factory=dict)
    identity: ClientIdentity | None = None
    settings: ProviderSettings | None = None
    control_settings: ProviderSettings | None = None
    contract: Contract | None = None
    ca_bundle: Path | None = None
    pings: list[tuple[Probe, Attempts[Exchange]]] = field(default_factory=list)
    missing_pings: list[Finding] = field(default_factory=list)
    accepted: dict[str, Exchange] = field(default_factory=dict)
    proving: dict[str, Probe] = field(default_factory=dict)
    answered: dict[str, Exchange] = field(default_factory=dict)
    past: PriorRuns = field(default_factory=PriorRuns)
    pictures: list[Attempts[Any]] = field(default_factory=list)
    asking_seconds: float = INTEGRATION_RETRY_SECONDS
    began: float = field(default_factory=time.monotonic)
    cleanup: Cleanup = field(default_factory=Cleanup)
    _target: LiveTarget | None = None

    def __post_init__(self) -> None:
        self.waivers = Waivers(self.integration, self.options)

    @property
    def interactions(self) -> list[Interaction]:
        """The contract's interactions, those of one state together: what a state needs is made once."""
        assert self.contract is not None, "the contract is read on an earlier rung"
        return sorted(self.contract.interactions, key=lambda one: [state.name for state in one.states])

    @property
    def horizon(self) -> timedelta:
        """How far ahead an expiry is worth a warning."""
        return timedelta(days=self.options.expiring_soon_days)

    @property
    def live(self) -> LiveTarget:
        """The target, for rungs above the configuration."""
        from mfagate.checks.live_target import LiveTarget

        if self._target is None:
            assert self.settings is not None, "the configuration rung comes first"
            self._target = LiveTarget(
                self.integration,
                self.provider,
                self.settings,
                endpoint=self.endpoint,
                ca_bundle=self.ca_bundle,
                identity=self.identity,
                learn=self.redactor.add,
            )
        return self._target

    @property
    def answers(self) -> list[Exchange]:
        """What the pings were answered with, one exchange a host."""
        return [picture.shown.value for _, picture in self.pings]

    @property
    def target(self) -> ReportTarget:
        """What answers, as far as it says so itself."""
        answers = [exchange.response for exchange in self.answers if exchange.response is not None]
        if any(answer.headers.get("server") == EMULATOR for answer in answers):
            return "emulator"
        if not self.integration.uses_sandbox:
            return "provider"
        return "emulator" if self.provider.sandbox_is_emulator else "sandbox"

    @property
    def measured(self) -> list[Measured]:
        """The requests so far, and how long they took without the time that this machine kept us waiting."""
        return [
            Measured(
                request=f"{sample.exchange.request.method} {urlsplit(sample.exchange.request.url).path}",
                attempt=attempt,
                phases={
                    phase.value: round(seconds, 6) for phase, seconds in sample.exchange.phases_without_stalls.items()
                },
                cause=sample.cause,
            )
            for picture in self.pictures
            for attempt, sample in enumerate(picture.samples, 1)
            if sample.exchange is not None
        ]

    def diagnose(self, exchange: Exchange, probe: Probe | None = None, *, unsigned: bool = False) -> Finding:
        """The cause of an answer that was not accepted; where it only has another shape, which.

        A refusal stays one, whatever its words are like, unless the request was ``unsigned``.
        """
        from mfagate.core.diagnosis import definite_cause, unexpected

        finding = definite_cause(exchange, self)
        if finding is not None and finding.cause is CauseId.NETWORK_TLS_CLIENT_CERTIFICATE:
            return self._about_client_certificate(finding)
        if finding is not None and not (unsigned and refuses(finding.cause)):
            return finding
        finding = unexpected(exchange, self)
        if finding.cause is CauseId.CONTRACT_ENDPOINT_RETIRED:
            return self._absent(exchange, finding)
        refused = refuses(finding.cause) and not unsigned
        differences = [] if refused else self._differences(exchange, probe)
        if not differences:
            return unexpected(exchange, self, probing=probe is not None and not unsigned)
        evidence = {**finding.evidence, "differences": [difference.message for difference in differences[:5]]}
        return replace(finding, cause=differences[0].cause, message=differences[0].message, evidence=evidence)

    def _about_client_certificate(self, finding: Finding) -> Finding:
        """Point at the setting that holds the certificate, or say where it belongs."""
        integration = self.integration
        if self.identity is None:
            step = (
                f'In {integration.heads()}, set client_certificate = "PATH" and client_key = "PATH" to the pair '
                "that the login service shows. If it shows none, ask the operator of the server what demands it."
            )
            return replace(finding, location=integration.locate(), next_step=step)
        step = (
            "Ask the operator of the server whether it trusts the issuer of this certificate and lets its subject in; "
            "compare it with the certificate that the login service shows."
        )
        evidence = {**finding.evidence, **self.identity.shown}
        return replace(finding, location=integration.locate("client_certificate"), next_step=step, evidence=evidence)

    def _differences(self, exchange: Exchange, probe: Probe | None) -> list[Mismatch]:
        from mfagate.checks.expectation import difference, other_shape
        from mfagate.contract import ContractError, load

        assert exchange.response is not None, "a failure is always a definite cause"
        try:
            contract = self.contract or load(self.integration.contract_path, provider=self.integration.provider)
            differences = difference(contract, exchange, self.showable)
        except ContractError:
            differences = []  # The rung that reads it will say so.
        shape = probe.shape if probe is not None else None
        return differences or (other_shape(shape, exchange.response, self.showable) if shape is not None else [])

    def showable(self, document: Any) -> Any:
        """An answer's JSON as the report may quote it: tokens of a live answer are nobody's registered secrets."""
        return showable(self.provider.scrubbing, document)

    def _absent(self, exchange: Exchange, retired: Finding) -> Finding:
        """Return the same finding, unless by the provider's own code a user, or an object of a login, is absent."""
        response = exchange.response
        error = self.provider.error_of(response) if response is not None else None
        if response is None or error is None or not self.provider.is_about_a_user(error, exchange):
            return retired
        message = f"the provider answered {response.status}: by its own code an object is absent, not the endpoint"
        return replace(retired, cause=CauseId.CONTRACT_STATUS_CHANGED, message=message)

    def explain(self, exchange: Exchange) -> Finding | None:
        """The provider's own view of an answer."""
        return self.provider.explain(exchange, self.settings)

    def evidence(self, exchange: Exchange) -> Mapping[str, Any]:
        """The provider's own words in an answer."""
        return self.provider.evidence(exchange)

    def errors_page(self, exchange: Exchange) -> str:
        """Return the URL of the provider's list of such errors."""
        return self.provider.errors_page_of(exchange)

    def place(self, finding: Finding, probed: str | None = None) -> Finding:
        """Name the setting, the line to change and, where the value is wrong, where the right one is.

        That is the setting that the finding names, or else the credential that was
        ``probed``, where the cause is the credential.
        """
        accused = finding.cause.startswith("credential.") and finding.cause is not CauseId.CREDENTIAL_NOT_PROVABLE
        name = finding.setting or (probed if accused else None)
        value = self.subject.values.get(name) if name else None
        if value is None:
            return finding
        field = next(field for field in self.subject.declared.fields() if field.name == name)
        shown = {"fingerprint": fingerprint(str(value.value))} if field.secret else {"value": value.value}
        evidence = {
            "setting": f"{self.integration.name}.settings.{name}",
            "read from": value.read_from,
            **shown,
            **finding.evidence,
        }
        wrong_value = f"Put the right value in {value.read_from}."
        where = f"Where to find it: {field.setting.where}."
        next_step = f"{wrong_value} {where}" if finding.cause in _WRONG_VALUES else None
        return replace(
            finding,
            message=f"{name}: {finding.message}",
            evidence=evidence,
            location=finding.location or value.change_here,
            next_step=finding.next_step or next_step,
        )


@dataclass(frozen=True, slots=True)
class CheckStep:
    """One step of the ladder.

    ``exonerates`` is what is out of suspicion once the rung is green; the rungs
    above stand on a ``blocking`` one and are not tried while it is red. One that
    ``asks`` is not begun when the time is over; the others judge what is there.
    """

    id: str
    run: Callable[[CheckContext], Iterable[Check]]
    exonerates: str | None = None
    blocking: bool = True
    asks: bool = False


def passed(check_id: str, message: str, *, subject: str | None = None, seconds: float = 0, **evidence: object) -> Check:
    """A check that found nothing wrong, and says what it saw."""
    return Check(
        id=check_id,
        subject=subject,
        outcome=Outcome.PASS,
        message=message,
        evidence=evidence,
        seconds=round(seconds, 6),
    )


def skipped(
    check_id: str, reason: str, *, subject: str | None = None, because: SkipReason = SkipReason.NOT_APPLICABLE
) -> Check:
    """Return a check that did not run. ``reason`` is for people; reports count skipped checks by ``because``."""
    return Check(id=check_id, subject=subject, outcome=Outcome.SKIPPED, message=reason, skipped_because=because)


def internal_error(
    integration: Integration, redactor: Redactor, check_id: str, error: Exception, *, subject: str | None = None
) -> Check:
    """Report what stopped a check and is no finding: this machine ran out of something, or a defect of ours.

    It costs this check and no other. The traceback of a defect goes to the log, redacted.
    """
    shortage = shortage_of(error)
    if shortage is not None:
        return Check.from_finding(check_id, out_of(shortage), subject=subject)
    log_defect(integration, redactor, check_id, error)
    with hiding(redactor.redact):
        detail = quoted(error, 200)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    finding = Finding(
        CauseId.GATE_INTERNAL_ERROR,
        f"a defect of mfagate stopped this check: {type(error).__name__}",
        {"where": f"{frame.name}, line {frame.lineno}", "detail": detail},
    )
    return Check.from_finding(check_id, finding, subject=subject)


def log_defect(integration: Integration, redactor: Redactor, what: str, error: Exception) -> None:
    """Write the traceback of a defect of ours to the log, redacted."""
    with hiding(redactor.redact):
        log.error("%s of %s failed\n%s", what, integration.name, "\n".join(_traced(error, redactor)))


def _traced(error: Exception, redactor: Redactor) -> Iterator[str]:
    """The lines of a traceback, each behind a bar: text of others in an exception begins no line of a log."""
    trace = redactor.redact("".join(traceback.format_exception(error)))
    return (f"| {harmless(line)}" for line in trace.splitlines())


def out_of(shortage: str) -> Finding:
    """This machine has too little of something: nobody else is at fault."""
    message = f"this machine ran out of {shortage}, so this could not be checked"
    return Finding(CauseId.GATE_RESOURCES, message, {"ran out of": shortage})


def guarded(climb: CheckContext, check_id: str, subject: str, check: Callable[[], Check]) -> Check:
    """One of several checks of a rung, so that a defect in it leaves the others alone."""
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - whatever our defect is, it becomes a finding
        return internal_error(climb.integration, climb.redactor, check_id, error, subject=subject)


def is_refusal(cause: CauseId | None) -> bool:
    """Whether a cause means that the credential itself was not accepted."""
    return cause in _REFUSALS
