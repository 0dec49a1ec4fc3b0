"""The official SDKs, unmodified, meet the faults of the providers and know them for what they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from mfagate.sandbox import Running
from mfagate.sandbox import registry as sandboxes

from ..support import okta

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDKs


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    """A sandbox that can be broken."""
    sandbox = sandboxes.get(request.param)
    with sandbox.start(faults=[]) as running:
        yield running


@contextmanager
def broken(running: Running, fault: str) -> Iterator[None]:
    running.change_faults([fault])
    try:
        yield
    finally:
        running.change_faults([])


def of(provider: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("running", [provider], indirect=True)


@of("duo")
@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("credential-revoked", 401, 40102),
        ("rotated", 401, 40103),
        ("auth-down", 401, 40103),
        ("signature-clock", 401, 40105),
    ],
)
def test_duo(running: Running, fault: str, status: int, code: int) -> None:
    from duo_client import Auth

    client = Auth(
        ikey=running.values["integration_key"],
        skey=running.values["secret_key"],
        host="localhost",
        port=urlsplit(running.endpoint).port,
        ca_certs=running.ca_bundle,
    )
    assert client.check()["time"]
    with broken(running, fault), pytest.raises(RuntimeError) as raised:
        assert client.ping()["time"]
        client.check()
    error: Any = raised.value
    assert (error.status, error.data["code"]) == (status, code)
    assert client.check()["time"]


@of("duo")
def test_duos_client_waits_and_asks_again(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """It knows 429 for a limit, and backs off by itself."""
    from duo_client import Auth

    waits: list[float] = []
    monkeypatch.setattr("duo_client.client.sleep", waits.append, raising=True)
    client = Auth(
        ikey=running.values["integration_key"],
        skey=running.values["secret_key"],
        host="localhost",
        port=urlsplit(running.endpoint).port,
        ca_certs=running.ca_bundle,
    )
    with broken(running, "rate-limited,times=2"):
        assert client.check()["time"]
    assert len(waits) == 2


@of("twilio")
@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("credential-revoked", 401, 20003),
        ("rotated", 401, 20003),
        ("credential-demoted", 401, 70051),
        ("account-suspended", 403, 20403),
        ("resource-deleted", 404, 20404),
        ("wrong-region", 401, 20003),
        ("auth-down", 401, 20003),
        ("rate-limited", 429, 20429),
    ],
)
def test_twilio(running: Running, monkeypatch: pytest.MonkeyPatch, fault: str, status: int, code: int) -> None:
    from twilio.base.exceptions import TwilioRestException
    from twilio.rest import Client

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(running.ca_bundle))
    values = running.values
    client = Client(values["api_key_sid"], values["api_key_secret"], values["account_sid"], region=None, edge=None)
    client.verify.base_url = running.endpoint
    service = client.verify.v2.services(values["service_sid"])
    assert service.fetch().sid == values["service_sid"]
    with broken(running, fault), pytest.raises(TwilioRestException) as raised:
        service.fetch()
    assert (raised.value.status, raised.value.code) == (status, code)
    assert service.fetch().sid == values["service_sid"]


@of("okta")
@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("credential-revoked", 401, "E0000011"),
        ("credential-expired", 401, "E0000011"),
        ("rotated", 401, "E0000011"),
        ("credential-demoted", 403, "E0000006"),
        ("auth-down", 401, "E0000011"),
    ],
)
def test_okta(running: Running, fault: str, status: int, code: str) -> None:
    def list_users() -> Any:
        return okta.run(running, lambda client: client.list_users(), token=running.values["api_token"])

    with broken(running, fault):
        _, _, error = list_users()
    assert (error.status, error.error_code) == (status, code)
    assert list_users()[2] is None


@of("auth0")
@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("credential-revoked", 401, "access_denied"),
        ("rotated", 401, "access_denied"),
        ("resource-deleted", 403, "access_denied"),
        ("feature-off", 403, "unauthorized_client"),
        ("auth-down", 401, "access_denied"),
        ("rate-limited:60", 429, "too_many_requests"),
    ],
)
def test_auth0(running: Running, monkeypatch: pytest.MonkeyPatch, fault: str, status: int, code: str) -> None:
    from auth0.authentication import GetToken
    from auth0.authentication.exceptions import Auth0Error, RateLimitError

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(running.ca_bundle))
    values = running.values
    domain = f"localhost:{urlsplit(running.endpoint).port}"
    sdk = GetToken(domain, values["client_id"], client_secret=values["client_secret"])
    assert sdk.client_credentials(values["audience"])["access_token"]
    with broken(running, fault), pytest.raises(Auth0Error) as raised:
        sdk.client_credentials(values["audience"])
    assert (raised.value.status_code, raised.value.error_code) == (status, code)
    assert isinstance(raised.value, RateLimitError) == (status == 429)
    assert sdk.client_credentials(values["audience"])["access_token"]


@of("entra")
@pytest.mark.parametrize(
    ("fault", "error", "number"),
    [
        ("credential-revoked", "invalid_client", 7000215),
        ("credential-expired", "invalid_client", 7000222),
        ("rotated", "invalid_client", 7000215),
        ("application-disabled", "unauthorized_client", 7000112),
        ("resource-deleted", "unauthorized_client", 700016),
        ("auth-down", "invalid_client", 7000215),
        ("network-restricted", "access_denied", 53003),
    ],
)
def test_entra(running: Running, fault: str, error: str, number: int) -> None:
    import msal

    session = requests.Session()
    session.verify, session.trust_env = running.ca_bundle, False
    application = msal.ConfidentialClientApplication(
        running.values["client_id"],
        client_credential=running.values["client_secret"],
        authority=f"{running.endpoint}/{running.values['tenant_id']}",
        instance_discovery=False,
        http_client=session,
    )
    with broken(running, fault):
        answer = application.acquire_token_for_client(["https://graph.microsoft.com/.default"])
    assert (answer["error"], answer["error_codes"]) == (error, [number])
