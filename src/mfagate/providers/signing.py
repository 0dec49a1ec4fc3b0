"""Address, sign and deliver requests to a provider.

:func:`prepare` checks where a request goes, and then signs it: no other code gives a request its credential.
``ProviderApi.auth`` returns the provider's signer in :class:`OwnOriginOnly`, so that no signer runs for a URL outside
the target. :func:`deliver` sends the prepared request.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.auth import AuthBase

from mfagate.core.exchange import Exchange
from mfagate.core.origins import Origin, Origins, UnsafeRequest, path_fault
from mfagate.core.version import __version__
from mfagate.transport import Transport

Signer = Callable[[requests.PreparedRequest], requests.PreparedRequest]


SignedWith = TypeVar("SignedWith", contravariant=True)
Settings = TypeVar("Settings")

_USER_AGENT = f"mfagate/{__version__}"


class Addresses(Protocol[SignedWith]):
    """The addresses of a provider."""

    def url(self, settings: SignedWith, path: str) -> str:
        """Return the whole URL of a path."""

    def origins(self, settings: SignedWith) -> Origins:
        """Return where requests may go."""


class OwnOriginOnly(AuthBase):
    """Call ``signer`` only if the origin of the final URL is the target's own."""

    def __init__(self, signer: Signer, origins: Origins) -> None:
        self._signer = signer
        self._origins = origins

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a request to the target; return a request to its public origins unsigned.

        Raises:
            UnsafeRequest: The request would go to another host.
        """
        if "Host" in request.headers:
            raise UnsafeRequest("it has a Host header, which may name another server than its URL")
        if not self._origins.allows_credential(str(request.url)):
            return request
        signed = self._signer(request)
        self._origins.allows_credential(str(signed.url))
        return signed


def prepare(
    api: Addresses[Settings], settings: Settings, request: requests.Request, signer: Signer
) -> requests.PreparedRequest:
    """Add the address to a request, check where it goes, and sign it.

    Args:
        api: The provider's addresses.
        settings: The provider's settings, from which the allowed origins are derived.
        request: Its URL is a path, or an absolute URL at one of the provider's origins.
        signer: Signs the request, or returns it unchanged.

    Raises:
        UnsafeRequest: It would leave the target, programs could disagree about where it goes, or it cannot be written.
    """
    final = requests.Request(
        request.method,
        _address(api, settings, request.url),
        headers=request.headers,
        data=request.data,
        json=request.json,
        params=request.params,
        auth=OwnOriginOnly(signer, api.origins(settings)),
    )
    try:
        return final.prepare()
    except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema):
        raise UnsafeRequest("its URL has a form that programs interpret differently") from None
    except requests.exceptions.InvalidHeader:
        raise UnsafeRequest("one of its headers contains a character that HTTP does not allow") from None
    except (requests.exceptions.InvalidJSONError, UnicodeEncodeError):
        raise UnsafeRequest("it contains an unpaired surrogate, or a number that JSON cannot represent") from None


def deliver(
    transport: Transport,
    request: requests.PreparedRequest,
    endpoint: str | None,
    *,
    at_most: float | None = None,
    fresh: bool = False,
) -> Exchange:
    """Send a prepared request.

    Args:
        transport: Sends it.
        request: Its URL, and its ``User-Agent`` if it has none, are set here: some firewalls refuse requests without.
        endpoint: Base URL to connect to in place of the provider's own, such as a sandbox. The signature covers the
            provider's own host.
        at_most: Seconds to wait, if less than the timeout of ``transport``.
        fresh: Whether to open a new connection, so that the request is never sent twice.

    Raises:
        UnsendableRequest: A header cannot be written.
    """
    request.headers.setdefault("User-Agent", _USER_AGENT)
    if endpoint is not None:
        to, own = urlsplit(endpoint), urlsplit(str(request.url))
        request.url = urlunsplit((to.scheme, to.netloc, to.path.rstrip("/") + own.path, own.query, ""))
    return transport.send(request, at_most=at_most, fresh=fresh)


def unsigned(method: str, url: str) -> requests.PreparedRequest:
    """Prepare an unsigned request to a host that does not belong to a provider."""
    return requests.Request(method, url).prepare()


def _address(api: Addresses[Settings], settings: Settings, url: str) -> str:
    if not url.startswith(("https://", "http://")):
        _require_path(url)
        return api.url(settings, url)
    Origin.of(url)
    _require_path("/" + url.split("/", 3)[3] if url.count("/") > 2 else "/")
    return url


def _require_path(target: str) -> None:
    if (fault := path_fault(target.partition("?")[0])) is not None:
        raise UnsafeRequest(f"its path {fault}")
