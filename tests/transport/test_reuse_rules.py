"""A connection is used again only if nothing can be mistaken on it."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import cast

import pytest
import trustme
from hypothesis import example, given
from hypothesis import strategies as st

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Headers, Phase
from mfagate.transport import Transport, transport
from mfagate.transport.connection_attempt import Deadline
from mfagate.transport.framing import permits_another
from mfagate.transport.message import read_head
from mfagate.transport.message import send as transmit
from mfagate.transport.pool import ConnectionPool, KeptConnection
from mfagate.transport.stream import SocketStream
from mfagate.transport.tls import TlsStream
from tests.transport.conftest import Serve
from tests.transport.helpers import PATIENCE, failed, prepared, without_hurry
from tests.transport.servers import Server, proxy, read_request
from tests.transport.test_client_certificate import identity
from tests.transport.test_message import Said
from tests.transport.test_pool import OK, keep, kept

DOUBTFUL = {
    "a second Connection field": b"Connection: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "an odd length": b"Content-Length: +5\r\n\r\nhello",
    "chunks and a length": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("rest", DOUBTFUL.values(), ids=DOUBTFUL)
def test_an_answer_of_doubtful_length_is_the_last_one(serve: Serve, rest: bytes) -> None:
    server = serve(keep(b"HTTP/1.1 200 OK\r\n" + rest))
    with kept() as send:
        assert [send(server.url()).connection for _ in range(2)] == ["new", "new"]


FIELDS = st.lists(
    st.sampled_from(
        [
            ("Content-Length", "5"), ("Content-Length", "05"), ("Content-Length", "4"), ("Content-Length", "+5"),
            ("Content-Length", "5, 5"), ("Content-Length", "-1"), ("Transfer-Encoding", "chunked"),
            ("Transfer-Encoding", "identity"), ("Transfer-Encoding", "Chunked"), ("Connection", "close"),
            ("Connection", "Keep-Alive"), ("Connection", "x, Close"), ("Keep-Alive", "timeout=5"),
        ]
    ),
    max_size=4,
)  # fmt: skip


class Buffer(io.BytesIO):
    """What ``http.client`` reads from."""

    def makefile(self, mode: str) -> Buffer:
        return self

    def close(self) -> None:
        """Leave the rest readable."""


@without_hurry
@given(FIELDS, st.sampled_from(["GET", "HEAD", "POST"]), st.sampled_from([200, 204, 304, 404]), st.sampled_from("01"))
@example([("Transfer-Encoding", "chunked")], "GET", 200, "1")
@example([("Content-Length", "5")], "POST", 404, "1")
def test_if_another_answer_may_follow_the_first_one_ends_where_it_says(
    fields: list[tuple[str, str]], method: str, status: int, minor: str
) -> None:
    chunked = any(name == "Transfer-Encoding" and value.lower() == "chunked" for name, value in fields)
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    has_body = method != "HEAD" and status not in (204, 304)
    length = next((int(value) for name, value in fields if name == "Content-Length" and value.isdecimal()), 0)
    body = (b"5\r\nhello\r\n0\r\n\r\n" if chunked else b"hello"[:length]) if has_body else b""
    buffer = Buffer(f"HTTP/1.{minor} {status} X\r\n{lines}\r\n".encode() + body + b"NEXT")
    answer = http.client.HTTPResponse(cast("socket.socket", buffer), method=method)
    answer.begin()
    if permits_another(method, status, answer.version, Headers(tuple(answer.headers.items()))):
        if answer.length != 0:  # as our own reader does
            answer.read()
        assert buffer.read() == b"NEXT"
        assert ("Connection", "close") not in fields


def test_a_record_of_tls_that_nobody_has_read_is_noticed(ca: trustme.CA, good_tls: ssl.SSLContext) -> None:
    """The socket shows nothing of it: both records came with one read."""
    trusting = ssl.create_default_context()
    ca.configure_trust(trusting)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = good_tls.wrap_bio(incoming, outgoing, server_side=True)

    class Wire(Said):
        def _receive(self, size: int) -> bytes:
            with suppress(ssl.SSLWantReadError):
                server.do_handshake()
            return outgoing.read(size)

        def _send(self, data: memoryview) -> int:
            return incoming.write(data)

    stream = TlsStream(Wire(b""), trusting, "localhost")
    stream.handshake(Deadline(PATIENCE))
    server.do_handshake()
    server.write(b"hello")
    assert (stream.receive(100), stream.has_unread) == (b"hello", False)
    server.write(b"hello")
    server.write(b"evil")
    assert (stream.receive(100), stream.has_unread) == (b"hello", True)


def test_a_body_that_was_cut_leaves_no_connection(serve: Serve) -> None:
    server = serve(keep(OK))
    with closing(ConnectionPool()) as pool:
        sender = Transport(timeout_seconds=PATIENCE, max_body_bytes=4, trust_env=False, pool=pool)
        exchanges = [sender.send(prepared(server.url())) for _ in range(2)]
    assert [exchange.response.truncated for exchange in exchanges if exchange.response] == [True, True]
    assert [exchange.connection for exchange in exchanges] == ["new", "new"]


def test_a_request_that_asks_to_close_is_the_last_one(serve: Serve) -> None:
    server = serve(keep(OK))
    with closing(ConnectionPool()) as pool:
        sender = Transport(timeout_seconds=PATIENCE, trust_env=False, pool=pool)
        closes = prepared(server.url(), headers={"Connection": "close"})
        assert [sender.send(closes).connection for _ in range(2)] == ["new", "new"]


class Deaf(Said):
    """It answers, and takes no more of the request."""

    def _send(self, data: memoryview) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize(("kind", "leaves"), [(Said, True), (Deaf, False)])
def test_a_request_that_was_not_sent_completely_is_the_last_one(kind: type[Said], leaves: bool) -> None:
    stream, deadline = kind(b"HTTP/1.1 413 X\r\nContent-Length: 2\r\n\r\nno"), Deadline(PATIENCE)
    transmit(stream, b"POST", deadline)
    head = read_head(stream, "POST", b"POST", deadline)
    assert head.complete(100, deadline).body == b"no"
    assert head.leaves_connection is leaves


def test_a_connection_that_was_slow_to_open_is_not_kept(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next request measures again: one slow connection may be a coincidence, all of them are a fault."""
    monkeypatch.setattr(transport, "SLOW_SECONDS", 0.0)
    server = serve(keep(OK))
    with kept() as send:
        exchanges = [send(server.url()) for _ in range(2)]
    assert all(Phase.CONNECT in exchange.phases for exchange in exchanges)


