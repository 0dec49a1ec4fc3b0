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
from mfagate.core.finding import Finding, Location
from mfagate.core.foreign import quoted_tree


class Verdict(StrEnum):
    """The answer of the gate. Over several integrations the worst one counts."""

    PASS = "pass"
    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"

    @classmethod
    def of(cls, outcomes: Iterable[str]) -> Verdict:
        """Fail outranks inconclusive, inconclusive outranks pass; the rest says nothing."""
        seen = set(outcomes)
        return next((verdict for verdict in (cls.FAIL, cls.INCONCLUSIVE) if verdict.value in seen), cls.PASS)


TargetKind = Literal["provider", "sandbox", "emulator"]
"""What was asked: the provider, its own software run locally, or an imitation of it."""


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
    """Who has accepted what a check found. The verdict does not count it."""

    reason: str
    owner: str
    until: date = Field(description="The last day on which it is accepted (UTC).")
    instead_of: Outcome = Field(description="The outcome of the check if nobody had accepted it.")
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
    expires: datetime | None = Field(None, description="When what was checked runs out (UTC), where that is known.")
    skipped_because: SkipReason | None = Field(
        None,
        description="Set on skipped checks: read-only (not safe in production), no-test-data (test_data lacks an "
        "entry), setting-absent (a setting is not configured), asked-too-soon (the provider's own interval has not "
        "passed), not-reached (an earlier check decided), not-applicable (there is nothing to check).",
    )
    waiver: Waived | None = Field(None, description="Set where the finding is accepted; the outcome is then info.")

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
        """Whether it found fault with what is written down, and not with the integration."""
        return family_of(self.cause) is CauseFamily.DOCUMENTATION

    def until(self, moment: datetime) -> Check:
        """Return the same check, of something that runs out then."""
        return self.model_copy(update={"expires": moment})

    @classmethod
    def from_finding(cls, check_id: str, finding: Finding, *, subject: str | None = None, seconds: float = 0) -> Check:
        """Return a check that found something; what the finding leaves open comes from the catalogue."""
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
    """One request that was sent to judge an integration, and how long it took."""

    request: str = Field(description="Method and path, without the query.")
    attempt: int = Field(1, ge=1, description="1 is the first time that this was asked.")
    phases: dict[str, float] = Field(
        description="Seconds of each phase that took place: resolve, connect, tls, processing, transfer. "
        "Time that this machine kept the request waiting is subtracted from the longest phase."
    )
    cause: CauseId | None = Field(None, description="Why the answer was not in order.")

    @property
    def went_unanswered(self) -> bool:
        """Whether the network or the provider failed, and not what was asked."""
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
    """How much of the contract a live run asked the provider."""

    interactions: int = Field(ge=0, description="Interactions of the contract.")
    asked: int = Field(ge=0, description="Interactions whose answer was compared with the contract.")
    skipped: dict[SkipReason, int] = Field(
        default_factory=dict, description="Interactions that were not asked, by reason."
    )

    @property
    def reasons(self) -> str:
        """The skipped interactions by reason, in words."""
        return skip_reasons(self.skipped)

    @classmethod
    def of(cls, interactions: int, checks: Sequence[Check]) -> ContractCoverage:
        """Count the interactions of a contract by what became of them.

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
"""How soon what a family of causes warns of may stop logins; the others, such as a credential that expires: 0."""


class IntegrationReport(Model):
    """The verdict on one integration and everything it rests on."""

    name: str
    provider: str
    environment: str
    target: TargetKind = Field(
        "provider", description="What was asked: the provider, its own software run locally, or an imitation of it."
    )
    share_of_users: float | None = None
    owner: str | None = None
    runbook: str | None = None
    location: ReportLocation | None = Field(None, description="Where the integration is configured.")
    verdict: Verdict
    cause: CauseId | None = Field(
        None,
        description="The cause that a reader should act on first: that of the check that "
        "decides the verdict, or of one that could not be known, if only documentation is missing otherwise.",
    )
    faults: list[str] = Field(
        default_factory=list, description="What was made to go wrong in the sandbox: this is a drill."
    )
    headline: str = Field(description="One sentence.")
    exonerated: list[str] = Field(default_factory=list, description="What this run showed not to be at fault.")
    checks: list[Check]
    contract: ContractCoverage | None = Field(
        None, description="How much of the contract was asked; null offline and where the contract was not read."
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
        """The check that decides the verdict, where that is not a pass.

        Missing documentation hides nothing else, and what could not be tried hides no failure. Of several on the
        first red rung, an endpoint that is retired comes first, because what other interactions need may have been
        made there. A status that changed comes last: it is often the consequence of a field that did.
        """

        def rank(check: Check) -> tuple[bool, bool]:
            return check.is_about_documentation, check.outcome is Outcome.INCONCLUSIVE

        red = [check for check in self.checks if check.outcome.is_red]
        first = min(map(rank, red), default=None)
        worst = [check for check in red if rank(check) == first]
        same_rung = [check for check in worst if check.id == worst[0].id]
        order = {CauseId.CONTRACT_ENDPOINT_RETIRED: -1, CauseId.CONTRACT_STATUS_CHANGED: 1}
        return min(same_rung, key=lambda check: order.get(check.cause, 0) if check.cause else 0, default=None)

    @property
    def problems(self) -> list[Check]:
        """Checks that carry a cause a person should read: what stops logins first, missing documentation last."""
        listed = [check for check in self.checks if check.outcome.is_red or check.outcome is Outcome.WARN]
        return sorted(listed, key=self.urgency)

    def urgency(self, check: Check) -> tuple[float, ...]:
        """Return the rank of a check among those of all integrations; the lowest is to be read first.

        What stops logins comes first, in production before other environments, where more users depend on it before
        fewer. Then come warnings, of which some will stop logins; recordings, and documentation as the last.
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
        """Checks that found something which somebody has accepted."""
        return [check for check in self.checks if check.waiver is not None]


