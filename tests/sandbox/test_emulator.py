"""What every emulator does the same: routes, bodies, TLS and plain HTTP on one port, defects."""

from __future__ import annotations

import http.client
import json
import logging
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from mfagate.sandbox import SandboxError
from mfagate.sandbox.certificates import Authority
from mfagate.sandbox.emulator import (
    Emulator,
    EmulatorSandbox,
    IncomingRequest,
    Reply,
    RequestProblem,
    RequestRejected,
    route,
)
from mfagate.sandbox.emulator.app import LARGEST_BODY
from mfagate.sandbox.emulator.listen import Listener

AS_JSON = {"Content-Type": "application/json"}


class Tiny(Emulator):
    """A provider with little to say."""

    def problem(self, problem: RequestProblem, request: IncomingRequest) -> Reply:
        status = {RequestProblem.UNKNOWN_ROUTE: 404, RequestProblem.WRONG_METHOD: 405, RequestProblem.DEFECT: 500}.get(
            problem, 400
        )
        return Reply(status, {"error": problem.name, "allowed": sorted(request.allowed)})

    def headers(self, request: IncomingRequest) -> dict[str, str]:
        return {"X-Request-Id": "4711"}

    @route("GET", "/users/<user>")
    @route("GET", "/people/<user>")
    def user(self, request: IncomingRequest) -> Reply:
        return Reply(200, {"user": request.variables["user"], "query": request.query, "basic": request.basic()})

    @route("POST", "/form")
    def form(self, request: IncomingRequest) -> Reply:
        return Reply(201, request.form())

    @route("POST", "/json")
    def json(self, request: IncomingRequest) -> Reply:
        return Reply(200, request.json())

    @route("POST", "/refused")
    def refused(self, request: IncomingRequest) -> Reply:
        raise RequestRejected(Reply(403, {"error": "no"}, {"Retry-After": "1"}))

    @route("POST", "/defect")
    def defect(self, request: IncomingRequest) -> Reply:
        raise RuntimeError("a defect")

    @route("DELETE", "/users/<user>")
    def delete(self, request: IncomingRequest) -> Reply:
        return Reply(204)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """URL without its scheme, and the certificate authority."""
    authority = Authority(tmp_path_factory.mktemp("ca"), ["api.example.com"])
    listener = Listener(Tiny(), authority.context())
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
    thread.start()
    yield f"127.0.0.1:{listener.port}", authority.bundle
    listener.shutdown()
    listener.server_close()
    thread.join()


@pytest.fixture
def session(running: tuple[str, Path]) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(running[1])
        yield session


def test_both_protocols_on_one_port(running: tuple[str, Path], session: requests.Session) -> None:
    for scheme in ("http", "https", "http", "https"):
        answer = session.get(f"{scheme}://{running[0]}/users/alice?a=1&a=2&b=", timeout=10)
        assert answer.json() == {"user": "alice", "query": {"a": ["1", "2"], "b": [""]}, "basic": None}
        assert answer.headers["Server"] == "mfagate-emulator"
        assert answer.headers["X-Request-Id"] == "4711"


def test_the_certificate_is_for_the_providers_own_hosts_too(running: tuple[str, Path]) -> None:
    url = urlsplit(f"https://{running[0]}")
    context = ssl.create_default_context(cafile=running[1])
    connection = http.client.HTTPSConnection("127.0.0.1", url.port, context=context)
    connection.connect()
    sock: Any = connection.sock
    names = sock.getpeercert()["subjectAltName"]
    connection.close()
    assert ("DNS", "api.example.com") in names
    assert ("IP Address", "127.0.0.1") in names


