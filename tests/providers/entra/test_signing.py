"""What is signed, with what, and what is left alone."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import SecretStr

from mfagate.core.exchange import Exchange, Headers, Request, Response
from mfagate.core.origins import UnsafeRequest
from mfagate.providers.entra.auth import device_code_path
from mfagate.providers.entra.clouds import CLOUDS
from mfagate.providers.entra.provider import PROVIDER
from mfagate.providers.entra.settings import EntraSettings, token_path
from mfagate.providers.made_up import new_private_key
from mfagate.providers.oauth import Tokens

SECRET = "s~cr+t/&=with every character"
SETTINGS = EntraSettings(
    tenant_id="3f2504e0-4f89-41d3-9a0c-0305e82c3301",
    client_id="7c9e6679-7425-40de-944b-e07fc1f90ae7",
    client_secret=SecretStr(SECRET),
)
KEY = new_private_key()
METHODS = "/v1.0/users/nobody/authentication/methods"


class Server:
    """Answers every request for a token with one."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, list[str]]]] = []

    def __call__(self, request: requests.PreparedRequest) -> Exchange:
        self.asked.append((str(request.url), form_of(request)))
        body = {"token_type": "Bearer", "expires_in": 3599, "access_token": f"token-{len(self.asked)}"}
        response = Response(
            200, headers=Headers((("Content-Type", "application/json"),)), body=json.dumps(body).encode()
        )
        return Exchange(Request("POST", str(request.url)), datetime.now(UTC), response)


def form_of(request: requests.PreparedRequest) -> dict[str, list[str]]:
    body = request.body or b""
    return parse_qs(body.decode() if isinstance(body, bytes) else str(body))


def signed(settings: EntraSettings, method: str, path: str, tokens: Tokens | None = None, **more: Any) -> Any:
    auth = PROVIDER.api.auth(settings, tokens or Tokens(Server()))
    url = path if "://" in path else PROVIDER.api.url(settings, path)
    return requests.Request(method, url, auth=auth, **more).prepare()


def by_certificate(thumbprint: str) -> EntraSettings:
    changed = {"client_secret": None, "private_key": SecretStr(KEY), "certificate_thumbprint": thumbprint}
    return SETTINGS.model_copy(update=changed)


def test_the_secret_goes_into_the_form_of_the_token_endpoint() -> None:
    form = {"grant_type": "client_credentials", "client_id": "another", "client_secret": "another"}
    request = signed(SETTINGS, "POST", token_path(SETTINGS), data=form)
    assert form_of(request) == {
        "grant_type": ["client_credentials"],
        "client_id": [SETTINGS.client_id],
        "client_secret": [SECRET],
    }
    assert "Authorization" not in request.headers


def test_graph_gets_a_token_that_is_asked_for_once() -> None:
    server = Server()
    tokens = Tokens(server)
    sent = [signed(SETTINGS, "GET", METHODS, tokens).headers["Authorization"] for _ in range(2)]
    assert sent == ["Bearer token-1", "Bearer token-1"]
    ((url, form),) = server.asked
    assert url == f"https://login.microsoftonline.com/{SETTINGS.tenant_id}/oauth2/v2.0/token"
    assert form["scope"] == ["https://graph.microsoft.com/.default"]


def test_another_credential_gets_another_token() -> None:
    tokens = Tokens(Server())
    other = SETTINGS.model_copy(update={"client_secret": SecretStr("another secret of it")})
    sent = {signed(settings, "GET", METHODS, tokens).headers["Authorization"] for settings in (SETTINGS, other)}
    assert sent == {"Bearer token-1", "Bearer token-2"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", device_code_path(SETTINGS)),
        ("GET", f"/{SETTINGS.tenant_id}/v2.0/.well-known/openid-configuration"),
        ("POST", "/another-tenant/oauth2/v2.0/token"),
        ("GET", "https://login.microsoftonline.us/x/v2.0/.well-known/openid-configuration"),
    ],
)
def test_nothing_else_is_signed(method: str, path: str) -> None:
    """Least of all another host gets the token."""
    server = Server()
    request = signed(SETTINGS, method, path, Tokens(server), data={"client_id": "c"} if method == "POST" else None)
    assert server.asked == []
    assert "Authorization" not in request.headers
    assert "client_secret" not in form_of(request)


def test_another_host_is_refused_before_anything_is_signed() -> None:
    server = Server()
    with pytest.raises(UnsafeRequest):
        signed(SETTINGS, "GET", f"https://elsewhere.example.com{METHODS}", Tokens(server))
    assert server.asked == []


def test_without_a_credential_what_the_contract_says_is_sent() -> None:
    bare = SETTINGS.model_copy(update={"client_secret": None})
    request = signed(bare, "GET", METHODS, headers={"Authorization": "Bearer no-token"})
    assert request.headers["Authorization"] == "Bearer no-token"
    form = {"grant_type": "client_credentials", "client_secret": "of the example"}
    assert "client_secret" not in form_of(signed(bare, "POST", token_path(bare), data=form))


@pytest.mark.parametrize(
    ("thumbprint", "algorithm", "header"),
    [("0a" * 20, "RS256", "x5t"), ("0A" * 32, "PS256", "x5t#S256")],
    ids=["SHA-1", "SHA-256"],
)
def test_the_assertion(thumbprint: str, algorithm: str, header: str) -> None:
    """https://learn.microsoft.com/entra/identity-platform/certificate-credentials."""
    settings = by_certificate(thumbprint)
    form = form_of(signed(settings, "POST", token_path(settings), data={"client_secret": "of the example"}))
    assert "client_secret" not in form
    assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
    (made,) = form["client_assertion"]
    endpoint = f"https://login.microsoftonline.com{token_path(settings)}"
    public: Any = load_pem_private_key(KEY.encode(), None).public_key()
    held = jwt.decode(made, public, algorithms=[algorithm], audience=endpoint)
    assert held["iss"] == held["sub"] == settings.client_id
    assert held["nbf"] <= time.time() + 1
    assert 0 < held["exp"] - time.time() <= 600
    named = jwt.get_unverified_header(made)
    assert named["alg"] == algorithm
    assert base64.urlsafe_b64decode(named[header] + "==").hex() == thumbprint.lower()


def test_no_assertion_is_sent_twice() -> None:
    settings = by_certificate("0a" * 20)
    made = {
        form_of(signed(settings, "POST", token_path(settings), data={"a": "b"}))["client_assertion"][0] for _ in "ab"
    }
    assert len(made) == 2


@pytest.mark.parametrize("cloud", CLOUDS)
def test_each_cloud_has_hosts_and_a_scope_of_its_own(cloud: str) -> None:
    settings = SETTINGS.model_copy(update={"cloud": cloud})
    server = Server()
    request = signed(settings, "GET", METHODS, Tokens(server))
    ((url, form),) = server.asked
    graph = request.url.removeprefix("https://").partition("/")[0]
    assert url.startswith(f"https://{CLOUDS[cloud].login}/")
    assert form["scope"] == [f"https://{graph}/.default"]
    assert len({(one.login, one.graph) for one in CLOUDS.values()}) == len(CLOUDS)
