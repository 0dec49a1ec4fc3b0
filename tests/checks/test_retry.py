"""Answers that differ from one time to the next, and what is made of the whole picture."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.checks import deadline, stability
from mfagate.checks.retry import Attempt, Attempts
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import Exchange, Phase, Request, Response
from mfagate.sandbox.faulty_proxy import faulty_proxy
from tests.checks.fake import CANARY, TOKEN, Fake, Run, Server, of, red

OUTAGE: tuple[int, Any] = (503, {})
REFUSED = (401, {"error": "bad_secret"})
TOKEN_ANSWER = (200, {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600})

ANY_TIME = -math.inf
"""Seconds that every answer takes, also one of which the machine took all the time."""


def then(*answers: tuple[int, Any]) -> Callable[[bytes], tuple[int, Any]]:
    """These answers in turn, the last one for ever; a made-up secret is always refused."""
    left: Iterable[tuple[int, Any]] = itertools.chain(answers, itertools.repeat(answers[-1]))
    turn = iter(left)
    return lambda body: next(turn) if CANARY.encode() in body else REFUSED


def test_an_error_that_passes_is_a_warning_with_its_counts(run: Run, server: Server) -> None:
    server.token = then(OUTAGE, OUTAGE, TOKEN_ANSWER)
    report = run()
    check = of(report, "credential.accepted")["client_secret"]
    assert check.outcome is Outcome.PASS
    assert check.evidence["attempts"] == "2 of 3 failed: 2 × provider.outage (503)"


def test_an_error_that_does_not_pass_says_how_often(run: Run, server: Server) -> None:
    server.answers["/login/ping"] = OUTAGE
    check = red(run())
    assert (check.id, check.subject, check.cause) == ("provider.ping", "login", CauseId.PROVIDER_OUTAGE)
    assert check.evidence["attempts"] == "4 of 4 failed: 4 × provider.outage (503)"


def test_a_refusal_is_confirmed(run: Run, server: Server) -> None:
    server.token = then(REFUSED)
    check = red(run())
    assert (check.cause, check.outcome) == (CauseId.CREDENTIAL_REJECTED, Outcome.FAIL)
    assert check.evidence["attempts"] == "3 of 3 failed: 3 × credential.rejected (401)"


def test_a_credential_that_is_accepted_now_and_then_is_not_wrong(run: Run, server: Server) -> None:
    server.token = then(REFUSED, TOKEN_ANSWER)
    check = red(run())
    assert (check.cause, check.outcome) == (CauseId.PROVIDER_AUTH_OUTAGE, Outcome.INCONCLUSIVE)
    assert "in 1 of 2 attempts" in check.message
    assert check.evidence["refused as"] == "credential.rejected"


def test_a_refusal_among_errors_is_told_with_them(run: Run, server: Server) -> None:
    """Two of three say so: the picture, not the last sample."""
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
    assert check.evidence["in this run"] == "2 of 3 questions were answered"


def test_no_longer_than_the_provider_allows(run: Run, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait that does not fit is not waited for."""
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


