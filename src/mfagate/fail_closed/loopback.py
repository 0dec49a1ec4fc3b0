"""The provider of a proof: a server on loopback that gives one answer, in whatever way it is to end."""

from __future__ import annotations

import os
import select
import socket
import ssl
import struct
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from mfagate.contract import Interaction
from mfagate.fail_closed.answer import Ending, ProviderAnswer
from mfagate.fail_closed.mutations import ELSEWHERE
from mfagate.sandbox.faulty_proxy import Fault, Handler, faulty_proxy

if TYPE_CHECKING:
    import trustme

_DRIP_SECONDS = 0.05
_NOBODY = "http://127.0.0.1:9"
_NAMES = ("localhost", "127.0.0.1")
_QUEUE = 4
"""Connections that fill the shortest queue, and one or two more."""
_ABORT = struct.pack("ii", 1, 0)


class LoopbackUrl(str):
    """The URL of the server, without a slash at the end; also a plain ``str``.

    ``host`` and ``port`` are its parts. ``ca_bundle`` is the PEM file of the authority to
    trust, or None where the server speaks plain HTTP.
    """

    __slots__ = ("ca_bundle",)
    ca_bundle: Path | None

    def __new__(cls, url: str, ca_bundle: Path | None = None) -> Self:
        """Return an endpoint at a URL."""
        made = super().__new__(cls, url)
        made.ca_bundle = ca_bundle
        return made

    @property
    def host(self) -> str:
        """The name to connect to."""
        return str(urlsplit(self).hostname)

    @property
    def port(self) -> int:
        """The port to connect to."""
        return int(urlsplit(self).port or 0)


@dataclass(frozen=True, slots=True)
class ScriptedAnswer:
    """What is answered on the way: once a call, to the first request with this method and path."""

    method: str
    path: str
    answer: ProviderAnswer

    @classmethod
    def of(cls, interaction: Interaction) -> ScriptedAnswer:
        """Return the example of another interaction."""
        request = interaction.example_request()
        return cls(request.method, urlsplit(request.url).path, ProviderAnswer.example(interaction))


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that the server got. ``target`` is its path and query."""

    method: str
    target: str
    body: bytes


class Script:
    """What the server says: the answers on the way, each once, and ``answer`` to everything else.

    ``elsewhere`` is the answer at the place that a redirect names. ``asked`` has the requests of the call.
    """

    def __init__(self, given: Sequence[ScriptedAnswer] = (), elsewhere: ProviderAnswer | None = None) -> None:
        self._given = tuple(given)
        self._elsewhere = elsewhere
        self._lock = threading.Lock()
        self._released = threading.Event()
        self.begin(ProviderAnswer(404))

    def begin(self, answer: ProviderAnswer) -> None:
        """Begin a call, and release connections that still wait from an earlier one."""
        self._released.set()
        with self._lock:
            self._released = threading.Event()
            self._open = list(self._given)
            self._answer = answer
            self.served = 0
            self.asked: list[Asked] = []

    def release(self) -> None:
        """End the call, and with it answers that would never end."""
        self._released.set()

    def impostor(self, ending: Ending) -> Fault:
        """Answers one request, as the server that answers of this ending come from."""
        return partial(self._answer_to, whole=ending)

    def __call__(self, handler: Handler) -> bool:
        """Answer one request."""
        return self._answer_to(handler, whole=Ending.WHOLE)

    def _answer_to(self, handler: Handler, *, whole: Ending) -> bool:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        with self._lock:
            self.asked.append(Asked(handler.command, handler.path, body))
            answer, released = self._choose(handler), self._released
        handler.close_connection = True
        if answer.ending is whole:
            answer = replace(answer, ending=Ending.WHOLE)
        _send(answer, handler, released)
        return True

    def _choose(self, handler: Handler) -> ProviderAnswer:
        asked = (handler.command, urlsplit(handler.path).path)
        if self._elsewhere is not None and asked[1] == ELSEWHERE:
            return self._elsewhere
        for given in self._open:
            if (given.method, given.path) == asked:
                self._open.remove(given)
                return given.answer
        self.served += 1
        return self._answer


def _send(answer: ProviderAnswer, handler: Handler, released: threading.Event) -> None:
    handler.wfile.write(_sent(answer))
    match answer.ending:
        case Ending.RESET:
            _abort(handler.connection)
        case Ending.SILENT | Ending.SILENT_MIDWAY:
            _wait(handler, released)
        case Ending.DRIPPING:
            _wait(handler, released, b" ")
        case Ending.DRIPPING_HEAD:
            _wait(handler, released, b"x")


def _sent(answer: ProviderAnswer) -> bytes:
    """All of an answer that is sent, but for what drips."""
    middle = len(answer.body) // 2
    match answer.ending:
        case Ending.WHOLE:
            return answer.head() + answer.body
        case Ending.CUT | Ending.RESET | Ending.SILENT_MIDWAY:
            return answer.head() + answer.body[:middle]
        case Ending.SHORT:
            return answer.with_header("Content-Length", str(len(answer.body) + 7)).head() + answer.body
        case Ending.UNENDED:
            chunked = answer.with_header("Transfer-Encoding", "chunked")
            return chunked.head() + b"%x\r\n%b\r\n" % (len(answer.body), answer.body)
        case Ending.DRIPPING:
            return answer.with_header("Content-Length", str(len(answer.body) + 1_000_000)).head() + answer.body
        case Ending.DRIPPING_HEAD:
            return answer.head()[:-2] + b"X-Slow: "
        case _:
            # It never begins; or the client asks another server than the one that it was given for this answer.
            return b""


def _wait(handler: Handler, released: threading.Event, drip: bytes = b"") -> None:
    """Until the client hangs up or the call is given up."""
    while not released.wait(_DRIP_SECONDS) and not _has_left(handler.connection):
        handler.wfile.write(drip)


def _has_left(connection: socket.socket) -> bool:
    # Nothing more is asked on this connection: what can be read is its end.
    return bool(select.select([connection], [], [], 0)[0])


def _abort(connection: socket.socket) -> None:
    """Close with a reset in place of an orderly end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
    os.close(connection.detach())


