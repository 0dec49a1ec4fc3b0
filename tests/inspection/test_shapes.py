"""Shapes of URLs and tokens: every slip has its own reason, which never quotes the value."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.config.jwt import Jwt, expiry
from mfagate.config.shapes import BaseUrl, Pattern, is_loopback
from mfagate.core.origins import Origins

CANARY = "c4n4ry"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mfa.example.com", "no scheme"),
        ("https:/mfa.example.com", "no scheme"),
        ("htps://mfa.example.com", "scheme is htps, not https"),
        ("https://", "no host"),
        ("https:///validate", "no host"),
        ("https://mfa.example.com:", "port is not a number"),
        ("https://mfa.example.com:0", "port is not a number"),
        ("https://mfa.example.com:https", "port is not a number"),
        ("https://mfa.example.com:65536", "port is not a number"),
        (f"https://{CANARY}@mfa.example.com", "user name or password"),
        (f"https://admin:{CANARY}@mfa.example.com:99999", "port is not a number"),
        (f"https://admin:{CANARY}@mf℀.example.com", "host is not a host name"),
        (f"https://admin:{CANARY}@[mfa]", "host is not a host name"),
        (f"https://mfa.example.com?key={CANARY}", "query or fragment"),
        ("https://mfa.example.com?", "query or fragment"),
        ("https://mfa.example.com/#/", "query or fragment"),
        ("https://mfa.example.com/a b", "character that is not allowed in a URL"),
        ("https://mfa.example.com\\validate", "character that is not allowed in a URL"),
        ("https://mfa.example.com/\x07", "character that is not allowed in a URL"),
        ("https://<host>", "character that is not allowed in a URL"),
        ("https://mfá.example.com", "outside ASCII"),
        ("https://mf\u0430.example.com", "outside ASCII"),
        ("https://mfa..example.com", "host is not a host name"),
        ("https://-mfa.example.com", "host is not a host name"),
        (f"https://{'a' * 64}.example.com", "host is not a host name"),
        (f"https://{'abc.' * 70}com", "host is not a host name"),
        ("https://10.0.0.256", "host is not a host name"),
        ("https://10.0.0", "host is not a host name"),
        ("https://[::g]", "host is not a host name"),
        ("https://[fe80::1%25eth0]", "host is not a host name"),
        ("https://[fe80::1%eth0]:8443", "host is not a host name"),
        ("http://[::1%25lo]", "host is not a host name"),
        ("https://[v1.abc]", "host is not a host name"),
        ("https://https://mfa.example.com", "port is not a number"),
        ("https://mfa.example.com//validate", "two slashes in its path"),
        ("https://mfa.example.com/", "ends in a slash"),
        ("https://mfa.example.com/validate/check", "ends in /validate/check, which the API adds"),
        ("https://mfa.example.com/validate/check/", "which the API adds"),
    ],
)
def test_a_url_slip_has_its_reason(url: str, reason: str) -> None:
    misfit = BaseUrl(api_paths=("/validate/check",)).misfit(url)
    assert misfit is not None
    assert reason in misfit.reason
    assert CANARY not in misfit.reason


labels = st.from_regex(r"[a-z0-9_]([a-z0-9_-]{0,20}[a-z0-9_])?", fullmatch=True)
hosts = (
    st.lists(labels, max_size=3).map(lambda parts: ".".join([*parts, "corp"]))
    | st.ip_addresses(v=4).map(str)
    | st.ip_addresses(v=6).map(lambda address: f"[{address}]")
)
ports = st.just("") | st.integers(1, 65535).map(lambda port: f":{port}")
prefixes = st.lists(labels, max_size=3).map(lambda parts: "".join(f"/{part}" for part in parts))


@given(host=hosts, port=ports, prefix=prefixes)
def test_a_right_url_fits(host: str, port: str, prefix: str) -> None:
    assert BaseUrl().misfit(f"https://{host}{port}{prefix}") is None


PIECES = st.sampled_from(
    [*"@:/?#[]%.\\ ", "//", "::1", "fe80::1", "%25eth0", "v1.abc", "127.0.0.1", "0x7f", "example", "a_b", "xn--a",
     "443", "00443", "é", "\uff0f", "\u3002", "localhost"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=8).map("".join))
def test_a_url_that_fits_has_an_origin(text: str) -> None:
    """Else each request to it would be refused, and the contract blamed."""
    url = f"https://{text}"
    if BaseUrl().misfit(url) is None:
        assert len(Origins.of([url]).own) == 1


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://localhost:5000", True),
        ("http://LOCALHOST", True),
        ("http://a.localhost", False),
        ("http://127.0.0.1", True),
        ("http://127.9.9.9:1", True),
        ("http://[::1]", True),
        ("http://127.evil.example.com", False),
        ("http://localhost.example.com", False),
        ("http://10.0.0.1", False),
        ("http://[::1", False),
        ("http://[::1%25eth0]", False),
    ],
)
def test_loopback_is_this_machine_only(url: str, loopback: bool) -> None:
    assert is_loopback(url) is loopback


def part(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def token(alg: str, signature: bytes, claims: Any = None) -> str:
    encoded = base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
    return f"{part({'alg': alg, 'typ': 'JWT'})}.{part(claims or {'role': 'admin'})}.{encoded}"


ALGORITHMS = {
    "HS256": 32, "HS384": 48, "HS512": 64, "ES256": 64, "ES384": 96, "ES512": 132,
    "RS256": 256, "RS384": 384, "PS512": 512, "EdDSA": 64,
}  # fmt: skip


@pytest.mark.parametrize(("alg", "length"), ALGORITHMS.items())
@given(data=st.data())
def test_a_whole_token_fits_and_a_cut_one_does_not(alg: str, length: int, data: st.DataObject) -> None:
    whole = token(alg, data.draw(st.binary(min_size=length, max_size=length)), {"sub": data.draw(st.text(max_size=20))})
    assert Jwt().misfit(whole) is None
    if alg != "EdDSA":  # its signature has two lengths
        assert Jwt().misfit(whole[:-1]) is not None
        assert Jwt().misfit(whole + "A") is not None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "1 part between dots instead of 3"),
        ("a.b", "2 parts between dots"),
        ("a.b.c.d.e", "5 parts between dots"),
        (token("HS256", b"x" * 32)[3:], "first part is not a token header"),
        (f"{part({'typ': 'JWT'})}.{part({})}.c", "first part is not a token header"),
        (token("HS256", b"x" * 32).replace(".", ".x", 1), "second part is not readable"),
        (token("HS256", b"\xff" * 32).replace("_", "/"), "characters that base64url does not have"),
        (token("HS256", b"x" * 31), "42 characters instead of 43 (truncated)"),
        (token("HS256", b"x" * 33), "44 characters instead of 43 (something was appended)"),
        (token("RS256", b"x" * 255), "255 bytes, which no RSA key makes"),
        (token("HS256", b"x" * 32, [1]), "second part is not readable"),
    ],
)
def test_a_token_slip_has_its_reason(value: str, reason: str) -> None:
    misfit = Jwt().misfit(value)
    assert misfit is not None
    assert reason in misfit.reason


@pytest.mark.parametrize("exp", ["soon", True, None, 1e400, -1e400, 10**4000, 10**15, [1]])
def test_an_odd_expiry_is_none(exp: Any) -> None:
    assert expiry(token("HS256", b"x" * 32, {"exp": exp})) is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("ABC", "3 characters instead of 4 (truncated)"),
        ("ABCDE", "5 characters instead of 4 (too long)"),
        ("abcd", "it is not"),
    ],
)
def test_a_pattern_slip_has_its_reason(value: str, reason: str) -> None:
    misfit = Pattern(r"[A-Z]{4}", "four capitals", 4).misfit(value)
    assert misfit is not None
    assert reason in misfit.reason
