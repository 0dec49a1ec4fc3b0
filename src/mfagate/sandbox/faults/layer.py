"""A proxy that injects faults in front of a server."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from mfagate.leftovers.folders import temporary_folder
from mfagate.sandbox.certificates import Authority
from mfagate.sandbox.faults.body import edited
from mfagate.sandbox.faults.connection import CONNECTION_FAULTS, black_hole, closed
from mfagate.sandbox.faults.http import HTTP_FAULTS
from mfagate.sandbox.faults.kind import FaultKind, Layer
from mfagate.sandbox.faults.line import NetworkLine, relay
from mfagate.sandbox.faults.spec import BadFault, Fault, Trigger
from mfagate.sandbox.faulty_proxy import Handler, faulty_proxy

_UNREACHABLE = ("refuse", "drop")


class Faulty:
    """The faulty server: connect to ``url``, and trust ``ca_bundle`` if it is https."""

    def __init__(self, behind: str, authority: Authority | None, seed: int) -> None:
        self.ca_bundle = authority.bundle if authority else None
        self.requests: list[tuple[str, str]] = []
        self._behind = behind
        self._authority = authority
        self._seed = seed
        self._port = 0
        self._running = ExitStack()
        self._triggers: list[Trigger] = []

    @property
    def url(self) -> str:
        """Its URL, which never changes."""
        return f"{'https' if self._authority else 'http'}://127.0.0.1:{self._port}"

    def change(self, faults: Sequence[Fault]) -> None:
        """Replace the faults.

        Raises:
            BadFault: Two faults exclude each other; nothing was changed.
        """
        require_fit(faults)
        tls_fault = _tls_fault(faults)
        if tls_fault is not None and self._authority is None:
            raise BadFault(f"{tls_fault.kind.name}: this server was started without TLS")
        self.close()
        self._triggers = []
        self._port = self._start(faults, tls_fault)

    def _start(self, faults: Sequence[Fault], tls_fault: Fault | None) -> int:
        line = next((NetworkLine.of(fault) for fault in faults if fault.kind.layer is Layer.LINE), None)
        names = {fault.kind.name for fault in faults}
        if "refuse" in names:
            return self._running.enter_context(closed(self._port))
        if "drop" in names:
            return self._running.enter_context(black_hole(self._port))
        tls = _tls(self._authority, tls_fault) if self._authority else None
        requests, connections = _RequestFaults(faults, self._seed), _ConnectionFaults(faults, self._seed)
        self._triggers = [*connections.triggers, *requests.triggers]
        port = 0 if line is not None else self._port
        proxy = self._running.enter_context(faulty_proxy(self._behind, requests, tls, port))
        proxy.on_connection = connections
        # Such a fault counts connections. With one request each, after and times mean what they say.
        proxy.keeps_connections = not connections.triggers
        proxy.requests = self.requests
        if line is None:
            return proxy.server_port
        return self._running.enter_context(relay(line, proxy.server_port, self._port, seed=self._seed))

    @property
    def idle(self) -> list[str]:
        """The faults that have not occurred yet; those of TLS and of a closed port always count as occurred."""
        return [str(trigger.fault) for trigger in self._triggers if trigger.idle]

    def close(self) -> None:
        """Stop the server."""
        self._running.close()


def require_fit(faults: Sequence[Fault]) -> None:
    """Reject faults that hide each other.

    Raises:
        BadFault: Two faults exclude each other.
    """
    lines = [str(fault) for fault in faults if fault.kind.layer is Layer.LINE]
    if len(lines) > 1:
        raise BadFault(f"{' and '.join(lines)} exclude each other: a server has one line")
    faults = [fault for fault in faults if fault.kind.layer is not Layer.LINE]
    unreachable = [fault.kind.name for fault in faults if fault.kind.name in _UNREACHABLE]
    if unreachable and len(faults) > 1:
        raise BadFault(f"{unreachable[0]} excludes all other faults: nothing behind it can be reached")
    tls = [fault.kind.name for fault in faults if fault.kind.layer is Layer.TLS]
    if len(tls) > 1:
        raise BadFault(f"{' and '.join(tls)} exclude each other: a server has one certificate")


@contextmanager
def faulty(endpoint: str, faults: Sequence[Fault], *, seed: int = 0) -> Iterator[Faulty]:
    """Inject faults in front of a server while the context lasts.

    It speaks TLS if the server does, or if a fault belongs to the TLS layer.

    Args:
        endpoint: The URL of the server.
        faults: The faults from the start.
        seed: Makes random choices repeatable.

    Raises:
        BadFault: Two faults exclude each other.
    """
    with temporary_folder("faults") as folder:
        is_tls = urlsplit(endpoint).scheme == "https" or _tls_fault(faults) is not None
        front = Faulty(endpoint, Authority(folder) if is_tls else None, seed)
        try:
            front.change(faults)
            yield front
        finally:
            front.close()


def _tls_fault(faults: Sequence[Fault]) -> Fault | None:
    return next((fault for fault in faults if fault.kind.layer is Layer.TLS), None)


def _tls(authority: Authority, fault: Fault | None) -> ssl.SSLContext | None:
    if fault is None:
        return authority.context()
    return None if fault.kind.name == "tls-plain" else authority.context(fault.kind.name, fault.argument)


class _RequestFaults:
    """The faults of requests: all delays, then the first fault that fires and answers, or else every change."""

    def __init__(self, faults: Sequence[Fault], seed: int) -> None:
        self._delays = _triggers(faults, seed, lambda kind: kind.delays and kind.layer is Layer.HTTP)
        self._answers = _triggers(faults, seed, lambda kind: not kind.delays and kind.layer is Layer.HTTP)
        self._edits = _triggers(faults, seed, lambda kind: kind.layer is Layer.BODY)
        self.triggers = [*self._delays, *self._answers, *self._edits]

    def __call__(self, handler: Handler) -> bool:
        path = urlsplit(handler.path).path
        _delay(self._delays, path)
        for trigger in self._answers:
            if trigger.fires(path):
                trigger.idle = False
                return HTTP_FAULTS[trigger.fault.kind.name](handler, trigger.fault.argument)
        return self._edit(handler, [trigger for trigger in self._edits if trigger.fires(path)])

    def _edit(self, handler: Handler, triggers: Sequence[Trigger]) -> bool:
        if not triggers:
            return False
        status, body, headers = handler.ask()
        for trigger in triggers:
            changed = edited(body, trigger.fault.kind.name, trigger.fault.argument)
            if changed is not None:
                trigger.idle, body = False, changed
        return handler.relay(status, body, headers)


class _ConnectionFaults:
    """The faults of connections: all delays, then the first other fault that fires."""

    def __init__(self, faults: Sequence[Fault], seed: int) -> None:
        self._delays = _triggers(faults, seed, lambda kind: kind.delays and kind.layer is Layer.TCP)
        self._others = _triggers(faults, seed, lambda kind: kind.name in CONNECTION_FAULTS)
        self.triggers = [*self._delays, *self._others]

    def __call__(self, connection: socket.socket) -> bool:
        _delay(self._delays)
        for trigger in self._others:
            if trigger.fires():
                trigger.idle = False
                CONNECTION_FAULTS[trigger.fault.kind.name](connection)
                return True
        return False


def _triggers(faults: Sequence[Fault], seed: int, belongs: Callable[[FaultKind], bool]) -> list[Trigger]:
    return [Trigger(fault, seed) for fault in faults if belongs(fault.kind)]


def _delay(triggers: Sequence[Trigger], path: str | None = None) -> None:
    for trigger in triggers:
        if trigger.fires(path):
            trigger.idle = False
            time.sleep(float(trigger.fault.argument))
