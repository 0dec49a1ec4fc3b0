"""Answers that a proxy, or a protection in front of the provider, gives instead of the provider, by its own signature.

``Via`` alone proves nothing: a proxy also adds it to what it forwards, and so do the provider's own front ends
(RFC 9110 section 7.6.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Headers, Response, host_of
from mfagate.core.finding import Finding
from mfagate.core.foreign import ForeignText, quoted
from mfagate.core.foreign.parsing import raw

_LONGEST_NAME = 80

_PAGE_BYTES = 1 << 16

_SQUID = "x-squid-error"

_STATUS_ERROR = re.compile(r';\s*error\s*=\s*"?([a-z_]+)')

_VIA = re.compile(r"\s*(?:[\w-]+/)?[\w.]+\s+([^\s()]+)")

_NO_SUCH_NAME = ("ERR_DNS_FAIL", "dns_error", "dns_timeout")

_SERVERS = ("squid", "zscaler")
"""Products whose name in ``Server`` marks their own error page; they keep the server's name in forwarded answers.

https://github.com/Ekultek/WhatWaf/issues/178 shows a page of Zscaler, https://github.com/erebe/wstunnel/issues/215 an
answer of Squid.
"""


_BLOCK_PAGES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Zscaler", ("internet security by zscaler", "/__zsig/")),
    ("Forcepoint (Websense)", ("websense, inc.", "/blockoptions.cgi?ws-session=")),
    ("Netskope", (".goskope.com",)),
    ("Cisco Umbrella", ("cisco umbrella policy", "block.opendns.com")),
    ("Palo Alto Networks", ("has been blocked in accordance with company policy",)),
    ("FortiGate", ("<title>web filter violation", "url.fortinet.net")),
)
"""Filters, and the text of their block pages in lower case. The pages may have status 200.

As people showed them, in this order: https://github.com/microsoft/vscode-copilot-release/issues/2258 and
https://github.com/ayakashi-io/ayakashi/issues/7; https://github.com/npm/npm/issues/14619 (with status 200);
https://docs.netskope.com/en/policy-notification-templates.html (the text is free, so only the tenant's address can be
recognised); https://github.com/jona3424/PGP-protocol-Uni-project/blob/main/get-pip.py and
https://github.com/AdguardTeam/AdGuardHome/issues/38; https://github.com/Ekultek/WhatWaf/issues/476;
https://github.com/Ekultek/WhatWaf/issues/513.
"""

_REDIRECTING: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Zscaler",
        ("zscaler.net", "zscalerone.net", "zscalertwo.net", "zscalerthree.net", "zscalerbeta.net", "zscloud.net"),
    ),
    ("Cisco Umbrella", ("opendns.com", "umbrella.com")),
    ("Netskope", ("goskope.com",)),
)
"""Filters, and the domains to which they redirect a request that they block or want a login for.

