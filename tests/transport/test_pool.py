"""A connection is kept and used again, and every failure on it is told apart as on a new one."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Phase
from mfagate.transport import Transport
from mfagate.transport.pool import ConnectionPool
from tests.transport.conftest import Serve
from tests.transport.helpers import PATIENCE, prepared
from tests.transport.servers import Handler, Server, read_request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
OPENING = {Phase.RESOLVE, Phase.CONNECT, Phase.TLS}


def keep(*answers: bytes) -> Handler:
    """Give the answers in turn on one connection, the last one again and again; close after an empty one."""

    def handler(connection: socket.socket, server: Server) -> None:
        left = list(answers)
        while not server.stopping.is_set():
            request = read_request(connection)
            if not request:
                return
            server.requests.append(request)
            answer = left.pop(0) if len(left) > 1 else left[0]
            if not answer:
                return
            connection.sendall(answer)

    return handler


@contextmanager
def kept(bundle: Path | None = None, timeout: float = PATIENCE) -> Iterator[Callable[..., Exchange]]:
    """Yield a function that sends over one pool."""
    pool = ConnectionPool()
    transport = Transport(timeout_seconds=timeout, ca_bundle=bundle, trust_env=False, pool=pool)

    def send(url: str, *, fresh: bool = False, method: str = "GET") -> Exchange:
        return transport.send(prepared(url, method), fresh=fresh)

    try:
        yield send
    finally:
        pool.close()


def bodies(exchanges: Sequence[Exchange]) -> list[bytes]:
    return [exchange.response.body if exchange.response else b"" for exchange in exchanges]


def test_the_second_request_uses_the_same_connection_and_skips_its_phases(serve: Serve) -> None:
    server = serve(keep(OK))
    with kept() as send:
        first, second = send(server.url()), send(server.url())
    assert (server.accepted, bodies([first, second])) == (1, [b"hello", b"hello"])
    assert (first.connection, second.connection) == ("new", "kept")
    assert {Phase.RESOLVE, Phase.CONNECT} <= first.phases.keys()
    assert second.phases.keys().isdisjoint(OPENING)
    assert second.address == first.address == "127.0.0.1"


def test_the_certificate_of_a_kept_connection_is_known(serve: Serve, good_tls: ssl.SSLContext, bundle: Path) -> None:
    server = serve(keep(OK), good_tls)
    with kept(bundle) as send:
        first, second = send(server.url(host="localhost")), send(server.url(host="localhost"))
    assert server.accepted == 1
    assert second.certificate == first.certificate is not None


def test_without_a_pool_each_request_opens_a_connection_and_says_so(serve: Serve) -> None:
    server = serve(keep(OK))
    transport = Transport(timeout_seconds=PATIENCE, trust_env=False)
    assert bodies([transport.send(prepared(server.url())) for _ in range(2)]) == [b"hello"] * 2
    assert server.accepted == 2
    assert all(b"connection: close" in request.lower() for request in server.requests)


def test_a_request_that_must_not_be_repeated_opens_a_connection(serve: Serve) -> None:
    server = serve(keep(OK))
    with kept() as send:
        exchanges = [send(server.url()), send(server.url(), fresh=True, method="POST")]
    assert (server.accepted, [exchange.connection for exchange in exchanges]) == (2, ["new", "new"])


NOT_KEPT = {
    "the server closes": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "more than the answer": OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
    "no length": b"HTTP/1.1 200 OK\r\n\r\nhello",
    "the last second": b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 5\r\n\r\nhello",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    "a proxy's refusal": b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("answer", NOT_KEPT.values(), ids=NOT_KEPT)
def test_a_connection_is_not_kept(serve: Serve, answer: bytes) -> None:
    def handler(connection: socket.socket, server: Server) -> None:
        server.requests.append(read_request(connection))
        connection.sendall(answer)
        if b"Length" not in answer:
            return
        read_request(connection)

    server = serve(handler)
    with kept() as send:
        exchanges = [send(server.url()), send(server.url())]
    assert (server.accepted, [exchange.connection for exchange in exchanges]) == (2, ["new", "new"])


KEPT = {
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n",
    "interim": b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK,
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "kept by HTTP/1.0": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello",
    "long enough": b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=60, max=9\r\nContent-Length: 5\r\n\r\nhello",
}


@pytest.mark.parametrize("answer", KEPT.values(), ids=KEPT)
def test_a_connection_is_kept(serve: Serve, answer: bytes) -> None:
    server = serve(keep(answer))
    with kept() as send:
        exchanges = [send(server.url()), send(server.url())]
    assert (server.accepted, [exchange.connection for exchange in exchanges]) == (1, ["new", "kept"])
    assert exchanges[0].response == exchanges[1].response is not None


def test_a_head_request_leaves_the_connection(serve: Serve) -> None:
    server = serve(keep(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"))
    with kept() as send:
        assert [send(server.url(), method="HEAD").connection for _ in range(2)] == ["new", "kept"]


def closing_after(answers: int) -> tuple[Handler, threading.Event]:
    """Close each connection after so many answers, and set the event."""
    closed = threading.Event()

    def handler(connection: socket.socket, server: Server) -> None:
        for _ in range(answers):
            server.requests.append(read_request(connection))
            connection.sendall(OK)
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()
        closed.set()

    return handler, closed


def test_a_connection_that_the_server_has_closed_is_not_used(serve: Serve) -> None:
    handler, closed = closing_after(1)
    server = serve(handler)
    with kept() as send:
        first = send(server.url())
        assert closed.wait(PATIENCE)
        second = send(server.url(), method="POST")
    assert bodies([first, second]) == [b"hello", b"hello"]
    assert second.connection == "new"


def stale(connection: socket.socket, server: Server) -> None:
    """Answer the first request of the first connection; close it when the second one has come."""
    is_first = server.accepted == 1
    server.requests.append(read_request(connection))
    connection.sendall(OK)
    if is_first:
        server.requests.append(read_request(connection))


def test_a_request_on_a_stale_connection_is_sent_again_on_a_new_one(serve: Serve) -> None:
    server = serve(stale)
    with kept() as send:
        first, second = send(server.url()), send(server.url())
    assert bodies([first, second]) == [b"hello", b"hello"]
    assert (server.accepted, second.connection) == (2, "renewed")
    assert Phase.CONNECT in second.phases


def test_a_post_on_a_stale_connection_is_not_sent_again(serve: Serve) -> None:
    server = serve(stale)
    with kept() as send:
        send(server.url())
        second = send(server.url(), method="POST")
    assert (len(server.requests), second.connection) == (2, "kept")
    assert second.failure is not None
    assert second.failure.cause is CauseId.NETWORK_CONNECTION_RESET


FAILURES = {
    "cut in the body": (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", CauseId.NETWORK_CONNECTION_RESET),
    "cut in the head": (b"HTTP/1.1 200 OK\r\nContent-", CauseId.NETWORK_CONNECTION_RESET),
    "not HTTP": (b"SSH-2.0-OpenSSH\r\n", CauseId.NETWORK_NOT_HTTP),
}


@pytest.mark.parametrize(("answer", "cause"), FAILURES.values(), ids=FAILURES)
def test_a_failure_in_the_answer_is_no_stale_connection(serve: Serve, answer: bytes, cause: CauseId) -> None:
    def handler(connection: socket.socket, server: Server) -> None:
        server.requests.append(read_request(connection))
        connection.sendall(OK)
        server.requests.append(read_request(connection))
        connection.sendall(answer)

    server = serve(handler)
    with kept() as send:
        send(server.url())
        second = send(server.url())
    assert (server.accepted, second.connection) == (1, "kept")
    assert second.failure is not None
    assert second.failure.cause is cause


def test_silence_on_a_kept_connection_is_a_timeout(serve: Serve) -> None:
    def handler(connection: socket.socket, server: Server) -> None:
        read_request(connection)
        connection.sendall(OK)
        server.stopping.wait(PATIENCE)

    server = serve(handler)
    with kept(timeout=2.0) as send:
        send(server.url())
        second = send(server.url())
    assert (server.accepted, second.connection) == (1, "kept")
    assert second.failure is not None
    assert second.failure.cause is CauseId.NETWORK_READ_TIMEOUT


def test_threads_use_different_connections(serve: Serve) -> None:
    together = threading.Barrier(4)

    def handler(connection: socket.socket, server: Server) -> None:
        while read_request(connection):
            together.wait(PATIENCE)
            connection.sendall(OK)

    server = serve(handler)
    with kept() as send, ThreadPoolExecutor(4) as threads:
        for _ in range(2):
            assert bodies(list(threads.map(lambda _: send(server.url()), range(4)))) == [b"hello"] * 4
    assert server.accepted == 4


def test_closing_the_pool_closes_every_connection(serve: Serve) -> None:
    ended = threading.Event()

    def handler(connection: socket.socket, server: Server) -> None:
        read_request(connection)
        connection.sendall(OK)
        assert read_request(connection) == b""
        ended.set()

    server = serve(handler)
    with kept() as send:
        send(server.url())
    assert ended.wait(PATIENCE)
