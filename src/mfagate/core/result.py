"""The models of the JSON report ``mfagate.report/1``, from one check to the whole run.

Their schema is published with the package, so a change here is a change of that format.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mfagate.core.causes import CauseFamily, CauseId, Outcome, family_of, is_no_answer
from mfagate.core.causes import load as load_cause
from mfagate.core.exchange import ConnectionUse
from mfagate.core.finding import Finding, Location
from mfagate.core.foreign import quoted_tree


class Verdict(StrEnum):
    """The result of the gate; the worst of several integrations counts."""

    PASS = "pass"
    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"

    @classmethod
    def of(cls, outcomes: Iterable[str]) -> Verdict:
        """Return the worst outcome: fail before inconclusive before pass; the rest does not count."""
        seen = set(outcomes)
        return next((verdict for verdict in (cls.FAIL, cls.INCONCLUSIVE) if verdict.value in seen), cls.PASS)


TargetKind = Literal["provider", "sandbox", "emulator"]
"""What answered: the provider, its own software run locally, or an emulator."""


class Model(BaseModel):
    """Base of the report's models."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, serialize_by_alias=True)


class ReportLocation(Model):
    """File and line to look at or to change."""

    file: str
    line: int | None = None

    @classmethod
    def of(cls, location: Location) -> ReportLocation:
        """Return the same place as text."""
        return cls(file=str(location.file), line=location.line)


class Waived(Model):
    """The person who accepted a finding, and until when. The verdict ignores it."""

    reason: str
    owner: str
    until: date = Field(description="The last day of the waiver (UTC).")
    instead_of: Outcome = Field(description="The outcome of the check without the waiver.")
    location: ReportLocation


class SkipReason(StrEnum):
    """Why a check did not run."""

    READ_ONLY = "read-only"
    NO_TEST_DATA = "no-test-data"
    SETTING_ABSENT = "setting-absent"
    TOO_SOON = "asked-too-soon"
    NOT_REACHED = "not-reached"
    NOT_APPLICABLE = "not-applicable"


class Check(Model):
    """One check of one integration."""

    id: str = Field(description="Stable name of the check, such as credential.accepted.")
    subject: str | None = Field(None, description="What was checked: a setting, an interaction, a permission.")
    outcome: Outcome
    cause: CauseId | None = None
    message: str = ""
    next_step: str | None = None
    evidence: dict[str, Any] = Field(default_factory=dict)
    location: ReportLocation | None = None
    seconds: float = Field(0.0, ge=0)
    expires: datetime | None = Field(None, description="When the checked item expires (UTC), if known.")
    skipped_because: SkipReason | None = Field(
        None,
        description="Set on skipped checks: read-only (not safe in production), no-test-data (test_data lacks an "
        "entry), setting-absent (a setting is not configured), asked-too-soon (the provider's interval has not "
        "passed), not-reached (an earlier check decided), not-applicable (there is nothing to check).",
    )
    waiver: Waived | None = Field(None, description="Set if a waiver accepts the finding; the outcome is then info.")

    @property
    def is_skipped(self) -> bool:
        """Whether the check did not run."""
        return self.outcome is Outcome.SKIPPED

    @property
    def found(self) -> Outcome:
        """The outcome as it would be without a waiver."""
        return self.waiver.instead_of if self.waiver else self.outcome

    @property
    def title(self) -> str:
        """Id and subject in one."""
        return f"{self.id} [{self.subject}]" if self.subject else self.id

    @property
    def is_about_documentation(self) -> bool:
        """Whether the finding concerns the documentation, not the integration."""
        return family_of(self.cause) is CauseFamily.DOCUMENTATION

    def until(self, moment: datetime) -> Check:
        """Return the same check with an expiry date."""
        return self.model_copy(update={"expires": moment})

    @classmethod
    def from_finding(cls, check_id: str, finding: Finding, *, subject: str | None = None, seconds: float = 0) -> Check:
        """Return the check of a finding; the catalogue fills in what the finding leaves open."""
        location = finding.location
        return cls(
            id=check_id,
            subject=subject,
            outcome=finding.effective_outcome,
            cause=finding.cause,
            message=finding.message,
            next_step=finding.next_step or load_cause(finding.cause).next_step,
            evidence=quoted_tree(finding.evidence),
            location=ReportLocation.of(location) if location else None,
            seconds=round(seconds, 6),
            expires=finding.expires,
        )


