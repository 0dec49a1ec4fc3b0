"""Send one request, and return the exchange."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import Exchange, Headers, Phase, Request, Response
from mfagate.transport import certificates
from mfagate.transport.connection_attempt import ConnectionAttempt
from mfagate.transport.endpoint import Endpoint, MalformedUrl
from mfagate.transport.failures import TransportError, short_of_resources
from mfagate.transport.framing import asks_to_close
from mfagate.transport.identity import ClientIdentity
from mfagate.transport.message import ResponseHead, as_sent, read_head, send, serialize
from mfagate.transport.pool import LONGEST_IDLE_SECONDS, SLOW_SECONDS, ConnectionPool, KeptConnection, until
from mfagate.transport.proxy import Proxy, is_own_answer, proxy_for, unasked_refusal
from mfagate.transport.route import Route
from mfagate.transport.stream import Stream
from mfagate.transport.tls import TlsStream, Verifier

if TYPE_CHECKING:
    import requests


class Transport:
    """Send one prepared request, and report exactly what happened.

    Without a pool, each request opens a new connection. With one, a request uses a kept
    connection if there is one, and skips the phases that opened it. If that connection had
    been closed meanwhile, the request is sent again on a new one, once, if its method is
    idempotent. Redirects are answers like any other. Threads may share a transport.

    Args:
        timeout_seconds: For the whole exchange, from name resolution to the last byte.
        max_body_bytes: Longer bodies are cut and marked ``truncated``.
        ca_bundle: A PEM file, or a directory as made by OpenSSL's ``c_rehash``. Default:
            REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE or SSL_CERT_FILE, or else certifi's.
        trust_env: Whether those variables and the proxy variables count.
        identity: A client certificate for servers that demand one. Proxies do not get it.
        pool: Keeps connections for further requests.

    Raises:
        CaBundleError: The bundle cannot be used.
        ValueError: ``timeout_seconds`` is not above 0, or ``max_body_bytes`` is below it.
    """

    def __init__(
        self,
        *,
        timeout_seconds: float = 5.0,
        max_body_bytes: int = 1 << 20,
        ca_bundle: Path | None = None,
        trust_env: bool = True,
        identity: ClientIdentity | None = None,
        pool: ConnectionPool | None = None,
    ) -> None:
        if timeout_seconds <= 0 or max_body_bytes < 0:
            raise ValueError("timeout_seconds has to be above 0 and max_body_bytes not below it")
        self._timeout_seconds = timeout_seconds
        self._max_body_bytes = max_body_bytes
        self._trust_env = trust_env
        self._pool = pool
        self._verifier = Verifier(ca_bundle, trust_env, identity)
        self._anonymous = Verifier(ca_bundle, trust_env) if identity else self._verifier

    def send(self, request: requests.PreparedRequest, *, at_most: float | None = None, fresh: bool = False) -> Exchange:
        """Send it and wait for the whole answer, for at most ``at_most`` seconds if that is less than the timeout.

        ``fresh`` requires a new connection, so that the request is never sent twice.

        Every error of the network, the server or a URL becomes the exchange's failure;
        a 407, and an answer that a proxy gives instead of the server, are failures, too.
        A body in gzip or deflate is decoded; the headers stay unchanged.
        ``Exchange.request`` leaves out Proxy-Authorization, which is for the proxy alone.

        Raises:
            UnsendableRequest: A header cannot be written (a line break in a token, say).
            TypeError: The body is a stream.
        """
        started = datetime.now(UTC)
        try:
            endpoint = _endpoint(request)
        except MalformedUrl as error:
            malformed = TransportError(CauseId.CONFIG_MALFORMED_URL, str(error)).in_phase(Phase.RESOLVE)
            return Exchange(as_sent(request, None), started, failure=malformed)
        sent = as_sent(request, endpoint, keeping=self._pool is not None)
        response = failure = proxy = None
        timeout = self._timeout_seconds if at_most is None else min(at_most, self._timeout_seconds)
        with ConnectionAttempt(timeout) as attempt:
            try:
                proxy = proxy_for(request.url or "") if self._trust_env else None
                response = self._exchange(attempt, sent, request.path_url, Route(endpoint, proxy), fresh=fresh)
            except TransportError as error:
                failure = _noted(_blamed(error, attempt, timeout), attempt).in_phase(attempt.phase)
            except (OSError, MemoryError, RuntimeError) as error:
                failure = short_of_resources(error).in_phase(attempt.phase)
        return Exchange(
            request=sent,
            started=started,
            response=response,
            failure=failure,
            phases=attempt.phases,
            certificate=attempt.certificate,
            address=attempt.address,
            proxy=proxy.name if proxy else None,
            stalled=attempt.stalled,
            connection=attempt.connection,
        )

    def _exchange(
        self, attempt: ConnectionAttempt, sent: Request, target: str, route: Route, *, fresh: bool
    ) -> Response:
        kept = None if fresh else self._kept(sent.method, route)
        if kept is None:
            return self._converse(self._open(attempt, route), attempt, sent, target, route)
        stream = _resumed(kept, attempt)
        try:
            return self._converse(stream, attempt, sent, target, route)
        except TransportError as error:
            if stream.received or error.cause in _NOT_STALE or sent.method not in _IDEMPOTENT:
                raise
        # The server had closed the connection before the request came.
        attempt.start_over()
        return self._converse(self._open(attempt, route), attempt, sent, target, route)

    def _kept(self, method: str, route: Route) -> KeptConnection | None:
        if self._pool is None:
            return None
        idle_seconds = LONGEST_IDLE_SECONDS if method in _IDEMPOTENT else _UNREPEATABLE_IDLE_SECONDS
        return self._pool.take(self._key(route), idle_seconds)

    def _key(self, route: Route) -> tuple[Route, tuple[Path, str | None]]:
        return route, self._verifier.trust

    def _open(self, attempt: ConnectionAttempt, route: Route) -> Stream:
        """Open a new connection to the endpoint, with TLS if it is https."""
        stream = route.open(attempt, self._anonymous)
        if route.endpoint.scheme != "https":
            return stream
        secured = self._secure(stream, attempt, route)
        attempt.certificate = certificates.verified(secured.peer)
        return secured

    def _converse(
        self, stream: Stream, attempt: ConnectionAttempt, sent: Request, target: str, route: Route
    ) -> Response:
        """Send the request, read the answer, and keep the connection if both sides allow it."""
        with attempt.during(Phase.PROCESSING):
            answer = self._ask(stream, attempt, sent, target, route)
        with attempt.during(Phase.TRANSFER):
            response = answer.complete(self._max_body_bytes, attempt.deadline)
        if self._pool is not None and _may_keep(attempt, sent, response) and answer.leaves_connection:
            sockets = attempt.release()
            kept = KeptConnection(stream, sockets, attempt.address, attempt.certificate, until(answer.idle_seconds))
            self._pool.put(self._key(route), kept)
        return response

    def _secure(self, stream: Stream, attempt: ConnectionAttempt, route: Route) -> TlsStream:
        try:
            return self._verifier.secure(
                stream, route.endpoint.server_name, attempt, lambda again: route.open(again, self._anonymous)
            )
        except TransportError as error:
            # A server that speaks plain HTTP would begin with a status line.
            if route.proxy is not None and str(error.evidence.get("received", "")).startswith("<"):
                raise route.proxy.page() from error
            raise

    def _ask(
        self, stream: Stream, attempt: ConnectionAttempt, sent: Request, target: str, route: Route
    ) -> ResponseHead:
        """Send the request and read the head of the answer, if it is the server's own."""
        proxy = route.forwarding_proxy
        message = _forwarded(sent, target, route.endpoint, proxy) if proxy else serialize(sent, target)
        try:
            send(stream, message, attempt.deadline)
            answer = read_head(stream, sent.method, message, attempt.deadline)
        except TransportError as error:
            # The server may cause silence; the proxy causes everything else.
            if proxy and error.cause is not CauseId.NETWORK_READ_TIMEOUT:
                raise proxy.blame(error) from error
            raise
        if proxy and is_own_answer(answer.head):
            raise proxy.refusal(answer.head, route.endpoint)
        if answer.head.status == 407:
            raise unasked_refusal(answer.head, route.endpoint)
        return answer


