"""Requests as they go out, answers as they come in."""

from __future__ import annotations

import gzip
import socket
import tracemalloc
import zlib
from collections.abc import Callable
from unittest.mock import patch

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import Exchange, Phase
from mfagate.core.foreign.parsing import raw
from mfagate.transport import Transport, UnsendableRequest
from mfagate.transport.connection_attempt import Deadline
from mfagate.transport.content import decode
from mfagate.transport.failures import TransportError
from mfagate.transport.message import read_head
from mfagate.transport.stream import Stream
from tests.transport.conftest import Serve
from tests.transport.helpers import IMPATIENCE, PATIENCE, answered, failed, prepared, without_hurry
from tests.transport.servers import answer, drip, echo, flood, hang_up, ok, reset, say, silent

Get = Callable[..., Exchange]
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def test_an_exchange_tells_all(serve: Serve, get: Get) -> None:
    server = serve(ok(b'{"a": 1}', b"Content-Type: application/json", b"X-A: 1", b"X-A: 2"))
    exchange = get(server.url("/path?q=1"))
    response = answered(exchange)
    assert (response.status, raw(response.reason), response.json()) == (200, "OK", {"a": 1})
    assert list(map(raw, response.headers.all("x-a"))) == ["1", "2"]
    assert not response.truncated
    assert set(exchange.phases) == {Phase.RESOLVE, Phase.CONNECT, Phase.PROCESSING, Phase.TRANSFER}
    assert exchange.address == "127.0.0.1"
    assert exchange.certificate is None
    assert exchange.proxy is None


