"""A TCP connection to the first address of a host that answers."""

from __future__ import annotations

import errno
import os
import selectors
import socket
from collections.abc import Mapping, Sequence

from mfagate.causes import CauseId
from mfagate.exchange import Phase
from mfagate.wire.attempt import Attempt, Deadline
from mfagate.wire.endpoint import Endpoint
from mfagate.wire.failures import WireError
from mfagate.wire.resolve import Address, resolve
from mfagate.wire.stream import SocketStream

# RFC 8305 section 5, "Connection Attempt Delay": a silent address does not hold up the next one for longer.
DELAY_SECONDS = 0.25


def dial(endpoint: Endpoint, attempt: Attempt) -> SocketStream:
    """Resolve and connect."""
    with attempt.during(Phase.RESOLVE):
        addresses = resolve(endpoint, attempt.deadline)
    with attempt.during(Phase.CONNECT):
        race = _Race(addresses)
        connection = race.run(attempt.deadline)
        if connection is None:
            raise _not_connected(endpoint, race.errors, attempt.deadline)
        attempt.own(connection)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        attempt.address = connection.getpeername()[0]
    return SocketStream(connection, attempt.deadline)


class _Race:
    """Attempts at all addresses, each begun when the one before failed or kept silent for a while.

    ``errors`` holds an errno for each address that was tried in vain.
    """

    def __init__(self, addresses: Sequence[Address]) -> None:
        self.errors: dict[str, int] = {}
        self._waiting = list(addresses)
        self._selector = selectors.DefaultSelector()

    def run(self, deadline: Deadline) -> socket.socket | None:
        """The first connection that stands, or None."""
        with self._selector:
            try:
                while self._waiting or self._selector.get_map():
                    if self._waiting:
                        self._begin(self._waiting.pop(0))
                    winner = self._wait(deadline)
                    if winner:
                        return winner
            except TimeoutError:
                pass
            finally:
                self._abandon()
        return None

    def _begin(self, address: Address) -> None:
        try:
            connection = socket.socket(address.family, socket.SOCK_STREAM)
        except OSError as error:
            if error.errno != errno.EAFNOSUPPORT:  # out of file descriptors: not the network's doing
                raise
            self.errors[str(address)] = error.errno
            return
        connection.setblocking(False)
        # Register first, so that _abandon() closes the socket whatever happens next.
        self._selector.register(connection, selectors.EVENT_WRITE, str(address))
        code = connection.connect_ex(address.sockaddr)
        if code not in (0, errno.EINPROGRESS):
            self._lost(connection, str(address), code)

    def _wait(self, deadline: Deadline) -> socket.socket | None:
        if not self._selector.get_map():
            return None
        left = deadline.remaining()
        for key, _ in self._selector.select(min(left, DELAY_SECONDS) if self._waiting else left):
            connection = key.fileobj
            assert isinstance(connection, socket.socket)  # noqa: S101 - for the type checker
            code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code == 0:
                self._selector.unregister(connection)
                return connection
            self._lost(connection, key.data, code)
        return None

    def _lost(self, connection: socket.socket, address: str, code: int) -> None:
        self.errors[address] = code
        self._selector.unregister(connection)
        connection.close()

    def _abandon(self) -> None:
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)  # noqa: S101 - for the type checker
            self._lost(key.fileobj, key.data, errno.ETIMEDOUT)


def _not_connected(endpoint: Endpoint, errors: Mapping[str, int], deadline: Deadline) -> WireError:
    evidence = {"addresses": {address: os.strerror(code) for address, code in errors.items()}}
    for code, cause, what in (
        (errno.ECONNREFUSED, CauseId.NETWORK_CONNECTION_REFUSED, "refuses the connection"),
        (errno.ECONNRESET, CauseId.NETWORK_CONNECTION_RESET, "reset the connection while it was set up"),
        (
            errno.ETIMEDOUT,
            CauseId.NETWORK_CONNECTION_TIMEOUT,
            f"did not answer within {deadline.seconds:g} s",
        ),
    ):
        if code in errors.values():
            return WireError(cause, f"{endpoint.authority} {what}", evidence)
    reasons = ", ".join(sorted(set(evidence["addresses"].values())))
    return WireError(
        CauseId.NETWORK_CONNECTION_TIMEOUT,
        f"{endpoint.authority} cannot be reached from here: {reasons}",
        evidence,
    )
