"""Open a TCP connection to the first address of a host that answers."""

from __future__ import annotations

import errno
import os
import selectors
import socket
from collections.abc import Mapping, Sequence
from ipaddress import ip_address

from mfagate.config.shapes import is_address
from mfagate.core.causes import CauseId
from mfagate.core.exchange import LEADS_TO, Phase
from mfagate.core.resources import shortage_of
from mfagate.transport.connection_attempt import ConnectionAttempt, Deadline
from mfagate.transport.endpoint import Endpoint
from mfagate.transport.failures import TransportError, short_of_resources
from mfagate.transport.resolve import ResolvedAddress, resolve
from mfagate.transport.stream import SocketStream

# RFC 8305 section 5, "Connection Attempt Delay": the longest time before the next address is tried.
DELAY_SECONDS = 0.25


def dial(endpoint: Endpoint, attempt: ConnectionAttempt) -> SocketStream:
    """Resolve and connect."""
    with attempt.during(Phase.RESOLVE):
        addresses = resolve(endpoint, attempt.deadline)
    with attempt.during(Phase.CONNECT):
        race = _Race(addresses)
        winner = race.run(attempt.deadline)
        if winner is None:
            raise _not_connected(endpoint, race.errors, attempt.deadline)
        connection, address = winner
        attempt.own(connection)
        attempt.address = address.ip
    return SocketStream(connection, attempt.deadline)


class _Race:
    """Connect to all addresses, each after the one before failed or stayed silent for a while.

    ``errors`` holds the errno of each address that failed.
    """

    def __init__(self, addresses: Sequence[ResolvedAddress]) -> None:
        self.errors: dict[str, int] = {}
        self._waiting = list(addresses)
        self._running: dict[socket.socket, ResolvedAddress] = {}

    def run(self, deadline: Deadline) -> tuple[socket.socket, ResolvedAddress] | None:
        """Return the first connection that is established and its address, or None."""
        with selectors.DefaultSelector() as selector:
            try:
                while self._waiting or self._running:
                    if self._waiting:
                        self._begin(self._waiting.pop(0), selector)
                    if self._running:
                        winner = self._wait(selector, deadline)
                        if winner:
                            return winner, self._running.pop(winner)
            except TimeoutError:
                pass
            finally:
                for connection in list(self._running):
                    self._lost(connection, errno.ETIMEDOUT)
        return None

    def _begin(self, address: ResolvedAddress, selector: selectors.BaseSelector) -> None:
        try:
            connection = socket.socket(address.family, socket.SOCK_STREAM)
        except OSError as error:
            if error.errno != errno.EAFNOSUPPORT:  # out of file descriptors, not a network error
                raise
            self.errors[str(address)] = error.errno
            return
        self._running[connection] = address
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = connection.connect_ex(address.sockaddr)
        if code in (0, errno.EINPROGRESS):
            selector.register(connection, selectors.EVENT_WRITE, data=connection)
        else:
            self._lost(connection, code)

    def _wait(self, selector: selectors.BaseSelector, deadline: Deadline) -> socket.socket | None:
        left = deadline.remaining()
        ready = selector.select(min(left, DELAY_SECONDS) if self._waiting else left)
        for key, _ in ready:
            connection: socket.socket = key.data
            code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code == 0:
                return connection
            selector.unregister(connection)
            self._lost(connection, code)
        return None

    def _lost(self, connection: socket.socket, code: int) -> None:
        self.errors[str(self._running.pop(connection))] = code
        connection.close()


def _not_connected(endpoint: Endpoint, errors: Mapping[str, int], deadline: Deadline) -> TransportError:
    # With IPv6, the same code means that this machine has no IPv6 address.
    if any(code == errno.EADDRNOTAVAIL and not address.startswith("[") for address, code in errors.items()):
        message = f"this machine has no port left from which to connect to {endpoint.authority}"
        return TransportError(CauseId.GATE_RESOURCES, message, {"ran out of": "ports for outgoing connections"})
    short = next((code for code in errors.values() if shortage_of(OSError(code, "")) is not None), None)
    if short is not None:
        return short_of_resources(OSError(short, os.strerror(short)))
    evidence = {"addresses": {address: os.strerror(code) for address, code in errors.items()}}
    for code, cause, what in (
        (errno.ECONNREFUSED, CauseId.NETWORK_CONNECTION_REFUSED, "refuses the connection"),
        (errno.ECONNRESET, CauseId.NETWORK_CONNECTION_RESET, "reset the connection while it was set up"),
        (errno.ETIMEDOUT, CauseId.NETWORK_CONNECTION_TIMEOUT, f"did not answer within {deadline.seconds:g} s"),
    ):
        if code in errors.values():
            home = _at_home(endpoint, errors)
            known = evidence | ({LEADS_TO: "this machine itself"} if home else {})
            return TransportError(cause, f"{endpoint.authority} {what}", known, next_step=home)
    return _no_way(endpoint, errors, evidence)


def _at_home(endpoint: Endpoint, errors: Mapping[str, int]) -> str | None:
    """Return the next step for a name that points to this machine, because of a filter or a hosts file."""
    addresses = [address.rpartition(":")[0].strip("[]") for address in errors]
    if is_address(endpoint.host) or endpoint.host == "localhost" or not all(map(_is_loopback, addresses)):
        return None
    return (
        f"{endpoint.host} points to this machine ({', '.join(sorted(set(addresses)))}). If the server runs here, "
        "start it. If not, look for the name in /etc/hosts, and ask who runs this machine's name servers "
        "(/etc/resolv.conf) whether a filter answers for it."
    )


def _is_loopback(address: str) -> bool:
    return is_address(address) and ip_address(address.partition("%")[0]).is_loopback


def _no_way(endpoint: Endpoint, errors: Mapping[str, int], evidence: Mapping[str, object]) -> TransportError:
    """Return the failure of a machine that has no usable route to any address of a host."""
    reasons = ", ".join(sorted({os.strerror(code) for code in errors.values()}))
    families = {"IPv6" if address.startswith("[") else "IPv4" for address in errors}
    only = next(iter(families)) if len(families) == 1 else None
    step = (
        "Check this machine's routes (ip route, ip -6 route), the egress rules of its network, and whether it has "
        "to use a proxy (HTTPS_PROXY)."
    )
    return TransportError(
        CauseId.NETWORK_CONNECTION_TIMEOUT,
        f"{endpoint.authority} cannot be reached from here{f' over {only}' if only else ''}: {reasons}",
        evidence,
        next_step=f"{step} The host has only {only} addresses here: this machine needs a route for {only}, or a proxy "
        "that has one."
        if only
        else step,
    )
