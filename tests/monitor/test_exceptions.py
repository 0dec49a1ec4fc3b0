"""Each fault of the fault layer, as requests and httpx raise it, has the cause that the gate gives it."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable, Iterator

import httpx
import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import Phase
from mfagate.monitor.exceptions import failure_of
from mfagate.sandbox.faults import FAULTS, Fault, faulty
from mfagate.sandbox.faulty_proxy import FaultyProxy, Handler, faulty_proxy

HEALTHY = b'{"stat":"OK","response":{"result":"allow","time":1}}'


@pytest.fixture(scope="module")
def server() -> Iterator[FaultyProxy]:
    with faulty_proxy("http://127.0.0.1:9", lambda handler: handler.answer(200, HEALTHY, "application/json")) as server:
        yield server


RAISED = (
    "refuse",
    "drop",
    "reset",
    "silent",
    "garbage",
    "tls-expired",
    "tls-self-signed",
    "tls-unknown-ca",
    "tls-other-name",
    "tls-old",
    "tls-plain",
    "tls-client-certificate",
    "reset-headers",
    "reset-body",
    "cut-body",
    "hang-up",
    "stall",
    "slow-body:5",
    "bad-gzip",
)
"""The faults after which there is no answer."""

Ask = Callable[[str, str | bool, float], None]

SILENT = ("drop", "silent", "stall", "slow-body:5")
"""What only a time-out ends. Everything else has all the time that a busy machine needs."""


def by_requests(url: str, verify: str | bool, seconds: float) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.get(url, timeout=seconds, verify=verify)


def by_httpx(url: str, verify: str | bool, seconds: float) -> None:
    context = ssl.create_default_context(cafile=verify) if isinstance(verify, str) else True
    with httpx.Client(verify=context, trust_env=False, timeout=seconds) as client:
        client.get(url)


HIDDEN: dict[tuple[Ask, str], CauseId] = {
    # h11, which httpx speaks with, keeps what it cannot read to itself, and tells of the end alone.
    (by_httpx, "garbage"): CauseId.NETWORK_CONNECTION_RESET,
    # In TLS 1.3 the server objects after the handshake. Who is writing just then sees the end, and not the alert.
    (by_requests, "tls-client-certificate"): CauseId.NETWORK_CONNECTION_RESET,
    (by_httpx, "tls-client-certificate"): CauseId.NETWORK_CONNECTION_RESET,
}
"""What a client cannot be made to tell, or not each time."""


@pytest.mark.parametrize("client", [by_requests, by_httpx])
@pytest.mark.parametrize("fault", RAISED)
def test_a_fault_has_its_cause(server: FaultyProxy, fault: str, client: Ask) -> None:
    with faulty(server.url, [Fault.parse(fault)]) as before, pytest.raises(Exception) as raised:
        client(
            f"{before.url}/auth", str(before.ca_bundle) if before.ca_bundle else True, 0.5 if fault in SILENT else 20
        )
    found = failure_of(raised.value, "127.0.0.1")
    assert found is not None
    assert found.cause in (FAULTS[fault.partition(":")[0]].causes[0], HIDDEN.get((client, fault))), raised.value


def raised_by(url: str, **options: object) -> BaseException:
    with requests.Session() as session, pytest.raises(requests.RequestException) as raised:
        session.trust_env = False
        session.get(url, timeout=2, **options)  # type: ignore[arg-type]
    return raised.value


@pytest.mark.parametrize("head", [{"X_Long": "x" * 70_000}, {f"X_{number}": "x" for number in range(120)}])
def test_http_beyond_a_limit_is_no_other_protocol(head: dict[str, str]) -> None:
    with faulty_proxy(
        "http://127.0.0.1:9", lambda handler: handler.answer(200, HEALTHY, "application/json", **head)
    ) as server:
        found = failure_of(raised_by(server.url), "127.0.0.1")
    assert found is not None
    assert found.cause is CauseId.CONTRACT_BODY_UNREADABLE


def test_a_name_that_does_not_exist() -> None:
    found = failure_of(raised_by("http://nobody.invalid/"), "nobody.invalid")
    assert found is not None and found.cause is CauseId.NETWORK_DNS_FAILURE
    with httpx.Client(trust_env=False) as client, pytest.raises(httpx.ConnectError) as raised:
        client.get("http://nobody.invalid/")
    assert failure_of(raised.value, "nobody.invalid") == found


def test_a_reset_while_connecting() -> None:
    """A peer may be faster than the client, which then learns of it while it still connects."""
    reset = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
    new = urllib3.exceptions.NewConnectionError(urllib3.connection.HTTPConnection("host"), f"Failed: {reset}")
    new.__cause__ = reset
    found = failure_of(requests.exceptions.ConnectionError(new), "host")
    assert found is not None
    assert (found.cause, found.phase) == (CauseId.NETWORK_CONNECTION_RESET, Phase.CONNECT)


def test_a_client_certificate_that_is_demanded() -> None:
    alert = ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required")
    alert.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    found = failure_of(requests.exceptions.SSLError(alert), "host")
    assert found is not None and found.cause is CauseId.NETWORK_TLS_CLIENT_CERTIFICATE


def test_an_end_in_the_middle_of_tls() -> None:
    ended = ssl.SSLEOFError(8, "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol")
    ended.reason = "UNEXPECTED_EOF_WHILE_READING"
    found = failure_of(requests.exceptions.SSLError(ended), "host")
    assert found is not None and found.cause is CauseId.NETWORK_CONNECTION_RESET


def test_a_resolver_that_is_down_is_no_missing_name() -> None:
    found = failure_of(socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), "host")
    assert found is not None and (found.cause, found.outcome) == (CauseId.NETWORK_DNS_FAILURE, Outcome.INCONCLUSIVE)


def test_a_proxy_that_is_away() -> None:
    proxies = {"http": "http://127.0.0.1:1", "https": "http://127.0.0.1:1"}
    found = failure_of(raised_by("https://host.invalid/", proxies=proxies), "host.invalid")
    assert found is not None and found.cause is CauseId.NETWORK_PROXY


@pytest.mark.parametrize(
    ("fault", "cause"), [("too-many:0", CauseId.PROVIDER_RATE_LIMITED), ("status:503", CauseId.PROVIDER_OUTAGE)]
)
def test_retries_that_gave_up(server: FaultyProxy, fault: str, cause: CauseId) -> None:
    with faulty(server.url, [Fault.parse(fault)]) as before, requests.Session() as session:
        session.trust_env = False
        session.mount("http://", HTTPAdapter(max_retries=Retry(2, status_forcelist=[429, 503], backoff_factor=0)))
        with pytest.raises(requests.exceptions.RetryError) as raised:
            session.get(f"{before.url}/auth", timeout=2)
        assert len(before.requests) == 3
    found = failure_of(raised.value, "127.0.0.1")
    assert found is not None and found.cause is cause


def test_redirects_without_end() -> None:
    def again(handler: Handler) -> bool:
        return handler.answer(302, b"", Location="/again")

    with faulty_proxy("http://127.0.0.1:9", again) as circle:
        found = failure_of(raised_by(circle.url), "127.0.0.1")
    assert found is not None and found.cause is CauseId.NETWORK_UNEXPECTED_REDIRECT


def test_no_url_at_all() -> None:
    found = failure_of(raised_by("api.example.com/auth"), "")
    assert found is not None and found.cause is CauseId.CONFIG_MALFORMED_URL


@pytest.mark.parametrize("error", [ValueError("of the caller"), KeyError("x"), httpx.PoolTimeout("ours")])
def test_what_says_nothing_of_the_network(error: Exception) -> None:
    assert failure_of(error, "host") is None


def test_a_pool_of_ours_that_is_full(server: FaultyProxy) -> None:
    async def ask_twice() -> None:
        limits = httpx.Limits(max_connections=1)
        async with (
            httpx.AsyncClient(trust_env=False, timeout=httpx.Timeout(20, pool=0.05), limits=limits) as client,
            client.stream("GET", server.url),
        ):
            await client.get(server.url)

    with pytest.raises(httpx.PoolTimeout) as raised:
        asyncio.run(ask_twice())
    assert failure_of(raised.value, "127.0.0.1") is None


def test_a_circle_of_exceptions_ends() -> None:
    first, second = ValueError("1"), ValueError("2")
    first.__cause__, second.__cause__ = second, first
    assert failure_of(first, "host") is None
