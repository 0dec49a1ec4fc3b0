"""Kept connections and faults: what is set takes effect on them, and every fault counts as before."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
import requests

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange
from mfagate.sandbox.faults import Fault, faulty
from mfagate.sandbox.faults.layer import Faulty
from mfagate.sandbox.faulty_proxy import FaultyProxy, Handler, faulty_proxy
from mfagate.transport import Transport
from mfagate.transport.pool import ConnectionPool

PATIENCE = 10.0
HEALTHY = b'{"stat":"OK"}'
Send = Callable[..., Exchange]


def healthy(handler: Handler) -> bool:
    handler.read_body()
    return handler.answer(200, HEALTHY, "application/json")


@pytest.fixture
def behind() -> Iterator[FaultyProxy]:
    with faulty_proxy("http://127.0.0.1:9", healthy) as server:
        yield server


@contextmanager
def layer(behind: FaultyProxy, *texts: str) -> Iterator[tuple[Faulty, Send]]:
    """Yield the fault layer, and a function that sends to it over kept connections."""
    pool = ConnectionPool()
    with faulty(behind.url, faults(*texts)) as front:
        transport = Transport(timeout_seconds=PATIENCE, ca_bundle=front.ca_bundle, trust_env=False, pool=pool)

        def send(method: str = "GET", body: bytes | None = None) -> Exchange:
            return transport.send(requests.Request(method, f"{front.url}/auth", data=body).prepare())

        try:
            yield front, send
        finally:
            pool.close()


def faults(*texts: str) -> Sequence[Fault]:
    return [Fault.parse(text) for text in texts]


def cause(exchange: Exchange) -> CauseId | None:
    return exchange.failure.cause if exchange.failure else None


def status(exchange: Exchange) -> int | None:
    return exchange.response.status if exchange.response else None


def test_connections_are_kept_on_both_sides(behind: FaultyProxy) -> None:
    accepted: list[socket.socket] = []

    def count(connection: socket.socket) -> bool:
        accepted.append(connection)
        return False

    behind.on_connection = count
    with layer(behind) as (_, send):
        used = [send(method, body).connection for method, body in (("GET", None), ("POST", b"x"), ("GET", None))]
    assert used == ["new", "kept", "kept"]
    assert len(accepted) == 1


@pytest.mark.parametrize("first", ["slow:0", "tls-expiring"], ids=["plain", "TLS"])
def test_a_change_takes_effect_on_kept_connections(behind: FaultyProxy, first: str) -> None:
    with layer(behind, first) as (front, send):
        assert status(send()) == 200
        front.change(faults("status:502"))
        assert [status(send()), status(send("POST", b"x"))] == [502, 502]
        front.change(faults("refuse"))
        assert cause(send()) is CauseId.NETWORK_CONNECTION_REFUSED
        front.change([])
        assert status(send()) == 200


def test_a_tls_fault_takes_effect_on_kept_connections(behind: FaultyProxy) -> None:
    with layer(behind, "tls-expiring") as (front, send):
        assert status(send()) == 200
        front.change(faults("tls-expired"))
        assert cause(send()) is CauseId.NETWORK_TLS_EXPIRED


def test_a_request_in_progress_is_answered_when_faults_change(behind: FaultyProxy) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def waits(handler: Handler) -> bool:
        begun.set()
        assert go_on.wait(PATIENCE)
        return healthy(handler)

    with layer(behind) as (front, send):
        send()
        behind.fault = waits
        answers: list[Exchange] = []
        asking = threading.Thread(target=lambda: answers.append(send()))
        asking.start()
        assert begun.wait(PATIENCE)
        behind.fault = healthy
        front.change(faults("status:502"))
        go_on.set()
        asking.join(PATIENCE)
        assert [status(exchange) for exchange in answers] == [200]
        assert status(send()) == 502


def test_faults_of_connections_count_requests_because_each_connection_serves_one(behind: FaultyProxy) -> None:
    with layer(behind, "reset,after=2,times=1") as (front, send):
        exchanges = [send() for _ in range(4)]
        assert [cause(exchange) for exchange in exchanges] == [None, None, CauseId.NETWORK_CONNECTION_RESET, None]
        assert {exchange.connection for exchange in exchanges} == {"new"}
        assert front.idle == []


def test_a_connection_behind_that_was_closed_is_replaced_and_no_request_is_sent_twice(behind: FaultyProxy) -> None:
    ended = threading.Event()

    def closes(handler: Handler) -> bool:
        handler.read_body()
        handler.answer(200, HEALTHY, "application/json")  # without Connection: close
        handler.close_connection = True
        ended.set()
        return True

    behind.fault = closes
    with layer(behind) as (_, send):
        for _ in range(3):
            assert status(send("POST", b"x")) == 200
            assert ended.wait(PATIENCE)
            ended.clear()
    assert len(behind.requests) == 3


def test_a_request_that_dies_behind_is_not_sent_twice(behind: FaultyProxy) -> None:
    with layer(behind) as (_, send):
        send()
        behind.fault = lambda handler: handler.connection.shutdown(socket.SHUT_RDWR) is None
        send("POST", b"x")
    assert [method for method, _ in behind.requests] == ["GET", "POST"]


def test_an_idle_connection_does_not_keep_the_server_running(behind: FaultyProxy) -> None:
    connection = socket.create_connection(("127.0.0.1", behind.server_port))
    with connection, layer(behind) as (front, send):
        send()
        front.close()
        connection.settimeout(PATIENCE)
        behind.shutdown()
        behind.server_close()
        assert connection.recv(1) == b""