class Signature(requests.auth.AuthBase):
    """Signs the final request, like every provider's."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"over {request.method} {request.path_url} {request.body!r}"
        request.headers["x-lower-CASE"] = b"bytes"  # type: ignore[assignment]
        return request


def test_the_request_goes_out_as_it_was_signed(serve: Serve) -> None:
    server = serve(ok())
    request = prepared(
        server.url("/a%2Fb//c?z=1&a=%20+"),
        "POST",
        data={"user": "ü&b"},
        auth=Signature(),
        headers={"User-Agent": "login"},
    )
    exchange = Transport().send(request)
    answered(exchange)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"POST /a%2Fb//c?z=1&a=%20+ HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}".encode(),
        b"User-Agent: login",
        b"Content-Length: 15",
        b"Content-Type: application/x-www-form-urlencoded",
        b"Authorization: over POST /a%2Fb//c?z=1&a=%20+ 'user=%C3%BC%26b'",
        b"x-lower-CASE: bytes",
        b"Accept-Encoding: identity",
        b"Connection: close",
    ]
    assert body == b"user=%C3%BC%26b" == exchange.request.body
    sent = [f"{name}: {value}".encode() for name, value in exchange.request.headers.items_in_order]
    assert sent == head.split(b"\r\n")[1:]
    assert exchange.request.url == request.url


def test_headers_that_are_set_stay(serve: Serve, get: Get) -> None:
    server = serve(ok())
    set_headers = {"host": "signed.example", "accept-encoding": "gzip", "connection": "keep-alive"}
    answered(get(server.url(), headers=set_headers))
    assert server.requests[0].split(b"\r\n")[1:-2] == [
        b"host: signed.example",
        b"accept-encoding: gzip",
        b"connection: keep-alive",
    ]


def test_userinfo_and_fragment_are_not_sent_nor_shown(serve: Serve, get: Get) -> None:
    server = serve(ok())
    exchange = get(server.url("/p?q#fragment").replace("//", "//user:canary@"))
    assert exchange.request.url == server.url("/p?q")
    assert b"GET /p?q HTTP/1.1" in server.requests[0]


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({"X-Token": "canary\n"}, "X-Token"),
        ({"X-Token": "canary\u2013"}, "X-Token"),
        ({"X Token": "canary"}, "name"),
    ],
)
def test_a_header_that_cannot_be_written_is_named(headers: dict[str, str], named: str) -> None:
    request = prepared("http://localhost/")
    request.headers.update(headers)
    with pytest.raises(UnsendableRequest, match=named) as caught:
        Transport().send(request)
    assert "canary" not in str(caught.value)


def test_a_method_and_a_body_have_to_be_plain() -> None:
    request = prepared("http://localhost/")
    request.method = "GET /other"
    with pytest.raises(UnsendableRequest, match="method"):
        Transport().send(request)
    with pytest.raises(TypeError, match="generator"):
        Transport().send(prepared("http://localhost/", "POST", data=(b for b in (b"x",))))


def test_str_and_bytearray_bodies(serve: Serve, get: Get) -> None:
    server = serve(ok())
    assert get(server.url(), data="ü").request.body == b"\xc3\xbc"
    assert server.requests[0].endswith(b"\r\n\r\n\xc3\xbc")
    request = prepared(server.url(), "POST", data=b"")
    request.prepare_body(b"abc", None)
    request.body = bytearray(b"abc")  # type: ignore[assignment]
    assert Transport().send(request).request.body == b"abc"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://localhost/",
        "localhost",
        "",
        "http://",
        "http:///path",
        "http://[::1/",
        "http://localhost:port/",
        "http://localhost:65536/",
        "http://a..b/",
        "http://.a/",
        "http://" + 64 * "x" + ".example/",
        "http://exa mple/",
        "http://\ud800/",
        "socks5://localhost/",
        "http://localhost/with space",
        "http://localhost/ü",
        "http://user:canary@a..b/",
    ],
)
def test_a_malformed_url_is_a_failure(url: str) -> None:
    request = prepared("http://localhost/")
    request.url = url
    exchange = Transport().send(request)
    failed(exchange, CauseId.CONFIG_MALFORMED_URL, Phase.RESOLVE)
    assert "canary" not in repr(exchange)


def test_no_url_at_all() -> None:
    request = requests.PreparedRequest()
    request.prepare_method("GET")
    request.prepare_headers(None)
    failed(Transport().send(request), CauseId.CONFIG_MALFORMED_URL, Phase.RESOLVE)


@without_hurry
@given(st.text(alphabet="htps:/@[]?#%.0123456789aü\u3002\ud800 \0\t\n-"))
def test_no_url_is_too_odd(url: str) -> None:
    request = prepared("http://localhost/")
    request.url = url
    with patch("socket.getaddrinfo", side_effect=socket.gaierror(socket.EAI_NONAME, "patched")):
        assert Transport().send(request).failure


# Answers


@pytest.mark.parametrize(
    ("sent", "status", "body"),
    [
        (HEAD + b"Content-Length: 2\r\n\r\nab", 200, b"ab"),
        (HEAD + b"Content-Length: 2\r\n\r\nabcd", 200, b"ab"),
        (HEAD + b"\r\nuntil the end", 200, b"until the end"),
        (HEAD + b"Content-Length: 0\r\n\r\n", 200, b""),
        (HEAD + b"Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nab", 200, b"ab"),
        (CHUNKED + b"2;x=y\r\nab\r\n1\r\nc\r\n0\r\n\r\n", 200, b"abc"),
        (CHUNKED + b"2\r\nab\r\n0\r\nTrailer: x\r\n\r\n", 200, b"ab"),
        (b"HTTP/1.0 200\r\n\r\nold", 200, b"old"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"\r\nx", 200, b"x"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 2 + HEAD + b"\r\nx", 200, b"x"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", 101, b""),
        (b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", 204, b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, b""),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nab", 200, b"ab"),
        (HEAD + b"Content-Type: multipart/mixed; boundary=b\r\nContent-Length: 1\r\n\r\nx", 200, b"x"),
    ],
)
def test_framing(serve: Serve, get: Get, sent: bytes, status: int, body: bytes) -> None:
    response = answered(get(serve(answer(sent)).url()))
    assert (response.status, response.body) == (status, body)


def test_the_end_of_the_body_is_not_waited_for(serve: Serve, get: Get) -> None:
    """Content-Length and the last chunk say where it is, though the connection stays open."""
    for framed in (HEAD + b"Content-Length: 2\r\n\r\nab", CHUNKED + b"2\r\nab\r\n0\r\n\r\n"):
        assert answered(get(serve(say(framed)).url())).body == b"ab"


def test_the_answer_to_head_has_no_body(serve: Serve) -> None:
    server = serve(answer(HEAD + b"Content-Length: 5\r\nContent-Encoding: gzip\r\n\r\n"))
    response = answered(Transport(timeout_seconds=PATIENCE).send(prepared(server.url(), "HEAD")))
    assert (response.body, raw(response.headers["content-length"])) == (b"", "5")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer(serve: Serve, get: Get, status: int) -> None:
    elsewhere = serve(ok())
    location = elsewhere.url().encode()
    server = serve(answer(b"HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, location)))
    response = answered(get(server.url()))
    assert (response.status, raw(response.headers["location"])) == (status, elsewhere.url())
    assert elsewhere.accepted == 0


def test_an_answer_before_the_request_was_read(serve: Serve) -> None:
    """As of a server that refuses a large upload."""
    server = serve(say(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"))
    response = answered(Transport(timeout_seconds=PATIENCE).send(prepared(server.url(), "POST", data=bytes(1 << 22))))
    assert (response.status, response.body) == (413, b"no")


# Bodies: cap and content coding


def test_a_large_body_is_cut_and_never_read_to_its_end(serve: Serve, get: Get) -> None:
    size = 50 << 20
    server = serve(flood(size))
    response = answered(get(server.url()))
    assert (len(response.body), response.truncated) == (1 << 20, True)
    server.__exit__()
    assert server.sent < size


@pytest.mark.parametrize(("length", "cut"), [(9, False), (10, False), (11, True)])
def test_the_cap_is_exact(serve: Serve, length: int, cut: bool) -> None:
    wire = Transport(timeout_seconds=PATIENCE, max_body_bytes=10)
    size = b"%x\r\n" % length
    for handler in (ok(bytes(length)), answer(CHUNKED + size + bytes(length) + b"\r\n0\r\n\r\n")):
        response = answered(wire.send(prepared(serve(handler).url())))
        assert (len(response.body), response.truncated) == (min(length, 10), cut)


def raw_deflate(data: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(data) + deflater.flush()


@pytest.mark.parametrize(
    ("coding", "body", "content"),
    [
        (b"gzip", gzip.compress(b"text", mtime=0), b"text"),
        (b"X-GZIP", gzip.compress(b"text", mtime=0), b"text"),
        (b"deflate", zlib.compress(b"text"), b"text"),
        (b"deflate", raw_deflate(b"text"), b"text"),
        (b"identity", b"text", b"text"),
        (b"br", b"\x0b\x01\x80text\x03", b"\x0b\x01\x80text\x03"),
        (b"gzip", b"no gzip", b"no gzip"),
        (b"gzip", gzip.compress(b"text", mtime=0)[:-4], gzip.compress(b"text", mtime=0)[:-4]),
        (b"deflate", b"\xff", b"\xff"),
        (b"gzip", b"", b""),
    ],
)
def test_content_coding(serve: Serve, get: Get, coding: bytes, body: bytes, content: bytes) -> None:
    response = answered(get(serve(ok(body, b"Content-Encoding: " + coding)).url()))
    assert (response.body, response.truncated) == (content, False)
    assert response.headers["content-encoding"] == coding.decode()


def test_a_gzip_bomb_is_cut(serve: Serve, get: Get) -> None:
    bomb = gzip.compress(bytes(100 << 20), mtime=0)
    assert len(bomb) < 1 << 20
    response = answered(get(serve(ok(bomb, b"Content-Encoding: gzip")).url()))
    assert (len(response.body), response.truncated) == (1 << 20, True)
    tracemalloc.start()
    decode(bomb, "gzip", 1 << 20, complete=True)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 << 20


def test_of_a_cut_gzip_body_the_beginning_is_decoded(serve: Serve) -> None:
    noise = bytes(range(256)) * 4
    server = serve(ok(gzip.compress(noise, mtime=0), b"Content-Encoding: gzip"))
    response = answered(Transport(timeout_seconds=PATIENCE, max_body_bytes=200).send(prepared(server.url())))
    assert response.truncated
    assert response.body == noise[: len(response.body)]
    assert response.body


# The connection ends too early


@pytest.mark.parametrize(
    ("handler", "phase"),
    [
        (hang_up, Phase.PROCESSING),
        (answer(b""), Phase.PROCESSING),
        (answer(b"HTT"), Phase.PROCESSING),
        (answer(b"HTTP/1.1 20"), Phase.PROCESSING),
        (answer(HEAD), Phase.PROCESSING),
        (answer(HEAD + b"Content-Length: 5\r\n"), Phase.PROCESSING),
        (answer(HEAD + b"Content-Le"), Phase.PROCESSING),
        (answer(b"HTTP/1.1 100 Continue\r\n\r\n"), Phase.PROCESSING),
        (answer(HEAD + b"Content-Length: 5\r\n\r\nabc"), Phase.TRANSFER),
        (answer(CHUNKED), Phase.TRANSFER),
        (answer(CHUNKED + b"5\r\nab"), Phase.TRANSFER),
        (answer(CHUNKED + b"2\r\nab\r\n"), Phase.TRANSFER),
        (answer(CHUNKED + b"2\r\nab\r\n1"), Phase.TRANSFER),
        (reset(), Phase.PROCESSING),
        (reset(HEAD), Phase.PROCESSING),
        (reset(HEAD + b"Content-Length: 5\r\n\r\nabc"), Phase.TRANSFER),
        (reset(CHUNKED + b"2\r\nab\r\n"), Phase.TRANSFER),
    ],
)
def test_cut_off(serve: Serve, get: Get, handler: object, phase: Phase) -> None:
    failure = failed(get(serve(handler).url()), CauseId.NETWORK_CONNECTION_RESET, phase)
    assert failure.evidence["bytes_received"] >= 0
    assert failure.evidence.get("status") == (200 if phase is Phase.TRANSFER else None)


# The deadline


@pytest.mark.parametrize(
    ("handler", "phase"),
    [
        (silent, Phase.PROCESSING),
        (drip(b"", b"HTTP/1.1 200 " + bytes(1000).replace(b"\0", b"x")), Phase.PROCESSING),
        (drip(HEAD, b"X-Header: 1\r\n"), Phase.PROCESSING),
        (drip(HEAD, b"x"), Phase.PROCESSING),
        (drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), Phase.PROCESSING),
        (drip(HEAD + b"Content-Length: 99999\r\n\r\n", b"x"), Phase.TRANSFER),
        (drip(HEAD + b"\r\n", b"x"), Phase.TRANSFER),
        (drip(CHUNKED, b"0"), Phase.TRANSFER),
        (drip(CHUNKED, b"1\r\nx\r\n"), Phase.TRANSFER),
        (drip(CHUNKED + b"0\r\n", b"Trailer: 1\r\n"), Phase.TRANSFER),
    ],
)
def test_one_deadline_holds_against_drips(serve: Serve, get: Get, handler: object, phase: Phase) -> None:
    exchange = get(serve(handler).url(), timeout=IMPATIENCE)
    failure = failed(exchange, CauseId.NETWORK_READ_TIMEOUT, phase)
    assert failure.evidence["timeout_seconds"] == IMPATIENCE
    assert (failure.evidence["bytes_received"] == 0) == (handler is silent)
    assert IMPATIENCE * 0.9 < exchange.seconds < PATIENCE


def test_a_server_that_does_not_read(serve: Serve) -> None:
    deaf = serve(lambda connection, server: server.stopping.wait() and None)
    exchange = Transport(timeout_seconds=IMPATIENCE).send(prepared(deaf.url(), "POST", data=bytes(32 << 20)))
    failure = failed(exchange, CauseId.NETWORK_READ_TIMEOUT, Phase.PROCESSING)
    assert "sending" in failure.message
    assert exchange.seconds < PATIENCE


# Not HTTP


class Said(Stream):
    """A stream out of memory."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.left = data

    def renew(self, deadline: Deadline) -> None:
        raise AssertionError("it is used once")

    @property
    def has_unread(self) -> bool:
        return bool(self.left)

    def _receive(self, size: int) -> bytes:
        data, self.left = self.left[:size], self.left[size:]
        return data

    def _send(self, data: memoryview) -> int:
        return len(data)


