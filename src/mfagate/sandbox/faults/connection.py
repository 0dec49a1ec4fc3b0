"""Faults of a TCP connection, before TLS and HTTP begin."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Callable, Iterator

SILENT_SECONDS = 60.0

ConnectionFault = Callable[[socket.socket], None]


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
    """Close the connection with a reset (RST) instead of an orderly end (FIN)."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())


CONNECTION_FAULTS: dict[str, ConnectionFault] = {"reset": abort, "silent": _silent, "garbage": _garbage}


@contextlib.contextmanager
def black_hole(port: int = 0) -> Iterator[int]:
    """Yield a port that answers no connection attempt: its queue is full, and no connection is accepted."""
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
    """Yield a port on which no server listens; it stays bound, so that no other program can take it."""
    with _bound(port) as held:
        yield held.getsockname()[1]


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    # The port may belong to a server that has just stopped.
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    return bound
