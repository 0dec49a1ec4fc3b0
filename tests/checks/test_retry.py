"""Answers that differ between attempts, and how all attempts are summarized."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.checks import deadline, stability
from mfagate.checks.diagnoser import Diagnoser
from mfagate.checks.retry import Attempt, Attempts
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import Exchange, Phase, Request, Response
from mfagate.core.finding import Finding
from mfagate.sandbox.faulty_proxy import faulty_proxy
from tests.checks.contexts import live_context
from tests.checks.fake import CANARY, TOKEN, Fake, Run, Server, of, red

OUTAGE: tuple[int, Any] = (503, {})
REFUSED = (401, {"error": "bad_secret"})
TOKEN_ANSWER = (200, {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600})

ANY_TIME = -math.inf
"""Less than the seconds of any answer, even one that only this machine delayed."""


def then(*answers: tuple[int, Any]) -> Callable[[bytes], tuple[int, Any]]:
    """Return these answers in turn, and the last one forever; always refuse a made-up secret."""
    left: Iterable[tuple[int, Any]] = itertools.chain(answers, itertools.repeat(answers[-1]))
    turn = iter(left)
    return lambda body: next(turn) if CANARY.encode() in body else REFUSED


def test_a_transient_error_is_a_warning_with_its_counts(run: Run, server: Server) -> None:
    server.token = then(OUTAGE, OUTAGE, TOKEN_ANSWER)
    report = run()
    check = of(report, "credential.accepted")["client_secret"]
    assert check.outcome is Outcome.PASS
    assert check.evidence["attempts"] == "2 of 3 failed: 2 × provider.outage (503)"


def test_a_lasting_error_has_its_counts(run: Run, server: Server) -> None:
    server.answers["/login/ping"] = OUTAGE
    check = red(run())
    assert (check.id, check.subject, check.cause) == ("provider.ping", "login", CauseId.PROVIDER_OUTAGE)
    assert check.evidence["attempts"] == "4 of 4 failed: 4 × provider.outage (503)"


def test_a_refusal_is_confirmed(run: Run, server: Server) -> None:
    server.token = then(REFUSED)
    check = red(run())
    assert (check.cause, check.outcome) == (CauseId.CREDENTIAL_REJECTED, Outcome.FAIL)
    assert check.evidence["attempts"] == "3 of 3 failed: 3 × credential.rejected (401)"


def test_a_credential_that_is_accepted_sometimes_is_not_wrong(run: Run, server: Server) -> None:
    server.token = then(REFUSED, TOKEN_ANSWER)
    check = red(run())
    assert (check.cause, check.outcome) == (CauseId.PROVIDER_AUTH_OUTAGE, Outcome.INCONCLUSIVE)
    assert "in 1 of 2 attempts" in check.message
    assert check.evidence["refused as"] == "credential.rejected"


def test_a_refusal_among_errors_is_reported_with_them(run: Run, server: Server) -> None:
    """Two of three attempts were refused: the most frequent failure decides, not the last one."""
    server.token = then(REFUSED, OUTAGE, REFUSED)
    check = red(run())
    assert check.cause is CauseId.CREDENTIAL_REJECTED
    assert check.evidence["attempts"] == "2 × credential.rejected (401), 1 × provider.outage (503)".join(
        ["3 of 3 failed: ", ""]
    )


def test_errors_of_the_authentication_alone_are_not_an_outage(run: Run, server: Server) -> None:
    server.token = then(OUTAGE)
    check = red(run())
    assert (check.cause, check.outcome) == (CauseId.PROVIDER_AUTH_OUTAGE, Outcome.INCONCLUSIVE)
    assert check.evidence["without a credential"] == "answered"
    assert check.evidence["in this run"] == "2 of 3 requests were answered"


def test_no_longer_than_the_provider_allows(run: Run, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request is not repeated if the wait is too long."""
    pauses: list[float] = []
    monkeypatch.setattr("mfagate.checks.retry.time.sleep", pauses.append)
    server.headers["/login/ping"] = {"Retry-After": "30"}
    server.answers["/login/ping"] = (429, {})
    check = red(run())
    assert check.cause is CauseId.PROVIDER_RATE_LIMITED
    assert "attempts" not in check.evidence
    assert not pauses
    server.headers["/login/ping"] = {"Retry-After": "1"}
    check = red(run())
    assert "attempts" in check.evidence
    assert min(pauses) == 1.0


