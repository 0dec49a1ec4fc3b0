"""Find the cause behind an exception that a client raised.

Each client wraps the errors of the operating system differently: requests wraps urllib3, and
httpx wraps httpcore. So the whole chain is searched, first for exceptions of the standard
library, then for the names of the wrappers.
"""

from __future__ import annotations

import errno
import http.client
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import Failure, Phase
from mfagate.transport.certificates import refused
from mfagate.transport.resolve import DEFINITE
from mfagate.transport.tls import ENDED, explained

_MOST = 50
"""How many exceptions of a chain are examined."""


class ExceptionChain:
    """An exception and all exceptions behind it."""

    def __init__(self, error: BaseException) -> None:
        self.errors = list(_chain(error))
        self._names = {base.__name__ for error in self.errors for base in type(error).__mro__}

    def of(self, *types: type[BaseException]) -> BaseException | None:
        """Return the first exception of these types."""
        return next((error for error in self.errors if isinstance(error, types)), None)

    def named(self, *names: str) -> bool:
        """Return whether an exception, or a base of its class, has one of these names. No client is imported."""
        return not self._names.isdisjoint(names)

    def errno(self, *codes: int) -> bool:
        """Return whether the operating system reported one of these codes."""
        return any(isinstance(error, OSError) and error.errno in codes for error in self.errors)


def _chain(error: BaseException) -> Iterator[BaseException]:
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < _MOST:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        # requests keeps urllib3's exception in its arguments, and urllib3 keeps its reason as an attribute.
        linked = (current.__cause__, current.__context__, getattr(current, "reason", None), *current.args)
        waiting += [other for other in linked if isinstance(other, BaseException)]


def failure_of(error: BaseException, host: str) -> Failure | None:
    """Return why no answer arrived, or None if the exception says nothing about network or provider."""
    chain = ExceptionChain(error)
    return next((found for rule in _RULES if (found := rule(chain, host)) is not None), None)


def _proxy(chain: ExceptionChain, host: str) -> Failure | None:
    if chain.named("ProxyError"):
        return Failure(CauseId.NETWORK_PROXY, Phase.CONNECT, "the proxy refused the request, or cannot be reached")
    return None


def _certificate(chain: ExceptionChain, host: str) -> Failure | None:
    error = chain.of(ssl.SSLCertVerificationError)
    if not isinstance(error, ssl.SSLCertVerificationError) or not hasattr(error, "verify_code"):
        return None
    return refused(error, host, Path("the client's own"), {}).in_phase(Phase.TLS)


def _tls(chain: ExceptionChain, host: str) -> Failure | None:
    error = chain.of(ssl.SSLError)
    if not isinstance(error, ssl.SSLError) or isinstance(error, (*ENDED, ssl.SSLWantReadError, TimeoutError)):
        return None
    # Older versions of Python give no reason for some errors of OpenSSL, nor for a timeout.
    named = error.reason is not None or str(error).startswith("[SSL")
    return explained(error, host, agreed=False).in_phase(Phase.TLS) if named else None


def _name(chain: ExceptionChain, host: str) -> Failure | None:
    error = chain.of(socket.gaierror)
    if error is None and not chain.named("NameResolutionError"):
        return None
    definite = isinstance(error, socket.gaierror) and error.errno in DEFINITE
    message = f"this machine's resolver {'found no address of' if definite else 'gave no answer for'} {host}"
    return Failure(
        CauseId.NETWORK_DNS_FAILURE,
        Phase.RESOLVE,
        message,
        outcome=Outcome.FAIL if definite else Outcome.INCONCLUSIVE,
    )


def _retries(chain: ExceptionChain, host: str) -> Failure | None:
    """Recognise that urllib3's Retry gave up; only its message states the status."""
    if not chain.named("RetryError", "ResponseError"):
        return None
    status = next(
        (found for error in chain.errors if (found := re.search(r"too many (\d{3}) error", str(error)))), None
    )
    if status is None:
        return None
    limited = status[1] == "429"
    return Failure(
        CauseId.PROVIDER_RATE_LIMITED if limited else CauseId.PROVIDER_OUTAGE,
        Phase.PROCESSING,
        f"the provider answered {status[1]} to each attempt",
    )


_UNREACHABLE = (errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN)