@pytest.mark.parametrize(
    ("method", "path", "request_", "expected"),
    [
        ("GET", "/people/al%20ice%2Fx", {}, (404, None)),
        ("GET", "/people/al%20ice", {"auth": ("u", "p:q")}, (200, ["u", "p:q"])),
        ("GET", "/nothing", {}, (404, "UNKNOWN_ROUTE")),
        ("GET", "/users/alice/", {}, (404, "UNKNOWN_ROUTE")),
        ("PUT", "/form", {}, (405, "WRONG_METHOD")),
        ("POST", "/form", {"data": {"a": "b ü"}}, (201, {"a": "b ü"})),
        ("POST", "/form", {}, (201, {})),
        ("POST", "/form", {"json": {}}, (400, "WRONG_CONTENT_TYPE")),
        ("POST", "/json", {"json": {"a": [1]}}, (200, {"a": [1]})),
        ("POST", "/json", {"data": {"a": "b"}}, (400, "WRONG_CONTENT_TYPE")),
        ("POST", "/json", {"json": [1]}, (400, "MALFORMED_BODY")),
        ("POST", "/json", {"data": b"[" * 100_000, "headers": AS_JSON}, (400, "MALFORMED_BODY")),
        ("POST", "/json", {"data": b"\xff", "headers": AS_JSON}, (400, "MALFORMED_BODY")),
        ("POST", "/json", {"data": b" " * (LARGEST_BODY + 5)}, (400, "BODY_TOO_LARGE")),
        ("POST", "/refused", {}, (403, "no")),
        ("DELETE", "/users/alice", {}, (204, None)),
    ],
)
def test_requests(
    running: tuple[str, Path],
    session: requests.Session,
    method: str,
    path: str,
    request_: dict[str, Any],
    expected: tuple[int, Any],
) -> None:
    answer = session.request(method, f"http://{running[0]}{path}", timeout=10, **request_)
    body = answer.json() if answer.content else {}
    assert answer.status_code == expected[0]
    if expected[1] is not None:
        assert expected[1] in (body, body.get("error"), body.get("basic"))


def test_a_chunked_body(running: tuple[str, Path], session: requests.Session) -> None:
    chunks = iter([b'{"a":', b'"b"}'])
    headers = {"Content-Type": "application/json"}
    assert session.post(f"http://{running[0]}/json", data=chunks, headers=headers, timeout=10).json() == {"a": "b"}


def test_which_methods_are_allowed(running: tuple[str, Path], session: requests.Session) -> None:
    answer = session.put(f"http://{running[0]}/users/alice", timeout=10)
    assert answer.json()["allowed"] == ["DELETE", "GET", "HEAD"]
    assert session.head(f"http://{running[0]}/users/alice", timeout=10).content == b""


def test_a_defect_looks_like_an_outage_and_is_logged(
    running: tuple[str, Path], session: requests.Session, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger="mfagate.emulator"):
        answer = session.post(f"http://{running[0]}/defect", data={"secret": "canary"}, timeout=10)
    assert (answer.status_code, answer.json()["error"]) == (500, "DEFECT")
    assert "a defect" in caplog.text
    assert "canary" not in caplog.text


def test_says_how_to_install_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mfagate.core.extras.find_spec", lambda name: None)
    with pytest.raises(SandboxError, match=r"pip install \S+\[emulator\]"):
        EmulatorSandbox("Tiny", Path("tiny.py"), settings=()).start()


def connected(running: tuple[str, Path]) -> http.client.HTTPConnection:
    context = ssl.create_default_context(cafile=running[1])
    return http.client.HTTPSConnection(running[0], timeout=10, context=context)


def test_a_connection_serves_many_requests_even_if_a_body_was_not_wanted(running: tuple[str, Path]) -> None:
    connection = connected(running)
    used, statuses = set(), []
    for method, path, body in [
        ("GET", "/users/alice", b""),
        ("POST", "/nothing", b"GET /users/alice HTTP/1.1\r\n\r\n"),
        ("POST", "/refused", b"x" * 5000),
        ("HEAD", "/users/alice", b""),
        ("POST", "/defect", b"{}"),
        ("DELETE", "/users/alice", b""),
        ("GET", "/users/alice", b""),
    ]:
        connection.request(method, path, body)
        used.add(connection.sock)
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()
    assert statuses == [200, 404, 403, 200, 500, 204, 200]
    assert len(used) == 1


@pytest.mark.parametrize(
    ("headers", "body"),
    [({"Connection": "close"}, b'{"a": 1}'), ({}, iter([b'{"a": ', b"1}"]))],
    ids=["asked to close", "chunked"],
)
def test_a_connection_ends_after_a_request_whose_end_is_in_doubt_or_that_asks_for_it(
    running: tuple[str, Path], headers: dict[str, str], body: Any
) -> None:
    connection = connected(running)
    connection.request("POST", "/json", body, {**AS_JSON, **headers})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Connection"]) == (200, "close")
    assert json.loads(answer.read()) == {"a": 1}
    connection.close()


def test_an_idle_connection_does_not_keep_the_emulator_running(tmp_path: Path) -> None:
    authority = Authority(tmp_path, [])
    listener = Listener(Tiny(), authority.context())
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
    thread.start()
    connection = connected((f"127.0.0.1:{listener.port}", authority.bundle))
    connection.request("GET", "/users/alice")
    assert connection.getresponse().read()
    listener.shutdown()
    listener.server_close()
    thread.join(10)
    assert not thread.is_alive()
    connection.close()