_IDEMPOTENT = ("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE")
"""RFC 9110 section 9.2.2."""

_NOT_STALE = (CauseId.NETWORK_READ_TIMEOUT, CauseId.GATE_RESOURCES)

_UNREPEATABLE_IDLE_SECONDS = 1.0
"""A request that must not be repeated uses only a connection that was just in use: servers close idle connections after
2 s (gunicorn) or more, and the request could be on its way at that moment."""

_OPENING = (Phase.RESOLVE, Phase.CONNECT, Phase.TLS)


def _may_keep(attempt: ConnectionAttempt, sent: Request, response: Response) -> bool:
    """Return whether we keep the connection.

    One that was slow to open is not kept: the next request shows whether all connections are slow.
    """
    slow = any(attempt.phases.get(phase, 0.0) >= SLOW_SECONDS for phase in _OPENING)
    return not (slow or response.truncated or asks_to_close(sent.headers))


def _resumed(kept: KeptConnection, attempt: ConnectionAttempt) -> Stream:
    """Let the attempt use a kept connection, and close it unless it is kept again."""
    for connection in kept.sockets:
        attempt.own(connection)
    attempt.address, attempt.certificate, attempt.connection = kept.address, kept.certificate, "kept"
    kept.stream.renew(attempt.deadline)
    return kept.stream