def _timed_out(chain: ExceptionChain) -> bool:
    # PoolTimeout is also a TimeoutException of httpx: the client's own pool was full, not the provider slow.
    ours = chain.named("PoolTimeout", "EmptyPoolError")
    return not ours and (
        chain.named("ReadTimeout", "ReadTimeoutError", "WriteTimeout") or chain.of(TimeoutError) is not None
    )


def _is_beyond_a_limit(chain: ExceptionChain) -> bool:
    """Return whether the answer had more or longer header fields than ``http.client`` accepts."""
    error = chain.of(http.client.LineTooLong, http.client.HTTPException)
    return error is not None and any(words in str(error) for words in ("reading header line", "got more than"))


def _is_no_http(chain: ExceptionChain) -> bool:
    error = chain.of(http.client.BadStatusLine, http.client.LineTooLong, http.client.UnknownProtocol)
    if error is not None and not isinstance(error, http.client.RemoteDisconnected):
        return True
    # h11, which httpx uses, has one class for all protocol errors; only the message distinguishes them.
    return chain.named("RemoteProtocolError") and any("illegal" in str(error) for error in chain.errors)


def _lost(chain: ExceptionChain) -> bool:
    by_name = chain.named("ProtocolError", "RemoteProtocolError", "ReadError", "WriteError", "CloseError")
    return by_name or chain.of(ConnectionError, http.client.HTTPException, *ENDED) is not None


_SIGNS: tuple[tuple[Callable[[ExceptionChain], bool], CauseId, Phase, str], ...] = (
    (
        lambda chain: chain.errno(errno.ECONNREFUSED),
        CauseId.NETWORK_CONNECTION_REFUSED,
        Phase.CONNECT,
        "{host} refuses the connection",
    ),
    (
        # In urllib3, every failure to connect is a subclass of a timeout.
        lambda chain: chain.named("NewConnectionError") and chain.errno(errno.ECONNRESET),
        CauseId.NETWORK_CONNECTION_RESET,
        Phase.CONNECT,
        "{host} reset the connection while it was set up",
    ),
    (
        lambda chain: chain.named("ConnectTimeout", "ConnectTimeoutError") or chain.errno(*_UNREACHABLE),
        CauseId.NETWORK_CONNECTION_TIMEOUT,
        Phase.CONNECT,
        "{host} did not answer the attempt to connect",
    ),
    (_timed_out, CauseId.NETWORK_READ_TIMEOUT, Phase.PROCESSING, "{host} did not answer in time"),
    (
        lambda chain: chain.named("DecodingError", "ContentDecodingError"),
        CauseId.CONTRACT_BODY_UNREADABLE,
        Phase.TRANSFER,
        "the answer is not in the encoding that its header states",
    ),
    (
        lambda chain: chain.named("TooManyRedirects"),
        CauseId.NETWORK_UNEXPECTED_REDIRECT,
        Phase.PROCESSING,
        "the answers redirect again and again",
    ),
    (
        lambda chain: chain.named(
            "InvalidURL", "InvalidSchema", "MissingSchema", "UnsupportedProtocol", "LocationParseError"
        ),
        CauseId.CONFIG_MALFORMED_URL,
        Phase.RESOLVE,
        "the address is not a URL that a request can be sent to",
    ),
    (
        _is_beyond_a_limit,
        CauseId.CONTRACT_BODY_UNREADABLE,
        Phase.PROCESSING,
        "the head of the answer exceeds a limit of Python's HTTP client",
    ),
    (_is_no_http, CauseId.NETWORK_NOT_HTTP, Phase.PROCESSING, "{host} does not answer in HTTP"),
    (_lost, CauseId.NETWORK_CONNECTION_RESET, Phase.PROCESSING, "the connection to {host} was lost"),
)
"""The signs of each cause; the first match counts."""


def _by_sign(chain: ExceptionChain, host: str) -> Failure | None:
    found = next(((cause, phase, words) for fits, cause, phase, words in _SIGNS if fits(chain)), None)
    return Failure(found[0], found[1], found[2].replace("{host}", host)) if found else None


_RULES: tuple[Callable[[ExceptionChain, str], Failure | None], ...] = (
    _proxy,
    _certificate,
    _tls,
    _name,
    _retries,
    _by_sign,
)