class ChangedSince(Model):
    """What ``--changed-since`` selected, and what it left out."""

    revision: str = Field(description="As it was given.")
    commit: str | None = Field(description="What git made of it; null where nothing was there before.")
    changed: dict[str, list[str]] = Field(description="The integrations that were checked, each with what changed.")
    unchanged: list[str] = Field(description="Integrations that were left out.")
    removed: list[str] = Field(description="Integrations of the revision that are no longer in the file.")


class Run(Model):
    """Which run this was. Times are UTC."""

    id: str
    stage: Literal["check", "gate", "record", "nightly"]
    started: datetime
    finished: datetime
    version: str
    override: str | None = None
    changed_since: ChangedSince | None = Field(
        None, description="Set where only what changed was checked. That nothing had changed is no failure."
    )
    warnings: list[str] = Field(
        default_factory=list, description="What went wrong beside the checks, such as a history that is not writable."
    )
    configuration: str | None = Field(None, description="The configuration file, as it was given.")
    commit: str | None = Field(
        None, description="The commit of the configuration, with -dirty if the file differs from it; null if unknown."
    )
    fingerprint_key: str | None = Field(
        None, description="Identifies the key of the fingerprints; null if no other run has the same key."
    )
    exit_code: int | None = Field(None, description="What the command ended with, where it was a command.")


class Summary(Model):
    """How many checks had which outcome; each is counted once."""

    passed: int = Field(0, alias="pass")
    fail: int = 0
    inconclusive: int = 0
    warn: int = 0
    info: int = Field(0, description="Without those that are waived.")
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
    cause: CauseId | None = Field(None, description="Why the run as a whole is not a pass, where no integration says.")
    summary: Summary
    integrations: list[IntegrationReport]

    def with_warnings(self, warnings: Sequence[str]) -> Report:
        """Return the report with more warnings."""
        run = self.run.model_copy(update={"warnings": [*self.run.warnings, *warnings]})
        return self.model_copy(update={"run": run})
