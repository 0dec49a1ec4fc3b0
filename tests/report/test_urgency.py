"""Problems that stop logins come first, and missing documentation last."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.result import Check, Report
from mfagate.report import console, markdown, words
from mfagate.report.findings import findings
from mfagate.report.html import render as html

from ..history.runs import integration, passed, problem, report

UNDOCUMENTED = problem(CauseId.DOCUMENTATION_INCOMPLETE, "documentation", outcome=Outcome.FAIL)
REJECTED = problem(CauseId.CREDENTIAL_REJECTED, "credential.accepted", outcome=Outcome.FAIL)
DOWN = problem(CauseId.PROVIDER_OUTAGE, "provider.ping", outcome=Outcome.INCONCLUSIVE)
SLOW = problem(CauseId.LATENCY_SHIFTED, "latency")
EXPIRING = problem(CauseId.CREDENTIAL_EXPIRING_SOON, "credential.expiry")
STALE = problem(CauseId.CASSETTE_STALE, "cassette.age")


def of(name: str, *checks: Check, **more: Any) -> Any:
    return integration(name, checks).model_copy(update=more)


def order(text: str) -> list[str]:
    """Return the causes whose messages a text shows, in the order of their first occurrence."""
    return list(dict.fromkeys(re.findall(r"([a-z]+\.[a-z-]+) was found", text)))


def nightly(*integrations: Any) -> Report:
    return report(*integrations, stage="nightly")


def test_missing_documentation_hides_nothing_in_an_integration() -> None:
    for red in (REJECTED, DOWN):
        found = of("duo", UNDOCUMENTED, red, STALE, SLOW, EXPIRING)
        assert (found.deciding, found.problems) == (red, [red, EXPIRING, SLOW, STALE, UNDOCUMENTED])
    alone = of("duo", UNDOCUMENTED, EXPIRING)
    assert (alone.deciding, alone.problems) == (UNDOCUMENTED, [EXPIRING, UNDOCUMENTED])


def test_every_format_for_people_has_the_same_order_over_all_integrations() -> None:
    run = nightly(
        of("quiet", UNDOCUMENTED, STALE),
        of("staging", REJECTED, environment="staging"),
        of("down", DOWN, SLOW),
    )
    right = [
        "provider.outage",
        "credential.rejected",
        "latency.shifted",
        "cassette.stale",
        "documentation.incomplete",
    ]
    for shown in (console.render(run), markdown.render(run)):
        assert order(shown) == right
    assert [found.cause.id for found in findings(run)] == right
    page = html(run)
    assert page.index('id="down-1"') < page.index('id="staging-2"') < page.index('id="quiet-3"')


def test_an_integration_with_more_users_comes_first() -> None:
    run = nightly(of("few", REJECTED, share_of_users=0.1), of("many", DOWN, REJECTED, share_of_users=0.6))
    assert [found.integration.name for found in findings(run) if found.integration][:2] == ["many", "few"]


def test_the_first_line_says_if_only_documentation_is_missing() -> None:
    assert words.verdict(nightly(of("duo", UNDOCUMENTED, SLOW))) == "FAIL: only documentation is missing"
    assert words.verdict(nightly(of("duo", UNDOCUMENTED), of("okta", REJECTED))) == "FAIL: at least one check failed"
    assert words.verdict(nightly(of("duo", UNDOCUMENTED), of("okta", DOWN))) == "FAIL: at least one check failed"


checks = st.lists(st.sampled_from([UNDOCUMENTED, REJECTED, DOWN, SLOW, EXPIRING, STALE, passed()]), min_size=1)


@given(checks)
def test_documentation_leads_only_if_nothing_else_is_red(found: list[Check]) -> None:
    made = of("duo", *found)
    red = [check for check in found if check.outcome.is_red]
    if made.deciding is None:
        assert not red
    elif made.deciding.is_about_documentation:
        assert all(check.is_about_documentation for check in red)
    families = [check.is_about_documentation for check in made.problems]
    assert families == sorted(families)
