"""Sessions that are watched behave as before, and what happens to them is counted."""

from __future__ import annotations

import asyncio
import logging
import pickle
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import requests
from prometheus_client import CollectorRegistry
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from mfagate.monitor import Answer, CallResult, Monitor, monitor
from mfagate.monitor.connections import _timing as timed
from mfagate.monitor.connections import under_way
from mfagate.sandbox.faults import Fault, faulty
from mfagate.sandbox.faulty_proxy import Handler, faulty_proxy

from .conftest import ALLOWED, BAD_SIGNATURE, Provider, problems_by_cause, requests_by_result


def a_session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


def a_client() -> httpx.Client:
    return httpx.Client(trust_env=False)


CLIENTS: list[Callable[[], Any]] = [a_session, a_client]


@pytest.mark.parametrize("client", CLIENTS)
def test_what_went_well_and_what_did_not(
    provider: Provider, watching: Monitor, registry: CollectorRegistry, client: Callable[[], Any]
) -> None:
    with watching.wrap(client()) as session:
        assert session.get(f"{provider.url}/ok").json() == ALLOWED
        answer = session.get(f"{provider.url}/refused")
        assert (answer.status_code, answer.json()) == (401, BAD_SIGNATURE)
    assert requests_by_result(registry) == {"ok": 1, "problem": 1}
    assert problems_by_cause(registry) == {"credential.rejected": 1}
    assert watching.causes == ("credential.rejected",)


@pytest.mark.parametrize("client", CLIENTS)
def test_exceptions_are_those_of_the_client(
    watching: Monitor, registry: CollectorRegistry, client: Callable[[], Any]
) -> None:
    with watching.wrap(client()) as session, pytest.raises((requests.ConnectionError, httpx.ConnectError)):
        session.get("http://127.0.0.1:1/")
    assert problems_by_cause(registry) == {"network.connection-refused": 1}


@pytest.mark.parametrize("client", CLIENTS)
def test_phases(provider: Provider, watching: Monitor, registry: CollectorRegistry, client: Callable[[], Any]) -> None:
    with watching.wrap(client()) as session:
        session.get(f"{provider.url}/ok")
        session.get(f"{provider.url}/ok")
    for phase in ("connect", "processing", "transfer"):
        labels = {"integration": "duo-eu", "provider": "duo", "phase": phase}
        count = registry.get_sample_value("mfagate_client_phase_seconds_count", labels)
        assert count, phase
        assert (registry.get_sample_value("mfagate_client_phase_seconds_sum", labels) or 0) > 0, phase
    whole = registry.get_sample_value(
        "mfagate_client_request_seconds_count", {"integration": "duo-eu", "provider": "duo"}
    )
    assert whole == 2


def test_tls_is_a_phase_of_its_own(provider: Provider, watching: Monitor, registry: CollectorRegistry) -> None:
    labels = {"integration": "duo-eu", "provider": "duo", "phase": "tls"}
    with faulty(provider.url, [Fault.parse("tls-expiring:300")]) as before, watching.wrap(a_session()) as session:
        assert session.get(f"{before.url}/ok", verify=str(before.ca_bundle)).json() == ALLOWED
    assert registry.get_sample_value("mfagate_client_phase_seconds_count", labels) == 1
    assert requests_by_result(registry) == {"ok": 1}


def test_a_slow_answer_is_processing_and_a_slow_body_transfer(
    provider: Provider, registry: CollectorRegistry, watching: Monitor
) -> None:
    def seconds(phase: str) -> float:
        labels = {"integration": "duo-eu", "provider": "duo", "phase": phase}
        return registry.get_sample_value("mfagate_client_phase_seconds_sum", labels) or 0.0

    with watching.wrap(a_session()) as session:
        for fault, phase in (("slow:0.4", "processing"), ("slow-body:0.4", "transfer")):
            before_it = {name: seconds(name) for name in ("processing", "transfer")}
            with faulty(provider.url, [Fault.parse(fault)]) as before:
                session.get(f"{before.url}/ok")
            spent = {name: seconds(name) - value for name, value in before_it.items()}
            assert max(spent, key=spent.__getitem__) == phase, spent


