"""The providers' own SDKs, unmodified: those that have a session are wrapped, the others are called in a block."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import requests
from duo_client import Auth
from msal import ConfidentialClientApplication
from prometheus_client import CollectorRegistry
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from mfagate.monitor import Monitor, monitor
from mfagate.sandbox import registry as sandboxes

from .conftest import SECRET, Provider, problems_by_cause, requests_by_result

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDKs among themselves


def test_duo_client(registry: CollectorRegistry) -> None:
    watching = monitor("duo", registry=registry)
    sandbox = sandboxes.get("duo")
    with sandbox.start() as running:
        port, values = urlsplit(running.endpoint).port, running.values
        keys = {"host": "localhost", "port": port, "ca_certs": running.ca_bundle, "ikey": values["integration_key"]}
        good, bad = (Auth(skey=key, **keys) for key in (values["secret_key"], SECRET))
        with watching.call():
            good.check()
        with pytest.raises(RuntimeError), watching.call():
            bad.check()
    assert requests_by_result(registry) == {"ok": 1, "problem": 1}
    assert problems_by_cause(registry) == {"credential.rejected": 1}


def test_duo_client_before_a_page(provider: Provider, watching: Monitor, registry: CollectorRegistry) -> None:
    """Its exception has status 200, and nobody got in."""
    provider.says("/auth/v2/ping", 200, b"<html>Sign in to the guest network</html>", "text/html")
    client = Auth("DI", SECRET, "127.0.0.1")
    client._connect = lambda: http.client.HTTPConnection("127.0.0.1", urlsplit(provider.url).port)
    with pytest.raises(RuntimeError, match="Received bad response"), watching.call():
        client.ping()
    assert requests_by_result(registry) == {"unexplained": 1}


def test_twilio(registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TWILIO_REGION", "TWILIO_EDGE"):
        monkeypatch.delenv(name, raising=False)
    transport = TwilioHttpClient(timeout=10)
    monitor("twilio", registry=registry).wrap(transport.session)
    blocks = CollectorRegistry()
    sandbox = sandboxes.get("twilio")
    with sandbox.start() as running:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(running.ca_bundle))
        values = running.values

        def service(key: str, client: TwilioHttpClient) -> Any:
            made: Any = Client(values["api_key_sid"], key, values["account_sid"], http_client=client)
            made.verify.base_url = running.endpoint
            return made.verify.v2.services(values["service_sid"])

        service(values["api_key_secret"], transport).fetch()
        with pytest.raises(TwilioRestException):
            service(SECRET, transport).fetch()
        with pytest.raises(TwilioRestException):
            service(values["api_key_secret"], transport).verification_checks.create(to="+15005550006", code="123456")
        with pytest.raises(TwilioRestException), monitor("twilio", registry=blocks).call():
            service(SECRET, TwilioHttpClient()).fetch()
    assert requests_by_result(registry) == {"ok": 1, "problem": 1, "refused": 1}
    assert problems_by_cause(registry) == problems_by_cause(blocks) == {"credential.rejected": 1}


def test_msal(registry: CollectorRegistry) -> None:
    sandbox = sandboxes.get("entra")
    with sandbox.start() as running, monitor("entra", registry=registry).wrap(requests.Session()) as session:
        session.trust_env, session.verify = False, str(running.ca_bundle)
        authority = f"{running.endpoint}/{running.values['tenant_id']}"

        def token(secret: str) -> dict[str, Any]:
            application = ConfidentialClientApplication(
                running.values["client_id"], secret, authority, http_client=session, instance_discovery=False
            )
            answer: dict[str, Any] = application.acquire_token_for_client(["https://graph.microsoft.com/.default"])
            return answer

        assert token(running.values["client_secret"])["token_type"] == "Bearer"
        assert token(SECRET)["error"] == "invalid_client"
    assert problems_by_cause(registry) == {"credential.rejected": 1}
    assert requests_by_result(registry)["problem"] == 1


def by_requests(url: str) -> None:
    requests.get(url, timeout=5).raise_for_status()


def by_httpx(url: str) -> None:
    httpx.get(url).raise_for_status()


@pytest.mark.parametrize("ask", [by_requests, by_httpx])
def test_an_exception_that_holds_the_answer(
    provider: Provider, watching: Monitor, registry: CollectorRegistry, ask: Callable[[str], None]
) -> None:
    with watching.call():
        ask(f"{provider.url}/ok")
    with pytest.raises((requests.HTTPError, httpx.HTTPStatusError)), watching.call():
        ask(f"{provider.url}/refused")
    assert requests_by_result(registry) == {"ok": 1, "problem": 1}
    assert problems_by_cause(registry) == {"credential.rejected": 1}