class Measured(Model):
    """One request of a check, and how long it took."""

    request: str = Field(description="Method and path, without the query.")
    attempt: int = Field(1, ge=1, description="1 is the first attempt of this request.")
    phases: dict[str, float] = Field(
        description="Seconds of each phase that ran: resolve, connect, tls, processing, transfer. A connection that "
        "was kept open spares the first three. "
        "Time that this machine kept the request waiting is subtracted from the longest phase."
    )
    connection: ConnectionUse = Field(
        "new",
        description="Whether the request opened a connection or used a kept one. If it is renewed, the kept one had "
        "been closed, and the request was sent again on a new one.",
    )
    cause: CauseId | None = Field(None, description="Why the answer was not accepted.")

    @property
    def went_unanswered(self) -> bool:
        """Whether the network or the provider failed."""
        return is_no_answer(self.cause)


_SKIPPED = {
    SkipReason.READ_ONLY: "read-only in production",
    SkipReason.NO_TEST_DATA: "without test data",
    SkipReason.SETTING_ABSENT: "without a setting",
    SkipReason.TOO_SOON: "asked too soon",
    SkipReason.NOT_REACHED: "not reached",
    SkipReason.NOT_APPLICABLE: "not applicable",
}


def skip_reasons(counted: Mapping[SkipReason, int]) -> str:
    """Return the numbers of skipped checks in words, such as ``3 without test data, 2 not reached``."""
    return ", ".join(f"{counted[reason]} {words}" for reason, words in _SKIPPED.items() if counted.get(reason))


class ContractCoverage(Model):
    """How much of the contract a live run sent to the provider."""

    interactions: int = Field(ge=0, description="Interactions of the contract.")
    asked: int = Field(ge=0, description="Interactions whose answer was compared with the contract.")
    skipped: dict[SkipReason, int] = Field(
        default_factory=dict, description="Interactions that were not sent, by reason."
    )

    @property
    def reasons(self) -> str:
        """The skipped interactions by reason, in words."""
        return skip_reasons(self.skipped)

    @classmethod
    def of(cls, interactions: int, checks: Sequence[Check]) -> ContractCoverage:
        """Count the interactions of a contract by their results.

        Args:
            interactions: How many the contract has.
            checks: The checks of the interactions, at most one each.
        """
        reasons = Counter(check.skipped_because or SkipReason.NOT_APPLICABLE for check in checks if check.is_skipped)
        unknown = sum(check.cause is CauseId.CONTRACT_STATE_UNAVAILABLE for check in checks)
        named = [check for check in checks if check.subject is not None]
        if not named:  # One check says that the interactions were not reached.
            return cls(interactions=interactions, asked=0, skipped={SkipReason.NOT_REACHED: interactions})
        return cls(interactions=interactions, asked=len(named) - reasons.total() - unknown, skipped=dict(reasons))


_OUTCOMES = [Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.WARN, Outcome.INFO, Outcome.PASS, Outcome.SKIPPED]

_FAMILIES: Mapping[CauseFamily | None, int] = {
    CauseFamily.CONTRACT: 1, CauseFamily.LATENCY: 1, CauseFamily.ERRORS: 1, CauseFamily.WAIVER: 2,
    CauseFamily.GATE: 2, CauseFamily.DRIFT: 3, CauseFamily.CASSETTE: 3,
}  # fmt: skip
"""How soon a family of causes may stop logins, lowest first; other families, such as expiring credentials, have 0."""


