"""Write HTTP/1.1 requests to a stream, and read responses from it (RFC 9112).

``http.client.HTTPResponse`` parses; what it silently accepts (an end in the
headers, a short body, malformed header lines) is detected here.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
from dataclasses import dataclass
from email.errors import (
    FirstHeaderLineIsContinuationDefect,
    InvalidHeaderDefect,
    MissingHeaderBodySeparatorDefect,
)
from typing import TYPE_CHECKING, cast

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import Headers, Request, Response
from mfagate.core.foreign import ForeignText, quoted
from mfagate.core.foreign.parsing import raw
from mfagate.transport.connection_attempt import Deadline
from mfagate.transport.content import Undecodable, decode
from mfagate.transport.endpoint import Endpoint
from mfagate.transport.failures import TransportError, first_line, interrupted
from mfagate.transport.framing import permits_another
from mfagate.transport.stream import Stream

if TYPE_CHECKING:
    import requests
    from _typeshed import WriteableBuffer

READ_SIZE = 1 << 16

_TELLING = 60
"""This many bytes of our own request, sent back, are no coincidence."""

# RFC 9110 sections 5.6.2 (token) and 5.5 (field value, with obs-text).
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

# http.client ignores these lines, and everything after the last kind.
HEADER_DEFECTS = (FirstHeaderLineIsContinuationDefect, InvalidHeaderDefect, MissingHeaderBodySeparatorDefect)


class UnsendableRequest(ValueError):
    """A request that HTTP cannot express, for example a header value with a line break.

    The message names the header and never contains its value.
    """


def as_sent(prepared: requests.PreparedRequest, endpoint: Endpoint | None, *, keeping: bool = False) -> Request:
    """Return the request as sent: the prepared one plus missing headers, with its signed parts unchanged.

    Args:
        prepared: The request.
        endpoint: The server, for the header Host.
        keeping: Whether the server may keep the connection open after its answer.

    Raises:
        UnsendableRequest: The method or a header cannot be written.
        TypeError: The body is a stream.
    """
    headers = {_native(name): _native(value) for name, value in prepared.headers.items()}
    present = {name.lower() for name in headers}
    if endpoint and "host" not in present:
        headers = {"Host": endpoint.host_header} | headers
    own = {"Accept-Encoding": "identity"} if keeping else {"Accept-Encoding": "identity", "Connection": "close"}
    for name, value in own.items():
        if name.lower() not in present:
            headers[name] = value
    for name, value in headers.items():
        if not TOKEN.fullmatch(name):
            raise UnsendableRequest("a header has a name that HTTP does not allow")
        if not FIELD_VALUE.fullmatch(value):
            raise UnsendableRequest(f"the value of {name} contains a character that HTTP does not allow")
    method = prepared.method or ""
    if not TOKEN.fullmatch(method):
        raise UnsendableRequest("the method is not a valid token")
    url = _without_userinfo(prepared.url or "")
    return Request(method, url, Headers(tuple(headers.items())), _body(prepared))


def _native(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _without_userinfo(url: str) -> str:
    return re.sub(r"^([^/?#]*//)[^/?#]*@", r"\1", url).partition("#")[0]


def _body(prepared: requests.PreparedRequest) -> bytes:
    match prepared.body:
        case None:
            return b""
        case str() as text:
            return text.encode()
        case bytes() | bytearray() as data:
            return bytes(data)
        case other:
            raise TypeError(f"a body has to be bytes or str, not {type(other).__name__}")


def serialize(request: Request, target: str) -> bytes:
    """Return the bytes of a request with the given target (RFC 9112 section 3.2)."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items_in_order)
    return f"{request.method} {target} HTTP/1.1\r\n{fields}\r\n".encode("latin-1") + request.body


