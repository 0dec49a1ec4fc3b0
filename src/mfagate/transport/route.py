"""Connect to an endpoint, directly or through a proxy."""

from __future__ import annotations

from dataclasses import dataclass

from mfagate.core.exchange import Phase
from mfagate.transport.connect import dial
from mfagate.transport.connection_attempt import ConnectionAttempt
from mfagate.transport.endpoint import Endpoint
from mfagate.transport.proxy import Proxy, tunnel
from mfagate.transport.stream import Stream
from mfagate.transport.tls import Verifier


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint and the proxy to use for it, if any."""

    endpoint: Endpoint
    proxy: Proxy | None

    @property
    def forwarding_proxy(self) -> Proxy | None:
        """The proxy that gets the request itself and sends it on; for https it sees a tunnel only."""
        return None if self.endpoint.scheme == "https" else self.proxy

    def open(self, attempt: ConnectionAttempt, verifier: Verifier) -> Stream:
        """Return a stream to the endpoint, before any TLS with it, or to its forwarding proxy.

        Raises:
            TransportError: It cannot be had.
        """
        if self.proxy is None:
            return dial(self.endpoint, attempt)
        with self.proxy.blamed():
            stream = self._reach(self.proxy, attempt, verifier)
            if self.proxy is not self.forwarding_proxy:
                with attempt.during(Phase.CONNECT):
                    tunnel(stream, self.proxy, self.endpoint, attempt)
            return stream

    def _reach(self, proxy: Proxy, attempt: ConnectionAttempt, verifier: Verifier) -> Stream:
        if proxy.endpoint.scheme.startswith("socks"):
            raise proxy.failure("SOCKS proxies are not supported; name an http:// or https:// one")
        stream = dial(proxy.endpoint, attempt)
        if proxy.endpoint.scheme == "http":
            return stream
        return verifier.secure(stream, proxy.endpoint.server_name, attempt, lambda again: dial(proxy.endpoint, again))
