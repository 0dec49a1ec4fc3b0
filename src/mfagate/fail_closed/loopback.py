"""The provider of a proof: a server on loopback that gives one answer, with any :class:`Ending`."""

from __future__ import annotations

import select
import socket
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from mfagate.contract import Interaction
from mfagate.fail_closed.answer import Ending, ProviderAnswer
from mfagate.fail_closed.mutations import ELSEWHERE
from mfagate.sandbox.certificates import Authority
from mfagate.sandbox.faults.connection import abort, black_hole, closed
from mfagate.sandbox.faulty_proxy import Fault, Handler, faulty_proxy

_DRIP_SECONDS = 0.05
_NOWHERE = "http://127.0.0.1:9"
_BAD_CERTIFICATES = {
    Ending.FOREIGN: "tls-unknown-ca",
    Ending.MISNAMED: "tls-other-name",
    Ending.EXPIRED: "tls-expired",
}


class LoopbackUrl(str):
    """The URL of the server, without a slash at the end; also a plain ``str``.

    ``host`` and ``port`` are its parts. ``ca_bundle`` is the PEM file of the authority to
    trust, or None if the server speaks plain HTTP.
    """

    __slots__ = ("ca_bundle",)
    ca_bundle: Path | None

    def __new__(cls, url: str, ca_bundle: Path | None = None) -> Self:
        """Return the URL of a server, with the file of its authority."""
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
    """An answer before the one under test: sent once per call, to the first request with this method and path."""

    method: str
    path: str
    answer: ProviderAnswer

    @classmethod
    def of(cls, interaction: Interaction) -> ScriptedAnswer:
        """Return the example answer of another interaction."""
        request = interaction.example_request()
        return cls(request.method, urlsplit(request.url).path, ProviderAnswer.example(interaction))


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that the server received. ``target`` is its path and query."""

    method: str
    target: str
    body: bytes


class Script:
    """What the server answers: each scripted answer once, and the answer under test to all other requests.

    ``elsewhere`` is the answer at the target of a redirect. ``asked`` lists the requests of the call.
    """

    def __init__(self, given: Sequence[ScriptedAnswer] = (), elsewhere: ProviderAnswer | None = None) -> None:
        self._given = tuple(given)
        self._elsewhere = elsewhere
        self._lock = threading.Lock()
        self._released = threading.Event()
        self.begin(ProviderAnswer(404))

    def begin(self, answer: ProviderAnswer) -> None:
        """Begin a call, and release connections of an earlier call that still wait."""
        self._released.set()
        with self._lock:
            self._released = threading.Event()
            self._open = list(self._given)
            self._answer = answer
            self.served = 0
            self.asked: list[Asked] = []

    def release(self) -> None:
        """End the call, and answers that would never end."""
        self._released.set()

    def impostor(self, ending: Ending) -> Fault:
        """Return the fault of a server that the client must not trust; answers with this ending come from it."""
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
            abort(handler.connection)
        case Ending.SILENT | Ending.SILENT_MIDWAY:
            _wait(handler, released)
        case Ending.DRIPPING:
            _wait(handler, released, b" ")
        case Ending.DRIPPING_HEAD:
            _wait(handler, released, b"x")


def _sent(answer: ProviderAnswer) -> bytes:
    """Return the bytes of an answer that are sent at once."""
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
            # The answer never begins, or the client asks a server that this answer does not come from.
            return b""


def _wait(handler: Handler, released: threading.Event, drip: bytes = b"") -> None:
    """Wait until the client hangs up or the call is released; send ``drip`` again and again meanwhile."""
    while not released.wait(_DRIP_SECONDS) and not _has_left(handler.connection):
        handler.wfile.write(drip)


def _has_left(connection: socket.socket) -> bool:
    # The client sends nothing more on this connection, so readable data is the end of it.
    return bool(select.select([connection], [], [], 0)[0])


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers of a proof: ``endpoint``, and others for some endings of an answer.

    A client may reject one of the others before it sends a request.
    """

    endpoint: LoopbackUrl
    others: Mapping[Ending, LoopbackUrl]

    def of(self, answer: ProviderAnswer) -> LoopbackUrl:
        """Return the server for this answer."""
        return self.others.get(answer.ending, self.endpoint)

    def are_others(self, answer: ProviderAnswer) -> bool:
        """Return whether this answer comes from one of the other servers."""
        return answer.ending in self.others


@contextmanager
def serving(script: Script, *, tls: bool = False) -> Iterator[Servers]:
    """Start a server with this script on a free port of 127.0.0.1, and ports that accept no connection.

    With ``tls``, its name is ``localhost``, and a new authority issues its certificate (extra
    ``emulator``). Further servers then have certificates that a client must not trust.
    """
    with ExitStack() as stack:
        ports = {Ending.REFUSED: stack.enter_context(closed()), Ending.UNACCEPTED: stack.enter_context(black_hole())}
        if not tls:
            own = stack.enter_context(faulty_proxy(_NOWHERE, script)).server_port
            yield _servers("http://127.0.0.1", own, ports, None)
            return
        authority = Authority(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        own = stack.enter_context(faulty_proxy(_NOWHERE, script, authority.context())).server_port
        for ending, fault in _BAD_CERTIFICATES.items():
            server = faulty_proxy(_NOWHERE, script.impostor(ending), authority.context(fault))
            ports[ending] = stack.enter_context(server).server_port
        yield _servers("https://localhost", own, ports, authority.bundle)


def _servers(url: str, own: int, others: Mapping[Ending, int], bundle: Path | None) -> Servers:
    there = {ending: LoopbackUrl(f"{url}:{port}", bundle) for ending, port in others.items()}
    return Servers(LoopbackUrl(f"{url}:{own}", bundle), there)
