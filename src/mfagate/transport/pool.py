"""Keep connections open after an answer, and find one for the next request (RFC 9112 section 9.3)."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from mfagate.core.exchange import ServerCertificate
from mfagate.transport.route import Route
from mfagate.transport.stream import Stream

_MOST_IDLE = 32
"""Connections that are kept for one route."""

_LONGEST_IDLE_SECONDS = 30.0
"""The time after which a connection is not used again, if the server states none. Servers close idle connections after
5 s (Node.js) to 75 s (nginx), and middleboxes drop them silently after minutes."""

_MARGIN_SECONDS = 1.0
"""A connection is not used in the last second of the time that the server states: both ends measure it."""


@dataclass(frozen=True, slots=True)
class KeptConnection:
    """An open connection on which nothing is in progress.

    Args:
        stream: Reads and writes.
        sockets: What to close.
        address: The IP address connected to.
        certificate: The verified certificate of the server.
        until: When it must no longer be used (monotonic clock).
    """

    stream: Stream
    sockets: Sequence[socket.socket]
    address: str | None
    certificate: ServerCertificate | None
    until: float

    @property
    def is_usable(self) -> bool:
        """Whether it may still be used. A server that sends something now is about to close it."""
        return time.monotonic() < self.until and not any(map(_is_readable, self.sockets))

    def close(self) -> None:
        """Close the sockets."""
        for connection in self.sockets:
            connection.close()


class ConnectionPool:
    """The kept connections of one target, by route. Threads may share it.

    Transports that share a pool must have the same certificate authorities and the same client certificate.
    """

    def __init__(self) -> None:
        self._idle: defaultdict[Route, list[KeptConnection]] = defaultdict(list)
        self._lock = threading.Lock()
        self._closed = False

    def take(self, route: Route) -> KeptConnection | None:
        """Return the usable connection that was used last; None if there is none."""
        while True:
            with self._lock:
                idle = self._idle[route]
                if not idle:
                    return None
                connection = idle.pop()
            if connection.is_usable:
                return connection
            connection.close()

    def put(self, route: Route, connection: KeptConnection) -> None:
        """Keep a connection, or close it if there are enough."""
        with self._lock:
            if not self._closed and len(self._idle[route]) < _MOST_IDLE:
                self._idle[route].append(connection)
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
    seconds = _LONGEST_IDLE_SECONDS if stated_seconds is None else stated_seconds - _MARGIN_SECONDS
    return time.monotonic() + min(seconds, _LONGEST_IDLE_SECONDS)


def _is_readable(connection: socket.socket) -> bool:
    poll = select.poll()  # select() cannot take descriptors above 1023.
    try:
        poll.register(connection, select.POLLIN)
    except ValueError:
        return True  # It is closed.
    return bool(poll.poll(0))