@pytest.mark.parametrize("client", CLIENTS)
def test_a_redirect_on_the_same_host_is_one_call(
    provider: Provider, watching: Monitor, registry: CollectorRegistry, client: Callable[[], Any]
) -> None:
    provider.says("/old", 307, b"", Location="/ok")
    follow = {} if client is a_session else {"follow_redirects": True}
    with watching.wrap(client()) as session:
        assert session.get(f"{provider.url}/old", **follow).json() == ALLOWED
    assert requests_by_result(registry) == {"ok": 1}


def test_waiting_before_a_redirect_is_processing(
    provider: Provider, watching: Monitor, registry: CollectorRegistry
) -> None:
    def slow(handler: Handler) -> bool:
        time.sleep(0.3)
        return handler.answer(307, b"", Location="/ok")

    provider.answers["/old"] = slow
    with watching.wrap(a_session()) as session:
        session.get(f"{provider.url}/old")
    labels = {"integration": "duo-eu", "provider": "duo", "phase": "processing"}
    assert (registry.get_sample_value("mfagate_client_phase_seconds_sum", labels) or 0) >= 0.3


def test_tls_begins_after_the_connection() -> None:
    class Slow:
        default_port = 443

        def _new_conn(self) -> None:
            time.sleep(0.2)

        def connect(self) -> None:
            self._new_conn()

    phases: dict[str, float] = {}
    token = under_way.set((None, phases))
    timed(Slow)().connect()
    under_way.reset(token)
    assert phases["connect"] >= 0.2 > phases["tls"]


def test_a_trace_of_the_callers_own_goes_first(provider: Provider, watching: Monitor) -> None:
    events: list[str] = []
    with watching.wrap(a_client()) as client:
        theirs = {"trace": lambda event, info: events.append(event)}
        request = client.build_request("GET", f"{provider.url}/ok", extensions=theirs)
        client.send(request)
        assert events and request.extensions["trace"] is theirs["trace"]
        request = client.build_request("GET", f"{provider.url}/ok")
        client.send(request)
        assert "trace" not in request.extensions


def test_a_redirect_that_is_followed_by_hand_has_phases_of_its_own(
    provider: Provider, watching: Monitor, registry: CollectorRegistry
) -> None:
    provider.says("/old", 307, b"", Location="/ok")
    with watching.wrap(a_client()) as client:
        following = client.get(f"{provider.url}/old").next_request
        assert following is not None and client.send(following).json() == ALLOWED
    labels = {"integration": "duo-eu", "provider": "duo", "phase": "processing"}
    assert registry.get_sample_value("mfagate_client_phase_seconds_count", labels) == 2


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("following", [True, False])
def test_a_redirect_to_another_host_is_a_login_page(
    provider: Provider, watching: Monitor, registry: CollectorRegistry, client: Callable[[], Any], following: bool
) -> None:
    elsewhere = provider.url.replace("127.0.0.1", "localhost")
    provider.says("/captured", 302, b"", Location=f"{elsewhere}/ok")
    follow = {"allow_redirects" if client is a_session else "follow_redirects": following}
    with watching.wrap(client()) as session:
        session.get(f"{provider.url}/captured", **follow)
    assert problems_by_cause(registry) == {"network.unexpected-redirect": 1}


def test_a_page_in_place_of_the_answer(provider: Provider, watching: Monitor, registry: CollectorRegistry) -> None:
    provider.says("/page", 200, b"<html>Sign in to the guest network</html>", "text/html; charset=utf-8")
    with watching.wrap(a_session()) as session:
        session.get(f"{provider.url}/page")
    assert problems_by_cause(registry) == {"contract.not-json": 1}


def test_retries_are_one_call(provider: Provider, watching: Monitor, registry: CollectorRegistry) -> None:
    failures = iter([503, 503])

    def at_last(handler: Handler) -> bool:
        return handler.answer(next(failures, 200), b"{}", "application/json")

    with faulty_proxy("http://127.0.0.1:9", at_last) as server, watching.wrap(a_session()) as session:
        session.mount("http://", HTTPAdapter(max_retries=Retry(3, status_forcelist=[503], backoff_factor=0)))
        assert session.get(server.url).status_code == 200
        assert len(server.requests) == 3
    assert requests_by_result(registry) == {"ok": 1}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_streamed_body_is_left_to_the_caller(
    provider: Provider, watching: Monitor, registry: CollectorRegistry, client: Callable[[], Any]
) -> None:
    with watching.wrap(client()) as session:
        for path, expected in (("/ok", ALLOWED), ("/refused", BAD_SIGNATURE)):
            if client is a_session:
                answer = session.get(f"{provider.url}{path}", stream=True)
                assert not answer._content_consumed
                assert answer.json() == expected
            else:
                with session.stream("GET", f"{provider.url}{path}") as answer:
                    assert not answer.is_stream_consumed
                    answer.read()
                    assert answer.json() == expected
    # Whether a refusal is a user's or ours stands in the body, which was not ours to read.
    assert requests_by_result(registry) == {"ok": 1, "unexplained": 1}
    labels = {"integration": "duo-eu", "provider": "duo", "phase": "transfer"}
    assert registry.get_sample_value("mfagate_client_phase_seconds_count", labels) == 0


