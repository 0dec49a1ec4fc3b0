"""When bytes arrive over a line, and that a relay changes nothing else."""

from __future__ import annotations

import random
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.sandbox.faults.line import Direction, NetworkLine, Streams, relay
from mfagate.sandbox.faults.spec import Fault
from mfagate.sandbox.faulty_proxy import FaultyProxy

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


@given(seed=st.integers(0, 99), jitter=st.floats(0, 0.03), number=st.integers(1, 20))
def test_jitter_moves_a_delay_by_no_more_than_its_amount(seed: int, jitter: float, number: int) -> None:
    way = direction(NetworkLine(0.1, jitter=jitter), seed)
    for second in range(number):
        assert abs(way.arrival(second, 100) - second - 0.05) <= jitter + 1e-9


def test_a_lost_connection_request_costs_a_second_and_then_two() -> None:
    lossy = [direction(NetworkLine(0.1, loss=0.5), seed).handshake() for seed in range(200)]
    assert {round(seconds, 3) for seconds in lossy} >= {0.1, 1.1, 3.1}


def test_connections_repeat_with_the_seed_in_whatever_order_they_send() -> None:
    line = NetworkLine(0.1, jitter=0.05, loss=0.3)
    first, again = ([Streams(7, number).upstream() for number in (1, 2)] for _ in range(2))
    turns = [Direction(line, chance) for chance in first]
    forward = [way.arrival(0.0, 100) for way in turns]
    backward = [Direction(line, chance).arrival(0.0, 100) for chance in reversed(again)]
    assert forward == backward[::-1]
    assert forward[0] != forward[1]


def test_both_directions_of_a_connection_have_streams_of_their_own() -> None:
    streams = Streams(7, 1)
    assert streams.upstream().random() != streams.downstream().random()


def test_a_line_is_read_from_its_notation() -> None:
    assert NetworkLine.of(Fault.parse("line:150,jitter=20,loss=0.5,bandwidth=2")) == NetworkLine(
        0.15, 0.02, 0.005, 250_000
    )


RESET = struct.pack("ii", 1, 0)
"""The value of SO_LINGER with which closing a connection resets it."""


@contextmanager
def echo() -> Iterator[int]:
    """Send back what each of many connections sends."""

    class Echo(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while piece := self.request.recv(100):
                self.request.sendall(piece)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Echo) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield listening.server_address[1]
        listening.shutdown()
        thread.join(10)


@contextmanager
def server(answer: bytes | None, *, resets: bool = False) -> Iterator[int]:
    """Read one request, and answer; without an answer, or if it ``resets`` after it, reset the connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(100)
                if answer is not None:
                    connection.sendall(answer)
                if answer is None or resets:
                    time.sleep(0.05)  # What is not delivered yet is lost in a reset.
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

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


def test_a_half_closed_connection_still_gets_its_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                received = b""
                while piece := connection.recv(100):
                    received += piece
                connection.sendall(b"got " + received)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with (
            relay(NetworkLine(0.01), listener.getsockname()[1]) as port,
            socket.create_connection(("127.0.0.1", port), timeout=30) as client,
        ):
            client.sendall(b"all")
            client.shutdown(socket.SHUT_WR)
            assert client.recv(100) == b"got all"
            assert client.recv(100) == b""
        thread.join(10)


def test_bytes_before_a_reset_arrive_before_it() -> None:
    with (
        server(b"part", resets=True) as behind,
        relay(NetworkLine(0.01), behind) as port,
        socket.create_connection(("127.0.0.1", port), timeout=30) as client,
    ):
        client.sendall(b"hello")
        assert client.recv(100) == b"part"
        with pytest.raises(ConnectionResetError):
            client.recv(100)


def test_a_server_that_never_answers_stays_silent() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        relay(NetworkLine(0.01), listener.getsockname()[1]) as port,
        socket.create_connection(("127.0.0.1", port), timeout=0.3) as client,
    ):
        client.sendall(b"hello")
        with pytest.raises(TimeoutError):
            client.recv(100)


def test_a_reset_of_the_client_reaches_the_server() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        relay(NetworkLine(0.01), listener.getsockname()[1]) as port,
    ):
        client = socket.create_connection(("127.0.0.1", port), timeout=30)
        client.sendall(b"hello")
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(30)
            assert connection.recv(100) == b"hello"
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            client.close()
            with pytest.raises(ConnectionResetError):
                connection.recv(100)


def test_a_line_carries_64_connections_at_once() -> None:
    with echo() as behind, relay(NetworkLine(0.02), behind) as port:
        clients = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(64)]
        for number, client in enumerate(clients):
            client.sendall(b"%03d" % number)
        assert [client.recv(100) for client in clients] == [b"%03d" % number for number in range(64)]
        for client in clients:
            client.close()
        assert sum(thread.name == "line" for thread in threading.enumerate()) == 1


def test_64_clients_of_the_fault_layer_wait_in_line_instead_of_being_dropped() -> None:
    proxy = FaultyProxy("http://127.0.0.1:9", lambda handler: False, None)
    with proxy, ExitStack() as clients:
        for _ in range(64):  # Nothing accepts them yet.
            clients.enter_context(socket.create_connection(("127.0.0.1", proxy.server_port), timeout=0.5))
