"""The active causes: one log line when a cause appears, and one when it is gone.

A cause is gone if it was absent for ``quiet_seconds`` and a call succeeded after that. So a cause
writes at most two lines in that time, even if many logins fail.
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
"""A sentence, and the same information as fields for JSON."""


@dataclass(slots=True)
class _Incident:
    began: float
    last: float
    count: int = 1


class Incidents:
    """The active causes of one integration.

    Args:
        name: The integration, for the log.
        quiet_seconds: How long a cause must be absent before it counts as gone.
        clock: Returns seconds, of which only differences matter.
    """

    def __init__(self, name: str, quiet_seconds: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._quiet = quiet_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._active: dict[str, _Incident] = {}

    @property
    def active(self) -> tuple[str, ...]:
        """The active causes."""
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
            gone = {cause: seen for cause, seen in self._active.items() if now - seen.last >= self._quiet}
            for cause in gone:
                del self._active[cause]
        for cause, incident in gone.items():
            lasted = round(incident.last - incident.began, 1)
            # A warning, because lower levels are not logged by default and the log would not show the end of an outage.
            logger.warning(
                "MFA provider of %s: recovered from %s after %d failed calls in %.1f s",
                self._name,
                cause,
                incident.count,
                lasted,
                extra={
                    "mfagate": {
                        "event": "recovered",
                        "integration": self._name,
                        "cause": cause,
                        "failed_calls": incident.count,
                        "seconds": lasted,
                    }
                },
            )
