"""A recording keeps no secrets and no values that always change."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.cassettes.scrub import SCRUBBED, Scrubber, Scrubbing
from mfagate.core.exchange import Exchange, Headers, Request, Response
from mfagate.core.foreign import ForeignText

CANARY = "c4n4ry-s3cret"
RULES = Scrubbing(frozenset({"otpkey"}), {"time": 1.5, "transaction_id": "0"})
SECRET_NAMES = st.sampled_from(
    ["pass", "passcode", "Password", "client_secret", "clientSecret", "access_token", "Api-Key", "code", "otpkey"]
)
FORM = "application/x-www-form-urlencoded"


def exchange(
    url: str = "http://127.0.0.1:5000/validate/check",
    request: bytes = b"",
    request_headers: tuple[tuple[str, str], ...] = (),
    response: bytes = b"{}",
    response_headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),),
) -> Exchange:
    return Exchange(
        Request("POST", url, Headers(request_headers), request),
        datetime.now(UTC),
        Response(200, ForeignText("OK"), Headers(response_headers), response),
    )


def scrub(one: Exchange) -> tuple[Request, Response]:
    return Scrubber(RULES, "provider.invalid").scrub(one)


def everything(request: Request, response: Response) -> str:
    headers = [*request.headers.items_in_order, *response.headers.items_in_order]
    return f"{request.url}{headers}{request.body!r}{response.body!r}"


@given(name=SECRET_NAMES, depth=st.integers(0, 4), in_list=st.booleans())
def test_a_secret_field_is_blanked_at_any_depth(name: str, depth: int, in_list: bool) -> None:
    node: Any = {name: CANARY, "kept": "kept"}
    for _ in range(depth):
        node = {"nested": [node] if in_list else node}
    body = json.dumps(node).encode()
    request, response = scrub(
        exchange(request=body, request_headers=(("Content-Type", "application/json"),), response=body)
    )
    assert CANARY not in everything(request, response)
    assert b"kept" in response.body
    assert SCRUBBED.encode() in response.body


@given(name=SECRET_NAMES)
def test_a_secret_field_is_blanked_in_query_and_form(name: str) -> None:
    fields = urlencode({"user": "alice", name: CANARY})
    request, response = scrub(
        exchange(url=f"https://host/x?{fields}", request=fields.encode(), request_headers=(("Content-Type", FORM),))
    )
    assert CANARY not in everything(request, response)
    assert dict(parse_qsl(request.body.decode()))["user"] == "alice"
    assert "user=alice" in request.url


@pytest.mark.parametrize("header", ["Authorization", "Cookie", "X-Api-Key", "X-Anything"])
def test_headers_are_dropped_unless_known(header: str) -> None:
    headers = ((header, CANARY), ("Content-Type", "application/json"), ("Accept", "application/json"))
    request, response = scrub(exchange(request_headers=headers, response_headers=(*headers, ("Set-Cookie", CANARY))))
    assert CANARY not in everything(request, response)
    assert sorted(request.headers) == ["accept", "content-type"]
    assert sorted(response.headers) == ["content-type"]


@pytest.mark.parametrize(
    ("kept", "scrubbed"),
    [
        ({"otp": 123456}, {"otp": 0}),
        ({"pin": [1234, "1234", True, None, ""]}, {"pin": [0, SCRUBBED, True, None, ""]}),
        ({"secret": {"value": CANARY, "type": "hotp"}}, {"secret": {"value": SCRUBBED, "type": SCRUBBED}}),
        ({"error": {"code": 904}}, {"error": {"code": 904}}),
        ({"token": None, "pass": ""}, {"token": None, "pass": ""}),
        ({"value": "half \ud83d a pair"}, {"value": "half \ud83d a pair"}),
        ([CANARY], [CANARY]),
    ],
)
def test_a_secret_field_is_blanked_with_all_that_is_in_it(kept: Any, scrubbed: Any) -> None:
    _, response = scrub(exchange(response=json.dumps(kept).encode()))
    assert json.loads(response.body) == scrubbed


def test_a_form_is_known_however_its_type_is_written() -> None:
    headers = (("Content-Type", "Application/X-WWW-Form-Urlencoded; charset=UTF-8"),)
    request, _ = scrub(exchange(request=f"pass={CANARY}".encode(), request_headers=headers))
    assert request.body == f"pass={SCRUBBED}".encode()


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (f'{{"stateToken":"{CANARY}"}} trailing', f'{{"stateToken":"{SCRUBBED}"}} trailing'),
        (f'{{"a": 1}} {{"skey": "{CANARY}"}}', f'{{"a": 1}} {{"skey":"{SCRUBBED}"}}'),
        (f"user=a%20b&skey={CANARY}", f"user=a%20b&skey={SCRUBBED}"),
        ("a=%C3&b", "a=%C3&b"),
        ("Bearer 00c4n4ryS3cret00c4n4ryS3cret!", f"{SCRUBBED}!"),
    ],
)
def test_content_without_a_header_is_searched_as_well(body: str, kept: str) -> None:
    _, response = scrub(exchange(response=body.encode(), response_headers=(("Content-Type", "text/plain"),)))
    assert response.body.decode() == kept


def test_json_too_deep_to_be_searched_is_not_kept() -> None:
    with pytest.raises(ValueError, match="nested so deeply"):
        scrub(exchange(response=b'{"a":' * 100_000))


def test_the_host_of_the_request_is_not_kept() -> None:
    request, _ = scrub(exchange(url=f"https://user:{CANARY}@host:1/a/b#{CANARY}"))
    assert request.url == "https://provider.invalid/a/b"


def test_volatile_fields_are_the_same_each_time() -> None:
    bodies = [{"time": number, "detail": {"transaction_id": str(number)}, "error": {"code": 904}} for number in (1, 2)]
    kept = {scrub(exchange(response=json.dumps(body).encode()))[1].body for body in bodies}
    assert kept == {b'{"time":1.5,"detail":{"transaction_id":"0"},"error":{"code":904}}'}


@given(body=st.binary(max_size=60))
def test_a_body_of_another_kind_is_kept(body: bytes) -> None:
    _, response = scrub(exchange(response=body, response_headers=(("Content-Type", "text/html"),)))
    try:
        json.loads(body)
    except ValueError:
        assert response.body == body


def test_an_exchange_without_an_answer_cannot_be_kept() -> None:
    with pytest.raises(ValueError, match="without an answer"):
        scrub(Exchange(Request("GET", "https://host/"), datetime.now(UTC)))


def test_the_code_of_an_error_is_kept() -> None:
    body = {"error": {"code": "invalid_key", "message": "no"}, "code": CANARY}
    _, response = scrub(exchange(response=json.dumps(body).encode()))
    assert json.loads(response.body) == {"error": {"code": "invalid_key", "message": "no"}, "code": SCRUBBED}