def send(stream: Stream, message: bytes, deadline: Deadline) -> None:
    """Send a request, or as much of it as the other side accepts.

    Raises:
        TransportError: The deadline has passed.
    """
    try:
        stream.send(message)
    except TimeoutError as error:
        raise interrupted(error, "sending the request", stream, deadline) from error
    except OSError:
        pass  # it may have answered before it closed (413, a TLS alert), which reading shows


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """An answer whose head has been read."""

    head: http.client.HTTPResponse
    stream: Stream
    source: _Source
    reader: _Reader
    method: str

    @property
    def headers(self) -> Headers:
        """The header fields."""
        return Headers(tuple(self.head.headers.items()))

    @property
    def leaves_connection(self) -> bool:
        """Whether another request may follow, now that the body was read."""
        head = self.head
        is_complete = (head.isclosed() or head.length == 0) and not self.source.ended
        if not is_complete or not permits_another(self.method, head.status, head.version, self.headers):
            return False
        # What is left would be taken for the next answer.
        self.source.is_paused = True
        return not (self.reader.peek(1) or self.stream.has_unread or self.stream.is_broken)

    @property
    def idle_seconds(self) -> float | None:
        """How long the server keeps the connection, if it says so (``Keep-Alive``, RFC 2068 section 19.7.1)."""
        stated = re.search(r"timeout\s*=\s*(\d{1,6})", self.head.headers.get("Keep-Alive", ""), re.ASCII)
        return float(stated[1]) if stated else None

    def complete(self, limit: int, deadline: Deadline) -> Response:
        """Read the body, or ``limit`` bytes of it, and decode its content coding.

        Raises:
            TransportError: The body does not arrive completely.
        """
        body, truncated = self._body(limit, deadline)
        headers = self.headers
        coding = raw(headers.get("content-encoding")) or ""
        undecodable: ForeignText | None = None
        try:
            decoded = decode(body, coding, limit, complete=not truncated)
            if decoded:
                body, truncated = decoded[0], truncated or decoded[1]
        except Undecodable:
            undecodable = ForeignText(coding)
        return Response(self.head.status, ForeignText(self.head.reason), headers, body, truncated, undecodable)

    def _body(self, limit: int, deadline: Deadline) -> tuple[bytes, bool]:
        # http.client reports 0 for HEAD, 204 and 304, too, whatever the headers say.
        if self.head.length == 0:
            return b"", False
        body = bytearray()
        try:
            while len(body) <= limit:
                piece = self.head.read(min(READ_SIZE, limit + 1 - len(body)))
                if not piece:
                    break
                body += piece
        except (OSError, http.client.HTTPException) as error:
            if not isinstance(error, OSError) and not self.source.ended:
                raise self._malformed_chunk() from error
            raise self._cut_off(error, deadline) from error
        if len(body) > limit:
            return bytes(body[:limit]), True
        if self.head.length:  # less came than Content-Length promised
            raise self._cut_off(None, deadline)
        return bytes(body), False

    def _malformed_chunk(self) -> TransportError:
        status = self.head.status
        return TransportError(
            CauseId.CONTRACT_BODY_UNREADABLE,
            f"the body of the answer ({status}) cannot be read: a chunk of it is malformed (RFC 9112 section 7.1)",
            {"status": status, "bytes_received": self.stream.received},
            Outcome.INCONCLUSIVE if status >= 500 else None,
        )

    def _cut_off(self, error: Exception | None, deadline: Deadline) -> TransportError:
        lost = error if isinstance(error, OSError) else ConnectionResetError()
        failure = interrupted(lost, "reading the body of the answer", self.stream, deadline)
        failure.evidence["status"] = self.head.status
        return failure


def read_head(
    stream: Stream, method: str, sent: bytes, deadline: Deadline, buffer_size: int = READ_SIZE
) -> ResponseHead:
    """Read status line and headers of the final answer (not 100 to 199, but 101) to what was ``sent``.

    Raises:
        TransportError: There is none, or it is not HTTP.
    """
    source = _Source(stream)
    reader = _Reader(source, buffer_size)
    try:
        while True:
            # HTTPResponse needs a socket only to call makefile("rb") on it.
            head = http.client.HTTPResponse(cast("socket.socket", reader), method=method)
            head.begin()
            if source.ended:  # which http.client reads as the end of the headers
                raise ConnectionResetError
            if any(isinstance(defect, HEADER_DEFECTS) for defect in head.headers.defects):
                raise http.client.HTTPException("a header line is malformed")
            # http.client ignores any other coding (RFC 9112 section 6.1).
            if not head.chunked and head.headers.get("transfer-encoding", "identity").lower() != "identity":
                raise http.client.HTTPException("its transfer coding is not just chunked")
            if head.status >= 200 or head.status == 101:
                return ResponseHead(head, stream, source, reader, method)
    except (OSError, http.client.HTTPException) as error:
        raise _no_head(error, stream, source.ended, sent, deadline) from error


