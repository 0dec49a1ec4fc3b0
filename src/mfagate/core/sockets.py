"""Ask the system about a socket."""

from __future__ import annotations

import select
import socket


def is_readable(connection: socket.socket) -> bool:
    """Return whether something has arrived, such as the end of the connection, or the socket is closed."""
    poll = select.poll()  # select() cannot take descriptors above 1023.
    try:
        poll.register(connection, select.POLLIN)
    except ValueError:
        return True
    return bool(poll.poll(0))