@pytest.mark.parametrize(("method", "connection"), [("GET", "kept"), ("DELETE", "kept"), ("POST", "new")])
def test_a_request_that_cannot_be_repeated_uses_no_connection_that_was_idle_for_long(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, method: str, connection: str
) -> None:
    monkeypatch.setattr(transport, "_UNREPEATABLE_IDLE_SECONDS", -1.0)
    server = serve(keep(OK))
    with kept() as send:
        send(server.url())
        assert send(server.url(), method=method).connection == connection


def test_a_client_certificate_has_connections_of_its_own(
    serve: Serve, ca: trustme.CA, good_tls: ssl.SSLContext, bundle: Path
) -> None:
    server = serve(keep(OK), good_tls)
    mine, other = identity(ca), identity(ca)
    with closing(ConnectionPool()) as pool:
        seen = [
            Transport(timeout_seconds=PATIENCE, ca_bundle=bundle, trust_env=False, identity=shown, pool=pool)
            .send(prepared(server.url(host="localhost")))
            .connection
            for shown in (mine, None, other, None, mine, other)
        ]
    assert seen == ["new", "new", "new", "kept", "kept", "kept"]


def test_another_ca_bundle_has_connections_of_its_own(
    serve: Serve, good_tls: ssl.SSLContext, bundle: Path, tmp_path: Path
) -> None:
    server = serve(keep(OK), good_tls)
    copy = tmp_path / "copy.pem"
    copy.write_bytes(bundle.read_bytes())
    with closing(ConnectionPool()) as pool:
        seen = [
            Transport(timeout_seconds=PATIENCE, ca_bundle=trusted, trust_env=False, pool=pool)
            .send(prepared(server.url(host="localhost")))
            .connection
            for trusted in (bundle, copy, bundle)
        ]
    assert seen == ["new", "new", "kept"]


