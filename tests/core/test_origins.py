"""A request goes to its own provider: no text, however odd, makes a path or a URL that leads elsewhere."""

from __future__ import annotations

import ast
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st
from urllib3.util import parse_url

import mfagate
from mfagate.core.origins import Origin, Origins, UnsafeRequest, path_fault
from mfagate.providers.api import ProviderApi
from mfagate.providers.oauth import Tokens
from mfagate.providers.signing import prepare
from mfagate.transport.endpoint import Endpoint

HOME = "https://api.example"
HOME_ORIGIN = ("https", "api.example", 443)

ELSEWHERE = [
    "https://evil.example/",
    "http://evil.example/",
    "@evil.example/",
    "x:y@evil.example/",
    ":80@evil.example/",
    ".evil.example/",
    ":8443/",
    "//evil.example/",
    "\\\\evil.example/",
    "/\\evil.example/",
    "/\t/evil.example/",
    "/../../evil",
    "/a/..",
    "/a/./b",
    "/a/%2e%2e/b",
    "/a/.%2E/b",
    "/a/%252e%252e/b",
    "/a/%25252e./b",
    "/a/..%2fb",
    "/a/..%5cb",
    "/a/..;/b",
    "/a/\uff0e\uff0e/b",
    "/a/%ef%bc%8e%ef%bc%8e/b",
    "/a/\u2025/b",
    "/a/\uff052e./b",
    "/a/%c0%ae%c0%ae/b",
    "/a//b",
    "/a%00b",
    "/a%0d%0aHost:%20evil",
    "/a%5cb",
    "/a%zz",
    "/a%",
    "/a?b",
    "/a#b",
    "/a b",
    "/a\u00a0b",
    "/a\u2028b",
    "/a\u202eb",
    "/a\ud800",
    "/a\r\nX: y",
    "",
    "a",
    "?a",
    "#a",
    "javascript:x",
    "/" + "a" * 8001,
]

TEXT = st.text() | st.lists(
    st.sampled_from(
        [*"/\\@:?#%.;[]&= \t\r\n\0", "//", "..", "%2e", "%2F", "%5C", "%00", "%40", "http:", "https://", "evil.example",
         "api.example", "127.0.0.1", "\uff0f", "\uff20", "\u2024", "\u3002", "\u00ad", "\u200b", "\u2100", "xn--", "a"]
    ),
    max_size=12,
).map("".join)  # fmt: skip


class Signed:
    """What a signer was asked to sign."""

    def __init__(self) -> None:
        self.urls: list[str] = []

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        self.urls.append(str(request.url))
        request.headers["Authorization"] = "Bearer s3cret"
        return request


class Home(ProviderApi[Any]):
    """The API of a provider with one host, and one that anybody may ask."""

    def __init__(self, signing: Any, base: str = HOME) -> None:
        self.signing = signing
        self.base = base

    def base_url(self, settings: Any) -> str:
        return self.base

    def public_hosts(self, settings: Any) -> list[str]:
        return ["https://public.example"]

    def signer(self, settings: Any, tokens: Tokens) -> Any:
        return self.signing


def prepared(url: str, signer: Any = None, base: str = HOME) -> requests.PreparedRequest:
    return prepare(Home(None, base), None, requests.Request("GET", url), signer or Signed())


def seen_by_curl(url: str) -> tuple[str, str, int]:
    """As http.client, which curl's and Java's readings of plain ASCII URLs agree with, takes host and port."""
    scheme, _, rest = url.partition("://")
    authority = rest.partition("/")[0].partition("?")[0]
    connection = HTTPConnection(authority, 443 if scheme == "https" and ":" not in authority else None)
    return scheme, connection.host, connection.port


def seen_by_browsers(url: str) -> tuple[str, str, int]:
    """As https://url.spec.whatwg.org reads it, where that differs: tabs are dropped, a backslash is a slash."""
    cleaned = url.translate({ord(sign): None for sign in "\t\r\n"}).strip("".join(map(chr, range(33))))
    scheme, _, rest = cleaned.replace("\\", "/").partition(":")
    authority = rest.lstrip("/").split("/")[0].split("?")[0].split("#")[0].rpartition("@")[2]
    host, _, port = authority.partition(":")
    return scheme.lower(), host.lower(), int(port or 443)


def origins(url: str) -> set[tuple[str, str, int]]:
    """The origin of a URL, as each of several parsers reads it."""
    split, other, own = urlsplit(url), parse_url(url), Endpoint.parse(url)
    return {
        (split.scheme, split.hostname or "", split.port or 443),
        (other.scheme or "", other.host or "", other.port or 443),
        (own.scheme, own.host, own.port),
        seen_by_curl(url),
        seen_by_browsers(url),
    }


@given(TEXT)
@example("/a;b")
@example("/%7C")
def test_a_path_is_refused_or_leads_home(path: str) -> None:
    signer = Signed()
    if path_fault(path) is not None:
        return
    url = str(prepared(path, signer).url)
    assert origins(url) == {HOME_ORIGIN}
    assert signer.urls == [url]
    assert urlsplit(url).path == urlsplit(requests.utils.requote_uri(HOME + path)).path, (
        "nobody makes another path of it"
    )


@given(TEXT, st.sampled_from(["", HOME, "https://", "http://", "https://api.example:443", "https://public.example"]))
def test_whatever_is_signed_goes_home(text: str, start: str) -> None:
    """Also absolute URLs, and what was not looked at by a loader."""
    signer = Signed()
    try:
        request = prepared(start + text, signer)
    except UnsafeRequest:
        assert signer.urls == []
        return
    seen = origins(str(request.url))
    if signer.urls:
        assert seen == {HOME_ORIGIN}
    else:
        assert seen == {("https", "public.example", 443)}
        assert "Authorization" not in request.headers


