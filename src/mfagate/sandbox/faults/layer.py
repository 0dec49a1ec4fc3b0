"""A server that puts faults before another one."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from mfagate.leftovers.folders import temporary_folder
from mfagate.sandbox.faults.certificates import Authority
from mfagate.sandbox.faults.connection import STRIKES, black_hole, closed
from mfagate.sandbox.faults.http import Struck, strike
from mfagate.sandbox.faults.kind import Layer
from mfagate.sandbox.faults.spec import BadFault, Fault, Trigger
from mfagate.sandbox.front import Handler, front

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
        before = self._now.enter_context(front(self._behind, requests, tls, self._port))
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
    """The faults of requests: the first one whose turn it is answers."""

    def __init__(self, faults: Sequence[Fault], seed: int) -> None:
        layers = (Layer.HTTP, Layer.BODY)
        self.triggers = [Trigger(fault, seed) for fault in faults if fault.kind.layer in layers]

    def __call__(self, handler: Handler) -> bool:
        path = urlsplit(handler.path).path
        for trigger in self.triggers:
            if trigger.strikes(path):
                struck = strike(handler, trigger.fault.kind.name, trigger.fault.argument)
                trigger.idle = trigger.idle and struck is Struck.NOTHING
                if struck is not Struck.BEFORE:
                    return True
        return False


class _Connections:
    """The faults of connections."""

    def __init__(self, faults: Sequence[Fault], seed: int) -> None:
        self.triggers = [Trigger(fault, seed) for fault in faults if fault.kind.name in STRIKES]

    def __call__(self, connection: socket.socket) -> bool:
        for trigger in self.triggers:
            if trigger.strikes():
                trigger.idle = False
                if STRIKES[trigger.fault.kind.name](connection, trigger.fault.argument):
                    return True
        return False
