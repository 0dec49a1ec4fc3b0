"""Access tokens: fetched once, kept while they last, apart for each credential."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from mfagate.core.exchange import Exchange, Headers, Request, Response
from mfagate.core.origins import Origins, UnsafeRequest
from mfagate.providers.oauth import ClientCredentials, TokenRefused, Tokens, in_body, token_in

FORM, JSON = "application/x-www-form-urlencoded", "application/json"


def content(request: requests.PreparedRequest) -> bytes:
    return bytes(request.body, "utf-8") if isinstance(request.body, str) else request.body or b""


def form_of(request: requests.PreparedRequest) -> dict[str, str]:
    return dict(parse_qsl(content(request).decode(), keep_blank_values=True))


class Server:
    """A token endpoint that numbers its tokens."""

    def __init__(self, **answer: Any) -> None:
        self.answer = {"token_type": "Bearer", "expires_in": 3600} | answer
        self.status = 200
        self.asked: list[dict[str, str]] = []

    def __call__(self, request: requests.PreparedRequest) -> Exchange:
        self.asked.append(form_of(request))
        body = {"access_token": f"token-{len(self.asked)}"} | self.answer
        response = Response(self.status, headers=Headers((("Content-Type", JSON),)), body=json.dumps(body).encode())
        return Exchange(Request("POST", str(request.url)), datetime.now(UTC), response)


HOST = Origins.of(["https://host"])


def signer(tokens: Tokens, client: str = "c", **fields: str | None) -> ClientCredentials:
    return ClientCredentials(
        tokens.at(HOST),
        client,
        authenticated=lambda path: path == "/token",
        fields=lambda url: {"client_id": client, "client_secret": "s3cret", **fields},
        request=lambda: requests.Request("POST", "https://host/token", data={"grant_type": "client_credentials"}),
    )


def signed(auth: ClientCredentials, url: str = "https://host/api", **request: Any) -> requests.PreparedRequest:
    return requests.Request("POST", url, auth=auth, **request).prepare()


def test_a_token_is_fetched_once() -> None:
    server = Server()
    tokens = Tokens(server)
    with ThreadPoolExecutor(8) as pool:
        seen = {one.headers["Authorization"] for one in pool.map(lambda _: signed(signer(tokens)), range(40))}
    assert seen == {"Bearer token-1"}
    assert server.asked == [{"grant_type": "client_credentials", "client_id": "c", "client_secret": "s3cret"}]


def test_each_credential_has_its_own() -> None:
    tokens = Tokens(Server())
    assert signed(signer(tokens, "a")).headers["Authorization"] == "Bearer token-1"
    assert signed(signer(tokens, "b")).headers["Authorization"] == "Bearer token-2"
    assert signed(signer(tokens, "a")).headers["Authorization"] == "Bearer token-1"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    now = [1000.0]
    monkeypatch.setattr("mfagate.providers.oauth.time.monotonic", lambda: now[0])
    yield now


@pytest.mark.parametrize(("lifetime", "still_good", "given_up"), [(3600, 3539, 3541), (60, 29, 31)])
def test_a_token_is_given_up_before_its_end(
    clock: list[float], lifetime: int, still_good: float, given_up: float
) -> None:
    tokens = Tokens(Server(expires_in=lifetime))
    signed(signer(tokens))
    clock[0] = 1000 + still_good
    assert signed(signer(tokens)).headers["Authorization"] == "Bearer token-1"
    clock[0] = 1000 + given_up
    assert signed(signer(tokens)).headers["Authorization"] == "Bearer token-2"


@pytest.mark.parametrize("lifetime", [None, "3600", True, 0, -1])
def test_a_token_of_unknown_lifetime_is_used_once(lifetime: Any) -> None:
    tokens = Tokens(Server(expires_in=lifetime))
    assert [signed(signer(tokens)).headers["Authorization"] for _ in range(2)] == ["Bearer token-1", "Bearer token-2"]


def test_a_refusal_is_the_exchange_and_is_not_kept() -> None:
    server = Server()
    server.status = 401
    tokens = Tokens(server)
    with pytest.raises(TokenRefused) as raised:
        signed(signer(tokens))
    assert raised.value.exchange.response is not None
    assert raised.value.exchange.response.status == 401
    assert "token-1" not in str(raised.value)
    server.status = 200
    assert signed(signer(tokens)).headers["Authorization"] == "Bearer token-2"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"access_token":"t"}', b'{"access_token":5,"token_type":"Bearer"}',
             b'{"access_token":"t","token_type":"DPoP"}', b'{"access_token":"","token_type":"Bearer"}']
)  # fmt: skip
def test_what_is_no_token(body: bytes) -> None:
    assert token_in(Response(200, body=body)) is None


def test_each_token_is_learnt_to_be_kept_out_of_output() -> None:
    learnt: dict[str, str] = {}
    signed(signer(Tokens(Server(), lambda name, value: learnt.update({name: value}))))
    assert learnt == {"access token": "token-1"}


def test_the_token_request_itself_carries_the_authentication() -> None:
    tokens = Tokens(Server())
    form = {"client_id": "of the contract", "grant_type": "password", "client_secret": "x"}
    request = signed(signer(tokens), "https://host/token", data=form)
    assert form_of(request) == form | {"client_id": "c", "client_secret": "s3cret"}
    assert request.headers["Content-Length"] == str(len(content(request)))
    assert "Authorization" not in request.headers


def test_a_missing_secret_is_no_field() -> None:
    request = signed(signer(Tokens(Server()), client_secret=None), "https://host/token", data={"client_secret": "x"})
    assert form_of(request) == {"client_id": "c"}


@pytest.mark.parametrize("origins", [Origins(), Origins.of(["https://host:8443"]), Origins.of([], ["https://host"])])
def test_no_token_is_asked_for_elsewhere(origins: Origins) -> None:
    """The request for a token holds the client's secret: without a known origin it is not even made."""
    server = Server()
    made: list[str] = []

    def fields(url: str) -> dict[str, str]:
        made.append(url)
        return {"client_secret": "s3cret"}

    auth = ClientCredentials(
        Tokens(server).at(origins),
        "c",
        authenticated=lambda path: path == "/token",
        fields=fields,
        request=lambda: requests.Request("POST", "https://host/token", data={"grant_type": "client_credentials"}),
    )
    if origins.public:
        signed(auth)
        assert server.asked == [{"grant_type": "client_credentials"}]
    else:
        with pytest.raises(UnsafeRequest):
            signed(auth)
        assert server.asked == []
    assert made == []


