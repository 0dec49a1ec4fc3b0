"""One attempt to exchange a request: its deadline, the time of each phase, its sockets."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from mfagate.core.exchange import ConnectionUse, Phase, ServerCertificate
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


class ConnectionAttempt:
    """One attempt at an exchange. It closes its sockets when it ends, unless they are released.

    ``phase`` is the latest phase entered: if the attempt fails, it failed there.
    ``address`` is the IP address connected to, the proxy's if there is a proxy.
    ``connection`` says whether the request opens a connection, uses a kept one, or renews one that was closed.
    """

    def __init__(self, seconds: float) -> None:
        self.deadline = Deadline(seconds)
        self.phases: dict[Phase, float] = {}
        self.phase = Phase.RESOLVE
        self.address: str | None = None
        self.certificate: ServerCertificate | None = None
        self.connection: ConnectionUse = "new"
        self._sockets: list[socket.socket] = []
        self._lost_before = STALLS.lost()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def stalled(self) -> float:
        """Seconds of this attempt in which threads waited for a processor."""
        return STALLS.lost() - self._lost_before

    def own(self, connection: socket.socket) -> None:
        """Close this socket when the attempt ends."""
        self._sockets.append(connection)

    def close(self) -> None:
        """Close the sockets."""
        for connection in self.release():
            connection.close()

    def start_over(self) -> None:
        """Give up a kept connection that was closed, and open a new one within the same deadline."""
        self.close()
        self.address = self.certificate = None
        self.connection = "renewed"

    def release(self) -> list[socket.socket]:
        """Return the sockets, which the attempt will not close."""
        released, self._sockets = self._sockets, []
        return released

    @contextmanager
    def during(self, phase: Phase) -> Iterator[None]:
        """Add the time spent here to this phase."""
        self.phase = phase
        start = time.perf_counter()
        try:
            yield
        finally:
            self.phases[phase] = self.phases.get(phase, 0.0) + time.perf_counter() - start
