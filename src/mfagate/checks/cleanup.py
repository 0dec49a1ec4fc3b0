"""End a run early, and remove what it made at providers first."""

from __future__ import annotations

import os
import threading
import time
from typing import Protocol

_OWN_SECONDS = 0.7
"""The time for the run's own threads to stop; a thread that waits for an answer cannot."""

ALL_SECONDS = 3.5
"""The time for the whole cleanup: a run must end five seconds after an interrupt, and sandboxes are stopped last."""

RUN_VARIABLE = "MFAGATE_RUN"


class Interrupted(BaseException):
    """The run was interrupted, so nothing more may be set up. No check catches this as an error."""


class Cleans(Protocol):
    """An object that may have made something at a provider."""

    def close_now(self, until: float) -> None:
        """Remove it, with requests that end before ``until`` (monotonic clock); never raise."""


class Cleanup:
    """The state that the integrations of one run share to clean up after themselves.

    ``run`` is the name of the run, if the environment sets one: a repeated run with the same name does not send a
    message again. ``left`` lists what could not be removed, for people.
    """

    def __init__(self, run: str | None = None) -> None:
        self.run = run
        self.left: list[str] = []
        self._interrupted = threading.Event()
        self._changed = threading.Condition()
        self._open: list[Cleans] = []

    @classmethod
    def of_environment(cls) -> Cleanup:
        """Make the state for a run with the name in ``MFAGATE_RUN``, if it is set."""
        return cls(os.environ.get(RUN_VARIABLE) or None)

    @property
    def is_interrupted(self) -> bool:
        """Return whether the run was interrupted, so that nothing more may be made."""
        return self._interrupted.is_set()

    def pause(self, seconds: float) -> None:
        """Wait; raise ``Interrupted`` as soon as the run is interrupted."""
        if self._interrupted.wait(seconds):
            raise Interrupted

    def opened(self, item: Cleans) -> None:
        """Remember an object that may have something to remove."""
        with self._changed:
            self._open.append(item)

    def closed(self, item: Cleans) -> None:
        """Forget an object that has nothing left to remove."""
        with self._changed:
            self._open = [other for other in self._open if other is not item]
            self._changed.notify_all()

    def interrupt(self, seconds: float = ALL_SECONDS) -> None:
        """Stop making things, and remove those that were made, within the given seconds."""
        until = time.monotonic() + seconds
        self._interrupted.set()
        with self._changed:
            self._changed.wait_for(lambda: not self._open, min(_OWN_SECONDS, seconds))
            waiting = list(self._open)
        # Their own threads are waiting for answers, so other threads clean up.
        threads = [threading.Thread(target=item.close_now, args=(until,), daemon=True) for item in waiting]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(until - time.monotonic(), 0.0))
