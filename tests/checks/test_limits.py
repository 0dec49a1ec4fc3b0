"""How many requests wait for an answer of one account at the same time."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from mfagate.checks.limits import AccountLimits, Pace, RequestLimit, working_time
from mfagate.providers import registry
from mfagate.providers.limits import PAID, PublishedLimit


def most_at_once(limit: RequestLimit, threads: int) -> int:
    """Return how many threads were inside at the same time, after as many as possible had come in."""
    inside, most, lock = 0, 0, threading.Lock()

    def ask(_: int) -> None:
        nonlocal inside, most
        with limit.slot():
            with lock:
                inside += 1
                most = max(most, inside)
            threading.Event().wait(0.01)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(ask, range(4 * threads)))
    return most


def test_no_more_requests_wait_than_the_limit_allows() -> None:
    assert most_at_once(RequestLimit(3), 8) <= 3


def test_too_many_requests_halve_the_limit_but_leave_one() -> None:
    limit = RequestLimit(8)
    seen = []
    for _ in range(5):
        seen.append(limit.most)
        limit.lower()
    assert seen == [8, 4, 2, 1, 1]
    assert most_at_once(limit, 4) == 1


def test_integrations_of_one_account_share_its_limit() -> None:
    limits = AccountLimits()
    assert limits.of("duo api-1", 8) is limits.of("duo api-1", 4)
    assert limits.of("duo api-1", 8) is not limits.of("duo api-2", 8)


def test_a_published_limit_is_never_exceeded() -> None:
    assert RequestLimit(99, [PublishedLimit("https://example.com", at_once=35)]).most == 35


class Clock:
    """A clock that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_requests_follow_at_the_published_pace_after_a_burst() -> None:
    clock = Clock()
    pace = Pace(PublishedLimit("https://example.com", per_second=2, burst=3), clock)
    assert [pace.turn() for _ in range(6)] == pytest.approx([0, 0, 0, 0.5, 1.0, 1.5])
    clock.now += 60
    assert [pace.turn() for _ in range(4)] == pytest.approx([0, 0, 0, 0.5])


def test_only_the_paths_of_a_pace_wait_for_it_and_waiting_does_not_count_as_work() -> None:
    slow = PublishedLimit("https://example.com", per_second=20, path="/api/")
    limit = RequestLimit(8, [slow])
    began, worked = time.monotonic(), working_time()
    for path in ("/api/users", "/oauth/token", "/api/users", "/oauth/token"):
        with limit.slot(path):
            pass
    waited = (time.monotonic() - began) - (working_time() - worked)
    assert waited >= 0.05


@pytest.mark.parametrize("name", registry.names())
def test_every_provider_has_the_limits_of_a_paid_plan_and_names_its_sources(name: str) -> None:
    limits = registry.get(name).api.limits
    assert PAID in limits
    assert all(limit.source.startswith("https://") for several in limits.values() for limit in several)
