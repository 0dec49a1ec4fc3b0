"""What the emulator refuses before it looks at a user."""

from __future__ import annotations

from email.utils import formatdate
from typing import Any

import pytest
import requests

from mfagate.providers.duo.auth import DuoAuth
from mfagate.sandbox import Running

PROVIDER = "duo"


def ask(running: Running, method: str, path: str, *, ago: float = 0, **request: Any) -> tuple[int, int | None]:
    """Status and code of the answer to a signed request."""
    values = running.values
    date = formatdate(formatted - ago) if (formatted := _now()) else ""
    auth = DuoAuth(values["host"], values["integration_key"], values["secret_key"], now=lambda: date)
    answer = requests.request(
        method, running.endpoint + path, auth=auth, timeout=30, verify=running.ca_bundle, **request
    )
    assert answer.headers["Content-Type"] == "application/json"
    return answer.status_code, answer.json().get("code")


def _now() -> float:
    import time

    return time.time()


@pytest.mark.parametrize(
    ("method", "path", "request_", "code"),
    [
        ("GET", "/auth/v2/nothing", {}, 40401),
        ("GET", "/auth/v2/check/", {}, 40401),
        ("POST", "/auth/v2/check", {}, 40501),
        ("DELETE", "/auth/v2/auth", {}, 40501),
        ("POST", "/auth/v2/preauth", {"json": {}}, 40001),
        ("POST", "/auth/v2/preauth", {"json": {"username": "a", "user_id": "b"}}, 40002),
        ("POST", "/auth/v2/preauth", {"json": {"username": ["a"]}}, 40002),
        ("POST", "/auth/v2/preauth", {"json": ["username"]}, 40002),
        ("POST", "/auth/v2/preauth", {"data": b"{", "headers": {"Content-Type": "application/json"}}, 40002),
        ("POST", "/auth/v2/preauth", {"data": b"<a/>", "headers": {"Content-Type": "text/xml"}}, 40002),
        ("POST", "/auth/v2/auth", {"json": {"username": "mfagate-user"}}, 40001),
        ("POST", "/auth/v2/auth", {"json": {"username": "mfagate-user", "factor": "carrier pigeon"}}, 40002),
        ("POST", "/auth/v2/auth", {"json": {"username": "mfagate-user", "factor": "passcode"}}, 40001),
        ("POST", "/auth/v2/auth", {"json": {"username": "mfagate-user", "factor": "push"}}, 40001),
        ("POST", "/auth/v2/auth", {"json": {"username": "mfagate-user", "factor": "push", "device": "DP"}}, 40002),
        ("POST", "/auth/v2/auth", {"json": {"username": "nobody", "factor": "passcode", "passcode": "1"}}, 40002),
        ("GET", "/auth/v2/auth_status", {}, 40001),
        ("GET", "/auth/v2/auth_status?txid=1", {}, 40002),
    ],
)
def test_bad_requests(running: Running, method: str, path: str, request_: dict[str, Any], code: int) -> None:
    assert ask(running, method, path, **request_) == (code // 100, code)


@pytest.mark.parametrize(("ago", "expected"), [(200, 200), (-200, 200), (400, 401), (-400, 401)])
def test_an_old_signature_is_refused(running: Running, ago: float, expected: int) -> None:
    status, code = ask(running, "GET", "/auth/v2/check", ago=ago)
    assert (status, code) == (expected, 40105 if expected == 401 else None)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, 40101),
        ({"Authorization": "Bearer x"}, 40101),
        ({"Authorization": "Basic !!!"}, 40101),
        ({"Authorization": "Basic RElYOjAw"}, 40102),
    ],
)
def test_damaged_credentials(running: Running, headers: dict[str, str], code: int) -> None:
    answer = requests.get(f"{running.endpoint}/auth/v2/check", headers=headers, timeout=30, verify=running.ca_bundle)
    assert (answer.status_code, answer.json()["code"]) == (401, code)


def test_a_date_that_is_missing(running: Running) -> None:
    auth = (running.values["integration_key"], "00")
    answer = requests.get(f"{running.endpoint}/auth/v2/check", auth=auth, timeout=30, verify=running.ca_bundle)
    assert answer.json() == {"code": 40104, "message": "Missing request timestamp", "stat": "FAIL"}


def test_ten_wrong_passcodes_lock_a_user(running: Running) -> None:
    login = {"username": "mfagate-user", "factor": "passcode", "passcode": "0"}
    for _ in range(10):
        assert ask(running, "POST", "/auth/v2/auth", json=login) == (200, None)
    values = running.values
    auth = DuoAuth(values["host"], values["integration_key"], values["secret_key"])
    answer = requests.post(
        f"{running.endpoint}/auth/v2/preauth",
        json={"username": "mfagate-user"},
        auth=auth,
        timeout=30,
        verify=running.ca_bundle,
    )
    assert answer.json()["response"]["result"] == "deny"


def test_plain_http_is_spoken_on_the_same_port(running: Running) -> None:
    plain = running.endpoint.replace("https:", "http:")
    assert requests.get(f"{plain}/auth/v2/ping", timeout=30).json()["stat"] == "OK"