@dataclass(frozen=True, slots=True)
class Servers:
    """Where a call is sent: ``endpoint``, or for some endings of an answer to another place.

    Whoever is sent to another place need not get as far as to ask for the answer.
    """

    endpoint: LoopbackUrl
    others: Mapping[Ending, LoopbackUrl]

    def of(self, answer: ProviderAnswer) -> LoopbackUrl:
        """Return the server for this answer."""
        return self.others.get(answer.ending, self.endpoint)

    def are_others(self, answer: ProviderAnswer) -> bool:
        """Whether this answer comes from another place."""
        return answer.ending in self.others


@contextmanager
def serving(script: Script, *, tls: bool = False) -> Iterator[Servers]:
    """Start a server with this script on a free port of 127.0.0.1, and ports that accept no connection.

    With ``tls`` it is called ``localhost``, and its certificate comes from an authority that is
    made for it (extra ``emulator``); there are further servers then, with certificates that are
    not to be trusted.
    """
    with ExitStack() as stack:
        ports = {Ending.REFUSED: stack.enter_context(_nobody()), Ending.UNACCEPTED: stack.enter_context(_crowded())}
        if not tls:
            own = stack.enter_context(faulty_proxy(_NOBODY, script)).server_port
            yield _servers("http://127.0.0.1", own, ports, None)
            return
        import trustme

        authority = trustme.CA()
        bundle = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "ca.pem"
        bundle.write_bytes(authority.cert_pem.bytes())
        own = stack.enter_context(faulty_proxy(_NOBODY, script, _certified(authority.issue_cert(*_NAMES)))).server_port
        for ending, certificate in {
            Ending.FOREIGN: trustme.CA().issue_cert(*_NAMES),
            Ending.MISNAMED: authority.issue_cert("mfagate.invalid"),
            Ending.EXPIRED: authority.issue_cert(*_NAMES, not_after=datetime.now(UTC) - timedelta(days=1)),
        }.items():
            server = stack.enter_context(faulty_proxy(_NOBODY, script.impostor(ending), _certified(certificate)))
            ports[ending] = server.server_port
        yield _servers("https://localhost", own, ports, bundle)


def _servers(url: str, own: int, others: Mapping[Ending, int], bundle: Path | None) -> Servers:
    there = {ending: LoopbackUrl(f"{url}:{port}", bundle) for ending, port in others.items()}
    return Servers(LoopbackUrl(f"{url}:{own}", bundle), there)


def _certified(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@contextmanager
def _nobody() -> Iterator[int]:
    """Return a port that is taken and accepts no connection."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@contextmanager
def _crowded() -> Iterator[int]:
    """Return a port whose queue is full: what connects there waits for somebody to accept it."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(_QUEUE):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]
