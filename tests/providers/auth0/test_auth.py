"""What is signed, and what is left alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests
from pydantic import SecretStr

from mfagate.core.exchange import Exchange, Headers, Request, Response
from mfagate.providers.auth0.provider import PROVIDER
from mfagate.providers.auth0.settings import Auth0Settings
from mfagate.providers.oauth import TokenRefused, Tokens

HOST = "https://acme.eu.auth0.com"
SETTINGS = Auth0Settings(
    domain="acme.eu.auth0.com", client_id="Kx3Vq0ZpT7mB1cWn9Yd5RhG2sLf8JuAe", client_secret=SecretStr("s" * 64)
)
STATIC = SETTINGS.model_copy(update={"management_token": SecretStr("e.e.e")})
CLIENT = {"client_id": SETTINGS.client_id, "client_secret": "s" * 64}
MFA_TOKEN = {"Authorization": "Bearer Fe26.2*login"}


def content(request: requests.PreparedRequest) -> str:
    body = request.body or b""
    return body if isinstance(body, str) else bytes(body).decode()


class TokenEndpoint:
    """Remembers the requests for tokens."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.asked: list[requests.PreparedRequest] = []

    def __call__(self, request: requests.PreparedRequest) -> Exchange:
        self.asked.append(request)
        body = json.dumps({"access_token": f"token-{len(self.asked)}", "token_type": "Bearer", "expires_in": 86400})
        headers = Headers((("Content-Type", "application/json"),))
        answer = Response(self.status, headers=headers, body=body.encode())
        return Exchange(Request("POST", str(request.url)), datetime.now(UTC), answer)


def signed(
    method: str, path: str, endpoint: TokenEndpoint, settings: Auth0Settings = SETTINGS, **request: Any
) -> requests.PreparedRequest:
    auth = PROVIDER.api.auth(settings, Tokens(endpoint))
    return requests.Request(method, HOST + path, auth=auth, **request).prepare()


@pytest.fixture
def endpoint() -> TokenEndpoint:
    return TokenEndpoint()


def test_a_form_and_json_get_the_client(endpoint: TokenEndpoint) -> None:
    form = signed("POST", "/oauth/token", endpoint, data={"grant_type": "password", "client_secret": "replaced"})
    assert dict(parse_qsl(content(form))) == {"grant_type": "password", **CLIENT}
    body = signed("POST", "/mfa/challenge", endpoint, json={"mfa_token": "x"})
    assert json.loads(content(body)) == {"mfa_token": "x", **CLIENT}
    assert "Authorization" not in form.headers
    assert "Authorization" not in body.headers
    assert endpoint.asked == []


@pytest.mark.parametrize("settings", [SETTINGS, STATIC])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/mfa/authenticators"), ("POST", "/mfa/associate"), ("DELETE", "/mfa/authenticators/push%7Cdev_1")],
)
def test_the_token_of_a_login_stays(endpoint: TokenEndpoint, settings: Auth0Settings, method: str, path: str) -> None:
    request = signed(method, path, endpoint, settings, headers=MFA_TOKEN, json={"a": 1} if method == "POST" else None)
    assert request.headers["Authorization"] == MFA_TOKEN["Authorization"]
    assert request.body is None or json.loads(content(request)) == {"a": 1, **CLIENT}
    assert endpoint.asked == []


def test_the_management_api_gets_a_token_that_is_fetched_once(endpoint: TokenEndpoint) -> None:
    auth = PROVIDER.api.auth(SETTINGS, Tokens(endpoint))
    for _ in range(3):
        request = requests.Request("GET", f"{HOST}/api/v2/users/x", auth=auth, headers=MFA_TOKEN).prepare()
        assert request.headers["Authorization"] == "Bearer token-1"
    (asked,) = endpoint.asked
    assert asked.url == f"{HOST}/oauth/token"
    fields = {"grant_type": "client_credentials", "audience": f"{HOST}/api/v2/", **CLIENT}
    assert dict(parse_qsl(content(asked))) == fields


def test_tokens_of_different_audiences_are_kept_apart(endpoint: TokenEndpoint) -> None:
    tokens = Tokens(endpoint)
    other = SETTINGS.model_copy(update={"audience": "https://other.eu.auth0.com/api/v2/"})
    for settings in (SETTINGS, other, SETTINGS):
        requests.Request("GET", f"{HOST}/api/v2/x", auth=PROVIDER.api.auth(settings, tokens)).prepare()
    assert len(endpoint.asked) == 2


def test_a_static_token_is_used_as_it_is(endpoint: TokenEndpoint) -> None:
    assert signed("GET", "/api/v2/x", endpoint, STATIC).headers["Authorization"] == "Bearer e.e.e"
    assert endpoint.asked == []


def test_a_missing_secret_is_not_sent(endpoint: TokenEndpoint) -> None:
    without = SETTINGS.model_copy(update={"client_secret": None})
    form = signed("POST", "/oauth/token", endpoint, without, data={"grant_type": "x", "client_secret": "y"})
    assert "secret" not in content(form)


def test_a_refused_token_is_reported() -> None:
    with pytest.raises(TokenRefused) as raised:
        signed("GET", "/api/v2/x", TokenEndpoint(401))
    assert "s" * 64 not in repr(raised.value)
