"""The block page of a web filter is recognised, whatever its status."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mfagate.core.causes import CauseId
from mfagate.core.diagnosis import diagnose
from mfagate.core.exchange import Exchange, Headers, Request, Response
from mfagate.core.finding import Finding
from mfagate.core.intermediaries import proxy_finding
from mfagate.providers import registry
from mfagate.providers.errors import ProviderDialect

HOST = "api-1a2b3c4d.duosecurity.com"
JSON = b'{"stat": "OK", "response": {"time": 1}}'

PAGES = {
    "Zscaler": [
        b"<html><head><title>Internet Security by Zscaler</title></head>",
        b'<html><body><img src="https://login.zscloud.net:443/__zsig/vZTknqrJVr33F" /></body>',
        b'<!doctype html><img src="https://login.zscaler.net:443/__zsig/cD6" />Sorry, not allowed',
    ],
    "Forcepoint (Websense)": [
        b"<!DOCTYPE HTML><!-- Copyright (c) 1996 - 2011, Websense, Inc.    All Rights Reserved --><html>",
        b'<html><iframe src="http://10.0.0.1:15871/cgi-bin/blockOptions.cgi?ws-session=42"></iframe>',
    ],
    "Netskope": [b'<html><a href="https://acme.eu.goskope.com/notify">more</a></html>'],
    "Cisco Umbrella": [
        b"<!DOCTYPE html><title>Site Blocked</title>blocked because of a Cisco Umbrella policy setting.",
        b'<html><meta http-equiv="refresh" content="0;url=http://block.opendns.com/?url=x"></html>',
    ],
    "Palo Alto Networks": [
        b"<html><title>Web Page Blocked</title>Access has been blocked in accordance with company policy.",
    ],
    "FortiGate": [b"<html><head><title>Web Filter Violation</title></head>"],
}


def diagnosed(status: int, body: bytes, **headers: str) -> Finding:
    fields = {"Content-Type": "text/html"} | {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request("GET", f"https://{HOST}/auth/v2/check")
    exchange = Exchange(request, datetime.now(UTC), Response(status, headers=Headers(tuple(fields.items())), body=body))
    provider = registry.get("duo")
    return diagnose(exchange, ProviderDialect(provider.dialect, provider.settings.model_construct()))


@pytest.mark.parametrize("status", [200, 403, 404, 503])
@pytest.mark.parametrize(("product", "page"), [(name, page) for name, pages in PAGES.items() for page in pages])
def test_a_block_page_is_attributed_to_the_filter(product: str, page: bytes, status: int) -> None:
    finding = diagnosed(status, page)
    assert finding.cause is CauseId.NETWORK_PROXY
    assert f"({product})" in finding.message
    assert HOST in str(finding.next_step)
    assert "do not change the credential" in str(finding.next_step)


@pytest.mark.parametrize(
    ("product", "target"),
    [
        ("Zscaler", "https://gateway.zscaler.net/auT?origurl=x"),
        ("Zscaler", "https://login.zscalertwo.net:443/?url=x"),
        ("Cisco Umbrella", "https://block.opendns.com./?url=x"),
        ("Cisco Umbrella", "HTTPS://Malware.Umbrella.com/"),
        ("Netskope", "https://acme.goskope.com/"),
    ],
)
def test_a_redirect_to_a_filter_is_attributed_to_the_filter(product: str, target: str) -> None:
    finding = diagnosed(302, b"", Location=target)
    assert (finding.cause, f"({product})" in finding.message) == (CauseId.NETWORK_PROXY, True)


@pytest.mark.parametrize(
    "target", ["https://notzscaler.net/", "https://zscaler.net.example.com/", "/zscaler.net", "https://[", ""]
)
def test_other_redirects_are_not_attributed_to_a_filter(target: str) -> None:
    assert diagnosed(302, b"", Location=target).cause is CauseId.NETWORK_UNEXPECTED_REDIRECT


@pytest.mark.parametrize("page", [page for pages in PAGES.values() for page in pages])
def test_text_in_a_response_of_the_api_is_not_a_block_page(page: bytes) -> None:
    response = Response(200, headers=Headers((("Content-Type", "application/json"),)), body=b'"' + page + b'"')
    assert proxy_finding(Exchange(Request("GET", f"https://{HOST}/"), datetime.now(UTC), response)) is None


def test_any_other_page_hints_at_an_intermediary() -> None:
    finding = diagnosed(200, b"<html><title>Welcome to our guest network</title></html>")
    assert finding.cause is CauseId.CONTRACT_NOT_JSON
    assert finding.evidence["page title"] == "Welcome to our guest network"
    assert any("captive portal" in cause for cause in finding.evidence["possible causes"])


def test_a_page_that_only_mentions_a_filter_is_not_a_block_page() -> None:
    """Duo belongs to Cisco, whose pages mention its other products."""
    page = b"<!DOCTYPE html><title>Not found</title><footer>Cisco Duo, Cisco Umbrella, Webex</footer>"
    assert diagnosed(404, page).cause is not CauseId.NETWORK_PROXY