def test_the_transports_of_a_target_share_connections(serve: Serve) -> None:
    server = serve(keep(OK))
    with closing(ConnectionPool()) as pool:
        first, second = (Transport(timeout_seconds=PATIENCE + number, trust_env=False, pool=pool) for number in (0, 1))
        assert [sender.send(prepared(server.url())).connection for sender in (first, second)] == ["new", "kept"]


def test_the_second_try_has_what_is_left_of_the_deadline(serve: Serve) -> None:
    def handler(connection: socket.socket, server: Server) -> None:
        is_first = server.accepted == 1
        read_request(connection)
        if is_first:
            connection.sendall(OK)
            read_request(connection)
            server.stopping.wait(0.3)
        else:
            server.stopping.wait(PATIENCE)

    server = serve(handler)
    with kept(timeout=0.6) as send:
        send(server.url())
        second = send(server.url())
    failure = failed(second, CauseId.NETWORK_READ_TIMEOUT, Phase.PROCESSING)
    assert (server.accepted, second.connection) == (2, "renewed")
    assert failure.evidence["connection"] == "the kept connection had been closed; sent again on a new one"
    assert failure.evidence["timeout_seconds"] == 0.6


def test_nothing_of_the_closed_connection_is_reported_if_no_new_one_opens(serve: Serve) -> None:
    with closing(ConnectionPool()) as pool:
        sender = Transport(timeout_seconds=PATIENCE, trust_env=False, pool=pool)
        listener = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"

        def serve_one_connection() -> None:
            connection = listener.accept()[0]
            listener.close()
            with connection:
                read_request(connection)
                connection.sendall(OK)
                read_request(connection)

        serving = threading.Thread(target=serve_one_connection)
        serving.start()
        sender.send(prepared(url))
        exchange = sender.send(prepared(url))
        serving.join(PATIENCE)
    failed(exchange, CauseId.NETWORK_CONNECTION_REFUSED, Phase.CONNECT)
    assert (exchange.address, exchange.connection) == (None, "renewed")


def test_a_forwarding_proxy_and_a_tunnel_are_kept(
    serve: Serve, good_tls: ssl.SSLContext, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forwarding, secure, way = serve(keep(OK)), serve(keep(OK), good_tls), serve(proxy())
    monkeypatch.setenv("http_proxy", forwarding.url())
    monkeypatch.setenv("https_proxy", way.url())
    with closing(ConnectionPool()) as pool:
        sender = Transport(timeout_seconds=PATIENCE, ca_bundle=bundle, pool=pool)
        urls = ("http://a.example/", "http://a.example/b", "http://b.example/", "http://a.example/")
        forwarded = [sender.send(prepared(url)).connection for url in urls]
        tunnelled = [sender.send(prepared(secure.url(host="localhost"))) for _ in range(2)]
    assert (forwarded, forwarding.accepted) == (["new", "kept", "new", "kept"], 2)
    assert [exchange.connection for exchange in tunnelled] == ["new", "kept"]
    assert tunnelled[1].proxy == tunnelled[0].proxy == way.url("")
    assert tunnelled[1].certificate == tunnelled[0].certificate is not None
    assert (way.accepted, secure.accepted) == (1, 1)


def test_the_pool_takes_the_last_one_and_nothing_after_it_was_closed() -> None:
    pool = ConnectionPool()
    pairs = [socket.socketpair() for _ in range(3)]
    deadline = Deadline(PATIENCE)
    ours = [KeptConnection(SocketStream(one, deadline), [one], None, None, until=1e12) for one, _ in pairs]
    for one in ours[:2]:
        pool.put("a", one)
    assert pool.take("b") is None
    assert pool.take("a") is ours[1]
    pairs[0][1].sendall(b"late")
    assert pool.take("a") is None
    pool.close()
    pool.put("a", ours[2])
    assert pool.take("a") is None
    assert [one.fileno() for one, _ in (pairs[0], pairs[2])] == [-1, -1]
    for pair in pairs:
        for end in pair:
            end.close()