def test_a_slow_provider_is_asked_as_any_other(run: Run, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = [check.id for check in run().checks]
    monkeypatch.setattr(stability, "SLOW_SECONDS", ANY_TIME)
    monkeypatch.setattr(deadline, "TROUBLED_CLIMB_SECONDS", 0.0)
    report = run()
    assert [check.id for check in report.checks] == usual
    assert CauseId.PROVIDER_DEGRADED not in {check.cause for check in report.checks if check.outcome.is_red}


def test_beyond_the_budget_of_a_login_it_is_not_asked_everything(
    run: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stability, "login_budget", lambda values: ANY_TIME)
    monkeypatch.setattr(deadline, "TROUBLED_CLIMB_SECONDS", 0.0)
    check = red(run())
    assert (check.cause, check.outcome) == (CauseId.PROVIDER_DEGRADED, Outcome.INCONCLUSIVE)
    assert set(check.evidence) == {"slowest answer", "of which"}


def test_a_deadline_that_is_over_for_a_slow_provider_is_its_doing(
    run: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stability, "SLOW_SECONDS", ANY_TIME)
    monkeypatch.setattr("mfagate.checks.deadline.time", SimpleNamespace(monotonic=lambda: 1e9))
    check = red(run())
    assert (check.cause, check.outcome) == (CauseId.PROVIDER_DEGRADED, Outcome.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("budget", "outcome", "told"),
    [
        (None, Outcome.WARN, "not stated"),
        ("10", Outcome.WARN, "10 s, holds"),
        (0.5, Outcome.INCONCLUSIVE, "0.5 s, is exceeded by most of them"),
        ("soon", Outcome.WARN, "not stated"),
    ],
)
def test_slow_answers_are_a_warning_while_the_budget_of_a_login_holds(budget: Any, outcome: Outcome, told: str) -> None:
    request = Request("GET", "https://api.example/x")
    answers = [Exchange(request, datetime.now(UTC), Response(200), phases={Phase.PROCESSING: 0.9}) for _ in range(4)]
    stated = {"login_budget_seconds": SimpleNamespace(value=budget, error=None)} if budget is not None else {}
    pictures = [Attempts([Attempt(None, answer)]) for answer in answers]
    (check,) = stability.run(SimpleNamespace(pictures=pictures, client=stated))  # type: ignore[arg-type]
    assert (check.cause, check.outcome) == (CauseId.PROVIDER_DEGRADED, outcome)
    assert check.evidence["login budget"] == told
    assert check.evidence["longest"] == "0.9 s"


def trouble(cause: CauseId, late: int, total: int) -> SimpleNamespace:
    """A climb in which so many of all questions got an answer only when they were asked again."""
    failed, fine = Attempt(None, None, cause, Outcome.INCONCLUSIVE), Attempt(None, None)
    pictures = [Attempts([failed, fine]) for _ in range(late)] + [Attempts([fine]) for _ in range(total - late)]
    return SimpleNamespace(pictures=pictures, began=0.0, client={}, options=SimpleNamespace(deadline_seconds=120))


@pytest.mark.parametrize(
    ("cause", "late", "total", "told", "outcome"),
    [
        (CauseId.PROVIDER_OUTAGE, 4, 20, CauseId.PROVIDER_DEGRADED, Outcome.WARN),
        (CauseId.PROVIDER_OUTAGE, 5, 20, CauseId.PROVIDER_DEGRADED, Outcome.INCONCLUSIVE),
        (CauseId.PROVIDER_OUTAGE, 2, 2, CauseId.PROVIDER_DEGRADED, Outcome.WARN),
        (CauseId.NETWORK_CONNECTION_RESET, 3, 4, CauseId.NETWORK_CONNECTION_RESET, Outcome.INCONCLUSIVE),
        # It is the gate that asks so much at once.
        (CauseId.PROVIDER_RATE_LIMITED, 20, 20, CauseId.PROVIDER_RATE_LIMITED, Outcome.WARN),
    ],
)
def test_what_passes_too_often_is_no_basis_for_a_verdict(
    cause: CauseId, late: int, total: int, told: CauseId, outcome: Outcome
) -> None:
    """All is answered in the end; but what the gate asks again, a login does not."""
    climb: Any = trouble(cause, late, total)
    found = stability.sporadic(climb)
    assert found is not None
    assert (found.cause, found.effective_outcome) == (told, outcome)
    assert found.message.startswith(f"{late} of {total} questions")
    overdue = deadline.overdue(climb, "contract.interaction", "7 of 9 interactions were verified")
    if outcome is Outcome.INCONCLUSIVE:
        assert overdue is not None
        assert (overdue.cause, overdue.outcome) == (told, outcome)
        assert "and only 7 of 9 interactions were verified in" in overdue.message
    else:
        assert overdue is None or overdue.cause is CauseId.GATE_NOTHING_CHECKED


def test_a_deadline_that_is_over_blames_nobody(run: Run, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was slow, so nothing is said of the provider."""
    monkeypatch.setattr("mfagate.checks.deadline.time", SimpleNamespace(monotonic=lambda: 1e9))
    check = red(run())
    assert (check.cause, check.outcome) == (CauseId.GATE_NOTHING_CHECKED, Outcome.INCONCLUSIVE)
    assert "deadline of 120 s" in check.message


def test_a_provider_without_a_ping(run: Run, provider: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "pings", lambda settings: [])
    assert of(run(), "credential.accepted")["client_secret"].outcome is Outcome.PASS


def test_clocks_that_disagree_settle_nothing(run: Run, server: Server) -> None:
    server.answers["/login/ping"] = (200, {"time": time.time() + 3600})
    (check,) = of(run(), "clock").values()
    assert (check.cause, check.outcome) == (CauseId.CLOCK_SKEW, Outcome.INCONCLUSIVE)
    assert "by the Date header of the ping it is right" in check.message


def test_a_silence_is_confirmed_once(run: Run, provider: Fake) -> None:
    """Each costs a timeout."""
    with faulty_proxy("http://127.0.0.1:9", lambda handler: handler.rfile.read() is None) as silent:
        provider.api.login = silent.url
        check = red(run())
    assert (check.id, check.cause) == ("provider.ping", CauseId.NETWORK_READ_TIMEOUT)
    assert check.evidence["attempts"].startswith("2 of 2 failed")


def test_one_server_of_several_is_named() -> None:
    """Behind one name there may be many, and only one of them is broken."""

    def met(address: str, cause: CauseId | None) -> Attempt[None]:
        request = Request("GET", "https://mfa.example/ping")
        exchange = Exchange(request, datetime.now(UTC), Response(200), address=address)
        return Attempt(None, exchange, cause, Outcome.INCONCLUSIVE if cause else None)

    outage = CauseId.PROVIDER_OUTAGE
    picture = Attempts([met("192.0.2.1", outage), met("192.0.2.1", outage), met("192.0.2.2", None)])
    assert picture.told["by address"] == "192.0.2.1: 2 of 2 failed, 192.0.2.2: 0 of 1 failed"
    assert "by address" not in Attempts(picture.samples[:2]).told


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
def test_the_picture_shows_what_was_there(kinds: list[tuple[CauseId, Outcome] | None]) -> None:
    samples = [Attempt(number, None, *(kind or ())) for number, kind in enumerate(kinds)]
    picture = Attempts(samples)
    assert picture.shown in samples
    assert not (picture.mixed and picture.recovered)
    definite = [sample for sample in samples if sample.cause is not None and not sample.is_transient]
    if picture.shown.cause is None:
        assert not definite
    if definite and len(picture.failures) < len(samples):
        assert picture.mixed
        assert picture.shown in definite
    if len(samples) > 1:
        assert picture.told["attempts"].startswith(f"{len(picture.failures)} of {len(samples)} failed")