@given(TEXT)
def test_quoted_values_lead_home(text: str) -> None:
    """A value in the middle of a path, as generators and clients put it there."""
    path = f"/users/{quote(text, safe='', errors='replace')}/factors"
    if path_fault(path) is None:
        assert str(prepared(path).url).startswith(f"{HOME}/users/")


@pytest.mark.parametrize("path", ELSEWHERE)
def test_a_path_that_is_refused(path: str) -> None:
    assert path_fault(path) is not None
    signer = Signed()
    if "?" not in path:
        with pytest.raises(UnsafeRequest) as raised:
            prepared(path, signer)
        assert "evil" not in str(raised.value)
    assert signer.urls == []


@pytest.mark.parametrize(
    "path",
    ["/", "/a", "/a/", "/v2/Services", "/auth0%7C1/x", "/user%40example.com", "/a@b", "/a:b", "/.well-known/x", "/a..b",
     "/...", "/1.0.0/x", "/é", "/a%20b", "/a%2Fb", "/v2mst.Gl-_~$"],
)  # fmt: skip
def test_a_path_that_is_sent(path: str) -> None:
    assert path_fault(path) is None
    assert str(prepared(path).url).startswith(f"{HOME}/")


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example/",
        "https://api.example:80/",
        "https://api.example:8443/",
        "https://api.example./",
        "https://api.example.evil.example/",
        "https://evil.example/",
        "https://api.example@evil.example/",
        "https://api.example:80@evil.example/",
        "https://user:pw@api.example/",
        "https://api.example\\@evil.example/",
        "https://evil.example\\@api.example/",
        "https://evil.example#@api.example/",
        "https://api.example%2eevil.example/",
        "https://\u0430pi.example/",  # a Cyrillic letter
        "https://api。example.evil/",
        "https://[::1]/",
        "https://public.example:8443/",
        "http://public.example/",
        "https:///evil.example/",
        "https:/evil.example/",
        "https:evil.example/",
        "HTTPS://evil.example/",
        "ftp://api.example/",
        "file:///etc/passwd",
    ],
)
def test_another_origin_is_never_signed_for(url: str) -> None:
    signer = Signed()
    with pytest.raises(UnsafeRequest):
        prepared(url, signer)
    assert signer.urls == []


def test_nothing_else_prepares_a_request() -> None:
    """A request is signed when it is prepared: in one place, and for tokens in the one that uses the same check."""
    sources = Path(mfagate.__file__).parent
    preparing = {
        str(path.relative_to(sources))
        for path in sources.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr in ("prepare", "prepare_auth", "prepare_request") and not node.args
    }
    assert preparing == {"providers/signing.py", "providers/oauth.py"}


def test_only_the_base_class_asks_a_provider_for_its_bare_signer() -> None:
    sources = Path(mfagate.__file__).parent
    asking = [
        str(path.relative_to(sources))
        for path in sources.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "signer"
    ]
    assert asking == ["providers/api.py"]


def test_the_signer_that_a_provider_hands_out_checks_by_itself() -> None:
    """So that it makes no difference who calls it, and with which URL."""
    signer = Signed()
    auth = Home(signer).auth(None, Tokens(lambda request: pytest.fail("nothing is sent")))
    assert requests.Request("GET", f"{HOME}/a", auth=auth).prepare().headers["Authorization"]
    with pytest.raises(UnsafeRequest):
        requests.Request("GET", "https://evil.example/a", auth=auth).prepare()
    assert signer.urls == [f"{HOME}/a"]


def test_a_signer_cannot_lead_away_either() -> None:
    def leads_away(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.url = "https://evil.example/"
        return request

    with pytest.raises(UnsafeRequest):
        prepared("/a", leads_away)


def test_a_header_cannot_name_another_host() -> None:
    with pytest.raises(UnsafeRequest):
        prepare(Home(None), None, requests.Request("GET", "/a", headers={"hOsT": "evil.example"}), Signed())


def test_a_header_cannot_be_two() -> None:
    with pytest.raises(UnsafeRequest):
        prepare(Home(None), None, requests.Request("GET", "/a", headers={"X-A": "b\r\nHost: evil"}), Signed())


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://api.example:443", "https://api.example/a"),
        ("HTTPS://API.example", "https://api.example/a"),
        ("https://bücher.example", "https://xn--bcher-kva.example/a"),
        ("http://[::1]:8080", "http://[::1]:8080/a"),
        ("http://privacy_idea:8080/pi", "http://privacy_idea:8080/pi/a"),
    ],
)
def test_the_same_origin_in_another_spelling(base: str, url: str) -> None:
    signer = Signed()
    assert Origin.of(str(prepared("/a", signer, base).url)) == Origin.of(url)
    assert len(signer.urls) == 1


def test_without_a_configured_origin_nothing_is_sent() -> None:
    assert Origins.of(["https://", "no url", "https://user:pw@api.example"]).own == frozenset()


@pytest.mark.parametrize(
    "parts",
    [
        {"params": {"a": "\ud800"}},
        {"data": {"a": "\ud800"}},
        {"json": {"a": float("nan")}},
        {"headers": {"A": "a\r\nB: c"}},
    ],
)
def test_what_cannot_be_written_is_not_sent(parts: dict[str, Any]) -> None:
    """It came out of an answer, and is no reason to end with a traceback."""
    signer = Signed()
    with pytest.raises(UnsafeRequest):
        prepare(Home(None), None, requests.Request("POST", "/a", **parts), signer)
    assert signer.urls == []
