"""Interactions and checks that do not need each other are sent at the same time, and the report does not show it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mfagate.checks import interactions
from mfagate.checks.cleanup import Interrupted
from mfagate.checks.live import LiveContext
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.result import Check, SkipReason
from mfagate.sandbox.faulty_proxy import Handler, faulty_proxy, hang_up
from tests.checks.contexts import live_context, write_pact
from tests.checks.fake import Fake, Run, Server, red

PATIENCE = 30.0


def interaction(name: str) -> dict[str, Any]:
    return {"description": name, "request": {"path": f"/api/{name}"}, "response": {"status": 200}}


@contextmanager
def served(folder: Path, names: Sequence[str], answer: Any, concurrency: int = 8) -> Iterator[LiveContext]:
    """Serve a contract of interactions that need nothing; ``answer`` handles their requests."""

    def handler(request: Handler) -> bool:
        if request.path == "/login/token":
            request.read_body()
            return request.answer(
                200, b'{"access_token": "t0ken-of-a-test", "token_type": "Bearer"}', "application/json"
            )
        return bool(answer(request))

    write_pact(folder, *map(interaction, names))
    provider = Fake()
    with faulty_proxy("http://127.0.0.1:9", handler) as server:
        provider.api.login = provider.api.api = server.url
        live = live_context(folder, provider)
        options = live.context.options.model_copy(update={"concurrency": concurrency})
        made = LiveContext(replace(live.context, options=options), live.typed, live.transcript)
        try:
            yield made
        finally:
            made.close()


def ok(request: Handler) -> bool:
    return request.answer(200, b"", None)


def replayed(live: LiveContext) -> list[Check]:
    return list(interactions.run(live))


def test_independent_interactions_wait_for_their_answers_at_the_same_time(tmp_path: Path) -> None:
    together = threading.Barrier(4)

    def answer(request: Handler) -> bool:
        together.wait(PATIENCE)
        return ok(request)

    with served(tmp_path, ["a", "b", "c", "d"], answer, concurrency=4) as live:
        assert [check.outcome for check in replayed(live)] == [Outcome.PASS] * 4


def test_no_more_requests_wait_than_the_concurrency(tmp_path: Path) -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def answer(request: Handler) -> bool:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        threading.Event().wait(0.01)
        with lock:
            inside -= 1
        return ok(request)

    with served(tmp_path, [f"n{number}" for number in range(12)], answer, concurrency=2) as live:
        replayed(live)
    assert most <= 2


def test_the_report_has_the_order_of_the_contract_whatever_answers_first(tmp_path: Path) -> None:
    last_answered = threading.Event()

    def answer(request: Handler) -> bool:
        if request.path.endswith("first"):
            last_answered.wait(PATIENCE)
        else:
            last_answered.set()
        return ok(request)

    with served(tmp_path, ["first", "last"], answer) as live:
        checks = replayed(live)
        assert [check.subject for check in checks] == ["first", "last"]
        assert list(live.evidence.answered) == ["first", "last"]


def test_what_fails_beside_a_provider_that_is_gone_is_no_second_cause(tmp_path: Path) -> None:
    """One interaction is refused while another one gets no answer: the provider is at fault, not the contract."""
    both = threading.Barrier(2)
    met: set[str] = set()

    def answer(request: Handler) -> bool:
        if request.path not in met:
            met.add(request.path)
            both.wait(PATIENCE)
        return hang_up(request) if request.path.endswith("gone") else request.answer(404, b"", None)

    with served(tmp_path, ["refusal", "gone"], answer) as live:
        refused, gone = replayed(live)
    assert (gone.outcome, gone.cause) == (Outcome.INCONCLUSIVE, CauseId.NETWORK_CONNECTION_RESET)
    assert (refused.outcome, refused.skipped_because) == (Outcome.SKIPPED, SkipReason.NOT_REACHED)
    assert refused.message.startswith("sent at the same time, and not judged")


def test_a_broken_interaction_beside_others_is_reported(tmp_path: Path) -> None:
    def answer(request: Handler) -> bool:
        return request.answer(404, b"", None) if request.path.endswith("b") else ok(request)

    with served(tmp_path, ["a", "b", "c"], answer) as live:
        outcomes = [check.outcome for check in replayed(live)]
    assert outcomes == [Outcome.PASS, Outcome.FAIL, Outcome.PASS]


def test_an_interrupted_run_sends_nothing_more(tmp_path: Path) -> None:
    first, released = threading.Event(), threading.Event()
    asked: list[str] = []

    def answer(request: Handler) -> bool:
        asked.append(request.path)
        first.set()
        released.wait(PATIENCE)
        return ok(request)

    with served(tmp_path, ["a", "b", "c"], answer, concurrency=1) as live, ThreadPoolExecutor(1) as pool:
        running = pool.submit(replayed, live)
        assert first.wait(PATIENCE)
        live.context.cleanup.interrupt(0)
        released.set()
        with pytest.raises(Interrupted):
            running.result(PATIENCE)
    assert len(asked) == 1


def test_too_many_requests_lower_the_limit_of_the_account(tmp_path: Path) -> None:
    answers = iter([429])

    def answer(request: Handler) -> bool:
        return request.answer(next(answers, 200), b"", None)

    with served(tmp_path, ["a"], answer) as live:
        replayed(live)
        assert live.limit.most == 4


def test_a_missing_permission_beside_a_credential_that_is_not_enforced_is_not_judged(run: Run, server: Server) -> None:
    """Both requests are sent at the same time, and the first check in the order of the report decides."""
    server.token = lambda body: (200, {"access_token": "c4n4ry-access-t0ken", "token_type": "Bearer"})
    server.answers["/api/read"] = (403, {"error": "no_right"})
    report = run()
    assert red(report).cause is CauseId.CREDENTIAL_NOT_ENFORCED
    permission = next(check for check in report.checks if check.id == "permission")
    assert permission.outcome is Outcome.SKIPPED
    assert "sent at the same time" in permission.message
