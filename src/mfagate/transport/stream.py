"""Read and write bytes within the deadline of the attempt."""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod

from mfagate.transport.connection_attempt import Deadline

PREFIX_LENGTH = 4096
"""More than is shown, so that a secret in it is recognised as a whole."""


class Stream(ABC):
    """A connection that counts the received bytes and keeps the first of them. ``is_broken`` after a failed ``send``.

    ``receive`` and ``send`` raise ``TimeoutError`` when the deadline has passed
    and other ``OSError`` when the connection is lost.
    """

    def __init__(self) -> None:
        self.received = 0
        self.prefix = b""
        self.is_broken = False

    def receive(self, size: int) -> bytes:
        """Return 1 to ``size`` bytes; none when the peer has closed its side."""
        data = self._receive(size)
        self.received += len(data)
        self.prefix += data[: PREFIX_LENGTH - len(self.prefix)]
        return data

    def forget_received(self) -> None:
        """Reset ``received`` and ``prefix``: from here on another server answers."""
        self.received = 0
        self.prefix = b""

    @abstractmethod
    def renew(self, deadline: Deadline) -> None:
        """Begin another exchange, with its own deadline."""

    def send(self, data: bytes) -> None:
        """Send all of ``data``."""
        left = memoryview(data)
        self.is_broken = True
        while left:
            left = left[self._send(left) :]
        self.is_broken = False

    @property
    @abstractmethod
    def has_unread(self) -> bool:
        """Whether bytes have arrived that nobody has read, although the socket shows none."""

    @abstractmethod
    def _receive(self, size: int) -> bytes: ...

    @abstractmethod
    def _send(self, data: memoryview) -> int: ...


class SocketStream(Stream):
    """Plain TCP."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        super().__init__()
        self._connection = connection
        self._deadline = deadline

    def renew(self, deadline: Deadline) -> None:
        """Begin another exchange, with its own deadline."""
        self.forget_received()
        self._deadline = deadline

    @property
    def has_unread(self) -> bool:
        """False: what has arrived is read, or is still in the socket."""
        return False

    def _receive(self, size: int) -> bytes:
        self._connection.settimeout(self._deadline.remaining())
        return self._connection.recv(size)

    def _send(self, data: memoryview) -> int:
        self._connection.settimeout(self._deadline.remaining())
        return self._connection.send(data)
