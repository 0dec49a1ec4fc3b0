"""Ending a run early: whoever has made something at a provider removes it first."""

from __future__ import annotations

import os
import threading
import time
from typing import Protocol

_OWN_SECONDS = 0.7
"""In which the threads of the run stop by themselves; one that waits for an answer cannot."""

ALL_SECONDS = 3.5
"""For all of it: whoever interrupts a run waits five seconds, and sandboxes have to be stopped after it."""

RUN_VARIABLE = "MFAGATE_RUN"


class Interrupted(BaseException):
    """The run was interrupted: nothing more may be arranged. Not an error that a check could report."""


class Cleans(Protocol):
    """Somebody who has made something at a provider."""

    def close_now(self, until: float) -> None:
        """Remove it, with requests that end before ``until`` (of the monotonic clock); never raises."""


class Cleanup:
    """What the integrations of one run share to clean up after themselves.

    ``run`` is the name that the environment gives the run, if any: a run that is repeated under the same name sends no
    message again. ``left`` says what could not be removed, for people.
    """

    def __init__(self, run: str | None = None) -> None:
        self.run = run
        self.left: list[str] = []
        self._interrupted = threading.Event()
        self._changed = threading.Condition()
        self._open: list[Cleans] = []

    @classmethod
    def of_environment(cls) -> Cleanup:
        """With the name in ``MFAGATE_RUN``."""
        return cls(os.environ.get(RUN_VARIABLE) or None)

    @property
    def is_interrupted(self) -> bool:
        """Whether nothing more may be made."""
        return self._interrupted.is_set()

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than the run goes on."""
        if self._interrupted.wait(seconds):
            raise Interrupted

    def opened(self, one: Cleans) -> None:
        """Remember who may have something to remove."""
        with self._changed:
            self._open.append(one)

    def closed(self, one: Cleans) -> None:
        """Forget them again."""
        with self._changed:
            self._open = [other for other in self._open if other is not one]
            self._changed.notify_all()

    def interrupt(self, seconds: float = ALL_SECONDS) -> None:
        """Stop making things, and remove those that were made, within so many seconds."""
        until = time.monotonic() + seconds
        self._interrupted.set()
        with self._changed:
            self._changed.wait_for(lambda: not self._open, min(_OWN_SECONDS, seconds))
            waiting = list(self._open)
        # Their own threads wait for answers: it is done in their place.
        threads = [threading.Thread(target=one.close_now, args=(until,), daemon=True) for one in waiting]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(until - time.monotonic(), 0.0))
