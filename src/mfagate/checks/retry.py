"""Repeat a request while another attempt may have a different result, and summarize all attempts.

Transport failures, server errors and rate limits are repeated because they may be transient. A refusal is repeated to
confirm it, because people act on it. Number and duration of the attempts are limited, so that the cause is known
within seconds.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from mfagate.checks.limits import working_time
from mfagate.core.causes import CauseFamily, CauseId, Outcome, may_pass, refuses
from mfagate.core.diagnosis import seconds_to_wait
from mfagate.core.exchange import Exchange
from mfagate.core.finding import Finding
from mfagate.core.result import Check

MOST_ATTEMPTS = 4
"""The limit for a failure that may pass."""

CONFIRMING_ATTEMPTS = 3
"""The limit for a definite answer: three equal answers are no coincidence."""

REQUEST_RETRY_SECONDS = 3.0
"""How long one request is repeated."""

_CONFIRMED_IF_WITHIN = 1.0
"""Seconds. A definite answer that took longer is not confirmed."""

_BACKOFF_SECONDS = 0.15

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Attempt(Generic[T_co]):
    """One attempt, its exchange if a request was sent, and what the exchange was found to show."""

    value: T_co
    exchange: Exchange | None
    finding: Finding | None = None

    @classmethod
    def checked(cls, check: Check, exchange: Exchange | None) -> Attempt[Check]:
        """Make an attempt of a whole check."""
        if check.cause is None:
            return Attempt(check, exchange)
        return Attempt(check, exchange, Finding(check.cause, check.message, check.evidence, outcome=check.outcome))

    @property
    def failure(self) -> Finding | None:
        """The finding, if it is red; other findings are not worth another attempt."""
        return self.finding if self.finding is not None and self.finding.effective_outcome.is_red else None

    @property
    def cause(self) -> CauseId | None:
        """The cause of the failure; None if the attempt succeeded."""
        return self.failure.cause if self.failure is not None else None

    @property
    def wait(self) -> float:
        """How long the provider asks to wait, in seconds."""
        response = self.exchange.response if self.exchange is not None else None
        return (seconds_to_wait(response) or 0.0) if response is not None else 0.0

    @property
    def is_transient(self) -> bool:
        """Whether the failure may be transient: no answer, a server error, a rate limit, a shortage on this machine."""
        failure = self.failure
        return failure is not None and failure.effective_outcome is Outcome.INCONCLUSIVE and may_pass(failure.cause)

    @property
    def label(self) -> str:
        """The cause, with the status of the answer if there was one."""
        status = self.failure.evidence.get("status") if self.failure is not None else None
        return f"{self.cause} ({status})" if status else str(self.cause)


@dataclass(frozen=True, slots=True)
class Attempts(Generic[T_co]):
    """All attempts at one request."""

    all: tuple[Attempt[T_co], ...]

    @property
    def failures(self) -> list[Attempt[T_co]]:
        """The attempts that failed."""
        return [attempt for attempt in self.all if attempt.cause is not None]

    @property
    def recovered(self) -> bool:
        """Whether every failure was transient and another attempt succeeded."""
        failures = self.failures
        return 0 < len(failures) < len(self.all) and all(attempt.is_transient for attempt in failures)

    @property
    def inconsistent(self) -> bool:
        """Whether the same request got a definite failure and a success."""
        return 0 < len(self.failures) < len(self.all) and not self.recovered

    @property
    def representative(self) -> Attempt[T_co]:
        """The attempt that the check reports: the last success, or the most frequent failure."""
        failures = self.failures
        if not failures or self.recovered:
            return next(attempt for attempt in reversed(self.all) if attempt.cause is None)
        definite = [attempt for attempt in failures if not attempt.is_transient]
        candidates = definite if self.inconsistent else failures
        most = Counter(attempt.cause for attempt in candidates).most_common(1)[0][0]
        return next(attempt for attempt in candidates if attempt.cause == most)

    @property
    def value(self) -> T_co:
        """The value of the representative attempt."""
        return self.representative.value

    @property
    def finding(self) -> Finding | None:
        """The finding of the representative attempt."""
        return self.representative.finding

    @property
    def share(self) -> str:
        """The number of failures, in words."""
        return f"in {len(self.failures)} of {len(self.all)} attempts"

    @property
    def summary(self) -> Mapping[str, str]:
        """The counts as evidence; empty for a single attempt."""
        if len(self.all) == 1:
            return {}
        failures = self.failures
        kinds = f": {counts(failures)}" if failures else ""
        return {"attempts": f"{len(failures)} of {len(self.all)} failed{kinds}", **self._by_address()}

    def _by_address(self) -> Mapping[str, str]:
        """Count the failures of each server, if several servers with the same name have answered."""
        failed: dict[str, list[bool]] = {}
        for attempt in self.all:
            if attempt.exchange is not None and attempt.exchange.address is not None:
                failed.setdefault(attempt.exchange.address, []).append(attempt.cause is not None)
        if len(failed) < 2:
            return {}
        numbers = (f"{address}: {sum(flags)} of {len(flags)} failed" for address, flags in failed.items())
        return {"by address": ", ".join(numbers)}

    def counted(self, finding: Finding) -> Finding:
        """Return the finding with the counts; inconclusive if the attempts were inconsistent."""
        if self.inconsistent:
            message = f"{finding.message} ({self.share}; the others succeeded)"
            finding = replace(finding, message=message, outcome=Outcome.INCONCLUSIVE)
        return replace(finding, evidence={**finding.evidence, **self.summary})


def counts(attempts: Sequence[Attempt[object]]) -> str:
    """Count the attempts of each kind, such as ``2 × provider.outage (503)``."""
    labels = Counter(attempt.label for attempt in attempts)
    return ", ".join(f"{number} × {label}" for label, number in labels.items())


def always(attempt: Attempt[object]) -> bool:
    """Allow any further attempt."""
    return True


def repeat(
    once: Callable[[float | None], Attempt[T]],
    seconds: float,
    *,
    confirming: bool = True,
    bounded: bool = True,
    may_repeat: Callable[[Attempt[T]], bool] = always,
) -> tuple[Attempts[T], float]:
    """Make attempts until the result is settled. Return them, and the seconds that the repetitions took.

    Args:
        once: Makes one attempt. Its argument limits the seconds; None means the usual timeout.
        seconds: How long to repeat.
        confirming: Whether to repeat a definite failure to confirm it.
        bounded: Whether ``once`` keeps to its limit. If not, a slow attempt is not repeated.
        may_repeat: Whether another attempt may follow this one; a request that sends a message is sent once.
    """
    began = working_time()
    made = [once(None)]
    first = working_time() - began
    confirming = confirming and first < _CONFIRMED_IF_WITHIN
    end = working_time() + seconds
    again = bounded or first <= REQUEST_RETRY_SECONDS
    while again and may_repeat(made[-1]):
        pause = backoff(made[-1], len(made), end - working_time(), confirming=confirming)
        if pause is None:
            break
        time.sleep(pause)
        made.append(once(max(end - working_time(), 0.1)))
        if first > REQUEST_RETRY_SECONDS:  # A timeout is confirmed once, because each attempt takes as long again.
            break
    used = seconds - max(end - working_time(), 0.0) if len(made) > 1 else 0.0
    return Attempts(tuple(made)), used


def backoff(last: Attempt[object], made: int, left: float, *, confirming: bool) -> float | None:
    """Return the seconds to wait before the next attempt; None if there is no other attempt.

    Args:
        last: The latest attempt.
        made: The number of attempts so far.
        left: The seconds that remain.
        confirming: Whether to confirm a definite failure.
    """
    failure = last.failure
    if failure is None:
        return None
    if last.is_transient:
        # Full jitter, so that the workers of a whole pipeline do not repeat their requests at the same time.
        pause = random.uniform(0.5, 1.5) * _BACKOFF_SECONDS * 2 ** (made - 1)  # noqa: S311 - no secret depends on it
        wait = max(pause, last.wait)
        return wait if made < MOST_ATTEMPTS and wait < left else None
    definite = refuses(failure.cause) or failure.cause.family is CauseFamily.CONTRACT
    doubtful = confirming and failure.effective_outcome is Outcome.FAIL and definite
    return _BACKOFF_SECONDS if doubtful and made < CONFIRMING_ATTEMPTS and left > _BACKOFF_SECONDS else None
