"""Checks that compare durations know which phases a kept connection has spared."""

from __future__ import annotations

import socket
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mfagate.baselines import MIN_OBSERVATIONS
from mfagate.checks import baseline, stability
from mfagate.checks.live import LiveContext
from mfagate.checks.messages import never_left
from mfagate.checks.retry import Attempt, Attempts
from mfagate.core import check_ids
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import ConnectionUse, Exchange, Failure, Phase, Request, Response
from mfagate.core.result import Check, Measured, Verdict
from mfagate.doctor.reachable import reachable
from mfagate.doctor.readable import Tables
from mfagate.history.prior_runs import PriorRuns
from mfagate.history.record import IntegrationState, PhaseSample, answered_requests, samples_of
from mfagate.transport.pool import ConnectionPool, KeptConnection
from tests.checks.contexts import live_context
from tests.checks.fake import Fake, Run, Server

OPENED = {Phase.CONNECT: 0.03, Phase.PROCESSING: 0.1}
SPARED = {Phase.PROCESSING: 0.1}
REQUEST = Request("GET", "https://api.example/a")


def exchange(connection: ConnectionUse = "new", phases: Mapping[Phase, float] | None = None) -> Exchange:
    default = SPARED if connection == "kept" else OPENED
    return Exchange(
        REQUEST, datetime.now(UTC), Response(200), phases=default if phases is None else phases, connection=connection
    )


def attempts(exchanges: Sequence[Exchange]) -> list[Attempts[object]]:
    made: list[Attempt[object]] = [Attempt(one, one) for one in exchanges]
    return [Attempts((attempt,)) for attempt in made]


def state(connects: int, answered: int, connect: float = 0.03) -> IntegrationState:
    """The result of a run with so many answers, and so many new connections."""
    samples = (
        PhaseSample(Phase.CONNECT, connects, connect, connect, connect),
        PhaseSample(Phase.PROCESSING, answered, 0.1, 0.1, 0.1),
    )
    return IntegrationState(
        "x", "fake", "staging", "provider", Verdict.PASS, None, "", frozenset(), samples=samples, questions=answered
    )


def with_history(folder: Path, runs: Sequence[IntegrationState], exchanges: Sequence[Exchange]) -> LiveContext:
    live = live_context(folder, requests=attempts(exchanges))
    nights = [(datetime.now(UTC) - timedelta(days=len(runs) - number), one) for number, one in enumerate(runs)]
    return LiveContext(replace(live.context, prior=PriorRuns(None, nights)), live.typed, live.transcript)


def connect_check(live: LiveContext) -> Check:
    return next(check for check in baseline.latency(live) if check.subject == Phase.CONNECT)


def test_a_spared_phase_is_no_sample() -> None:
    measured = [
        Measured(request="GET /a", phases={"connect": 0.03, "processing": 0.1}),
        *[Measured(request="GET /a", phases={"processing": 0.1}, connection="kept")] * 9,
    ]
    samples = samples_of(measured)
    assert samples == (
        PhaseSample(Phase.CONNECT, 1, 0.03, 0.03, 0.03),
        PhaseSample(Phase.PROCESSING, 10, 0.1, 0.1, 0.1),
    )
    assert answered_requests(samples) == 10


@pytest.mark.parametrize(
    ("then", "now"), [(40, 2), (2, 40), (40, 40)], ids=["kept since then", "no longer kept", "as before"]
)
def test_a_baseline_is_comparable_whether_connections_were_kept_or_not(tmp_path: Path, then: int, now: int) -> None:
    exchanges = [exchange()] * now + [exchange("kept")] * (40 - now)
    live = with_history(tmp_path, [state(then, 40)] * MIN_OBSERVATIONS, exchanges)
    assert connect_check(live).outcome is Outcome.PASS


def test_slower_connections_are_seen_if_only_two_were_opened(tmp_path: Path) -> None:
    slow = exchange(phases={Phase.CONNECT: 0.3, Phase.PROCESSING: 0.1})
    runs = [state(40, 40)] * MIN_OBSERVATIONS + [state(2, 40, 0.3)] * 8
    live = with_history(tmp_path, runs, [slow] * 2 + [exchange("kept")] * 38)
    assert connect_check(live).cause is CauseId.LATENCY_SHIFTED


def test_a_run_that_ended_early_does_not_count(tmp_path: Path) -> None:
    exchanges = [exchange()] * 2 + [exchange("kept")] * 38
    live = with_history(tmp_path, [state(5, 5)] * MIN_OBSERVATIONS, exchanges)
    check = connect_check(live)
    assert (check.outcome, check.message[:2]) == (Outcome.SKIPPED, "0 ")


def test_the_report_says_which_connections_were_kept_or_renewed(tmp_path: Path) -> None:
    live = live_context(tmp_path, requests=attempts([exchange(), exchange("kept"), exchange("renewed")]))
    assert [measured.connection for measured in live.transcript.measured] == ["new", "kept", "renewed"]
    (check,) = stability.run(live)
    assert check.outcome is Outcome.PASS
    assert check.evidence == {
        "connections": "1 kept connections had been closed; their requests were sent again on new ones"
    }


@pytest.mark.parametrize(("connection", "never"), [("new", True), ("renewed", False)])
def test_a_request_that_was_sent_again_has_left_this_machine(connection: ConnectionUse, never: bool) -> None:
    refused = Failure(CauseId.NETWORK_CONNECTION_REFUSED, Phase.CONNECT, "refused")
    lost = Exchange(REQUEST, datetime.now(UTC), failure=refused, connection=connection)
    assert never_left(lost) is never


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[socket.socket]:
    """The sockets of all connections that were kept after a request."""
    found: list[socket.socket] = []
    put = ConnectionPool.put

    def noted(self: ConnectionPool, key: Hashable, connection: KeptConnection) -> None:
        found.extend(connection.sockets)
        put(self, key, connection)

    monkeypatch.setattr(ConnectionPool, "put", noted)
    return found


def test_no_connection_stays_open_after_a_run(used: list[socket.socket], run: Run) -> None:
    run()
    assert used
    assert {connection.fileno() for connection in used} == {-1}


def test_no_connection_stays_open_after_an_interrupt(
    used: list[socket.socket], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(transcript: object, check: Check) -> Check:
        if check.id == check_ids.CREDENTIAL_ACCEPTED:
            raise KeyboardInterrupt
        return check

    monkeypatch.setattr(stability, "with_other_answers", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert used
    assert {connection.fileno() for connection in used} == {-1}


def test_no_connection_stays_open_after_the_doctor_has_asked(
    used: list[socket.socket], tmp_path: Path, provider: Fake, server: Server
) -> None:
    settings = live_context(tmp_path, provider).context.tables.settings
    tables: Tables = {"x": {"settings": settings.values}}
    items = list(reachable([settings.integration], tables))
    assert any("ms to connect" in item.detail for item in items)
    assert used
    assert {connection.fileno() for connection in used} == {-1}
