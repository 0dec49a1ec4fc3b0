"""A report is compared with the previous statuses: the verdict and each warning by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mfagate.config.model import NotifyOptions
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.result import Check, IntegrationReport, Report, Run, Summary, Verdict
from mfagate.notify.changes import ChangeKind, ProblemStatus, observed
from mfagate.notify.deciding import notification

NOW = datetime(2026, 11, 1, tzinfo=UTC)
REJECTED = Check(
    id="credential.accepted",
    subject="secret_key",
    outcome=Outcome.FAIL,
    cause=CauseId.CREDENTIAL_REJECTED,
    message="Duo rejected the signature",
    next_step="Put the right value there.",
    seconds=0,
)
EXPIRING = Check(
    id="credential.expiry",
    subject="api_token",
    outcome=Outcome.WARN,
    cause=CauseId.CREDENTIAL_EXPIRING_SOON,
    message="runs out in 9 days",
    seconds=0,
)
FINE = Check(id="credential.expiry", subject="api_token", outcome=Outcome.PASS, message="in order", seconds=0)
SKIPPED = FINE.model_copy(update={"outcome": Outcome.SKIPPED})


def _integration(name: str, checks: list[Check]) -> IntegrationReport:
    made = IntegrationReport(
        name=name,
        provider="duo",
        environment="production",
        target="provider",
        verdict=Verdict.of(check.outcome for check in checks),
        headline="in short",
        checks=checks,
    )
    red = made.deciding
    return made if red is None else made.model_copy(update={"cause": red.cause, "headline": red.message})


def report(**integrations: list[Check]) -> Report:
    reports = [_integration(name, checks) for name, checks in integrations.items()]
    run = Run(id="run", stage="gate", started=NOW, finished=NOW, version="1")
    return Report(run=run, verdict=Verdict.PASS, summary=Summary.of([]), integrations=reports)


def after(states: dict[str, ProblemStatus], *reports: Report) -> list[list[tuple[str, str, ChangeKind, str]]]:
    """Return what each run sends: integration, subject, kind, cause."""
    messages = []
    for one in reports:
        seen = observed(one, states)
        message, new = notification(seen.changes, seen.statuses, NOW, NotifyOptions.model_validate({}))
        states = {**states, **new}
        changes = message.changes if message else ()
        messages.append([(change.integration, change.subject, change.kind, change.cause) for change in changes])
    return messages


def test_a_verdict_that_fails_and_recovers() -> None:
    assert after({}, report(a=[FINE]), report(a=[REJECTED]), report(a=[REJECTED]), report(a=[FINE])) == [
        [],
        [("a", "", ChangeKind.NEW, "credential.rejected")],
        [],
        [("a", "", ChangeKind.RECOVERED, "credential.rejected")],
    ]


def test_a_warning_besides_a_verdict() -> None:
    subject = "credential.expiry api_token"
    runs = [report(a=[EXPIRING]), report(a=[EXPIRING]), report(a=[REJECTED, SKIPPED]), report(a=[FINE])]
    assert after({}, *runs) == [
        [("a", subject, ChangeKind.NEW, "credential.expiring-soon")],
        [],
        # The checks ended before the expiry check, so its status is unknown.
        [("a", "", ChangeKind.NEW, "credential.rejected")],
        [
            ("a", "", ChangeKind.RECOVERED, "credential.rejected"),
            ("a", subject, ChangeKind.RECOVERED, "credential.expiring-soon"),
        ],
    ]


def test_a_changed_cause() -> None:
    other = REJECTED.model_copy(update={"cause": CauseId.CREDENTIAL_UNKNOWN_KEY})
    assert after({}, report(a=[REJECTED]), report(a=[other]))[1] == [
        ("a", "", ChangeKind.CHANGED, "credential.unknown-key")
    ]


def test_an_event_does_not_recover() -> None:
    drifted = EXPIRING.model_copy(update={"id": "drift", "cause": CauseId.DRIFT_FIELD_REMOVED})
    still = drifted.model_copy(update={"outcome": Outcome.PASS, "cause": None})
    removed = [("a", "drift api_token", ChangeKind.NEW, "drift.field-removed")]
    assert after({}, *(report(a=[check]) for check in (drifted, still, still, drifted))) == [removed, [], [], removed]


def test_each_event_is_reported_once() -> None:
    """A field has a new value in two runs in a row: each is reported, but a value that is found again is not."""
    values = [
        EXPIRING.model_copy(update={"id": "drift", "cause": CauseId.DRIFT_VALUE_NEW, "message": f"never seen: {value}"})
        for value in ("token", "token", "watch")
    ]
    new = [("a", "drift api_token", ChangeKind.NEW, "drift.value-new")]
    assert after({}, *(report(a=[check]) for check in values)) == [new, [], new]


def test_a_lasting_problem_is_reported_once() -> None:
    messages = after({}, *[report(a=[REJECTED, EXPIRING])] * 20)
    assert len(messages[0]) == 2
    assert messages[1:] == [[]] * 19


def test_a_check_that_did_not_run_has_not_recovered() -> None:
    runs = [report(a=[REJECTED], b=[REJECTED]), report(b=[FINE]), report(a=[FINE])]
    assert after({}, *runs)[1:] == [
        [("b", "", ChangeKind.RECOVERED, "credential.rejected")],
        [("a", "", ChangeKind.RECOVERED, "credential.rejected")],
    ]


def test_a_warning_has_the_level_of_a_warning() -> None:
    seen = observed(report(a=[EXPIRING]), {})
    message, _ = notification(seen.changes, seen.statuses, NOW, NotifyOptions.model_validate({}))
    assert message is not None
    assert message.level == "warning"
    assert message.body.startswith(
        "NEW a (credential.expiry api_token): credential.expiring-soon\nruns out in 9 days\n"
    )


def test_the_worst_problem_comes_first_with_the_time_of_its_start() -> None:
    states: dict[str, ProblemStatus] = {}
    bodies = []
    fine, bad = report(a=[FINE], b=[FINE]), report(a=[EXPIRING], b=[REJECTED])
    for days, one in enumerate((fine, bad, fine, bad, fine)):
        at = NOW + timedelta(days=days)
        one = one.model_copy(update={"run": one.run.model_copy(update={"finished": at})})
        seen = observed(one, states)
        message, new = notification(seen.changes, seen.statuses, at, NotifyOptions.model_validate({}))
        states = {**states, **new}
        bodies += [message.body] if message else []
    began, over, _, again = bodies
    assert [line.split()[1] for line in began.splitlines() if line.startswith("NEW")] == ["b:", "a"]
    assert [line for line in over.splitlines() if line.startswith("since")] == ["since 2026-11-02 00:00 UTC"] * 2
    assert again.count("since 2026-11-04 00:00 UTC") == 2