def test_a_streamed_server_error_needs_no_body(
    provider: Provider, watching: Monitor, registry: CollectorRegistry
) -> None:
    provider.says("/broken", 502, b"bad gateway", "text/plain")
    provider.says("/limited", 429, b"slow down", "text/plain")
    with watching.wrap(a_session()) as session:
        assert session.get(f"{provider.url}/broken", stream=True).content == b"bad gateway"
        assert session.get(f"{provider.url}/limited", stream=True).content == b"slow down"
    assert problems_by_cause(registry) == {"provider.outage": 1, "provider.rate-limited": 1}


def test_a_proxy_that_wants_a_password(provider: Provider, watching: Monitor, registry: CollectorRegistry) -> None:
    provider.says("/behind", 407, b"<html>", "text/html")
    with watching.wrap(a_session()) as session:
        session.get(f"{provider.url}/behind")
    assert problems_by_cause(registry) == {"network.proxy": 1}


def test_threads_share_a_session(provider: Provider, watching: Monitor, registry: CollectorRegistry) -> None:
    with watching.wrap(a_session()) as session, ThreadPoolExecutor(8) as pool:
        paths = ["/ok", "/ok", "/refused"] * 40
        statuses = list(pool.map(lambda path: session.get(f"{provider.url}{path}").status_code, paths))
    assert sorted(statuses) == [200] * 80 + [401] * 40
    assert requests_by_result(registry) == {"ok": 80, "problem": 40}


def test_tasks_share_an_async_client(provider: Provider, watching: Monitor, registry: CollectorRegistry) -> None:
    async def run() -> None:
        async with watching.wrap(httpx.AsyncClient(trust_env=False)) as client:
            paths = ["/ok", "/ok", "/refused"] * 10
            answers = await asyncio.gather(*(client.get(f"{provider.url}{path}") for path in paths))
            assert [answer.json() for answer in answers[-3:]] == [ALLOWED, ALLOWED, BAD_SIGNATURE]
            with pytest.raises(httpx.ConnectError):
                await client.get("http://127.0.0.1:1/")

    asyncio.run(run())
    assert requests_by_result(registry) == {"ok": 20, "problem": 11}
    assert problems_by_cause(registry) == {"credential.rejected": 10, "network.connection-refused": 1}
    labels = {"integration": "duo-eu", "provider": "duo", "phase": "processing"}
    assert registry.get_sample_value("mfagate_client_phase_seconds_count", labels) == 30


def test_a_task_that_is_cancelled_is_no_problem(
    provider: Provider, watching: Monitor, registry: CollectorRegistry
) -> None:
    async def run(url: str) -> None:
        async with watching.wrap(httpx.AsyncClient(trust_env=False)) as client:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.get(f"{url}/ok"), 0.2)

    with faulty(provider.url, [Fault.parse("slow:2")]) as before:
        asyncio.run(run(before.url))
    assert requests_by_result(registry) == {"abandoned": 1}


def test_only_the_hosts_of_the_provider(provider: Provider, registry: CollectorRegistry) -> None:
    watching = monitor("duo", registry=registry, hosts=["127.0.0.1"])
    with watching.wrap(a_session()) as session:
        session.get(f"{provider.url}/ok")
        session.get(f"{provider.url.replace('127.0.0.1', 'localhost')}/ok")
    assert requests_by_result(registry) == {"ok": 1}


def test_installed_twice_counts_once_and_may_be_removed(
    provider: Provider, watching: Monitor, registry: CollectorRegistry
) -> None:
    session = a_session()
    remove = watching.install(session)
    assert watching.install(session) == remove
    session.get(f"{provider.url}/ok")
    remove()
    session.get(f"{provider.url}/ok")
    assert requests_by_result(registry) == {"ok": 1}
    with pytest.raises(ValueError, match="already watched as duo-eu"):
        monitor("okta", registry=registry).wrap(watching.wrap(session))


