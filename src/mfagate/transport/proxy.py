"""Find the proxy in the environment, by the rules of requests, and connect through it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPResponse
from urllib.parse import unquote_to_bytes, urlsplit

from mfagate.config.shapes import is_loopback
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Headers
from mfagate.core.intermediaries import both_suspects, could_not_resolve, named_error, offered_schemes
from mfagate.transport.connection_attempt import ConnectionAttempt
from mfagate.transport.endpoint import Endpoint, MalformedUrl
from mfagate.transport.failures import TransportError
from mfagate.transport.message import read_head, send
from mfagate.transport.stream import Stream


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy; ``name`` is its URL without credentials."""

    endpoint: Endpoint
    authorization: str | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The URL, safe to show."""
        return f"{self.endpoint.scheme}://{self.endpoint.authority}"

    def failure(self, message: str, next_step: str | None = None, /, **evidence: object) -> TransportError:
        """Return a failure of this proxy."""
        evidence = {"proxy": self.name} | evidence
        return TransportError(CauseId.NETWORK_PROXY, f"proxy {self.name}: {message}", evidence, next_step=next_step)

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """Turn every error inside the block into an error of the proxy."""
        try:
            yield
        except TransportError as error:
            raise self.blame(error) from error

    def blame(self, error: TransportError) -> TransportError:
        """Return the error as a failure of this proxy."""
        if error.cause is CauseId.NETWORK_PROXY:
            return error
        return self.failure(error.message, error.next_step, **error.evidence, problem=str(error.cause))

    def refusal(self, answer: HTTPResponse, endpoint: Endpoint) -> TransportError:
        """Return the failure of an answer that the proxy gave itself."""
        headers = Headers(tuple(answer.headers.items()))
        if answer.status == 407:
            return self._unauthorized(headers, endpoint)
        status, error = answer.status, named_error(headers)
        marks = {"proxy error": error} if error else {}
        if could_not_resolve(error):
            message = f"cannot resolve {endpoint.host}: {status} ({error})"
            return self.failure(message, both_suspects(endpoint.host, self.name), status=status, **marks)
        named = f"{status} ({error})" if error else f"{status}"
        return self.failure(f"does not connect to {endpoint.authority}: {named}", status=status, **marks)

    def page(self) -> TransportError:
        """Return the failure of a page after a successful CONNECT, where no server sends one."""
        return self.failure(
            "answers with its own page instead of connecting",
            f"Open a page through {self.name} in a browser: you may have to log in to the network. If it shows "
            "nothing of the kind, ask the team that runs it why it answers CONNECT with a page.",
        )

    def _unauthorized(self, headers: Headers, endpoint: Endpoint) -> TransportError:
        schemes = offered_schemes(headers.all("proxy-authenticate"))
        evidence = {"status": 407, **({"offered": ", ".join(schemes)} if schemes else {})}
        if schemes and BASIC not in [scheme.lower() for scheme in schemes]:
            message = f"demands authentication and offers {' and '.join(schemes)}, but not Basic"
            return self.failure(message, _without_basic(schemes, self.name, endpoint.host), **evidence)
        if self.authorization:
            return self.failure("refuses the user name and password of its URL", **evidence)
        with_user = f"{self.endpoint.scheme}://USER:PASSWORD@{self.endpoint.authority}"
        step = f"Write user name and password into the proxy's URL in the environment: {with_user}."
        return self.failure("demands a user name and password; its URL contains neither", step, **evidence)


BASIC = "basic"


def _without_basic(schemes: Sequence[str], proxy: str, host: str) -> str:
    """Return the next step for a proxy that does not take Basic, the only scheme that requests sends to a proxy.

    https://github.com/genotrance/px and https://cntlm.sourceforge.net authenticate for the client.
    """
    return (
        f"mfagate authenticates at a proxy only by Basic, and so does Python's requests. Run a local proxy that "
        f"authenticates by {' or '.join(schemes)} instead (px, or cntlm for NTLM) and set HTTPS_PROXY to its "
        f"address; or ask the team that runs {proxy} to let this machine reach {host} without authentication; or list "
        f"{host} in NO_PROXY, if this machine may reach it directly."
    )


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy that the environment names for this URL.

    Raises:
        TransportError: It cannot be used, or it is on another machine and the request is plain http to this machine:
            configurations may use that only because it does not leave the machine.
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
    # A / ? or # in the password that is not percent-encoded ends the authority early, and the user
    # name would be read as the host.
    if "@" in parts.path + parts.query + parts.fragment:
        raise _malformed("there is an @ after its host; percent-encode / ? and # in the password")
    authorization = None
    if parts.username:
        credentials = b":".join(_octets(part) for part in (parts.username, parts.password or ""))
        authorization = "Basic " + base64.b64encode(credentials).decode()
    return Proxy(endpoint, authorization)


def _octets(percent_encoded: str) -> bytes:
    return unquote_to_bytes(percent_encoded.encode(errors="surrogateescape"))


def _malformed(why: str) -> TransportError:
    return TransportError(CauseId.NETWORK_PROXY, f"the proxy URL in the environment is malformed: {why}")


def tunnel(stream: Stream, proxy: Proxy, endpoint: Endpoint, attempt: ConnectionAttempt) -> None:
    """Connect the stream to the endpoint through the proxy (CONNECT, RFC 9110 section 9.3.6).

    Raises:
        TransportError: The proxy does not connect; the caller blames the proxy.
    """
    lines = [f"CONNECT {endpoint.authority} HTTP/1.1", f"Host: {endpoint.authority}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    request = "\r\n".join([*lines, "", ""]).encode("ascii")
    send(stream, request, attempt.deadline)
    # Unbuffered, so that nothing from inside the tunnel is read.
    answer = read_head(stream, "CONNECT", request, attempt.deadline, buffer_size=1).head
    if not 200 <= answer.status < 300:
        raise proxy.refusal(answer, endpoint)
    stream.forget_received()


def unasked_refusal(answer: HTTPResponse, endpoint: Endpoint) -> TransportError:
    """Return the failure of a 407 from a proxy that the environment does not name for this host."""
    schemes = offered_schemes(Headers(tuple(answer.headers.items())).all("proxy-authenticate"))
    offered = {"offered": ", ".join(schemes)} if schemes else {}
    return TransportError(
        CauseId.NETWORK_PROXY,
        "a proxy on the path demands authentication" + (f" and offers {' and '.join(schemes)}" if schemes else ""),
        {"status": 407, **offered},
        next_step=f"The environment names no proxy for {endpoint.host}, so this one intercepts the connection. Set "
        "HTTPS_PROXY to the company's proxy, or ask the network team to let this machine reach the host.",
    )


def is_own_answer(answer: HTTPResponse) -> bool:
    """Return whether a proxy gave this answer itself, instead of forwarding the server's.

    ``Via`` alone proves nothing for a 503: a proxy also adds it to forwarded answers (RFC 9110 section 7.6.3).
    """
    if answer.status < 400:
        return False
    if answer.status == 407 or "proxy-authenticate" in answer.headers:
        return True
    if named_error(Headers(tuple(answer.headers.items()))) is not None:
        return True
    return answer.status in (502, 504) and "via" in answer.headers