@without_hurry
@given(
    st.binary(max_size=20),
    st.lists(
        st.sampled_from(
            [
                b"HTTP/1.1 200 OK",
                b"HTTP/1.1 100 \xff",
                b"\r\n",
                b"\n",
                b"Transfer-Encoding: chunked\r\n",
                b"Content-Length: 5\r\n",
                b"Content-Length: -5\r\n",
                b"Content-Encoding: gzip\r\n",
                b"Content-Type: message/rfc822\r\n",
                b"\r\n\r\n",
                b" folded\r\n",
                b": \r\n",
                b"From x\r\n",
                b"5\r\n",
                b"-5\r\n",
                b"0x3\r\nabc",
                b"1_0\r\n",
                b"0\r\n\r\n",
                b"\x1f\x8b\x08\x00",
                b"\0",
            ]
        ),
        max_size=12,
    ),
    st.sampled_from(["GET", "HEAD", "CONNECT"]),
)
def test_no_answer_is_too_odd(end: bytes, parts: list[bytes], method: str) -> None:
    deadline = Deadline(PATIENCE)
    stream = Said(b"".join(parts) + end)
    try:
        response = read_head(stream, method, b"request", deadline).complete(8, deadline)
    except TransportError as error:
        assert error.cause in (CauseId.NETWORK_NOT_HTTP, CauseId.NETWORK_CONNECTION_RESET)
    else:
        assert len(response.body) <= 8