def test_what_somebody_else_has_put_in_the_way_is_there_again(watching: Monitor) -> None:
    session = a_session()
    theirs = session.send
    session.send = theirs  # type: ignore[method-assign]  # as instruments of others do
    watching.install(session)()
    assert session.__dict__["send"] is theirs


def test_a_session_goes_into_another_process_without_its_monitor(provider: Provider, watching: Monitor) -> None:
    other = pickle.loads(pickle.dumps(watching.wrap(a_session())))
    assert other.get(f"{provider.url}/ok").json() == ALLOWED


def test_a_subclass_of_session(provider: Provider, watching: Monitor, registry: CollectorRegistry) -> None:
    class Signing(requests.Session):
        def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
            request.headers["X-Signed"] = "yes"
            return super().send(request, **options)

    session = watching.wrap(Signing())
    session.trust_env = False
    assert session.get(f"{provider.url}/ok").request.headers["X-Signed"] == "yes"
    assert requests_by_result(registry) == {"ok": 1}


def test_a_client_of_another_kind_is_refused_at_once(watching: Monitor) -> None:
    with pytest.raises(TypeError, match=r"Monitor\.call"):
        watching.wrap(object())


def test_an_sdk_with_http_of_its_own(watching: Monitor, registry: CollectorRegistry) -> None:
    with watching.call():
        pass
    with pytest.raises(ConnectionResetError), watching.call():
        raise ConnectionResetError
    with pytest.raises(RuntimeError), watching.call() as call:
        call.answered(Answer(401, {"Content-Type": "application/json"}, b'{"stat":"FAIL","code":40102,"message":"x"}'))
        raise RuntimeError("how the SDK says it")
    with pytest.raises(KeyError), watching.call():
        raise KeyError("a bug of the caller")
    assert requests_by_result(registry) == {"ok": 1, "problem": 2, "unexplained": 1}
    assert problems_by_cause(registry) == {"network.connection-reset": 1, "credential.unknown-key": 1}


def test_a_defect_of_the_monitor_is_silent(
    provider: Provider,
    watching: Monitor,
    registry: CollectorRegistry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError("with a canary-secret in its words")

    monkeypatch.setattr("mfagate.monitor.classification.diagnose", broken)
    monkeypatch.setattr("mfagate.monitor.clients.time_connections", broken)
    with watching.wrap(a_session()) as session, caplog.at_level(logging.DEBUG, "mfagate"):
        assert session.get(f"{provider.url}/refused").json() == BAD_SIGNATURE
        assert session.get(f"{provider.url}/refused").json() == BAD_SIGNATURE
    labels = {"integration": "duo-eu", "provider": "duo"}
    assert registry.get_sample_value("mfagate_client_monitor_errors_total", labels) == 4
    (record,) = caplog.records
    assert "RuntimeError" in record.getMessage() and "canary" not in record.getMessage()
    assert requests_by_result(registry) == {"unexplained": 2}


def test_observe_never_raises(watching: Monitor) -> None:
    for outcome in (None, object(), 3, "text"):
        assert watching.observe(None, outcome, 0.1) is CallResult.UNEXPLAINED
    assert watching.observe(None, ValueError(), "no number") is None  # type: ignore[arg-type]


def test_a_response_of_a_mocking_library_is_fine(watching: Monitor, registry: CollectorRegistry) -> None:
    class Canned(HTTPAdapter):
        def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
            response = requests.Response()
            response.status_code, response.url = 200, str(request.url)
            return response

    with watching.wrap(a_session()) as session:
        session.mount("https://", Canned())
        assert session.get("https://api.example.com/").status_code == 200
    assert requests_by_result(registry) == {"ok": 1}


def test_connections_through_a_proxy_are_timed(watching: Monitor, registry: CollectorRegistry) -> None:
    def forwarded(handler: Handler) -> bool:
        return handler.answer(200, b"{}", "application/json")

    with faulty_proxy("http://127.0.0.1:9", forwarded) as proxy, watching.wrap(a_session()) as session:
        session.proxies = {"http": proxy.url}
        assert session.get("http://api.example.com/").json() == {}
        assert proxy.requests == [("GET", "http://api.example.com/")]
    labels = {"integration": "duo-eu", "provider": "duo", "phase": "connect"}
    assert registry.get_sample_value("mfagate_client_phase_seconds_count", labels) == 1
