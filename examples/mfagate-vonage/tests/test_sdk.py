"""The referee of the emulator: Vonage's own client, unmodified."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from mfagate_vonage.sandbox import SANDBOX
from vonage import Auth, HttpClientOptions, Vonage
from vonage_http_client.errors import AuthenticationError, ForbiddenError, HttpRequestError, NotFoundError
from vonage_verify import SmsChannel, VerifyRequest

from mfagate.sandbox import Running

REQUEST = VerifyRequest(brand="mfagate", workflow=[SmsChannel(to="447700900000")])


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with SANDBOX.start() as running:
        yield running


@pytest.fixture(autouse=True)
def trusted(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(running.ca_bundle))


def client(running: Running, *names: str, **changed: str) -> Vonage:
    credentials: dict[str, Any] = {name: running.values[name] for name in names} | changed
    host = urlsplit(running.endpoint).netloc
    return Vonage(Auth(**credentials), HttpClientOptions(api_host=host, max_retries=0))


@pytest.mark.parametrize("names", [("api_key", "api_secret"), ("application_id", "private_key")])
def test_login_with_a_code(running: Running, names: tuple[str, ...]) -> None:
    verify = client(running, *names).verify
    started = verify.start_verification(REQUEST)
    with pytest.raises(HttpRequestError, match="does not match"):
        verify.check_code(started.request_id, "0000")
    assert verify.check_code(started.request_id, running.values["code"]).status == "completed"
    with pytest.raises(NotFoundError):
        verify.check_code(started.request_id, running.values["code"])


def test_cancelled(running: Running) -> None:
    verify = client(running, "api_key", "api_secret").verify
    started = verify.start_verification(REQUEST)
    with pytest.raises(HttpRequestError, match="Concurrent"):
        verify.start_verification(REQUEST)
    verify.cancel_verification(started.request_id)
    with pytest.raises(NotFoundError):
        verify.cancel_verification(started.request_id)


def test_secrets_are_listed(running: Running) -> None:
    (one,) = client(running, "api_key", "api_secret").account.list_secrets()
    assert one.id


@pytest.mark.parametrize(
    ("names", "changed"),
    [
        (("api_key",), {"api_secret": "Aa0Bb1Cc2Dd3"}),
        (("api_secret",), {"api_key": "0123abcd"}),
        (("private_key",), {"application_id": "00000000-0000-0000-0000-000000000001"}),
    ],
)
def test_refused(running: Running, names: tuple[str, ...], changed: dict[str, str]) -> None:
    with pytest.raises(AuthenticationError):
        client(running, *names, **changed).verify.start_verification(REQUEST)


def test_forbidden(running: Running) -> None:
    keys = {name: running.values[f"forbidden_{name}"] for name in ("api_key", "api_secret")}
    with pytest.raises(ForbiddenError):
        client(running, **keys).verify.start_verification(REQUEST)
