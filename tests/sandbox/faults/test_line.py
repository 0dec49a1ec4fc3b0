"""When bytes arrive over a line, and that a relay changes nothing else."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.sandbox.faults.line import Direction, NetworkLine, relay
from mfagate.sandbox.faults.spec import Fault

SHARES = st.floats(0, 0.5)


def direction(line: NetworkLine, seed: int = 1) -> Direction:
    return Direction(line, random.Random(seed))


def test_bytes_arrive_after_half_a_round_trip() -> None:
    assert direction(NetworkLine(0.06)).arrival(10.0, 500) == pytest.approx(10.03)


def test_a_handshake_takes_a_round_trip() -> None:
    assert direction(NetworkLine(0.06)).handshake() == pytest.approx(0.06)


def test_bytes_wait_for_those_before_them_on_a_narrow_line() -> None:
    narrow = direction(NetworkLine(0.0, bandwidth=1000))
    assert [narrow.arrival(0.0, 500), narrow.arrival(0.0, 500)] == pytest.approx([0.5, 1.0])


def test_a_lost_segment_costs_a_retransmission() -> None:
    lossy = [direction(NetworkLine(0.1, loss=0.5), seed).arrival(0.0, 100) for seed in range(200)]
    assert {round(seconds, 3) for seconds in lossy} >= {0.05, 0.35, 0.95}


@given(
    sent=st.lists(st.tuples(st.floats(0, 5), st.integers(1, 5000)), max_size=30),
    line=st.builds(NetworkLine, st.floats(0, 1), st.floats(0, 0.5), SHARES, st.none() | st.floats(100, 1e6)),
    seed=st.integers(0, 9),
)
def test_bytes_never_overtake_and_never_arrive_before_they_are_sent(
    sent: list[tuple[float, int]], line: NetworkLine, seed: int
) -> None:
    way, at, arrivals = direction(line, seed), 0.0, []
    for after, size in sent:
        at += after
        arrivals.append(way.arrival(at, size))
        assert arrivals[-1] >= at
    assert arrivals == sorted(arrivals)


def test_a_line_is_read_from_its_notation() -> None:
    assert NetworkLine.of(Fault.parse("line:150,jitter=20,loss=0.5,bandwidth=2")) == NetworkLine(
        0.15, 0.02, 0.005, 250_000
    )


@contextmanager
def server(answer: bytes | None) -> Iterator[int]:
    """Read one request, and answer; without an answer, reset the connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(100)
                if answer is None:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                else:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)


def exchange(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(b"hello")
        received = b""
        while piece := client.recv(100):
            received += piece
        return received


def test_a_request_takes_two_round_trips_and_its_answer_arrives_whole() -> None:
    with server(b"answer" * 50) as behind, relay(NetworkLine(0.05), behind) as port:
        began = time.monotonic()
        assert exchange(port) == b"answer" * 50
        assert time.monotonic() - began >= 0.1


def test_a_reset_stays_a_reset() -> None:
    with server(None) as behind, relay(NetworkLine(0.01), behind) as port, pytest.raises(ConnectionResetError):
        exchange(port)


def test_a_server_that_is_gone_resets() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = listener.getsockname()[1]
    with relay(NetworkLine(0.01), closed) as port, pytest.raises(ConnectionResetError):
        exchange(port)
