"""Each fault of the fault layer, as requests and httpx raise it, has the cause that the gate gives it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from mfagate.causes import CauseId, Outcome
from mfagate.monitor.raised import failure_of
from mfagate.sandbox.faults import Fault, faulty
from mfagate.sandbox.front import Front, front

HEALTHY = b'{"stat":"OK","response":{"result":"allow","time":1}}'


@pytest.fixture(scope="module")
def server() -> Iterator[Front]:
    with front("http://127.0.0.1:9", lambda handler: handler.answer(200, HEALTHY, "application/json")) as server:
        yield server


CAUSES = {
    "refuse": CauseId.NETWORK_CONNECTION_REFUSED,
    "drop": CauseId.NETWORK_CONNECTION_TIMEOUT,
    "reset": CauseId.NETWORK_CONNECTION_RESET,
    "silent": CauseId.NETWORK_READ_TIMEOUT,
    "garbage": CauseId.NETWORK_NOT_HTTP,
    "tls-expired": CauseId.NETWORK_TLS_EXPIRED,
    "tls-self-signed": CauseId.NETWORK_TLS_UNTRUSTED,
    "tls-unknown-ca": CauseId.NETWORK_TLS_UNTRUSTED,
    "tls-other-name": CauseId.NETWORK_TLS_HOSTNAME_MISMATCH,
    "tls-old": CauseId.NETWORK_TLS_HANDSHAKE,
    "tls-plain": CauseId.NETWORK_TLS_HANDSHAKE,
    "tls-client-certificate": CauseId.NETWORK_TLS_CLIENT_CERTIFICATE,
    "reset-headers": CauseId.NETWORK_CONNECTION_RESET,
    "reset-body": CauseId.NETWORK_CONNECTION_RESET,
    "cut-body": CauseId.NETWORK_CONNECTION_RESET,
    "hang-up": CauseId.NETWORK_CONNECTION_RESET,
    "stall": CauseId.NETWORK_READ_TIMEOUT,
    "slow-body:5": CauseId.NETWORK_READ_TIMEOUT,
    "bad-gzip": CauseId.CONTRACT_BODY_UNREADABLE,
}


def by_requests(url: str, verify: str | bool) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.get(url, timeout=0.5, verify=verify)


def by_httpx(url: str, verify: str | bool) -> None:
    import ssl

    context = ssl.create_default_context(cafile=verify) if isinstance(verify, str) else True
    with httpx.Client(verify=context, trust_env=False, timeout=0.5) as client:
        client.get(url)


@pytest.mark.parametrize("client", [by_requests, by_httpx])
@pytest.mark.parametrize("fault", CAUSES)
def test_a_fault_has_its_cause(server: Front, fault: str, client: object) -> None:
    assert callable(client)
    with faulty(server.url, [Fault.parse(fault)]) as before, pytest.raises(Exception) as raised:
        client(f"{before.url}/auth", str(before.ca_bundle) if before.ca_bundle else True)
    found = failure_of(raised.value, "127.0.0.1")
    assert found is not None and found.cause == CAUSES[fault], raised.value
