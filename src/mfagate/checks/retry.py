"""One answer is a sample: what is doubtful is asked again, and what is told is the whole picture.

Asked again is what may be different the next time: a transport failure, a server error, a limit on the
rate, and also a refusal, because a refusal decides what people do next. How often and for how long is
bounded, so that the cause is known within seconds.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from mfagate.checks.retirement import announced
from mfagate.core.causes import CauseId, Outcome, refuses
from mfagate.core.diagnosis import seconds_to_wait
from mfagate.core.exchange import Exchange
from mfagate.core.finding import Finding
from mfagate.core.result import Check

if TYPE_CHECKING:
    from mfagate.checks.context import CheckContext
    from mfagate.providers.base import Probe

MOST_ATTEMPTS = 4
"""Where what went wrong may pass."""

CONFIRMING_ATTEMPTS = 3
"""Where an answer was definite: three alike are no coincidence."""

REQUEST_RETRY_SECONDS = 3.0
"""For which one question is asked again."""

INTEGRATION_RETRY_SECONDS = 5.0
"""For which all questions of a climb are asked again; with more trouble than that, the trouble is the answer."""

_LEAST_SECONDS = 1.5
"""For which each question is asked again all the same: a slow provider uses the others up on two or three."""

_CONFIRMED_IF_WITHIN = 1.0
"""Seconds: what takes longer is answered definitely enough."""

_PAUSE_SECONDS = 0.15

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Attempt(Generic[T]):
    """One attempt, and the exchange that it took. ``cause`` is None if it was in order."""

    value: T
    exchange: Exchange | None
    cause: CauseId | None = None
    outcome: Outcome | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def found(cls, value: T, exchange: Exchange | None, finding: Finding | None) -> Attempt[T]:
        """An attempt and what is to be said of it; only what is red is worth another."""
        if finding is None or not finding.effective_outcome.is_red:
            return cls(value, exchange)
        return cls(value, exchange, finding.cause, finding.effective_outcome, finding.evidence)

    @classmethod
    def checked(cls, check: Check, exchange: Exchange | None) -> Attempt[Check]:
        """A whole check as an attempt."""
        if not check.outcome.is_red:
            return Attempt(check, exchange)
        return Attempt(check, exchange, check.cause, check.outcome, check.evidence)

    @property
    def wait(self) -> float:
        """How long the provider asks to wait, in seconds."""
        response = self.exchange.response if self.exchange is not None else None
        return (seconds_to_wait(response) or 0.0) if response is not None else 0.0

    @property
    def is_transient(self) -> bool:
        """Whether it may pass by itself: silence, a server error, a limit on the rate, or on this machine."""
        passing = self.outcome is Outcome.INCONCLUSIVE
        return passing and str(self.cause).startswith(("network.", "provider.", CauseId.GATE_RESOURCES))

    @property
    def label(self) -> str:
        """The cause with the status, where there was an answer."""
        status = self.evidence.get("status")
        return f"{self.cause} ({status})" if status else str(self.cause)


@dataclass(slots=True)
class Attempts(Generic[T]):
    """All attempts at one question."""

    samples: list[Attempt[T]]

    @property
    def failures(self) -> list[Attempt[T]]:
        """Those that were not in order."""
        return [sample for sample in self.samples if sample.cause is not None]

    @property
    def recovered(self) -> bool:
        """Whether something passed by itself, and nothing else was wrong."""
        failures = self.failures
        return 0 < len(failures) < len(self.samples) and all(sample.is_transient for sample in failures)

    @property
    def mixed(self) -> bool:
        """Whether the same question got a definite answer and the opposite one."""
        return 0 < len(self.failures) < len(self.samples) and not self.recovered

    @property
    def shown(self) -> Attempt[T]:
        """The attempt to go by: never simply the last one."""
        failures = self.failures
        if not failures or self.recovered:
            return next(sample for sample in reversed(self.samples) if sample.cause is None)
        definite = [sample for sample in failures if not sample.is_transient]
        among = definite if self.mixed else failures
        most = Counter(sample.cause for sample in among).most_common(1)[0][0]
        return next(sample for sample in among if sample.cause == most)

    @property
    def told(self) -> Mapping[str, str]:
        """The counts as evidence, if there was more than one attempt."""
        if len(self.samples) == 1:
            return {}
        failures = self.failures
        kinds = f": {counts(failures)}" if failures else ""
        return {"attempts": f"{len(failures)} of {len(self.samples)} failed{kinds}", **self._by_address()}

    def _by_address(self) -> Mapping[str, str]:
        """Which of several servers behind one name failed, if more than one was met."""
        met: dict[str, list[bool]] = {}
        for sample in self.samples:
            if sample.exchange is not None and sample.exchange.address is not None:
                met.setdefault(sample.exchange.address, []).append(sample.cause is not None)
        if len(met) < 2:
            return {}
        return {"by address": ", ".join(f"{one}: {sum(bad)} of {len(bad)} failed" for one, bad in met.items())}

    def counted(self, finding: Finding) -> Finding:
        """The finding with its counts; of a mixed picture no more is claimed than that."""
        if self.mixed:
            failed, total = len(self.failures), len(self.samples)
            message = f"{finding.message}: so in {failed} of {total} attempts, and in order otherwise"
            finding = replace(finding, message=message, outcome=Outcome.INCONCLUSIVE)
        return replace(finding, evidence={**finding.evidence, **self.told})


def counts(samples: Sequence[Attempt[Any]]) -> str:
    """How many there are of each kind, such as ``2 × provider.outage (503)``."""
    return ", ".join(f"{number} × {label}" for label, number in Counter(one.label for one in samples).items())


def _always(sample: Attempt[Any]) -> bool:
    return True


def attempt_until_settled(
    climb: CheckContext,
    once: Callable[[float | None], Attempt[T]],
    *,
    confirming: bool = True,
    bounded: bool = True,
    may_repeat: Callable[[Attempt[T]], bool] = _always,
) -> Attempts[T]:
    """Ask as of :func:`attempts`, within the time that is left for asking again, and remember the answers."""
    seconds = min(REQUEST_RETRY_SECONDS, max(climb.asking_seconds, _LEAST_SECONDS))
    picture, used = attempts(once, seconds, confirming=confirming, bounded=bounded, may_repeat=may_repeat)
    climb.asking_seconds -= used
    climb.pictures.append(picture)
    return picture


def attempts(
    once: Callable[[float | None], Attempt[T]],
    seconds: float,
    *,
    confirming: bool = True,
    bounded: bool = True,
    may_repeat: Callable[[Attempt[T]], bool] = _always,
) -> tuple[Attempts[T], float]:
    """Ask, and ask again for so many ``seconds`` while that may tell more. Return also the seconds that this took.

    ``once`` makes one attempt; it is given the seconds that it may take, None for as long as usual.
    Without ``confirming``, a definite answer is taken at its word. If it cannot be ``bounded``
    by those seconds, what took long is not asked again. ``may_repeat`` says after each attempt whether there may be
    another: what sends a message is sent once.
    """
    began = time.monotonic()
    picture = Attempts([once(None)])
    first = time.monotonic() - began
    confirming = confirming and first < _CONFIRMED_IF_WITHIN
    end = time.monotonic() + seconds
    again = bounded or first <= REQUEST_RETRY_SECONDS
    while again and may_repeat(picture.samples[-1]):
        pause = _pause(picture, end - time.monotonic(), confirming)
        if pause is None:
            break
        time.sleep(pause)
        picture.samples.append(once(max(end - time.monotonic(), 0.1)))
        if first > REQUEST_RETRY_SECONDS:  # A silence is confirmed once: each costs a timeout.
            break
    used = seconds - max(end - time.monotonic(), 0.0) if len(picture.samples) > 1 else 0.0
    return picture, used


def _pause(picture: Attempts[Any], left: float, confirming: bool) -> float | None:
    """Seconds to wait before the next attempt, None for no further one."""
    last, made = picture.samples[-1], len(picture.samples)
    if last.cause is None:
        return None
    if last.is_transient:
        # Full jitter, so that the workers of a whole pipeline do not come back in step.
        pause = random.uniform(0.5, 1.5) * _PAUSE_SECONDS * 2 ** (made - 1)  # noqa: S311 - no secret depends on it
        wait = max(pause, last.wait)
        return wait if made < MOST_ATTEMPTS and wait < left else None
    definite = refuses(last.cause) or str(last.cause).startswith("contract.")
    doubtful = confirming and last.outcome is Outcome.FAIL and definite
    return _PAUSE_SECONDS if doubtful and made < CONFIRMING_ATTEMPTS and left > _PAUSE_SECONDS else None


def ask_probe(
    climb: CheckContext,
    probe: Probe,
    judge: Callable[[Exchange], Finding | None],
    *,
    settings: Any = None,
    unsigned: bool = False,
) -> Attempts[Exchange]:
    """Ask with a probe, which is read-only and may be sent as often as one likes."""

    def once(at_most: float | None) -> Attempt[Exchange]:
        request = probe.request()
        live = climb.live
        exchange = (
            live.send_unsigned(request, at_most=at_most) if unsigned else live.send(request, settings, at_most=at_most)
        )
        return Attempt.found(exchange, exchange, judge(exchange))

    return attempt_until_settled(climb, once)


def judging(
    probe: Probe, diagnose: Callable[[Exchange, Probe], Finding], *, reviewed: bool = False
) -> Callable[[Exchange], Finding | None]:
    """A judge to whom an answer that the probe accepts is in order, unless it announces the end of its endpoint.

    ``reviewed`` has it looked at once more, with the probe's own review.
    """

    def judge(exchange: Exchange) -> Finding | None:
        if exchange.response is None or not probe.accepted(exchange.response):
            return diagnose(exchange, probe)
        found = probe.review(exchange.response) if reviewed and probe.review else None
        return found or announced(exchange)

    return judge
