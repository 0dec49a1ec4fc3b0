"""Record every attempt of a run of checks, and how much time is left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from mfagate.checks.retry import REQUEST_RETRY_SECONDS, Attempt, Attempts, T, always, repeat
from mfagate.core.result import Measured

INTEGRATION_RETRY_SECONDS = 5.0
"""How long all requests of one integration are repeated together; after that, failures are reported."""

_LEAST_RETRY_SECONDS = 1.5
"""How long each request is repeated even then: two or three slow requests use up the time of the others."""


@dataclass(slots=True)
class Transcript:
    """The attempts of one run of checks at one integration. Threads may share it.

    Args:
        deadline_seconds: How long the run may take.
        began: When it began (monotonic clock).
        retry_seconds: How long requests may still be repeated.
        requests: The attempts at each request, in order.
    """

    deadline_seconds: float
    began: float = field(default_factory=time.monotonic)
    retry_seconds: float = INTEGRATION_RETRY_SECONDS
    requests: list[Attempts[object]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.began

    @property
    def left(self) -> float:
        """Seconds until the deadline; negative if it has passed."""
        return self.deadline_seconds - self.elapsed

    @property
    def measured(self) -> list[Measured]:
        """Each request that was sent, with its duration less the time that this machine kept it waiting."""
        return [
            Measured(
                request=f"{attempt.exchange.request.method} {urlsplit(attempt.exchange.request.url).path}",
                attempt=number,
                phases={
                    phase.value: round(seconds, 6) for phase, seconds in attempt.exchange.phases_without_stalls.items()
                },
                connection=attempt.exchange.connection,
                cause=attempt.cause,
            )
            for attempts in self.requests
            for number, attempt in enumerate(attempts.all, 1)
            if attempt.exchange is not None
        ]

    def attempt_until_settled(
        self,
        once: Callable[[float | None], Attempt[T]],
        *,
        confirming: bool = True,
        bounded: bool = True,
        may_repeat: Callable[[Attempt[T]], bool] = always,
    ) -> Attempts[T]:
        """Make attempts as :func:`~mfagate.checks.retry.repeat` does, within the time that is left, and record them."""
        seconds = min(REQUEST_RETRY_SECONDS, max(self.retry_seconds, _LEAST_RETRY_SECONDS))
        attempts, used = repeat(once, seconds, confirming=confirming, bounded=bounded, may_repeat=may_repeat)
        with self._lock:
            self.retry_seconds -= used
            self.requests.append(attempts)
        return attempts