https://learn.microsoft.com/entra/identity/saas-apps/zscaler-tutorial names Zscaler's clouds,
https://github.com/AdguardTeam/AdGuardHome/issues/38 Umbrella's page.
"""


def named_error(headers: Headers) -> str | None:
    """Return the name that a proxy gives its own error, such as ``ERR_ACCESS_DENIED`` or ``dns_error``.

    Squid names it in ``X-Squid-Error`` (https://wiki.squid-cache.org/Features/CustomErrors), other proxies in
    ``Proxy-Status`` (RFC 9209 section 2.3).
    """
    squid = headers.get(_SQUID)
    if squid is not None:
        return squid.quoted(_LONGEST_NAME).partition(" ")[0]
    found = _STATUS_ERROR.search(raw(headers.get("proxy-status")) or "")
    return quoted(found[1], _LONGEST_NAME) if found else None


def could_not_resolve(error: str | None) -> bool:
    """Return whether a proxy says by this error that it found no address for the server's name."""
    return error in _NO_SUCH_NAME


def both_suspects(host: str, proxy: str) -> str:
    """Return the next step for a name that a proxy could not resolve."""
    return (
        f"{proxy} resolves the name {host}, not this machine. If it reaches other hosts, the name is wrong: correct "
        f"it. If it reaches none, report to the team that runs {proxy} that its resolver fails."
    )


def proxy_finding(exchange: Exchange) -> Finding | None:
    """Return a finding if a proxy or filter on the path gave this answer, not the provider."""
    response = exchange.response
    if response is None:
        return None
    host = urlsplit(exchange.request.url).hostname or ""
    if (product := _blocking(response, host)) is not None:
        return _blocked(response, host, product)
    if response.status < 400 or (signature := _signature(response, host)) is None:
        return None
    error = named_error(response.headers)
    resolved = could_not_resolve(error)
    message = (
        f"a proxy on the path cannot resolve {host} ({error})"
        if resolved
        else f"a proxy on the path answered {response.status} instead of the provider ({error or signature})"
    )
    step = both_suspects(host, "the proxy") if resolved else None
    return Finding(CauseId.NETWORK_PROXY, message, _marks(response), next_step=step)


def _marks(response: Response) -> dict[str, str]:
    via = response.headers.get("via")
    marks = {
        "proxy": via.quoted(_LONGEST_NAME) if via is not None else None,
        "proxy error": named_error(response.headers),
    }
    return {name: value for name, value in marks.items() if value is not None}


def _blocked(response: Response, host: str, product: str) -> Finding:
    return Finding(
        CauseId.NETWORK_PROXY,
        f"a filter on the path ({product}) answered {response.status} instead of the provider",
        _marks(response),
        next_step=f"Ask the team that runs {product} to let this machine reach {host} without inspection, and give it "
        "the time of the request in UTC. The provider did not receive the request: do not change the credential.",
    )


def _blocking(response: Response, host: str) -> str | None:
    """Return the filter whose block page an answer is, or to which it redirects."""
    location = response.headers.get("location")
    if 300 <= response.status < 400 and location is not None:
        return _of_domain(host_of(raw(location)), host)
    if not _is_page(response):
        return None
    page = _page(response)
    return next((product for product, marks in _BLOCK_PAGES if any(mark in page for mark in marks)), None)


def _of_domain(target: str, host: str) -> str | None:
    """Return the filter that owns the target of a redirect, unless the requested host is in the same domain."""
    for product, domains in _REDIRECTING:
        for domain in domains:
            if f".{target}".endswith(f".{domain}") and not f".{host}".endswith(f".{domain}"):
                return product
    return None


def _page(response: Response) -> str:
    return response.body[:_PAGE_BYTES].decode("utf-8", "replace").lower()


_CLOUDFLARE_ERROR = re.compile(rb"\s*error code: (1\d{3})\s*")


def edge_finding(exchange: Exchange) -> Finding | None:
    """Return a finding if a protection in front of the host gave this answer, and not the API.

    Cloudflare marks a page that only a browser can pass with ``cf-mitigated: challenge``
    (https://developers.cloudflare.com/cloudflare-challenges/challenge-types/challenge-pages/detect-response), at
    several statuses. Programs that ask for no HTML get the number of a block as text, such as 1010
    (https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-1xxx-errors/).
    """
    response = exchange.response
    if response is None or response.status < 400 or (mark := _edge_mark(response)) is None:
        return None
    host = urlsplit(exchange.request.url).hostname or ""
    ray = response.headers.get("cf-ray")
    return Finding(
        CauseId.CONTRACT_NOT_JSON,
        f"Cloudflare, in front of {host}, blocks this machine's request ({response.status}, {mark})",
        {"reference": ray.quoted(_LONGEST_NAME)} if ray is not None else {},
        next_step=f"The API did not receive the request: do not change the credential. Ask who administers {host} "
        "(your own team for a custom domain, else the provider's support) to allow this machine's public address, and "
        "name the CF-Ray in the evidence or the time in UTC.",
    )


def _edge_mark(response: Response) -> str | None:
    if (raw(response.headers.get("cf-mitigated")) or "").strip().lower() == "challenge":
        return "cf-mitigated: challenge"
    server = (raw(response.headers.get("server")) or "").strip().lower()
    found = _CLOUDFLARE_ERROR.fullmatch(response.body) if server == "cloudflare" and response.status == 403 else None
    return f"error {found[1].decode()}" if found else None


def _signature(response: Response, host: str) -> str | None:
    """Return the mark of an answer that a proxy gave itself."""
    if _SQUID in response.headers:
        return "X-Squid-Error"
    if not _is_page(response):
        return None
    server = response.headers.get("server")
    if server is not None and raw(server).lower().startswith(_SERVERS):
        return f"Server: {server.quoted(_LONGEST_NAME)}"
    page = _page(response)
    return next(
        (f"a page of {quoted(name, _LONGEST_NAME)}" for name in _via(response) if name != host and name in page), None
    )


def _via(response: Response) -> Iterator[str]:
    """Yield the host names of the proxies that the answer passed. A pseudonym could be any word of a page."""
    for element in (raw(response.headers.get("via")) or "").split(","):
        found = _VIA.match(element)
        name = found[1].partition(":")[0].lower() if found else ""
        if "." in name:
            yield name


def _is_page(response: Response) -> bool:
    return "html" in raw(response.media_type) or response.body.lstrip()[:1] == b"<"


def offered_schemes(values: tuple[ForeignText, ...]) -> list[str]:
    """Return the names of the authentication schemes of ``Proxy-Authenticate`` (RFC 9110 section 11.6.1)."""
    from urllib.request import parse_http_list

    schemes: dict[str, None] = {}
    for value in values:
        for part in parse_http_list(raw(value)):
            found = _SCHEME.match(part)
            if found:
                schemes[quoted(found[1], _LONGEST_NAME)] = None
    return list(schemes)


_SCHEME = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*$|\s+[^\s=])")
"""A parameter, too, begins with a token, but an equals sign follows it."""
