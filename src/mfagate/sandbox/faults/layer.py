"""A proxy that injects faults before a server."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from mfagate.leftovers.folders import temporary_folder
from mfagate.sandbox.faults.body import edited
from mfagate.sandbox.faults.certificates import Authority
from mfagate.sandbox.faults.connection import STRIKES, black_hole, closed
from mfagate.sandbox.faults.http import strike
from mfagate.sandbox.faults.kind import FaultKind, Layer
from mfagate.sandbox.faults.spec import BadFault, Fault, Trigger
from mfagate.sandbox.faulty_proxy import Handler, faulty_proxy

_NOBODY_LISTENS = ("refuse", "drop")


class Faulty:
    """The faulty server: connect to ``url``, and trust ``ca_bundle`` where it is https."""

    def __init__(self, behind: str, authority: Authority | None, seed: int) -> None:
        self.ca_bundle = authority.bundle if authority else None
        self.requests: list[tuple[str, str]] = []
        self._behind = behind
        self._authority = authority
        self._seed = seed
        self._port = 0
        self._now = ExitStack()
        self._triggers: list[Trigger] = []

    @property
    def url(self) -> str:
        """Where it is; it stays there."""
        return f"{'https' if self._authority else 'http'}://127.0.0.1:{self._port}"

    def change(self, faults: Sequence[Fault]) -> None:
        """Do these faults from now on, in the place of the earlier ones.

        Raises:
            BadFault: They do not go together; nothing was changed.
        """
        require_fit(faults)
        secure = _secure(faults)
        if secure is not None and self._authority is None:
            raise BadFault(f"{secure.kind.name}: this server was started without TLS, and stays so")
        self._now.close()
        self._triggers = []
        self._port = self._begin(faults, secure)

    def _begin(self, faults: Sequence[Fault], secure: Fault | None) -> int:
        names = {fault.kind.name for fault in faults}
        if "refuse" in names:
            return self._now.enter_context(closed(self._port))
        if "drop" in names:
            return self._now.enter_context(black_hole(self._port))
        tls = _tls(self._authority, secure) if self._authority else None
        requests, connections = _Striker(faults, self._seed), _Connections(faults, self._seed)
        self._triggers = [*connections.triggers, *requests.triggers]
        before = self._now.enter_context(faulty_proxy(self._behind, requests, tls, self._port))
        before.on_connection = connections
        before.requests = self.requests
        return before.server_port

    @property
    def idle(self) -> list[str]:
        """The faults of now that have done nothing so far; one of TLS, or of nobody listening, is never idle."""
        return [str(trigger.fault) for trigger in self._triggers if trigger.idle]

    def close(self) -> None:
        """Stop."""
        self._now.close()


def require_fit(faults: Sequence[Fault]) -> None:
    """Refuse faults of which one would hide another.

    Raises:
        BadFault: They do not go together.
    """
    nobody = [fault.kind.name for fault in faults if fault.kind.name in _NOBODY_LISTENS]
    if nobody and len(faults) > 1:
        raise BadFault(f"{nobody[0]} goes alone: no other fault could be seen behind it")
    secure = [fault.kind.name for fault in faults if fault.kind.layer is Layer.TLS]
    if len(secure) > 1:
        raise BadFault(f"{' and '.join(secure)} do not go together: a server has one certificate")


@contextmanager
def faulty(endpoint: str, faults: Sequence[Fault], *, seed: int = 0) -> Iterator[Faulty]:
    """Stand before the server at ``endpoint`` while the context lasts; ``seed`` makes chance repeatable.

    It speaks TLS if the server does, or if a fault is one of TLS.

    Raises:
        BadFault: The faults do not go together.
    """
    with temporary_folder("faults") as folder:
        is_tls = urlsplit(endpoint).scheme == "https" or _secure(faults) is not None
        before = Faulty(endpoint, Authority(folder) if is_tls else None, seed)
        try:
            before.change(faults)
            yield before
        finally:
            before.close()


def _secure(faults: Sequence[Fault]) -> Fault | None:
    return next((fault for fault in faults if fault.kind.layer is Layer.TLS), None)


def _tls(authority: Authority, fault: Fault | None) -> ssl.SSLContext | None:
    if fault is None:
        return authority.context()
    return None if fault.kind.name == "tls-plain" else authority.context(fault.kind.name, fault.argument)


class _Striker:
    """The faults of requests: the delays, then the first fault whose turn it is to answer, or else every edit."""

    def __init__(self, faults: Sequence[Fault], seed: int) -> None:
        self._delays = _triggers(faults, seed, lambda kind: kind.delays and kind.layer is Layer.HTTP)
        self._answers = _triggers(faults, seed, lambda kind: not kind.delays and kind.layer is Layer.HTTP)
        self._edits = _triggers(faults, seed, lambda kind: kind.layer is Layer.BODY)
        self.triggers = [*self._delays, *self._answers, *self._edits]

    def __call__(self, handler: Handler) -> bool:
        path = urlsplit(handler.path).path
        _delay(self._delays, path)
        for trigger in self._answers:
            if trigger.strikes(path):
                trigger.idle = False
                return strike(handler, trigger.fault.kind.name, trigger.fault.argument)
        return self._edit(handler, [trigger for trigger in self._edits if trigger.strikes(path)])

    def _edit(self, handler: Handler, triggers: Sequence[Trigger]) -> bool:
        """Make all of these changes in the answer of the server behind."""
        if not triggers:
            return False
        status, body, headers = handler.ask()
        for trigger in triggers:
            changed = edited(body, trigger.fault.kind.name, trigger.fault.argument)
            if changed is not None:
                trigger.idle, body = False, changed
        return handler.relay(status, body, headers, headers["Content-Type"])


class _Connections:
    """The faults of connections: the delays, then the first other one whose turn it is."""

    def __init__(self, faults: Sequence[Fault], seed: int) -> None:
        self._delays = _triggers(faults, seed, lambda kind: kind.delays and kind.layer is Layer.TCP)
        self._others = _triggers(faults, seed, lambda kind: kind.name in STRIKES)
        self.triggers = [*self._delays, *self._others]

    def __call__(self, connection: socket.socket) -> bool:
        _delay(self._delays)
        for trigger in self._others:
            if trigger.strikes():
                trigger.idle = False
                STRIKES[trigger.fault.kind.name](connection)
                return True
        return False


def _triggers(faults: Sequence[Fault], seed: int, belongs: Callable[[FaultKind], bool]) -> list[Trigger]:
    return [Trigger(fault, seed) for fault in faults if belongs(fault.kind)]


def _delay(triggers: Sequence[Trigger], path: str | None = None) -> None:
    """Wait as long as these faults say, one after the other."""
    for trigger in triggers:
        if trigger.strikes(path):
            trigger.idle = False
            time.sleep(float(trigger.fault.argument))
