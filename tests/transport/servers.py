"""Loopback servers that misbehave in one way each."""

from __future__ import annotations

import contextlib
import re
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Self

Handler = Callable[[socket.socket, "Server"], None]

TICK = 0.02


class Server:
    """Accepts on a free port and runs ``handler`` on every connection, in a thread of its own.

    ``requests`` holds the bytes that handlers read, ``sent`` counts what :func:`flood` sent,
    ``stopping`` tells handlers that wait to come to an end.
    """

    def __init__(self, handler: Handler, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self._listener.settimeout(TICK)
        self._handler = handler
        self._tls = tls
        self._threads: list[threading.Thread] = []
        self.host = host
        self.port: int = self._listener.getsockname()[1]
        self.accepted = 0
        self.requests: list[bytes] = []
        self.sent = 0
        self.stopping = threading.Event()

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        for thread in list(self._threads):
            thread.join(10)
            assert not thread.is_alive()
        self._listener.close()

    def url(self, path: str = "/", host: str | None = None) -> str:
        name = host or (f"[{self.host}]" if ":" in self.host else self.host)
        return f"{'https' if self._tls else 'http'}://{name}:{self.port}{path}"

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            self.accepted += 1
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        with contextlib.suppress(OSError), contextlib.ExitStack() as closing:
            closing.callback(connection.close)
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
                closing.callback(connection.close)
            self._handler(connection, self)


def read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    while length and len(body) < int(length[1]):
        piece = connection.recv(65536)
        body += piece
    return head + b"\r\n\r\n" + body


def answer(*pieces: bytes) -> Handler:
    """Read a request, send all pieces, close."""

    def handler(connection: socket.socket, server: Server) -> None:
        server.requests.append(read_request(connection))
        connection.sendall(b"".join(pieces))

    return handler


def ok(body: bytes = b"hello", *headers: bytes) -> Handler:
    fields = b"".join(header + b"\r\n" for header in headers)
    return answer(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n" % (len(body), fields), body)


def drip(prompt: bytes, endless: bytes) -> Handler:
    """Send ``prompt``, then ``endless`` over and over, a byte at a time."""

    def handler(connection: socket.socket, server: Server) -> None:
        read_request(connection)
        connection.sendall(prompt)
        while True:
            for byte in endless:
                if server.stopping.wait(TICK):
                    return
                connection.sendall(bytes([byte]))

    return handler


def say(data: bytes) -> Handler:
    """Send without being asked, then read what comes until the other side closes."""

    def handler(connection: socket.socket, server: Server) -> None:
        connection.sendall(data)
        silent(connection, server)

    return handler


def retort(data: bytes) -> Handler:
    """Wait for anything at all, send, close."""

    def handler(connection: socket.socket, server: Server) -> None:
        connection.recv(65536)
        connection.sendall(data)

    return handler


def hang_up(connection: socket.socket, server: Server) -> None:
    """Close at once."""


def silent(connection: socket.socket, server: Server) -> None:
    """Read and say nothing."""
    connection.settimeout(TICK)
    while not server.stopping.is_set():
        with contextlib.suppress(TimeoutError):
            if not connection.recv(65536):
                return


def echo(connection: socket.socket, server: Server) -> None:
    while data := connection.recv(65536):
        connection.sendall(data)


def reset(data: bytes = b"", until: bytes = b"\r\n\r\n") -> Handler:
    """Read up to ``until``, send ``data``, then a TCP reset."""

    def handler(connection: socket.socket, server: Server) -> None:
        received = b""
        while until not in received:
            received += connection.recv(65536)
        connection.sendall(data)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return handler


def flood(size: int) -> Handler:
    """Answer with a body of ``size`` bytes as long as somebody reads."""

    def handler(connection: socket.socket, server: Server) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        block = bytes(1 << 16)
        for _ in range(size // len(block)):
            connection.sendall(block)
            server.sent += len(block)

    return handler


def proxy(expected: str | None = None) -> Handler:
    """A forwarding and tunnelling proxy; ``expected`` is the Proxy-Authorization it wants."""

    def handler(connection: socket.socket, server: Server) -> None:
        request = read_request(connection)
        if not request:
            return
        server.requests.append(request)
        if expected and f"Proxy-Authorization: {expected}\r\n".encode() not in request:
            connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        method, target, _ = request.split(b"\r\n", 1)[0].split(b" ")
        authority = re.fullmatch(rb"(?:http://)?([^/]*):(\d+)(/.*)?", target)
        assert authority
        with socket.create_connection((authority[1].strip(b"[]").decode(), int(authority[2]))) as upstream:
            if method == b"CONNECT":
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                upstream.sendall(request.replace(target, authority[3], 1))
            relay(connection, upstream, server)

    return handler


def relay(one: socket.socket, other: socket.socket, server: Server) -> None:
    """Copy both ways until a side closes or the server stops.

    In one thread: two must not use the same TLS socket at a time.
    """
    to = {one: other, other: one}
    while not server.stopping.is_set():
        buffered = [end for end in to if isinstance(end, ssl.SSLSocket) and end.pending()]
        for source in buffered or select.select(list(to), [], [], TICK)[0]:
            data = source.recv(65536)
            if not data:
                return
            to[source].sendall(data)


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """A port that drops every SYN: its queue of connections to accept is full."""
    with contextlib.ExitStack() as closing:
        listener = closing.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = closing.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def unused_port(host: str = "127.0.0.1") -> int:
    with socket.create_server((host, 0)) as listener:
        return int(listener.getsockname()[1])
