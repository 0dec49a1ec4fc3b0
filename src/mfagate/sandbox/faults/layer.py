"""A server that puts faults before another one."""

from __future__ import annotations

import socket
import ssl
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from mfagate.sandbox.faults.catalogue import Layer
from mfagate.sandbox.faults.certificates import Authority
from mfagate.sandbox.faults.connection import STRIKES, black_hole, closed_port
from mfagate.sandbox.faults.http import strike
from mfagate.sandbox.faults.spec import Fault, Trigger
from mfagate.sandbox.front import Handler, front


@dataclass(frozen=True, slots=True)
class Faulty:
    """The faulty server: connect to ``url``, and trust ``ca_bundle`` where it is https."""

    url: str
    ca_bundle: Path | None
    requests: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def faulty(endpoint: str, faults: Sequence[Fault], *, seed: int = 0) -> Iterator[Faulty]:
    """Stand before the server at ``endpoint`` while the context lasts; ``seed`` makes chance repeatable.

    It speaks TLS if the server does, or if a fault is one of TLS.
    """
    with tempfile.TemporaryDirectory(prefix="mfagate-faults-") as folder:
        secure = next((fault for fault in faults if fault.kind.layer is Layer.TLS), None)
        is_tls = urlsplit(endpoint).scheme == "https" or secure is not None
        authority = Authority(Path(folder)) if is_tls else None
        scheme, bundle = ("https", authority.bundle) if authority else ("http", None)
        names = {fault.kind.name for fault in faults}
        if "refuse" in names:
            yield Faulty(f"{scheme}://127.0.0.1:{closed_port()}", bundle)
        elif "drop" in names:
            with black_hole() as port:
                yield Faulty(f"{scheme}://127.0.0.1:{port}", bundle)
        else:
            tls = _tls(authority, secure) if authority else None
            with front(endpoint, _Striker(faults, seed), tls) as before:
                before.on_connection = _Connections(faults, seed)
                yield Faulty(f"{scheme}://127.0.0.1:{before.server_port}", bundle, before.requests)


def _tls(authority: Authority, fault: Fault | None) -> ssl.SSLContext | None:
    if fault is None:
        return authority.context()
    return None if fault.kind.name == "tls-plain" else authority.context(fault.kind.name, fault.argument)


class _Striker:
    """The faults of requests: the first one whose turn it is answers."""

    def __init__(self, faults: Sequence[Fault], seed: int) -> None:
        layers = (Layer.HTTP, Layer.BODY)
        self._triggers = [Trigger(fault, seed) for fault in faults if fault.kind.layer in layers]

    def __call__(self, handler: Handler) -> bool:
        path = urlsplit(handler.path).path
        return any(
            trigger.strikes(path) and strike(handler, trigger.fault.kind.name, trigger.fault.argument)
            for trigger in self._triggers
        )


class _Connections:
    """The faults of connections."""

    def __init__(self, faults: Sequence[Fault], seed: int) -> None:
        self._triggers = [Trigger(fault, seed) for fault in faults if fault.kind.name in STRIKES]

    def __call__(self, connection: socket.socket) -> bool:
        return any(
            trigger.strikes() and STRIKES[trigger.fault.kind.name](connection, trigger.fault.argument)
            for trigger in self._triggers
        )