def test_a_slow_provider_gets_all_requests(run: Run, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = [check.id for check in run().checks]
    monkeypatch.setattr(stability, "SLOW_SECONDS", ANY_TIME)
    monkeypatch.setattr(deadline, "TROUBLED_SECONDS", 0.0)
    report = run()
    assert [check.id for check in report.checks] == usual
    assert CauseId.PROVIDER_DEGRADED not in {check.cause for check in report.checks if check.outcome.is_red}


def test_beyond_the_login_budget_not_all_requests_are_sent(
    run: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stability, "login_budget", lambda values: ANY_TIME)
    monkeypatch.setattr(deadline, "TROUBLED_SECONDS", 0.0)
    check = red(run())
    assert (check.cause, check.outcome) == (CauseId.PROVIDER_DEGRADED, Outcome.INCONCLUSIVE)
    assert set(check.evidence) == {"slowest answer", "of which"}


def test_a_slow_provider_is_blamed_for_a_passed_deadline(
    run: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stability, "SLOW_SECONDS", ANY_TIME)
    monkeypatch.setattr("mfagate.checks.transcript.time", SimpleNamespace(monotonic=lambda: 1e9))
    check = red(run())
    assert (check.cause, check.outcome) == (CauseId.PROVIDER_DEGRADED, Outcome.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("budget", "outcome", "stated"),
    [
        (None, Outcome.WARN, "not stated"),
        ("10", Outcome.WARN, "10 s, not exceeded by most of them"),
        (0.5, Outcome.INCONCLUSIVE, "0.5 s, exceeded by most of them"),
        ("soon", Outcome.WARN, "not stated"),
    ],
)
def test_slow_answers_are_a_warning_within_the_login_budget(
    budget: Any, outcome: Outcome, stated: str, tmp_path: Path
) -> None:
    request = Request("GET", "https://api.example/x")
    answers = [Exchange(request, datetime.now(UTC), Response(200), phases={Phase.PROCESSING: 0.9}) for _ in range(4)]
    client = {"login_budget_seconds": budget} if budget is not None else {}
    attempts = [Attempts((Attempt(None, answer),)) for answer in answers]
    (check,) = stability.run(live_context(tmp_path, client=client, requests=attempts))
    assert (check.cause, check.outcome) == (CauseId.PROVIDER_DEGRADED, outcome)
    assert check.evidence["login budget"] == stated
    assert check.evidence["longest"] == "0.9 s"


def failed(cause: CauseId, outcome: Outcome = Outcome.INCONCLUSIVE) -> Finding:
    return Finding(cause, "what was found", outcome=outcome)


def trouble(cause: CauseId, late: int, total: int) -> list[Attempts[object]]:
    """Make the attempts of a run in which ``late`` of all requests were answered only when repeated."""
    failure, success = Attempt(None, None, failed(cause)), Attempt(None, None)
    return [Attempts((failure, success)) if number < late else Attempts((success,)) for number in range(total)]


@pytest.mark.parametrize(
    ("cause", "late", "total", "reported", "outcome"),
    [
        (CauseId.PROVIDER_OUTAGE, 4, 20, CauseId.PROVIDER_DEGRADED, Outcome.WARN),
        (CauseId.PROVIDER_OUTAGE, 5, 20, CauseId.PROVIDER_DEGRADED, Outcome.INCONCLUSIVE),
        (CauseId.PROVIDER_OUTAGE, 2, 2, CauseId.PROVIDER_DEGRADED, Outcome.WARN),
        (CauseId.NETWORK_CONNECTION_RESET, 3, 4, CauseId.NETWORK_CONNECTION_RESET, Outcome.INCONCLUSIVE),
        # The gate itself sends too many requests.
        (CauseId.PROVIDER_RATE_LIMITED, 20, 20, CauseId.PROVIDER_RATE_LIMITED, Outcome.WARN),
    ],
)
def test_too_many_transient_errors_are_no_basis_for_a_verdict(
    cause: CauseId, late: int, total: int, reported: CauseId, outcome: Outcome, tmp_path: Path
) -> None:
    """All requests are answered in the end, but a login does not repeat its requests."""
    live = live_context(tmp_path, requests=trouble(cause, late, total), ago=100)
    found = stability.sporadic(live.transcript)
    assert found is not None
    assert (found.cause, found.effective_outcome) == (reported, outcome)
    assert found.message.startswith(f"{late} of {total} requests")
    overdue = deadline.overdue(live, "contract.interaction", "7 of 9 interactions were verified")
    if outcome is Outcome.INCONCLUSIVE:
        assert overdue is not None
        assert (overdue.cause, overdue.outcome) == (reported, outcome)
        assert "and only 7 of 9 interactions were verified in" in overdue.message
    else:
        assert overdue is None or overdue.cause is CauseId.GATE_NOTHING_CHECKED


def test_a_passed_deadline_blames_no_one(run: Run, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer was slow, so the provider is not blamed."""
    monkeypatch.setattr("mfagate.checks.transcript.time", SimpleNamespace(monotonic=lambda: 1e9))
    check = red(run())
    assert (check.cause, check.outcome) == (CauseId.GATE_NOTHING_CHECKED, Outcome.INCONCLUSIVE)
    assert "deadline of 120 s" in check.message


def test_a_provider_without_a_ping(run: Run, provider: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider.probes, "pings", lambda settings: [])
    assert of(run(), "credential.accepted")["client_secret"].outcome is Outcome.PASS


def test_clocks_that_disagree_are_inconclusive(run: Run, server: Server) -> None:
    server.answers["/login/ping"] = (200, {"time": time.time() + 3600})
    (check,) = of(run(), "clock").values()
    assert (check.cause, check.outcome) == (CauseId.CLOCK_SKEW, Outcome.INCONCLUSIVE)
    assert "according to the Date header of the ping it is right" in check.message


def test_a_timeout_is_confirmed_once(run: Run, provider: Fake) -> None:
    """Each attempt takes a whole timeout."""
    with faulty_proxy("http://127.0.0.1:9", lambda handler: handler.rfile.read() is None) as silent:
        provider.api.login = silent.url
        check = red(run())
    assert (check.id, check.cause) == ("provider.ping", CauseId.NETWORK_READ_TIMEOUT)
    assert check.evidence["attempts"].startswith("2 of 2 failed")


def test_one_server_of_several_is_named() -> None:
    """Several servers may share a name, and only one of them may be broken."""

    def met(address: str, cause: CauseId | None) -> Attempt[None]:
        request = Request("GET", "https://mfa.example/ping")
        exchange = Exchange(request, datetime.now(UTC), Response(200), address=address)
        return Attempt(None, exchange, failed(cause) if cause else None)

    outage = CauseId.PROVIDER_OUTAGE
    attempts = Attempts((met("192.0.2.1", outage), met("192.0.2.1", outage), met("192.0.2.2", None)))
    assert attempts.summary["by address"] == "192.0.2.1: 2 of 2 failed, 192.0.2.2: 0 of 1 failed"
    assert "by address" not in Attempts(attempts.all[:2]).summary


CAUSES = st.sampled_from(
    [
        None,
        (CauseId.PROVIDER_OUTAGE, Outcome.INCONCLUSIVE),
        (CauseId.NETWORK_CONNECTION_RESET, Outcome.INCONCLUSIVE),
        (CauseId.CREDENTIAL_REJECTED, Outcome.FAIL),
        (CauseId.CONTRACT_FIELD_MISSING, Outcome.FAIL),
    ]
)


@given(st.lists(CAUSES, min_size=1, max_size=6))
def test_the_representative_attempt_was_made(kinds: list[tuple[CauseId, Outcome] | None]) -> None:
    attempts = Attempts(tuple(Attempt(n, None, failed(*kind) if kind else None) for n, kind in enumerate(kinds)))
    chosen = attempts.representative
    assert chosen in attempts.all
    assert not (attempts.inconsistent and attempts.recovered)
    definite = [attempt for attempt in attempts.all if attempt.cause is not None and not attempt.is_transient]
    if chosen.cause is None:
        assert not definite
    if definite and len(attempts.failures) < len(kinds):
        assert attempts.inconsistent
        assert chosen in definite
    if len(kinds) > 1:
        assert attempts.summary["attempts"].startswith(f"{len(attempts.failures)} of {len(kinds)} failed")


def test_an_attempt_keeps_a_warning_and_is_no_failure() -> None:
    warning = failed(CauseId.CONTRACT_ENDPOINT_RETIRED, Outcome.WARN)
    attempts = Attempts((Attempt(None, None, warning),))
    assert (attempts.finding, attempts.failures) == (warning, [])


def test_each_answer_is_diagnosed_once(run: Run, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    diagnosed: list[int] = []
    diagnose = Diagnoser.diagnose

    def noted(self: Diagnoser, exchange: Exchange, *args: Any, **kwargs: Any) -> Finding:
        diagnosed.append(id(exchange))
        kept.append(exchange)
        return diagnose(self, exchange, *args, **kwargs)

    kept: list[Exchange] = []
    monkeypatch.setattr(Diagnoser, "diagnose", noted)
    server.token = then(REFUSED)
    assert red(run()).cause is CauseId.CREDENTIAL_REJECTED
    assert len(diagnosed) == len(set(diagnosed)) == 3
