"""Duo's signatures, with vectors: one of Duo's documentation, the others computed with duo_client 5.7."""

from __future__ import annotations

import base64
import json
from typing import Any

import duo_client.client
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from mfagate.providers.duo.auth import DuoAuth
from mfagate.providers.duo.signature import canonical, sign

HOST = "api-XXXXXXXX.duosecurity.com"
IKEY = "DIWJ8X6AEYOR5OMC6TQ1"
SKEY = "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep"
DATE = "Tue, 21 Aug 2012 17:29:18 -0000"


def test_version_2_with_sha1() -> None:
    text = canonical(
        2,
        date=DATE,
        method="GET",
        host=HOST,
        path="/accounts/v1/account/list",
        parameters=[("username", "root"), ("realname", "First Last")],
    )
    assert text.splitlines()[-1] == "realname=First%20Last&username=root"
    assert sign(SKEY, text, "sha1") == "b4d86c783380edea0a06a5dc940e8097d596b3fa"


@pytest.mark.parametrize(
    ("method", "path", "body", "signature"),
    [
        (
            "GET",
            "/auth/v2/check",
            None,
            (
                "def3dd5beb009592aaa48072f086ab05547491e88c3afd99fa6177c0b697027e"
                "645df3a0580d41e9e62fbf503964079363491c744c4d574761f3cc9d3303ceda"
            ),
        ),
        (
            "POST",
            "/auth/v2/preauth",
            b'{"username":"bob"}',
            (
                "ff338da1b58434cee9173aeca9f2f396052c1623c4dbe4caeaac8a72714c67cc"
                "80a4e997b05a4d919627f086245d071086d73ffa42031dc812aa21f3f6ef1e28"
            ),
        ),
    ],
)
def test_version_5_over_a_whole_request(method: str, path: str, body: bytes | None, signature: str) -> None:
    """The signed address is the account's, though the request goes elsewhere."""
    headers = {"Content-Type": "application/json"} if body else {}
    auth = DuoAuth(HOST, IKEY, SKEY, now=lambda: DATE)
    request = requests.Request(method, f"http://127.0.0.1:8080{path}", data=body, headers=headers, auth=auth).prepare()
    encoded = base64.b64encode(f"{IKEY}:{signature}".encode()).decode()
    assert (request.headers["Authorization"], request.headers["Date"]) == (f"Basic {encoded}", DATE)
    assert request.body == body


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
PARAMETERS = st.dictionaries(TEXT.filter(bool), TEXT, max_size=4)


@given(parameters=PARAMETERS)
def test_parameters_are_those_of_the_official_client(parameters: dict[str, str]) -> None:
    theirs = duo_client.client.canonicalize(
        "POST", HOST, "/auth/v2/auth", duo_client.client.normalize_params(parameters), DATE, 2
    )
    ours = canonical(2, date=DATE, method="post", host=HOST, path="/auth/v2/auth", parameters=parameters.items())
    assert ours == theirs


@given(body=st.dictionaries(TEXT, TEXT, max_size=3), value=TEXT)
def test_bodies_and_headers_are_those_of_the_official_client(body: dict[str, str], value: str) -> None:
    content = json.dumps(body)
    headers = {"X-Duo-B": value, "x-duo-a": "1"}
    theirs = duo_client.client.canonicalize("POST", HOST, "/p", {}, DATE, 5, content, headers)
    seen: dict[str, Any] = {**headers, "Accept": "is not signed"}
    ours = canonical(5, date=DATE, method="POST", host=HOST, path="/p", body=content.encode(), headers=seen)
    assert ours == theirs


def test_nothing_but_two_headers_is_changed() -> None:
    request = requests.Request("POST", f"https://{HOST}/auth/v2/auth", data={"a": "b c", "z": "~"})
    plain, signed = request.prepare(), request.prepare()
    DuoAuth(HOST, IKEY, SKEY)(signed)
    assert (signed.url, signed.body) == (plain.url, plain.body)
    assert signed.headers.keys() - plain.headers.keys() == {"Authorization", "Date"}