NAMES = st.text("abcdef_", min_size=1, max_size=6)
VALUES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=10)


@given(body=st.dictionaries(NAMES, VALUES, min_size=1), fields=st.dictionaries(NAMES, st.none() | VALUES))
def test_only_the_fields_of_the_authentication_change(body: dict[str, str], fields: dict[str, str | None]) -> None:
    wanted = {name: value for name, value in {**body, **fields}.items() if value is not None}
    form = in_body(requests.Request("POST", "https://host/token", data=body).prepare(), fields)
    assert form_of(form) == wanted
    document = in_body(requests.Request("POST", "https://host/token", json=body).prepare(), fields)
    assert json.loads(content(document)) == wanted


@pytest.mark.parametrize(
    ("body", "kind"), [(b"{", JSON), (b"[1]", JSON), (b"<a/>", "text/xml"), (b"a=b", "text/plain")]
)
def test_other_bodies_are_left_alone(body: bytes, kind: str) -> None:
    request = requests.Request("POST", "https://host/token", data=body, headers={"Content-Type": kind}).prepare()
    assert in_body(request, {"client_secret": "s3cret"}).body == body


def test_a_token_that_is_refused_is_learnt_too() -> None:
    learnt: dict[str, str] = {}
    answer = Response(200, body=b'{"access_token":"of-another-kind","token_type":"DPoP"}')
    tokens = Tokens(lambda request: Exchange(Request("", ""), datetime.now(UTC), answer), learnt.__setitem__)
    with pytest.raises(TokenRefused):
        signed(signer(tokens))
    assert learnt == {"access token": "of-another-kind"}
