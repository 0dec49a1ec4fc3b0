"""What other integrations of the same run tell about a problem."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from mfagate.app.correlate import EVIDENCE, add_peer_evidence, documented_once
from mfagate.config.load import load
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.finding import Finding, Location
from mfagate.core.result import Check, IntegrationReport, ReportLocation, Verdict, Waived

REACHED = Check(id="network.connect", outcome=Outcome.PASS)
ACCEPTED = Check(id="credential.accepted", outcome=Outcome.PASS)
REFUSED = Check.from_finding("credential.accepted", Finding(CauseId.CREDENTIAL_REJECTED, "refused"))
SILENT = Check.from_finding("network.connect", Finding(CauseId.NETWORK_CONNECTION_TIMEOUT, "silent"))
DOWN = Check.from_finding("provider.ping", Finding(CauseId.PROVIDER_OUTAGE, "down"))
ANSWERED = Check(id="provider.ping", outcome=Outcome.PASS)
SKIPPED = Check(id="credential.accepted", outcome=Outcome.SKIPPED)


def with_evidence(tmp_path: Path, *all_checks: tuple[str, list[Check]], local: str = "") -> Check:
    """The deciding check of the first of these integrations, each (provider, checks)."""
    names = [f"{provider}-{number}" for number, (provider, _) in enumerate(all_checks)]
    (tmp_path / "integrations.toml").write_text(
        "".join(
            f'[integrations.{name}]\nprovider = "{provider}"\nenvironment = "sandbox"\n'
            + ('endpoint = "sandbox"\n' if name == local else "")
            for name, (provider, _) in zip(names, all_checks, strict=True)
        )
    )
    configuration = load(tmp_path / "integrations.toml", ["duo", "okta"])
    reports = [
        IntegrationReport(
            name=name,
            provider=provider,
            environment="sandbox",
            verdict=Verdict.of(check.outcome for check in checks),
            headline="",
            checks=checks,
        )
        for name, (provider, checks) in zip(names, all_checks, strict=True)
    ]
    first = add_peer_evidence(reports, configuration.select())[0].deciding
    assert first is not None
    return first


@pytest.mark.parametrize(
    ("mine", "theirs", "evidence"),
    [
        ([REACHED, REFUSED], ("duo", [REACHED, ACCEPTED]), "accepted in this run: duo-1"),
        ([REACHED, REFUSED], ("duo", [REACHED, REFUSED]), "not accepted either: duo-1"),
        ([SILENT], ("okta", [REACHED, ACCEPTED]), "reached in this run: okta-1"),
        ([SILENT], ("okta", [SILENT]), "not reached either: okta-1"),
        ([REACHED, DOWN], ("duo", [REACHED, ANSWERED]), "answered in this run: duo-1"),
        # Nothing is said of what was not asked, or of somebody else's credential.
        ([REACHED, REFUSED], ("duo", [REACHED, SKIPPED]), None),
        ([REACHED, REFUSED], ("okta", [REACHED, ACCEPTED]), None),
        ([REACHED, DOWN], ("okta", [REACHED, ANSWERED]), None),
    ],
)
def test_the_result_of_another_integration_is_evidence(
    tmp_path: Path, mine: list[Check], theirs: tuple[str, list[Check]], evidence: str | None
) -> None:
    assert with_evidence(tmp_path, ("duo", mine), theirs).evidence.get(EVIDENCE) == evidence


def test_our_own_sandbox_shows_nothing_about_the_network(tmp_path: Path) -> None:
    assert EVIDENCE not in with_evidence(tmp_path, ("duo", [SILENT]), ("okta", [REACHED]), local="okta-1").evidence


def test_a_problem_that_all_integrations_share_has_another_next_step(tmp_path: Path) -> None:
    alone = with_evidence(tmp_path, ("duo", [REACHED, REFUSED]), ("duo", [REACHED, REFUSED])).next_step
    assert str(alone).startswith("No credential for this provider was accepted")
    one_of_three = [("duo", [REACHED, REFUSED]), ("duo", [REACHED, REFUSED]), ("duo", [REACHED, ACCEPTED])]
    check = with_evidence(tmp_path, *one_of_three)
    assert check.evidence[EVIDENCE] == "accepted in this run: duo-2; not accepted either: duo-1"
    assert check.next_step == REFUSED.next_step


def test_the_cause_stays(tmp_path: Path) -> None:
    check = with_evidence(tmp_path, ("duo", [REACHED, REFUSED]), ("duo", [REACHED, REFUSED]))
    assert (check.cause, check.outcome) == (CauseId.CREDENTIAL_REJECTED, Outcome.FAIL)


def documented(
    name: str, outcome: Outcome, line: int = 4, missing: str = "owner", waived: bool = False
) -> IntegrationReport:
    finding = Finding(
        CauseId.DOCUMENTATION_INCOMPLETE,
        f"nothing is written down about: {missing}",
        {},
        Location(Path("integrations.toml"), line),
        outcome=outcome,
    )
    check = Check.from_finding("documentation", finding)
    if waived:
        where = ReportLocation(file="integrations.toml")
        by = Waived(owner="me", reason="soon", until=date(2027, 1, 1), instead_of=outcome, location=where)
        check = check.model_copy(update={"outcome": Outcome.INFO, "waiver": by})
    environment = name.partition("/")[2] or "production"
    verdict = Verdict.of([check.outcome])
    return IntegrationReport(
        name=name, provider="duo", environment=environment, verdict=verdict, headline="", checks=[check]
    )


PRODUCTION, STAGING, SANDBOX = "duo/production", "duo/staging", "duo/sandbox"


@pytest.mark.parametrize(
    ("reports", "said"),
    [
        pytest.param(
            [documented(STAGING, Outcome.WARN), documented(PRODUCTION, Outcome.FAIL)], [PRODUCTION], id="the failure"
        ),
        pytest.param(
            [documented(STAGING, Outcome.WARN), documented(SANDBOX, Outcome.WARN)], [STAGING], id="the first warning"
        ),
        pytest.param(
            [documented(STAGING, Outcome.WARN), documented(PRODUCTION, Outcome.FAIL, line=9)],
            [STAGING, PRODUCTION],
            id="tables of their own",
        ),
        pytest.param(
            [documented(STAGING, Outcome.WARN, missing="runbook"), documented(PRODUCTION, Outcome.FAIL)],
            [STAGING, PRODUCTION],
            id="other keys",
        ),
        pytest.param(
            [documented("duo", Outcome.FAIL), documented("okta", Outcome.WARN)], ["duo", "okta"], id="integrations"
        ),
        pytest.param(
            [documented(PRODUCTION, Outcome.FAIL, waived=True), documented(STAGING, Outcome.WARN)],
            [PRODUCTION, STAGING],
            id="a waiver covers one of them",
        ),
    ],
)
def test_environments_that_share_a_table_warn_once(reports: list[IntegrationReport], said: list[str]) -> None:
    after = documented_once(reports)
    assert [one.name for one in after if any(check.is_about_documentation for check in one.checks)] == said
    for one, report in zip(after, reports, strict=True):
        assert Verdict.of(check.outcome for check in one.checks) == report.verdict
        if one.name not in said:
            assert one.checks[0].message.startswith(f"{said[0]} shares this table")
