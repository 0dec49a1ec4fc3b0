"""One attempt to exchange a request: its deadline, the time of each phase, its sockets."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from mfagate.core.exchange import Phase, ServerCertificate
from mfagate.transport.stalls import STALLS


class Deadline:
    """The time limit of one attempt."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds left, more than 0.

        Raises:
            TimeoutError: The deadline has passed.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"{self.seconds:g} s have passed")
        return left


class ConnectionAttempt(ExitStack):
    """One attempt at an exchange. It closes its sockets when it ends.

    ``phase`` is the latest phase entered: if the attempt fails, it failed there.
    ``address`` is the IP address connected to, the proxy's if there is a proxy.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.deadline = Deadline(seconds)
        self.phases: dict[Phase, float] = {}
        self.phase = Phase.RESOLVE
        self.address: str | None = None
        self.certificate: ServerCertificate | None = None
        self._lost_before = STALLS.lost()

    @property
    def stalled(self) -> float:
        """Seconds of this attempt in which threads waited for a processor."""
        return STALLS.lost() - self._lost_before

    def own(self, connection: socket.socket) -> None:
        """Close this socket when the attempt ends."""
        self.callback(connection.close)

    @contextmanager
    def during(self, phase: Phase) -> Iterator[None]:
        """Add the time spent here to this phase."""
        self.phase = phase
        start = time.perf_counter()
        try:
            yield
        finally:
            self.phases[phase] = self.phases.get(phase, 0.0) + time.perf_counter() - start
