"""What is otherwise than before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.result import Check
from mfagate.history import HistoryChange, IntegrationState, changes, standing

from .runs import integration, passed, problem

SLOW = problem(CauseId.PROVIDER_DEGRADED, "provider.steady")
RESETS = problem(CauseId.NETWORK_CONNECTION_RESET, "provider.steady")
DOWN = problem(CauseId.PROVIDER_OUTAGE, "provider.ping", outcome=Outcome.INCONCLUSIVE)
NEW_FIELD = problem(CauseId.DRIFT_FIELD_ADDED, "drift", subject="$.a", outcome=Outcome.INFO)


def state(*checks: Check, name: str = "duo") -> IntegrationState:
    return IntegrationState.of(integration(name, checks))


def kinds(previous: list[IntegrationState], *checks: Check) -> list[tuple[str, str]]:
    return [(change.kind, change.cause) for change in changes(previous, [state(*checks)])]


def test_a_first_run() -> None:
    assert kinds([], passed(), SLOW) == [("new", "provider.degraded")]


def test_what_stays_is_no_change() -> None:
    assert kinds([state(SLOW)], SLOW) == []


def test_another_cause_of_the_same_check() -> None:
    (change,) = changes([state(SLOW)], [state(RESETS)])
    assert change == HistoryChange(
        "changed", "duo", "provider.steady", None, CauseId.NETWORK_CONNECTION_RESET, Outcome.WARN, RESETS.message,
        CauseId.PROVIDER_DEGRADED, Outcome.WARN,
    )  # fmt: skip


def test_another_outcome_of_the_same_cause() -> None:
    worse = SLOW.model_copy(update={"outcome": Outcome.FAIL})
    (change,) = changes([state(SLOW)], [state(worse)])
    assert (change.kind, change.outcome, change.previous_outcome) == ("changed", Outcome.FAIL, Outcome.WARN)


def test_a_recovery_needs_the_check_to_have_run() -> None:
    assert kinds([state(SLOW)], passed("provider.steady")) == [("recovered", "provider.degraded")]
    assert kinds([state(SLOW)], DOWN) == [("new", "provider.outage")]


def test_what_a_run_did_not_reach_is_known_from_an_earlier_one() -> None:
    known = standing([state(DOWN), state(SLOW, passed())])
    assert known is not None
    assert kinds([known], passed(), SLOW) == [("recovered", "provider.outage")]


def test_drift_happens_and_does_not_recover() -> None:
    assert kinds([state(NEW_FIELD)], passed("drift")) == []
    assert kinds([state(NEW_FIELD)], NEW_FIELD) == [("new", "drift.field-added")]


def test_an_integration_that_was_not_looked_at() -> None:
    assert changes([state(SLOW, name="okta")], [state(passed())]) == []


CHECKS = st.lists(
    st.sampled_from([SLOW, DOWN, passed("provider.steady"), passed()]), max_size=3, unique_by=lambda c: c.id
)


@given(CHECKS, CHECKS)
def test_there_and_back(first: list[Check], second: list[Check]) -> None:
    """What begins on the way there is what recovers on the way back, as far as both ran the same checks."""
    ran = {check.id for check in first} & {check.id for check in second}
    there = changes([state(*first)], [state(*second)])
    back = changes([state(*second)], [state(*first)])
    new = {change.check for change in there if change.kind == "new"} & ran
    assert new == {change.check for change in back if change.kind == "recovered"}
    assert changes([state(*first)], [state(*first)]) == []
