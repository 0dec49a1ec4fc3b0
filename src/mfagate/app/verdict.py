"""Decide on one integration: were there enough checks, what is the cause, and what is exonerated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from shlex import quote

from mfagate.checks import Stage
from mfagate.checks.context import CheckContext
from mfagate.config.model import Integration
from mfagate.core import check_ids
from mfagate.core.causes import CauseFamily, CauseId, Outcome, family_of
from mfagate.core.causes import load as load_cause
from mfagate.core.finding import Finding
from mfagate.core.result import (
    Check,
    ContractCoverage,
    IntegrationReport,
    ReportLocation,
    SkipReason,
    Summary,
    Verdict,
)


def coverage_of(context: CheckContext, stage: Stage, checks: Sequence[Check]) -> ContractCoverage | None:
    """Count the interactions of the contract that were sent; None if the stage sends none, or without a contract."""
    was_read = any(check.id == check_ids.CONTRACT_FILE and not check.is_skipped for check in checks)
    if not was_read or stage not in (Stage.GATE, Stage.NIGHTLY):
        return None
    interactions = [check for check in checks if check.id == check_ids.CONTRACT_INTERACTION]
    with suppress(Exception):  # The check of the contract reports what cannot be read.
        return ContractCoverage.of(len(context.contract.interactions), interactions)
    return None


def enough_asked(
    integration: Integration, checks: Sequence[Check], coverage: ContractCoverage | None
) -> Iterator[Check]:
    """Report that too little of an integration was checked."""
    yield from _too_few(integration, checks, coverage)
    yield from _only_probes(integration, coverage)


def _only_probes(integration: Integration, coverage: ContractCoverage | None) -> Iterator[Check]:
    """Warn if no interaction was sent although the environment allows more than probes."""
    could = (SkipReason.NO_TEST_DATA, SkipReason.SETTING_ABSENT, SkipReason.TOO_SOON)
    if coverage is None or coverage.asked or not any(coverage.skipped.get(reason) for reason in could):
        return
    finding = Finding(
        CauseId.GATE_PARTLY_ASKED,
        f"none of the contract's {coverage.interactions} interactions was sent: only probes were",
        {"not asked": coverage.reasons},
        integration.locate(),
    )
    yield Check.from_finding(check_ids.GATE, finding, subject="contract")


def _too_few(integration: Integration, checks: Sequence[Check], coverage: ContractCoverage | None) -> Iterator[Check]:
    """Fail if fewer checks ran than the configuration requires, or none at all."""
    asked, least = (coverage.asked if coverage else 0), integration.minimum_interactions or 0
    if coverage is not None and asked < least:
        finding = Finding(
            CauseId.GATE_NOTHING_CHECKED,
            f"{asked} interactions of the contract were sent, but at least {least} are required",
            {"asked": asked, "expected at least": least, "not asked": coverage.reasons},
            integration.locate("minimum_interactions"),
        )
        yield Check.from_finding(check_ids.GATE, finding, subject="contract")
    # A waived inconclusive check does not count as one that ran.
    ran = sum(check.outcome is not Outcome.SKIPPED and not _is_waived_inconclusive(check) for check in checks)
    wanted = integration.minimum_checks or 1
    if ran < wanted:
        finding = Finding(
            CauseId.GATE_NOTHING_CHECKED,
            f"{ran} checks ran, but at least {wanted} are required",
            {"ran": ran, "expected at least": wanted, "skipped": len(checks) - ran},
            integration.locate("minimum_checks"),
        )
        yield Check.from_finding(check_ids.GATE, finding)


def _is_waived_inconclusive(check: Check) -> bool:
    return check.waiver is not None and check.found is Outcome.INCONCLUSIVE


def name_integration(integration: Integration, check: Check) -> Check:
    """Return the check with the name of the integration in the next step, instead of NAME."""
    if check.next_step is None or "NAME" not in check.next_step:
        return check
    step = re.sub(r"\[integrations\.NAME\.(\w+)\]", lambda found: integration.heads(found[1]), check.next_step)
    step = step.replace("--integration NAME", f"--integration {quote(integration.name)}")
    return check.model_copy(update={"next_step": step})


def report_of(integration: Integration, checks: list[Check], cleared: Sequence[str]) -> IntegrationReport:
    """Make the report on one integration, with its verdict.

    Args:
        integration: The configured integration.
        checks: All of its checks.
        cleared: What its passed checks exonerate.
    """
    report = IntegrationReport(
        name=integration.name,
        provider=integration.provider,
        environment=integration.environment.value,
        target="sandbox" if integration.uses_sandbox else "provider",
        share_of_users=integration.share_of_users,
        owner=integration.documentation.owner,
        runbook=integration.documentation.runbook,
        location=ReportLocation.of(integration.locate()),
        verdict=Verdict.of(check.outcome for check in checks),
        headline=_passed(Summary.of(checks)),
        checks=checks,
    )
    return decided(report, cleared)


def decided(report: IntegrationReport, cleared: Sequence[str]) -> IntegrationReport:
    """Return the report with the verdict, the cause and the headline from its checks."""
    report = report.model_copy(update={"verdict": Verdict.of(check.outcome for check in report.checks)})
    red = report.deciding
    if red is None or red.cause is None:
        return report
    observed = {*cleared, "database"} if any(map(_is_answered_login, report.checks)) else set(cleared)
    exonerated = [name for name in load_cause(red.cause).exonerates if name in observed]
    return report.model_copy(update={"cause": red.cause, "headline": red.message, "exonerated": exonerated})


def _is_answered_login(check: Check) -> bool:
    """Return whether the provider answered a request of the contract, which reproduces a login without a database."""
    if check.id not in (check_ids.CONTRACT_INTERACTION, check_ids.RECORDING) or check.subject is None:
        return False
    if check.cause in (CauseId.CONTRACT_UNSAFE_PATH, CauseId.CONTRACT_STATE_UNAVAILABLE):
        return False  # Nothing was sent.
    return check.outcome is Outcome.PASS or (
        check.found is Outcome.FAIL and family_of(check.cause) is CauseFamily.CONTRACT
    )


def _passed(summary: Summary) -> str:
    warnings = f", {summary.warn} with a warning" if summary.warn else ""
    return f"{summary.passed} checks passed{warnings}" + (f", {summary.waived} waived" if summary.waived else "")