def _no_head(
    error: OSError | http.client.HTTPException, stream: Stream, ended: bool, sent: bytes, deadline: Deadline
) -> TransportError:
    begun = stream.prefix
    if begun[:5] != b"HTTP/"[: len(begun)]:
        return _other_protocol(begun, sent)
    if isinstance(error, OSError) or ended:
        lost = error if isinstance(error, OSError) else ConnectionResetError()
        doing = "reading the head of the answer" if begun else "waiting for the answer"
        return interrupted(lost, doing, stream, deadline)
    if (limit := _exceeded(error, begun)) is not None:
        return TransportError(
            CauseId.CONTRACT_BODY_UNREADABLE,
            f"the head of the answer exceeds a limit of Python's HTTP client: {limit}",
            {"received": first_line(begun)},
            Outcome.INCONCLUSIVE if begun[9:10] == b"5" else None,
            next_step="The host and the port are right: HTTP answers there. Look at the answer's header fields with "
            "`curl -sS -o /dev/null -D - URL` and ask the provider, or the owner of the device on the way that adds "
            "them, to send less. Clients in Python (http.client, requests) refuse this answer as well.",
        )
    if isinstance(error, http.client.BadStatusLine | http.client.UnknownProtocol):
        return _not_http("the answer's status line is malformed", first_line(begun))
    return _not_http(f"the head of the answer is not HTTP: {quoted(error, 120)}")


_LONGEST_HEADER_LINE, _MOST_HEADERS = 65_536, 100
"""Bytes and number of header fields that ``http.client`` reads; ``requests`` and urllib3 read through it."""


def _exceeded(error: Exception, begun: bytes) -> str | None:
    """Return the limit that an otherwise valid head exceeds, or None."""
    if not re.match(rb"HTTP/1\.[01] [1-9]\d\d[ \r\n]", begun):
        return None
    if isinstance(error, http.client.LineTooLong):
        return f"a line of it is longer than {_LONGEST_HEADER_LINE} bytes"
    if type(error) is http.client.HTTPException and str(error).startswith("got more than"):
        return f"it has {_MOST_HEADERS} header fields or more"
    return None


def _other_protocol(begun: bytes, sent: bytes) -> TransportError:
    if sent.startswith(begun[:_TELLING]):  # not shown: it would be our own request, credentials and all
        return _not_http("the server there sends back what it receives")
    if begun[0] == 0x15 and begun[1:2] in (b"", b"\x03"):  # RFC 8446 section 5.1: a TLS alert
        return _not_http("that port speaks TLS; use https", first_line(begun))
    return _not_http("the server there does not speak HTTP", first_line(begun))


def _not_http(message: str, received: str | None = None) -> TransportError:
    return TransportError(CauseId.NETWORK_NOT_HTTP, message, {"received": received} if received else None)


class _Source(io.RawIOBase):
    """A stream as a raw file.

    ``ended`` is true when its end was read. While it ``is_paused``, nothing more is read.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.ended = False
        self.is_paused = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        if self.is_paused:
            return None
        view = memoryview(buffer)
        data = self._stream.receive(len(view))
        view[: len(data)] = data
        self.ended = not data
        return len(data)


class _Reader(io.BufferedReader):
    """What ``HTTPResponse`` reads from."""

    def makefile(self, mode: str) -> _Reader:
        return self

    def read(self, size: int | None = -1) -> bytes:
        # Without this, a chunk size of -1 would mean everything until the deadline.
        if size is None or size < 0:
            raise http.client.HTTPException("negative chunk size")
        return super().read(size)

    # An HTTPResponse that is collected flushes and closes its file. But after a skipped 103 the next
    # one reads on from it, and there is nothing to close: the socket belongs to the attempt.

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass
