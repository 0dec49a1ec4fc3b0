"""The provider of a proof: a server on loopback that gives one answer, in whatever way it is to end."""

from __future__ import annotations

import os
import select
import socket
import struct
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from mfagate.contract import Interaction
from mfagate.fail_closed.answer import Answer, Ending
from mfagate.sandbox.front import Handler, front

_DRIP_SECONDS = 0.05
_NOBODY = "http://127.0.0.1:9"
_ABORT = struct.pack("ii", 1, 0)


class Endpoint(str):
    """The URL of the server, without a slash at the end; a plain ``str`` for whoever wants one.

    ``host`` and ``port`` are its parts. ``ca_bundle`` is the PEM file of the authority to
    trust, or None where the server speaks plain HTTP.
    """

    __slots__ = ("ca_bundle",)
    ca_bundle: Path | None

    def __new__(cls, url: str, ca_bundle: Path | None = None) -> Self:
        """An endpoint at a URL."""
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
class Given:
    """What is answered on the way: once a call, to the first request with this method and path."""

    method: str
    path: str
    answer: Answer

    @classmethod
    def of(cls, interaction: Interaction) -> Given:
        """The example of another interaction."""
        request = interaction.example_request()
        return cls(request.method, urlsplit(request.url).path, Answer.example(interaction))


class Script:
    """What the server says: the answers on the way, each once, and ``answer`` to everything else."""

    def __init__(self, given: Sequence[Given] = ()) -> None:
        self._given = tuple(given)
        self._lock = threading.Lock()
        self._released = threading.Event()
        self.begin(Answer(404))

    def begin(self, answer: Answer) -> None:
        """A call begins; whoever still waits from an earlier one is let go."""
        self._released.set()
        with self._lock:
            self._released = threading.Event()
            self._open = list(self._given)
            self._answer = answer
            self.served = 0

    def release(self) -> None:
        """The call is over: answers that would never end do."""
        self._released.set()

    def __call__(self, handler: Handler) -> bool:
        """Answer one request."""
        handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        with self._lock:
            answer, released = self._choose(handler), self._released
        handler.close_connection = True
        _send(answer, handler, released)
        return True

    def _choose(self, handler: Handler) -> Answer:
        asked = (handler.command, urlsplit(handler.path).path)
        for given in self._open:
            if (given.method, given.path) == asked:
                self._open.remove(given)
                return given.answer
        self.served += 1
        return self._answer


def _send(answer: Answer, handler: Handler, released: threading.Event) -> None:
    middle = len(answer.body) // 2
    match answer.ending:
        case Ending.WHOLE:
            handler.wfile.write(answer.head() + answer.body)
        case Ending.CUT:
            handler.wfile.write(answer.head() + answer.body[:middle])
        case Ending.RESET:
            handler.wfile.write(answer.head() + answer.body[:middle])
            _abort(handler.connection)
        case Ending.CLOSED:
            pass
        case Ending.SILENT:
            _wait(handler, released)
        case Ending.SILENT_MIDWAY:
            handler.wfile.write(answer.head() + answer.body[:middle])
            _wait(handler, released)
        case Ending.DRIPPING:
            endless = answer.with_header("Content-Length", str(len(answer.body) + 1_000_000))
            handler.wfile.write(endless.head() + answer.body)
            _wait(handler, released, b" ")
        case Ending.DRIPPING_HEAD:
            handler.wfile.write(answer.head()[:-2] + b"X-Slow: ")
            _wait(handler, released, b"x")


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


@contextmanager
def serving(script: Script, *, tls: bool = False) -> Iterator[Endpoint]:
    """A server with this script, on a free port of 127.0.0.1.

    With ``tls`` it is called ``localhost``, and its certificate comes from an authority that is
    made for it (extra ``emulator``).
    """
    with ExitStack() as stack:
        if not tls:
            yield Endpoint(stack.enter_context(front(_NOBODY, script)).url)
            return
        import ssl

        import trustme

        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
        bundle = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "ca.pem"
        bundle.write_bytes(authority.cert_pem.bytes())
        server = stack.enter_context(front(_NOBODY, script, context))
        yield Endpoint(f"https://localhost:{server.server_port}", bundle)
