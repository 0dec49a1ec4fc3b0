"""What is otherwise than before: problems that began, that are others now, that are over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from mfagate.core.causes import Outcome, happens_once
from mfagate.history.record import IntegrationState, RecordedProblem


@dataclass(frozen=True, slots=True)
class HistoryChange:
    """One change of one integration. Of a recovery, cause, outcome and message are those of what is over."""

    kind: Literal["new", "changed", "recovered"]
    integration: str
    check: str
    subject: str | None
    cause: str
    outcome: Outcome
    message: str
    previous_cause: str | None = None
    previous_outcome: Outcome | None = None


def changes(previous: Iterable[IntegrationState], current: Iterable[IntegrationState]) -> list[HistoryChange]:
    """What is otherwise in ``current``, in its order; within an integration, recoveries come last.

    Of an integration that is not in ``previous``, every problem is new. One that is not in ``current`` was not
    looked at, and nothing is said of it.
    """
    before = {state.name: state for state in previous}
    return [change for now in current for change in _of(before.get(now.name), now)]


def _of(before: IntegrationState | None, now: IntegrationState) -> Iterator[HistoryChange]:
    known = {problem.key: problem for problem in before.problems} if before else {}
    for problem in now.problems:
        was = known.get(problem.key)
        if was is None or happens_once(problem.cause):
            yield _change("new", now, problem)
        elif (was.cause, was.outcome) != (problem.cause, problem.outcome):
            change = _change("changed", now, problem)
            yield replace(change, previous_cause=was.cause, previous_outcome=was.outcome)
    found = {problem.key for problem in now.problems}
    for was in known.values():
        if was.key not in found and was.check in now.ran and not happens_once(was.cause):
            yield _change("recovered", now, was)


def _change(
    kind: Literal["new", "changed", "recovered"], state: IntegrationState, problem: RecordedProblem
) -> HistoryChange:
    return HistoryChange(
        kind, state.name, problem.check, problem.subject, problem.cause, problem.outcome, problem.message
    )  # fmt: skip


def standing(newest_first: Iterable[IntegrationState]) -> IntegrationState | None:
    """What is known of an integration from its runs: of each check, what its last run said.

    A run that ended early says nothing of the checks that it did not reach, so these are those of an earlier one.
    """
    states = iter(newest_first)
    newest = next(states, None)
    if newest is None:
        return None
    ran, problems = set(newest.ran), list(newest.problems)
    for state in states:
        problems += [problem for problem in state.problems if problem.check not in ran]
        ran |= state.ran
    return replace(newest, ran=frozenset(ran), problems=tuple(problems))
