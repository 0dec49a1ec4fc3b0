"""Withhold the answer to one request of a command, so that a test can kill the command."""

from __future__ import annotations

import subprocess
import threading
import time

from mfagate.sandbox.faulty_proxy import Handler, hang_up

_MOST_SECONDS = 120.0
_STEP_SECONDS = 0.1


class NotReached(AssertionError):
    """The command ended or sent too few requests; the message says which."""


class Holding:
    """A fault that lets the provider process a request, and withholds the answer until ``released``."""

    def __init__(self, number: int) -> None:
        """Hold the request with this ``number``, counted from 1."""
        self._number = number
        self._is_taken = threading.Lock()
        self.reached, self.released = threading.Event(), threading.Event()

    def __call__(self, handler: Handler) -> bool:
        """Hold one request with this number or a later one, because two requests may arrive at the same time."""
        if len(handler.server.requests) < self._number or not self._is_taken.acquire(blocking=False):
            return False
        handler.ask()
        self.reached.set()
        self.released.wait(_MOST_SECONDS)
        return hang_up(handler)

    def wait_for(self, command: subprocess.Popen[str], seconds: float = _MOST_SECONDS) -> None:
        """Wait until the request is held.

        Raises:
            NotReached: The command ended, or the time ran out.
        """
        end = time.monotonic() + seconds
        while not self.reached.wait(_STEP_SECONDS):
            if command.poll() is not None:
                out, err = command.communicate()
                raise NotReached(
                    f"the command ended with {command.returncode} before request {self._number}: {err}{out}"
                )
            if time.monotonic() > end:
                command.kill()
                command.communicate()
                raise NotReached(f"the command sent fewer than {self._number} requests in {seconds:g} s")
