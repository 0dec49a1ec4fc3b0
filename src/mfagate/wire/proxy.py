"""Proxies from the environment, as requests understands it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPResponse
from urllib.parse import unquote_to_bytes, urlsplit

from mfagate.causes import CauseId
from mfagate.config.shapes import is_loopback
from mfagate.wire.attempt import Attempt
from mfagate.wire.endpoint import Endpoint, MalformedUrl
from mfagate.wire.failures import WireError
from mfagate.wire.message import read_head, send
from mfagate.wire.stream import Stream


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy; ``name`` is its URL without the credentials in it."""

    endpoint: Endpoint
    authorization: str | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The URL, safe to show."""
        return f"{self.endpoint.scheme}://{self.endpoint.authority}"

    def failure(self, message: str, **evidence: object) -> WireError:
        """Something went wrong at this proxy."""
        return WireError(CauseId.NETWORK_PROXY, f"proxy {self.name}: {message}", {"proxy": self.name} | evidence)

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """What goes wrong in here goes wrong at the proxy."""
        try:
            yield
        except WireError as error:
            raise self.blame(error) from error

    def blame(self, error: WireError) -> WireError:
        """The same error as a failure of this proxy, if it is not yet one."""
        if error.cause is CauseId.NETWORK_PROXY:
            return error
        return self.failure(error.message, **error.evidence, problem=str(error.cause))

    def refusal(self) -> WireError:
        """It answered 407."""
        if self.authorization:
            return self.failure("refuses the user name and password of its URL", status=407)
        return self.failure("demands a user name and password; its URL has none", status=407)


def proxy_for(url: str) -> Proxy | None:
    """The proxy that the environment names for this URL.

    Raises:
        WireError: It names one that cannot be used, or one elsewhere for plain http to this machine: configurations
            may use plain http there, because it leaves the machine nowhere.
    """
    from requests.utils import get_environ_proxies, select_proxy

    named = select_proxy(url, get_environ_proxies(url))
    if not named:
        return None
    proxy = _parse(named)
    if url.startswith("http:") and is_loopback(url) and not is_loopback(proxy.name):
        raise proxy.failure("a request to this machine would leave it unencrypted; add its host to NO_PROXY")
    return proxy


def _parse(url: str) -> Proxy:
    if "://" not in url:
        url = f"http://{url}"
    try:
        endpoint = Endpoint.parse(url)
    except MalformedUrl as error:
        raise _malformed(str(error)) from None
    parts = urlsplit(url)
    # A / ? or # in the password that is not percent-encoded ends the authority early, and what
    # is taken for the host would be the user name.
    if "@" in parts.path + parts.query + parts.fragment:
        raise _malformed("there is an @ behind its host; percent-encode / ? and # in the password")
    authorization = None
    if parts.username:
        credentials = b":".join(_octets(part) for part in (parts.username, parts.password or ""))
        authorization = "Basic " + base64.b64encode(credentials).decode()
    return Proxy(endpoint, authorization)


def _octets(percent_encoded: str) -> bytes:
    return unquote_to_bytes(percent_encoded.encode(errors="surrogateescape"))


def _malformed(why: str) -> WireError:
    return WireError(CauseId.NETWORK_PROXY, f"the proxy URL in the environment is malformed: {why}")


def tunnel(stream: Stream, proxy: Proxy, endpoint: Endpoint, attempt: Attempt) -> None:
    """Have the proxy connect the stream to the endpoint (CONNECT, RFC 9110 section 9.3.6).

    Raises:
        WireError: It does not; to be blamed on the proxy.
    """
    lines = [f"CONNECT {endpoint.authority} HTTP/1.1", f"Host: {endpoint.authority}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    request = "\r\n".join([*lines, "", ""]).encode("ascii")
    send(stream, request, attempt.deadline)
    # Unbuffered, so that nothing is read that comes through the tunnel.
    answer = read_head(stream, "CONNECT", request, attempt.deadline, buffer_size=1).head
    if answer.status == 407:
        raise proxy.refusal()
    if not 200 <= answer.status < 300:
        raise proxy.failure(f"does not connect us to {endpoint.authority}: {answer.status}", status=answer.status)
    stream.forget_received()


def is_own_answer(answer: HTTPResponse) -> bool:
    """Whether a proxy that we sent a request to answers for itself rather than for the server.

    Via alone says nothing about 503: a proxy adds it to what it forwards too (RFC 9110 section 7.6.3).
    """
    if answer.status < 400:
        return False
    if "proxy-authenticate" in answer.headers or "x-squid-error" in answer.headers:
        return True
    if ";error=" in answer.headers.get("proxy-status", "").replace(" ", ""):  # RFC 9209 section 2.1.1
        return True
    return answer.status in (502, 504) and "via" in answer.headers
