"""Faults of a TCP connection, before TLS and HTTP begin."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Callable, Iterator

SILENT_SECONDS = 60.0

Strike = Callable[[socket.socket], None]
"""Does something to a connection in the place of the server."""


def _silent(connection: socket.socket) -> None:
    connection.settimeout(SILENT_SECONDS)
    with contextlib.suppress(OSError):
        while connection.recv(65536):
            pass


def _garbage(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
    connection.settimeout(1)
    with contextlib.suppress(OSError):
        connection.recv(65536)


def abort(connection: socket.socket) -> None:
    """Close with a reset instead of an end (RST instead of FIN)."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


STRIKES: dict[str, Strike] = {"reset": abort, "silent": _silent, "garbage": _garbage}


@contextlib.contextmanager
def black_hole(port: int = 0) -> Iterator[int]:
    """A port that drops every attempt to connect: its queue is full, and nobody accepts."""
    with contextlib.ExitStack() as closing:
        listener = closing.enter_context(_bound(port))
        listener.listen(0)
        for _ in range(4):
            waiting = closing.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@contextlib.contextmanager
def closed(port: int = 0) -> Iterator[int]:
    """A port on which nothing listens; it is bound all the same, so that nobody else takes it meanwhile."""
    with _bound(port) as held:
        yield held.getsockname()[1]


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    # It may be the port of a server that has just stopped.
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    return bound
