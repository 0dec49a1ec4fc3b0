"""A line with a round-trip time, jitter, loss and a bandwidth: a relay of TCP connections on loopback.

A connection on loopback is established at once. The relay therefore adds the round trip of the TCP handshake to the
first bytes of the client, so that it appears in the phase after the connection.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Self

from mfagate.sandbox.faults.spec import Fault

_SEGMENT_BYTES = 1448
"""The data in one segment: an MTU of 1500 bytes less the headers, with timestamps (RFC 7323)."""

_LEAST_VARIANCE_SECONDS = 0.2
"""Linux adds at least this to the round-trip time before it sends a segment again (TCP_RTO_MIN)."""

_HANDSHAKE_TIMEOUT_SECONDS = 1.0
"""The time before a lost SYN is sent again: RFC 6298 section 2."""

_MOST_BUFFERED = 1 << 16


@dataclass(frozen=True, slots=True)
class NetworkLine:
    """A line. Times are in seconds, ``loss`` is a share, and ``bandwidth`` is in bytes per second."""

    round_trip: float
    jitter: float = 0.0
    loss: float = 0.0
    bandwidth: float | None = None

    @classmethod
    def of(cls, fault: Fault) -> Self:
        """Return the line that a fault describes."""
        bandwidth = None if fault.bandwidth is None else fault.bandwidth * 1e6 / 8
        return cls(float(fault.argument) / 1000, fault.jitter / 1000, fault.loss / 100, bandwidth)


@dataclass(frozen=True, slots=True)
class Streams:
    """The random streams of one connection: repeatable, and independent of what other connections send meanwhile.

    Args:
        seed: The seed of the line.
        number: Which connection of the line it is, counted from 0.
    """

    seed: int
    number: int

    def handshake(self) -> random.Random:
        """Return the stream of the connection request."""
        return self._stream("handshake")

    def upstream(self) -> random.Random:
        """Return the stream of the bytes of the client."""
        return self._stream("upstream")

    def downstream(self) -> random.Random:
        """Return the stream of the bytes of the server."""
        return self._stream("downstream")

    def _stream(self, purpose: str) -> random.Random:
        return random.Random(f"{self.seed} {self.number} {purpose}")  # noqa: S311 - not used for secrets


class Direction:
    """One direction of a connection: when the bytes that are sent arrive. Bytes never overtake each other."""

    def __init__(self, line: NetworkLine, chance: random.Random) -> None:
        self._line = line
        self._chance = chance
        self._free_at = 0.0
        self._arrived_at = 0.0

    def arrival(self, sent_at: float, size: int) -> float:
        """Return when ``size`` bytes that are sent at ``sent_at`` have all arrived."""
        line = self._line
        self._free_at = max(self._free_at, sent_at)
        if line.bandwidth is not None:
            self._free_at += size / line.bandwidth
        delay = line.round_trip / 2 + self._chance.uniform(-line.jitter, line.jitter)
        for _ in range(math.ceil(size / _SEGMENT_BYTES)):
            delay = max(delay, line.round_trip / 2 + self._repetition(line.round_trip + _LEAST_VARIANCE_SECONDS))
        self._arrived_at = max(self._arrived_at, self._free_at + max(delay, 0.0))
        return self._arrived_at

    def handshake(self) -> float:
        """Return how long it takes to establish a connection."""
        return self._line.round_trip + self._repetition(_HANDSHAKE_TIMEOUT_SECONDS)

    def _repetition(self, timeout: float) -> float:
        """Return how long one segment is repeated. The timeout doubles each time (RFC 6298 section 5.5)."""
        seconds = 0.0
        while self._chance.random() < self._line.loss:
            seconds, timeout = seconds + timeout, timeout * 2
        return seconds


@contextmanager
def relay(line: NetworkLine, to: int, port: int = 0, *, seed: int = 0) -> Iterator[int]:
    """Relay connections to a port of 127.0.0.1 over a line while the context lasts, and yield the port to connect to.

    Args:
        line: The line.
        to: The port of the server.
        port: The port to listen on; 0 is a free one.
        seed: Makes jitter and loss repeatable.
    """
    listener = socket.create_server(("127.0.0.1", port), backlog=128)
    ended = threading.Event()
    loop = asyncio.new_event_loop()
    # When the relay ends, connections in progress end with it; asyncio would log each.
    loop.set_exception_handler(lambda loop, context: None)
    stop = asyncio.Event()

    def run() -> None:
        try:
            loop.run_until_complete(_Relay(line, to, seed).serve(listener, stop))
        finally:
            loop.close()
            ended.set()

    threading.Thread(target=run, name="line", daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        loop.call_soon_threadsafe(stop.set)
        ended.wait(5)


class _Relay:
    def __init__(self, line: NetworkLine, to: int, seed: int) -> None:
        self._line = line
        self._to = to
        self._seed = seed
        self._numbers = itertools.count()

    async def serve(self, listener: socket.socket, stop: asyncio.Event) -> None:
        """Serve until ``stop`` is set."""
        server = await asyncio.start_server(self._connected, sock=listener, limit=_MOST_BUFFERED)
        await stop.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        streams = Streams(self._seed, next(self._numbers))
        seconds = Direction(self._line, streams.handshake()).handshake()
        opened_at = time.monotonic() + seconds
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._to, limit=_MOST_BUFFERED)
        except OSError:
            await asyncio.sleep(seconds)
            _reset(writer)
            return
        up, down = (Direction(self._line, chance) for chance in (streams.upstream(), streams.downstream()))
        pumps = _pump(up, reader, server_writer, opened_at), _pump(down, server_reader, writer, opened_at)
        try:
            await asyncio.gather(*pumps)
        finally:
            for stream in (writer, server_writer):
                stream.close()


async def _pump(
    direction: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, opened_at: float
) -> None:
    """Carry the bytes of one direction, its end or its reset."""
    way: asyncio.Queue[tuple[float, bytes | None]] = asyncio.Queue(64)
    delivering = asyncio.create_task(_deliver(way, writer))
    try:
        while True:
            try:
                data: bytes | None = await reader.read(_MOST_BUFFERED)
            except OSError:
                data = None
            sent_at = max(time.monotonic(), opened_at)
            await way.put((direction.arrival(sent_at, len(data or b"")), data))
            if not data:
                break
        await delivering
    finally:
        delivering.cancel()


async def _deliver(way: asyncio.Queue[tuple[float, bytes | None]], writer: asyncio.StreamWriter) -> None:
    """Write what has arrived. Empty bytes are the end of the stream, and None is a reset."""
    while True:
        at, data = await way.get()
        await asyncio.sleep(max(at - time.monotonic(), 0.0))
        if data is None:
            _reset(writer)
            return
        with suppress(OSError, RuntimeError):
            if not data:
                writer.write_eof()
                return
            writer.write(data)
            await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with a reset (RST) instead of an orderly end (FIN)."""
    connection = writer.get_extra_info("socket")
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
