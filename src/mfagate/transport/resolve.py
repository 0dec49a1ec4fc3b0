"""Resolve names to addresses within a deadline."""

from __future__ import annotations

import queue
import socket
import threading
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from mfagate.config.shapes import is_address
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import LEADS_TO
from mfagate.core.resources import out_of_descriptors, shortage_of
from mfagate.transport.connection_attempt import Deadline
from mfagate.transport.endpoint import Endpoint
from mfagate.transport.failures import TransportError, short_of_resources

# "No such name" is a definite answer; every other error of getaddrinfo means that there was no answer.
# EAI_NODATA is missing on some systems.
DEFINITE = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


@dataclass(frozen=True, slots=True)
class ResolvedAddress:
    """One result of getaddrinfo."""

    family: int
    sockaddr: tuple[Any, ...]

    @property
    def ip(self) -> str:
        """The IP address in text form."""
        return str(self.sockaddr[0])

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.sockaddr[1]}" if ":" in self.ip else f"{self.ip}:{self.sockaddr[1]}"


def resolve(endpoint: Endpoint, deadline: Deadline) -> list[ResolvedAddress]:
    """Return the addresses of a host in the system's order of preference (RFC 6724)."""
    try:
        answer = _look_up(endpoint, deadline)
    except TimeoutError:
        raise TransportError(
            CauseId.NETWORK_DNS_FAILURE,
            f"this machine's resolver gave no answer for {endpoint.host} within {deadline.seconds:g} s",
            {"host": endpoint.host, "timeout_seconds": deadline.seconds},
            Outcome.INCONCLUSIVE,
        ) from None
    except OSError as error:
        if shortage_of(behind := _behind(error)) is not None:
            raise short_of_resources(behind) from error
        definite = isinstance(error, socket.gaierror) and error.errno in DEFINITE
        what = "found no address of" if definite else "gave no answer for"
        raise TransportError(
            CauseId.NETWORK_DNS_FAILURE,
            f"this machine's resolver {what} {endpoint.host}: {error.strerror}",
            {"host": endpoint.host, "error": str(error.strerror)},
            Outcome.FAIL if definite else Outcome.INCONCLUSIVE,
        ) from None
    addresses = [ResolvedAddress(family, sockaddr) for family, _, _, _, sockaddr in answer]
    unspecified = all(ip_address(address.ip.partition("%")[0]).is_unspecified for address in addresses)
    if addresses and unspecified and not is_address(endpoint.host):
        raise _blocked(endpoint, addresses)
    return addresses


def _blocked(endpoint: Endpoint, addresses: list[ResolvedAddress]) -> TransportError:
    """Return the failure of a name that a filter or a hosts file maps to an unspecified address.

    https://github.com/cloudflare/cloudflare-docs/pull/5246
    """
    shown = ", ".join(sorted({address.ip for address in addresses}))
    return TransportError(
        CauseId.NETWORK_DNS_FAILURE,
        f"this machine's resolver answers {shown} for {endpoint.host}, which is not the address of a server: a filter "
        "hides the name",
        {"host": endpoint.host, LEADS_TO: shown},
        Outcome.INCONCLUSIVE,
        f"Look for {endpoint.host} in /etc/hosts. If it is not there, ask who runs this machine's name servers "
        "(/etc/resolv.conf) to remove it from their filter.",
    )


def _behind(error: OSError) -> Exception:
    """Return the shortage behind an error: getaddrinfo reports a lack of descriptors as a temporary failure."""
    if not isinstance(error, socket.gaierror):
        return error
    if error.errno == socket.EAI_MEMORY:
        return MemoryError()
    hidden = out_of_descriptors() if error.errno == socket.EAI_AGAIN else None
    return hidden or error


def _look_up(endpoint: Endpoint, deadline: Deadline) -> list[Any]:
    try:
        return socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        pass  # a name, which the resolver has to look up

    # getaddrinfo cannot be interrupted, so it runs in a thread that may be left hanging.
    answers: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(list(socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)))
        except Exception as error:  # noqa: BLE001 - raised again by the thread that waits
            answers.put(error)

    threading.Thread(target=ask, name=f"resolve {endpoint.host}", daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.remaining())
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise answer
    return answer
