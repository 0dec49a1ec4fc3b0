"""How many requests wait for an answer of one account at the same time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from mfagate.checks.limits import AccountLimits, RequestLimit


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
