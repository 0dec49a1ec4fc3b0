"""Limit how many requests wait for an answer at one provider account at the same time, and how fast they follow."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from mfagate.providers.limits import PublishedLimit


class _Waited(threading.local):
    """How long each thread has waited for its turn."""

    seconds = 0.0


_waited = _Waited()


def working_time() -> float:
    """Return a monotonic clock in seconds that stands still while this thread waits for its turn."""
    return time.monotonic() - _waited.seconds


class Pace:
    """Spreads requests so that they keep to a number per second: a token bucket.

    Args:
        limit: Has the number per second, and the burst.
        clock: A monotonic clock in seconds.
    """

    def __init__(self, limit: PublishedLimit, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = limit.path
        self._interval = 1 / (limit.per_second or 1)
        self._lead = (limit.burst - 1) * self._interval
        self._clock = clock
        self._next = 0.0
        self._lock = threading.Lock()

    def turn(self) -> float:
        """Take the next turn, and return how many seconds to wait for it."""
        with self._lock:
            now = self._clock()
            self._next = max(self._next, now - self._lead)
            wait = max(self._next - now, 0.0)
            self._next += self._interval
            return wait


class RequestLimit:
    """The limits of one provider account. All integrations that use the account share them, and so do their threads.

    Args:
        most: The number of requests that may wait for an answer.
        published: The limits of the provider for the plan of the account.
    """

    def __init__(self, most: int, published: Sequence[PublishedLimit] = ()) -> None:
        self._most = min([most, *(limit.at_once for limit in published if limit.at_once is not None)])
        self._paces = [Pace(limit) for limit in published if limit.per_second is not None]
        self._waiting = 0
        self._changed = threading.Condition()

    @property
    def most(self) -> int:
        """The number of requests that may wait for an answer now."""
        return self._most

    @contextmanager
    def slot(self, path: str = "/") -> Iterator[None]:
        """Wait until a request to a path may be sent; it may then wait for its answer inside the context."""
        began = time.monotonic()
        wait = max([pace.turn() for pace in self._paces if path.startswith(pace.path)], default=0.0)
        if wait:
            time.sleep(wait)
        with self._changed:
            self._changed.wait_for(lambda: self._waiting < self._most)
            self._waiting += 1
        _waited.seconds += time.monotonic() - began
        try:
            yield
        finally:
            with self._changed:
                self._waiting -= 1
                self._changed.notify()

    def lower(self) -> None:
        """Halve the limit for the rest of the run, because the provider answered that there are too many requests."""
        with self._changed:
            self._most = max(1, self._most // 2)


class AccountLimits:
    """The limits of all provider accounts of one run, by account."""

    def __init__(self) -> None:
        self._limits: dict[str, RequestLimit] = {}
        self._lock = threading.Lock()

    def of(self, account: str, most: int, published: Sequence[PublishedLimit] = ()) -> RequestLimit:
        """Return the limit of an account.

        Args:
            account: Identifies the account; integrations with the same text share its limit.
            most: The number of requests that may wait, if this is the first integration of the account.
            published: The provider's limits, likewise.
        """
        with self._lock:
            return self._limits.setdefault(account, RequestLimit(most, published))