_CONNECTIONS = {
    "kept": "kept open after an earlier request",
    "renewed": "the kept connection had been closed; sent again on a new one",
}


def _noted(error: TransportError, attempt: ConnectionAttempt) -> TransportError:
    """Add to the evidence that the connection was not a new one."""
    if attempt.connection in _CONNECTIONS:
        error.evidence["connection"] = _CONNECTIONS[attempt.connection]
    return error


_LATE = (CauseId.NETWORK_READ_TIMEOUT, CauseId.NETWORK_CONNECTION_TIMEOUT, CauseId.NETWORK_DNS_FAILURE)

_BUSY_SHARE = 0.75
"""If threads waited for a processor for this share of a timeout, the machine is at fault, not the provider."""


def _blamed(error: TransportError, attempt: ConnectionAttempt, timeout: float) -> TransportError:
    """Return the error, or a failure of this machine if it was too busy to receive the answer in time."""
    stalled = attempt.stalled
    if error.cause not in _LATE or error.outcome is Outcome.FAIL or stalled < _BUSY_SHARE * timeout:
        return error
    message = f"this machine was too busy: threads waited for a processor for {stalled:.1f} of {timeout:g} s"
    return TransportError(CauseId.GATE_RESOURCES, message, {"ran out of": "processing time", **error.evidence})


def _endpoint(request: requests.PreparedRequest) -> Endpoint:
    endpoint = Endpoint.parse(request.url or "")
    if endpoint.scheme not in ("http", "https"):
        raise MalformedUrl("the URL does not begin with http:// or https://")
    if not re.fullmatch(r"[!-~]+", request.path_url):
        raise MalformedUrl("the URL's path or query contains a character that must be percent-encoded")
    return endpoint


def _forwarded(sent: Request, target: str, endpoint: Endpoint, proxy: Proxy) -> bytes:
    """Return the request in absolute form (RFC 9112 section 3.2.2), with the header for the proxy only."""
    if proxy.authorization:
        fields = (*sent.headers.items_in_order, ("Proxy-Authorization", proxy.authorization))
        sent = replace(sent, headers=Headers(fields))
    return serialize(sent, f"http://{endpoint.host_header}{target}")