class IntegrationReport(Model):
    """The verdict on one integration, with its checks."""

    name: str
    provider: str
    environment: str
    target: TargetKind = Field(
        "provider", description="What answered: the provider, its own software run locally, or an emulator."
    )
    share_of_users: float | None = None
    owner: str | None = None
    runbook: str | None = None
    location: ReportLocation | None = Field(None, description="Where the integration is configured.")
    verdict: Verdict
    cause: CauseId | None = Field(
        None,
        description="The cause that a reader should act on first: that of the check that "
        "decides the verdict, or of an inconclusive one, if apart from it only documentation is missing.",
    )
    faults: list[str] = Field(
        default_factory=list, description="Faults injected into the sandbox: this run is a drill."
    )
    headline: str = Field(description="One sentence.")
    exonerated: list[str] = Field(default_factory=list, description="What this run showed not to be at fault.")
    checks: list[Check]
    contract: ContractCoverage | None = Field(
        None, description="How much of the contract was sent; null offline, or if the contract was not read."
    )
    fingerprints: dict[str, str] = Field(
        default_factory=dict,
        description="The keyed fingerprint of each value that was read, by its setting. Two runs can be compared if "
        "they have the same fingerprint_key.",
    )
    measured: list[Measured] = Field(
        default_factory=list, description="The requests of probes and interactions, in the order in which they ended."
    )

    @property
    def deciding(self) -> Check | None:
        """The check that decides a verdict other than pass.

        Missing documentation hides nothing else, and an inconclusive check hides no failure. Of several findings of the
        first red check, a retired endpoint comes first, because it may create what other interactions
        need. A changed status comes last: it is often the consequence of a changed field.
        """

        def rank(check: Check) -> tuple[bool, bool]:
            return check.is_about_documentation, check.outcome is Outcome.INCONCLUSIVE

        red = [check for check in self.checks if check.outcome.is_red]
        first = min(map(rank, red), default=None)
        worst = [check for check in red if rank(check) == first]
        same_check = [check for check in worst if check.id == worst[0].id]
        order = {CauseId.CONTRACT_ENDPOINT_RETIRED: -1, CauseId.CONTRACT_STATUS_CHANGED: 1}
        return min(same_check, key=lambda check: order.get(check.cause, 0) if check.cause else 0, default=None)

    @property
    def problems(self) -> list[Check]:
        """Checks with a cause that a person should read: what stops logins first, missing documentation last."""
        listed = [check for check in self.checks if check.outcome.is_red or check.outcome is Outcome.WARN]
        return sorted(listed, key=self.urgency)

    def urgency(self, check: Check) -> tuple[float, ...]:
        """Return the rank of a check among those of all integrations; read the lowest first.

        What stops logins comes first: production before other environments, more affected users before
        fewer. Then come warnings, some of which will stop logins, then recordings, and last documentation.
        """
        family = family_of(check.cause)
        return (
            check.waiver is not None,
            check.is_about_documentation,
            not check.outcome.is_red,
            self.environment != "production",
            _OUTCOMES.index(check.outcome),
            check is not self.deciding,
            -(self.share_of_users or 0.0),
            _FAMILIES.get(family, 0),
        )

    @property
    def waived(self) -> list[Check]:
        """Checks whose finding a waiver accepts."""
        return [check for check in self.checks if check.waiver is not None]


class ChangedSince(Model):
    """What ``--changed-since`` selected and what it left out."""

    revision: str = Field(description="As given.")
    commit: str | None = Field(description="The commit that git resolved it to; null if there was none before.")
    changed: dict[str, list[str]] = Field(description="The checked integrations, each with its changes.")
    unchanged: list[str] = Field(description="Integrations that were left out.")
    removed: list[str] = Field(description="Integrations of the revision that are no longer in the file.")


class Run(Model):
    """The facts about one run. Times are in UTC."""

    id: str
    stage: Literal["check", "gate", "record", "nightly"]
    started: datetime
    finished: datetime
    version: str
    override: str | None = None
    changed_since: ChangedSince | None = Field(
        None, description="Set if only changed integrations were checked. No change is not a failure."
    )
    warnings: list[str] = Field(
        default_factory=list, description="Problems outside the checks, such as a history that is not writable."
    )
    configuration: str | None = Field(None, description="The configuration file, as given.")
    commit: str | None = Field(
        None, description="The commit of the configuration, with -dirty if the file differs from it; null if unknown."
    )
    fingerprint_key: str | None = Field(
        None, description="Identifies the key of the fingerprints; null if no other run has the same key."
    )
    exit_code: int | None = Field(None, description="The exit code of the command, if it was a command.")


class Summary(Model):
    """How many checks had which outcome; each is counted once."""

    passed: int = Field(0, alias="pass")
    fail: int = 0
    inconclusive: int = 0
    warn: int = 0
    info: int = Field(0, description="Without waived findings.")
    skipped: int = 0
    waived: int = Field(0, description="Checks whose finding is accepted by a waiver.")

    @classmethod
    def of(cls, checks: Iterable[Check]) -> Summary:
        """Count the checks by outcome."""
        return cls.model_validate(Counter("waived" if check.waiver else str(check.outcome) for check in checks))


class Report(Model):
    """One run over all selected integrations."""

    schema_id: Literal["mfagate.report/1"] = Field("mfagate.report/1", alias="schema")
    run: Run
    verdict: Verdict
    cause: CauseId | None = Field(
        None, description="Why the run as a whole did not pass, if no integration explains it."
    )
    summary: Summary
    integrations: list[IntegrationReport]

    def with_warnings(self, warnings: Sequence[str]) -> Report:
        """Return the report with more warnings."""
        run = self.run.model_copy(update={"warnings": [*self.run.warnings, *warnings]})
        return self.model_copy(update={"run": run})
