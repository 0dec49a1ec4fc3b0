"""Names, addresses and TCP connections."""

from __future__ import annotations

import errno
import itertools
import os
import selectors
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import Exchange, Phase
from mfagate.transport import Transport
from mfagate.transport.stalls import STALLS
from tests.support.resources import no_descriptor_left
from tests.transport.conftest import Serve
from tests.transport.helpers import IMPATIENCE, PATIENCE, answered, failed, prepared
from tests.transport.servers import black_hole, hang_up, ok, silent, unused_port

Get = Callable[..., Exchange]
real_getaddrinfo = socket.getaddrinfo


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Hosts that resolve to a list of (ip, port), or to whatever a function does."""
    hosts: dict[str, Any] = {}

    def getaddrinfo(host: str, port: int, **options: Any) -> list[Any]:
        found = hosts.get(host)
        if found is None or options.get("flags", 0) & socket.AI_NUMERICHOST:
            return real_getaddrinfo(host, port, **options)
        if callable(found):
            found()
        return [real_getaddrinfo(ip, p, type=socket.SOCK_STREAM)[0] for ip, p in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return hosts


def raising(error: Exception) -> Callable[[], None]:
    def function() -> None:
        raise error

    return function


def test_a_name_that_does_not_exist(get: Get) -> None:
    failure = failed(get("http://nowhere.invalid/"), CauseId.NETWORK_DNS_FAILURE, Phase.RESOLVE)
    assert failure.outcome is Outcome.FAIL
    assert failure.evidence["host"] == "nowhere.invalid"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), Outcome.FAIL),
        (socket.gaierror(socket.EAI_NODATA, "No address"), Outcome.FAIL),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), Outcome.INCONCLUSIVE),
        (socket.gaierror(socket.EAI_FAIL, "Non-recoverable failure"), Outcome.INCONCLUSIVE),
    ],
)
def test_resolver_errors(names: dict[str, Any], get: Get, error: OSError, outcome: Outcome) -> None:
    names["host.example"] = raising(error)
    failure = failed(get("https://host.example/"), CauseId.NETWORK_DNS_FAILURE, Phase.RESOLVE)
    assert failure.outcome is outcome
    assert str(error.strerror) in failure.message


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "file descriptors"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory"),
        (socket.gaierror(socket.EAI_MEMORY, "Memory allocation failure"), "memory"),
        (MemoryError(), "memory"),
        (RuntimeError("can't start new thread"), "threads"),
    ],
)
def test_a_resolver_without_resources(names: dict[str, Any], get: Get, error: Exception, what: str) -> None:
    names["host.example"] = raising(error)
    failure = failed(get("https://host.example/"), CauseId.GATE_RESOURCES, Phase.RESOLVE)
    assert failure.evidence["ran out of"].startswith(what)


def test_a_resolver_hides_that_no_descriptor_is_left(names: dict[str, Any], get: Get) -> None:
    """glibc calls it a temporary failure in name resolution."""
    names["host.example"] = raising(socket.gaierror(socket.EAI_AGAIN, "Temporary failure"))
    with no_descriptor_left():
        exchange = get("https://host.example/")
    failed(exchange, CauseId.GATE_RESOURCES, Phase.RESOLVE)


def test_a_resolver_that_hangs(names: dict[str, Any], get: Get) -> None:
    released = threading.Event()
    names["host.example"] = released.wait
    exchange = get("http://host.example/", timeout=IMPATIENCE)
    released.set()
    failure = failed(exchange, CauseId.NETWORK_DNS_FAILURE, Phase.RESOLVE)
    assert failure.outcome is Outcome.INCONCLUSIVE
    assert exchange.seconds < PATIENCE


def test_refused(get: Get) -> None:
    port = unused_port()
    failure = failed(get(f"http://127.0.0.1:{port}/"), CauseId.NETWORK_CONNECTION_REFUSED, Phase.CONNECT)
    assert failure.evidence == {"addresses": {f"127.0.0.1:{port}": "Connection refused"}}


def test_refused_on_all_addresses(names: dict[str, Any], get: Get) -> None:
    port = unused_port()
    names["host.example"] = [("::1", port), ("127.0.0.1", port)]
    failure = failed(get(f"http://host.example:{port}/"), CauseId.NETWORK_CONNECTION_REFUSED, Phase.CONNECT)
    assert set(failure.evidence["addresses"]) == {f"[::1]:{port}", f"127.0.0.1:{port}"}


def test_a_black_hole(get: Get) -> None:
    with black_hole() as port:
        exchange = get(f"http://127.0.0.1:{port}/", timeout=IMPATIENCE)
    failure = failed(exchange, CauseId.NETWORK_CONNECTION_TIMEOUT, Phase.CONNECT)
    assert failure.evidence == {"addresses": {f"127.0.0.1:{port}": os.strerror(errno.ETIMEDOUT)}}
    assert exchange.seconds < PATIENCE


@pytest.mark.parametrize(
    ("code", "cause", "said"),
    [
        (errno.ENETUNREACH, CauseId.NETWORK_CONNECTION_TIMEOUT, "Network is unreachable"),
        (errno.EHOSTUNREACH, CauseId.NETWORK_CONNECTION_TIMEOUT, "No route to host"),
        (errno.EPERM, CauseId.NETWORK_CONNECTION_TIMEOUT, "Operation not permitted"),
        (errno.ECONNRESET, CauseId.NETWORK_CONNECTION_RESET, "reset"),
    ],
)
def test_other_ways_not_to_connect(
    monkeypatch: pytest.MonkeyPatch, get: Get, code: int, cause: CauseId, said: str
) -> None:
    monkeypatch.setattr(socket.socket, "connect_ex", lambda *_: code)
    assert said in failed(get("http://127.0.0.1:1/"), cause, Phase.CONNECT).message


def test_a_machine_without_ipv6(monkeypatch: pytest.MonkeyPatch, names: dict[str, Any], serve: Serve, get: Get) -> None:
    class Ipv4Only(socket.socket):
        def __init__(self, family: int = -1, *rest: Any, **options: Any) -> None:
            if family == socket.AF_INET6:
                raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
            super().__init__(family, *rest, **options)

    server = serve(ok())
    names["host.example"] = [("::1", server.port), ("127.0.0.1", server.port)]
    names["ipv6.example"] = [("::1", server.port)]
    monkeypatch.setattr(socket, "socket", Ipv4Only)
    answered(get("http://host.example/"))
    failure = failed(get("http://ipv6.example/"), CauseId.NETWORK_CONNECTION_TIMEOUT, Phase.CONNECT)
    assert "not supported" in failure.message


@pytest.mark.parametrize(
    ("addresses", "families"),
    [(["::1"], "over IPv6:"), (["127.0.0.1"], "over IPv4:"), (["::1", "127.0.0.1"], "from here:")],
)
def test_a_machine_without_a_route_for_the_addresses_of_a_host(
    monkeypatch: pytest.MonkeyPatch, names: dict[str, Any], get: Get, addresses: list[str], families: str
) -> None:
    """A machine may have IPv6 alone, or none, and the host the other."""
    names["host.example"] = [(address, 443) for address in addresses]
    monkeypatch.setattr(socket.socket, "connect_ex", lambda *_: errno.ENETUNREACH)
    failure = failed(get("https://host.example/"), CauseId.NETWORK_CONNECTION_TIMEOUT, Phase.CONNECT)
    assert families in failure.message
    assert "routes" in str(failure.next_step)
    assert ("only" in str(failure.next_step)) == (len(addresses) == 1)


def exhausted(code: int) -> type[socket.socket]:
    class Exhausted(socket.socket):
        def __init__(self, *_: Any, **__: Any) -> None:
            raise OSError(code, os.strerror(code))

    return Exhausted


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS])
def test_out_of_resources_is_not_the_networks_doing(monkeypatch: pytest.MonkeyPatch, get: Get, code: int) -> None:
    monkeypatch.setattr(socket, "socket", exhausted(code))
    failure = failed(get("http://127.0.0.1:1/"), CauseId.GATE_RESOURCES, Phase.CONNECT)
    assert failure.evidence["ran out of"]


@pytest.mark.parametrize("code", [errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM])
def test_out_of_ports_is_not_the_networks_doing(monkeypatch: pytest.MonkeyPatch, get: Get, code: int) -> None:
    monkeypatch.setattr(socket.socket, "connect_ex", lambda self, address: code)
    failed(get("http://127.0.0.1:1/"), CauseId.GATE_RESOURCES, Phase.CONNECT)


def test_an_answer_that_came_too_late_for_a_busy_machine_alone(
    monkeypatch: pytest.MonkeyPatch, serve: Serve, get: Get
) -> None:
    moments = itertools.count(0.0, IMPATIENCE * 0.8)
    server = serve(silent)
    failed(get(server.url("/"), timeout=IMPATIENCE), CauseId.NETWORK_READ_TIMEOUT, Phase.PROCESSING)
    monkeypatch.setattr(STALLS, "lost", lambda: next(moments))
    exchange = get(server.url("/"), timeout=IMPATIENCE)
    failure = failed(exchange, CauseId.GATE_RESOURCES, Phase.PROCESSING)
    assert failure.evidence["ran out of"] == "processing time"
    assert exchange.stalled > 0


def test_the_next_address_is_tried_after_a_refusal(names: dict[str, Any], serve: Serve, get: Get) -> None:
    server = serve(ok())
    names["host.example"] = [("::1", unused_port()), ("127.0.0.1", server.port)]
    exchange = get(f"http://host.example:{server.port}/")
    answered(exchange)
    assert exchange.address == "127.0.0.1"


def test_a_black_hole_does_not_hold_up_the_next_address(
    names: dict[str, Any], serve: Serve, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(ok())
    pauses: list[float] = []
    real_select = selectors.DefaultSelector.select

    def select(self: Any, timeout: float) -> Any:
        pauses.append(timeout)
        return real_select(self, timeout)

    monkeypatch.setattr(selectors.DefaultSelector, "select", select)
    with black_hole() as hole:
        names["host.example"] = [("127.0.0.1", hole), ("127.0.0.1", server.port)]
        answered(get("http://host.example/"))
    assert pauses[0] == 0.25
    assert pauses[1] > 1


def test_ipv6_literal(serve: Serve, get: Get) -> None:
    server = serve(ok(), host="::1")
    exchange = get(server.url())
    answered(exchange)
    assert exchange.address == "::1"
    assert f"Host: [::1]:{server.port}\r\n".encode() in server.requests[0]


def test_sockets_are_closed_whatever_happens(
    monkeypatch: pytest.MonkeyPatch, names: dict[str, Any], serve: Serve, get: Get
) -> None:
    ours: list[socket.socket] = []

    class Recorded(socket.socket):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            if threading.current_thread() is threading.main_thread():
                ours.append(self)

    good, bad, refusing = serve(ok()), serve(hang_up), unused_port()
    with black_hole() as hole:
        names["host.example"] = [("127.0.0.1", hole), ("127.0.0.1", refusing), ("127.0.0.1", good.port)]
        monkeypatch.setattr(socket, "socket", Recorded)
        for url in ("http://host.example", good.url(), bad.url(), f"https://127.0.0.1:{bad.port}/"):
            get(url)
        get(f"http://127.0.0.1:{hole}/", timeout=IMPATIENCE)
    assert len(ours) == 7
    assert [connection.fileno() for connection in ours] == [-1] * 7


def test_keyboard_interrupt_passes_through(monkeypatch: pytest.MonkeyPatch, serve: Serve) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(socket.socket, "send", interrupt)
    with pytest.raises(KeyboardInterrupt):
        Transport().send(prepared(serve(ok()).url()))