@pytest.mark.parametrize(
    ("handler", "message", "received"),
    [
        (say(b"220 mail.example ESMTP\r\n"), "does not speak HTTP", "220 mail.example ESMTP"),
        (answer(b"SSH-2.0-OpenSSH"), "does not speak HTTP", "SSH-2.0-OpenSSH"),
        (answer(b"\x00\x01\xff\r\n"), "does not speak HTTP", r"\x00\x01\xff"),
        (answer(b"\r\n\r\n"), "does not speak HTTP", None),
        (answer(b"\x15\x03\x01\x00\x02\x02\x46"), "use https", r"\x15\x03\x01\x00\x02\x02F"),
        (answer(b"x" * 70000), "does not speak HTTP", "x" * 59 + "…"),
        (answer(b"HTTP/1.1 abc\r\n\r\n"), "status line", "HTTP/1.1 abc"),
        (answer(b"HTTP/2.0 200 OK\r\n\r\n"), "status line", "HTTP/2.0 200 OK"),
        (answer(b"HTTP/1.1 2000 OK\r\n\r\n"), "status line", "HTTP/1.1 2000 OK"),
        (answer(HEAD + b"canary no colon\r\nContent-Length: 0\r\n\r\n"), "malformed", None),
        (answer(HEAD + b" X: canary\r\n\r\n"), "malformed", None),
        (answer(HEAD + b": canary\r\n\r\n"), "malformed", None),
        (answer(HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n"), "transfer coding", None),
        (echo, "sends back", None),
    ],
)
def test_not_http(serve: Serve, get: Get, handler: object, message: str, received: str | None) -> None:
    exchange = get(serve(handler).url(), headers={"Authorization": "canary"})
    failure = failed(exchange, CauseId.NETWORK_NOT_HTTP, Phase.PROCESSING)
    assert message in failure.message
    assert failure.evidence.get("received") == received
    assert "canary" not in repr(exchange)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (b"Set-Cookie: " + b"canary" * 14_000 + b"\r\nContent-Length: 0\r\n\r\n", "longer than 65536 bytes"),
        (b"X: canary\r\n" * 200 + b"Content-Length: 0\r\n\r\n", "100 header fields"),
    ],
)
@pytest.mark.parametrize(("status", "outcome"), [(b"200 OK", None), (b"503 No", Outcome.INCONCLUSIVE)])
def test_http_beyond_a_limit_is_http(
    serve: Serve, get: Get, head: bytes, message: str, status: bytes, outcome: Outcome | None
) -> None:
    """The port is right, so nobody is sent to correct it."""
    exchange = get(serve(answer(b"HTTP/1.1 " + status + b"\r\n" + head)).url())
    failure = failed(exchange, CauseId.CONTRACT_BODY_UNREADABLE, Phase.PROCESSING)
    assert message in failure.message
    assert failure.outcome is outcome
    assert "host and the port are right" in str(failure.next_step)
    assert "canary" not in repr(exchange)


