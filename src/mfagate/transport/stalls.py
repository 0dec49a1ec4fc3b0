"""Measure for how long runnable threads of this process wait for a processor.

On a busy machine, or with many threads of mfagate, every answer seems late. A thread that sleeps in short steps
measures how late it wakes up. All other threads lose the same time, whether they wait for the processor or for
Python's interpreter lock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_STEP_SECONDS = 0.02

_USUAL_SECONDS = 0.005
"""The usual delay of a sleep on an idle machine."""


class Stalls:
    """Count the lost seconds. The thread runs only while something is measured."""

    def __init__(self, step: float = _STEP_SECONDS) -> None:
        self._step = step
        self._lock = threading.Lock()
        self._users = 0
        self._lost = 0.0
        self._due: float | None = None
        self._stop = threading.Event()

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Measure until the context ends. Count nothing if no thread can be started."""
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._begin()
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if self._users == 0:
                    self._stop.set()
                    self._due = None

    def lost(self) -> float:
        """Return the seconds lost since the process began, including a wait that has not ended yet."""
        due = self._due
        late = time.monotonic() - due if due is not None else 0.0
        return self._lost + (late if late > _USUAL_SECONDS else 0.0)

    def _begin(self) -> None:
        self._stop = threading.Event()
        try:
            threading.Thread(target=self._watch, args=(self._stop,), name="mfagate stalls", daemon=True).start()
        except RuntimeError:
            return

    def _watch(self, stop: threading.Event) -> None:
        while True:
            due = time.monotonic() + self._step
            with self._lock:
                # If set after the end, it would stay set, and all further time would count as lost.
                if stop.is_set():
                    return
                self._due = due
            if stop.wait(self._step):
                return
            late = time.monotonic() - due
            if late > _USUAL_SECONDS:
                self._lost += late


STALLS = Stalls()
"""The seconds that this process lost."""
