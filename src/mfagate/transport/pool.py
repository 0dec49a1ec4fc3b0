"""Keep connections open after an answer, and find one for the next request (RFC 9112 section 9.3)."""

from __future__ import annotations

import socket
import threading
import time
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from mfagate.core.exchange import ServerCertificate
from mfagate.core.sockets import is_readable
from mfagate.transport.stream import Stream

_MOST_IDLE = 32
"""Connections that are kept for one route."""

LONGEST_IDLE_SECONDS = 30.0
"""The time after which a connection is not used again, if the server states none. Servers close idle connections after
5 s (Node.js) to 75 s (nginx), and middleboxes drop them silently after minutes."""

_MARGIN_SECONDS = 1.0
"""A connection is not used in the last second of the time that the server states: both ends measure it."""

SLOW_SECONDS = 0.8
"""A phase that takes longer is slow: TCP repeats a lost segment after a second (RFC 6298 section 2)."""


@dataclass(frozen=True, slots=True)
class KeptConnection:
    """An open connection on which nothing is in progress.

    Args:
        stream: Reads and writes.
        sockets: What to close.
        address: The IP address connected to.
        certificate: The verified certificate of the server.
        until: When it must no longer be used (monotonic clock).
        since: When its last answer was complete (monotonic clock).
    """

    stream: Stream
    sockets: Sequence[socket.socket]
    address: str | None
    certificate: ServerCertificate | None
    until: float
    since: float = field(default_factory=time.monotonic)

    @property
    def is_usable(self) -> bool:
        """Whether it may still be used. A server that sends something now is about to close it."""
        return time.monotonic() < self.until and not any(map(is_readable, self.sockets))

    def close(self) -> None:
        """Close the sockets."""
        for connection in self.sockets:
            connection.close()


class ConnectionPool:
    """The kept connections of one target. Threads may share it.

    Their keys distinguish the server, the proxy, the certificate authorities and the client certificate.
    """

    def __init__(self) -> None:
        self._idle: defaultdict[Hashable, list[KeptConnection]] = defaultdict(list)
        self._lock = threading.Lock()
        self._closed = False

    def take(self, key: Hashable, idle_seconds: float = LONGEST_IDLE_SECONDS) -> KeptConnection | None:
        """Return the usable connection that was used last, if that is at most ``idle_seconds`` ago."""
        while True:
            with self._lock:
                idle = self._idle[key]
                if not idle or time.monotonic() - idle[-1].since > idle_seconds:
                    return None
                connection = idle.pop()
            if connection.is_usable:
                return connection
            connection.close()

    def put(self, key: Hashable, connection: KeptConnection) -> None:
        """Keep a connection, or close it if there are enough."""
        with self._lock:
            if not self._closed and len(self._idle[key]) < _MOST_IDLE:
                self._idle[key].append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close all connections; those in use are closed when they are put back."""
        with self._lock:
            self._closed = True
            idle = [connection for several in self._idle.values() for connection in several]
            self._idle.clear()
        for connection in idle:
            connection.close()


def until(stated_seconds: float | None) -> float:
    """Return when a connection must no longer be used, if the server keeps it for this time."""
    seconds = LONGEST_IDLE_SECONDS if stated_seconds is None else stated_seconds - _MARGIN_SECONDS
    return time.monotonic() + min(seconds, LONGEST_IDLE_SECONDS)
