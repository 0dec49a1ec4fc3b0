"""The findings that a waiver covers, for any findings and waivers."""

from __future__ import annotations

from datetime import date, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.checks import Stage, plan
from mfagate.checks.waivers import Waivers
from mfagate.config.model import ConfigOrigin, GateOptions, Integration
from mfagate.config.waivers import WAIVABLE, Waiver
from mfagate.core.causes import CauseId, Outcome, load
from mfagate.core.result import Check

TODAY = date(2026, 3, 1)
IDS = sorted({step.id for stage in Stage for step in plan(stage)})
FEW = [CauseId.CONTRACT_STATUS_CHANGED, CauseId.CONTRACT_FIELD_MISSING, CauseId.CASSETTE_STALE]
SUBJECTS = ["OTP accepted", "OTP [wrong]", "push?", "a*b", ""]


def waiver(**keys: Any) -> Waiver:
    given_keys = {"cause": "contract.status-changed", "reason": "r", "owner": "o", "until": TODAY, **keys}
    return Waiver.model_validate(given_keys)


def waivers_of(*accepted: Waiver) -> Waivers:
    integration = Integration.model_validate({"provider": "x", "environment": "staging"})
    integration = integration.model_copy(update={"waivers": accepted})
    integration._origin = ConfigOrigin(Path("integrations.toml"), "")
    return Waivers(integration, GateOptions.model_validate({}), TODAY)


checks = st.builds(
    Check,
    id=st.sampled_from(IDS),
    subject=st.none() | st.sampled_from(SUBJECTS),
    outcome=st.sampled_from(Outcome),
    cause=st.none() | st.sampled_from(CauseId),
    message=st.just("what was found"),
)
likely = st.builds(
    Check,
    id=st.sampled_from(["contract.interaction", "cassette", "credential.accepted"]),
    subject=st.none() | st.sampled_from(SUBJECTS),
    outcome=st.sampled_from(Outcome),
    cause=st.sampled_from(FEW),
    message=st.just("what was found"),
)
accepted = st.builds(
    waiver,
    cause=st.sampled_from(FEW),
    subject=st.none() | st.sampled_from(["*", "OTP*", *SUBJECTS[:-1]]),
    until=st.integers(-2, 2).map(lambda days: TODAY + timedelta(days)),
)


@given(check=checks | likely, given_waivers=st.lists(accepted, max_size=4))
def test_a_check_is_covered_by_the_first_waiver_that_fits_and_keeps_what_it_found(
    check: Check, given_waivers: list[Waiver]
) -> None:
    counts = waivers_of(*given_waivers).applied(check)
    fitting = [
        one
        for one in given_waivers
        if check.outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.WARN)
        and one.cause == check.cause
        and check.id in WAIVABLE[one.cause]
        and (one.subject is None or (check.subject is not None and one.concerns(check.subject)))
    ]
    live = [one for one in fitting if one.until >= TODAY]
    if live:
        assert counts.waiver is not None
        assert (counts.outcome, counts.found, counts.waiver.until) == (Outcome.INFO, check.outcome, live[0].until)
        assert counts.model_copy(update={"outcome": check.outcome, "waiver": None}) == check
    else:
        assert (counts.waiver, counts.outcome) == (None, check.outcome)
        assert counts.evidence.keys() - check.evidence.keys() == ({"waiver"} if fitting else set())
    assert waivers_of(*given_waivers).stops(check) == (check.outcome.is_red and not live)


@given(checks=st.lists(likely, max_size=6), given_waivers=st.lists(accepted, max_size=3))
def test_the_report_on_waivers_never_contradicts_their_effect(checks: list[Check], given_waivers: list[Waiver]) -> None:
    waivers = waivers_of(*given_waivers)
    counted = [waivers.applied(check) for check in checks]
    said = list(waivers.review(counted))
    used = {check.waiver.until for check in counted if check.waiver is not None}
    for one in said:
        until = date.fromisoformat(one.evidence["waived until"])
        if one.cause is CauseId.WAIVER_EXPIRED:
            assert until < TODAY
            assert one.outcome is Outcome.WARN or any(check.outcome is one.outcome for check in counted)
        elif one.cause is CauseId.WAIVER_EXPIRING_SOON:
            assert until >= TODAY
        else:
            assert (one.cause, one.outcome) == (CauseId.WAIVER_UNUSED, Outcome.WARN)
    unused = {one.evidence["waived until"] for one in said if one.cause is CauseId.WAIVER_UNUSED}
    if len({one.until for one in given_waivers}) == len(given_waivers):
        assert not unused & {str(until) for until in used}


@given(st.text(max_size=20))
def test_a_subject_without_a_star_is_compared_as_it_is(subject: str) -> None:
    exact = "a" + subject.replace("*", "")
    assert waiver(subject=exact).concerns(exact)
    assert not waiver(subject=exact).concerns("b" + exact)
    assert not waiver(subject=exact).concerns(exact + "b")


@given(before=st.text(max_size=8), cut=st.text(max_size=8), after=st.text(max_size=8))
def test_a_star_stands_for_any_text(before: str, cut: str, after: str) -> None:
    pattern = f"{before}*{after}"
    assert waiver(subject=pattern).concerns(before + cut + after)


@given(pattern=st.text("ab*", min_size=1, max_size=8), text=st.text("ab", max_size=8))
def test_stars_are_those_of_a_shell(pattern: str, text: str) -> None:
    assert waiver(subject=pattern).concerns(text) == fnmatchcase(text, pattern)


def test_many_stars_cost_little() -> None:
    assert not waiver(subject="*a" * 30).concerns("a" * 29 + "b" * 3000)


def test_every_check_that_a_waiver_may_cover_exists() -> None:
    assert {check for found_by in WAIVABLE.values() for check in found_by} <= set(IDS)


@pytest.mark.parametrize("cause", WAIVABLE)
def test_what_may_be_waived_blocks_or_warns(cause: CauseId) -> None:
    """An information needs no waiver."""
    assert load(cause).outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.WARN)


@pytest.mark.parametrize(
    "family", ["credential.", "account.", "provider.", "network.", "clock.", "gate.", "waiver."], ids=str
)
def test_a_blocking_check_that_others_depend_on_cannot_be_waived(family: str) -> None:
    waivable = [cause for cause in WAIVABLE if cause.startswith(family)]
    assert all(load(cause).outcome is Outcome.WARN for cause in waivable)
