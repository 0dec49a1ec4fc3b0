"""Limit how many requests wait for an answer at one provider account at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class RequestLimit:
    """The limit of one provider account. All integrations that use the account share it, and so do their threads.

    Args:
        most: The number of requests that may wait for an answer.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting = 0
        self._changed = threading.Condition()

    @property
    def most(self) -> int:
        """The number of requests that may wait for an answer now."""
        return self._most

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait until a request may be sent; it may then wait for its answer inside the context."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting < self._most)
            self._waiting += 1
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

    def of(self, account: str, most: int) -> RequestLimit:
        """Return the limit of an account.

        Args:
            account: Identifies the account; integrations with the same text share its limit.
            most: The limit, if this is the first integration of the account.
        """
        with self._lock:
            return self._limits.setdefault(account, RequestLimit(most))
