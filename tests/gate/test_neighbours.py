"""What other integrations of the same run tell about a problem."""

from __future__ import annotations

from pathlib import Path

import pytest

from mfagate.causes import CauseId, Outcome
from mfagate.config import load
from mfagate.neighbours import EVIDENCE, compared
from mfagate.result import Check, Finding, IntegrationReport, Verdict

REACHED = Check(id="network.connect", outcome=Outcome.PASS)
ACCEPTED = Check(id="credential.accepted", outcome=Outcome.PASS)
REFUSED = Check.from_finding("credential.accepted", Finding(CauseId.CREDENTIAL_REJECTED, "refused"))
SILENT = Check.from_finding("network.connect", Finding(CauseId.NETWORK_CONNECTION_TIMEOUT, "silent"))
DOWN = Check.from_finding("provider.ping", Finding(CauseId.PROVIDER_OUTAGE, "down"))
ANSWERED = Check(id="provider.ping", outcome=Outcome.PASS)
SKIPPED = Check(id="credential.accepted", outcome=Outcome.SKIPPED)


def told(tmp_path: Path, *all_checks: tuple[str, list[Check]], local: str = "") -> Check:
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
    first = compared(reports, configuration.select())[0].deciding
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
def test_what_a_neighbour_saw_is_evidence(
    tmp_path: Path, mine: list[Check], theirs: tuple[str, list[Check]], evidence: str | None
) -> None:
    assert told(tmp_path, ("duo", mine), theirs).evidence.get(EVIDENCE) == evidence


def test_a_sandbox_of_our_own_is_no_witness_for_the_network(tmp_path: Path) -> None:
    assert EVIDENCE not in told(tmp_path, ("duo", [SILENT]), ("okta", [REACHED]), local="okta-1").evidence


def test_a_problem_that_all_share_has_another_first_step(tmp_path: Path) -> None:
    alone = told(tmp_path, ("duo", [REACHED, REFUSED]), ("duo", [REACHED, REFUSED])).next_step
    assert str(alone).startswith("No credential for this provider was accepted")
    one_of_three = [("duo", [REACHED, REFUSED]), ("duo", [REACHED, REFUSED]), ("duo", [REACHED, ACCEPTED])]
    check = told(tmp_path, *one_of_three)
    assert check.evidence[EVIDENCE] == "accepted in this run: duo-2; not accepted either: duo-1"
    assert check.next_step == REFUSED.next_step


def test_the_cause_stays(tmp_path: Path) -> None:
    check = told(tmp_path, ("duo", [REACHED, REFUSED]), ("duo", [REACHED, REFUSED]))
    assert (check.cause, check.outcome) == (CauseId.CREDENTIAL_REJECTED, Outcome.FAIL)