def test_a_greeting_without_an_end_of_line_is_not_a_timeout(serve: Serve, get: Get) -> None:
    """MySQL sends one and waits."""
    server = serve(say(b"J\x00\x00\x00\x0a8.0.36"))
    failed(get(server.url(), timeout=IMPATIENCE), CauseId.NETWORK_NOT_HTTP, Phase.PROCESSING)


@pytest.mark.parametrize("chunks", [b"nonsense\r\n", b"\r\n", b"2\r\nabX", b"-1\r\nx", b"-5\r\nx", b"1" * 70000])
def test_malformed_chunks(serve: Serve, get: Get, chunks: bytes) -> None:
    exchange = get(serve(say(CHUNKED + chunks + b"\r\nmore\r\n")).url())
    failure = failed(exchange, CauseId.CONTRACT_BODY_UNREADABLE, Phase.TRANSFER)
    assert failure.evidence["status"] == 200
    assert failure.outcome is None


def test_malformed_chunks_of_a_server_error(serve: Serve, get: Get) -> None:
    broken = CHUNKED.replace(b"200 OK", b"502 Bad Gateway") + b"nonsense\r\n"
    failure = failed(get(serve(say(broken)).url()), CauseId.CONTRACT_BODY_UNREADABLE, Phase.TRANSFER)
    assert failure.outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("coding", "body", "good"), [(b"gzip", b"{}", False), (b"br", b"{}", True), (b"gzip", b"", True)]
)
def test_a_body_that_is_not_in_its_coding_is_no_json(
    serve: Serve, get: Get, coding: bytes, body: bytes, good: bool
) -> None:
    """Every client that undoes the coding would fail on it."""
    response = answered(get(serve(ok(body, b"Content-Encoding: " + coding)).url()))
    assert response.undecodable == (None if good else coding.decode())
    if not good:
        with pytest.raises(ValueError, match="not in gzip"):
            response.json()
