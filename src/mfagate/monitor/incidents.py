"""Which causes are at work now: one line of log when one appears, one when it has gone.

A cause has gone when it was not seen for a while and a call went well after that. So each cause
writes two lines within that while at most, however many logins fail.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

logger = logging.getLogger("mfagate.monitor")

Described = tuple[str, Mapping[str, Any]]
"""A sentence, and the same in fields that JSON can hold."""


@dataclass(slots=True)
class _Incident:
    began: float
    last: float
    count: int = 1


class Incidents:
    """The causes at work in one integration.

    Args:
        name: The integration, for the log.
        quiet_seconds: How long a cause must not be seen before it counts as gone.
        clock: Seconds from any beginning.
    """

    def __init__(self, name: str, quiet_seconds: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._quiet = quiet_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._active: dict[str, _Incident] = {}

    @property
    def active(self) -> tuple[str, ...]:
        """The causes at work."""
        return tuple(self._active)

    def seen(self, cause: str, severe: bool, describe: Callable[[], Described]) -> None:
        """Note that a call failed for this cause; ``describe`` is called only if the cause is new."""
        now = self._clock()
        with self._lock:
            incident = self._active.get(cause)
            if incident is not None:
                incident.last, incident.count = now, incident.count + 1
                return
            self._active[cause] = _Incident(now, now)
        sentence, fields = describe()
        logger.log(
            logging.ERROR if severe else logging.WARNING,
            "MFA provider of %s: %s (%s)",
            self._name,
            sentence,
            cause,
            extra={"mfagate": {"event": "new", "integration": self._name, "cause": cause, **fields}},
        )

    def fine(self) -> None:
        """Note that a call succeeded or refused a user. This is cheap while no cause is active."""
        if not self._active:
            return
        now = self._clock()
        with self._lock:
            gone = {cause: one for cause, one in self._active.items() if now - one.last >= self._quiet}
            for cause in gone:
                del self._active[cause]
        for cause, one in gone.items():
            lasted = round(one.last - one.began, 1)
            # No level below warning: by default that would not be written, and an outage would have no end.
            logger.warning(
                "MFA provider of %s: recovered from %s after %d failed calls in %.1f s",
                self._name,
                cause,
                one.count,
                lasted,
                extra={
                    "mfagate": {
                        "event": "recovered",
                        "integration": self._name,
                        "cause": cause,
                        "failed_calls": one.count,
                        "seconds": lasted,
                    }
                },
            )
