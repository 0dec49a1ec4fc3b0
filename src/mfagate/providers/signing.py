"""The only place where a request gets its credential: it is checked first, then signed.

Whoever sends to a provider calls :func:`prepare`, which checks signed and unsigned requests. ``Provider.auth``
returns the provider's signer in :class:`OwnOriginOnly`, so no signer runs for a URL that is not
the target's, whoever calls it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import requests
from requests.auth import AuthBase

from mfagate.core.origins import Origin, Origins, UnsafeRequest, path_fault

Signer = Callable[[requests.PreparedRequest], requests.PreparedRequest]


class Addresses(Protocol):
    """The addresses of a provider."""

    def url(self, settings: Any, path: str) -> str:
        """Return the whole URL of a path."""

    def origins(self, settings: Any) -> Origins:
        """Return where requests may go."""


class OwnOriginOnly(AuthBase):
    """Call ``signer`` only if the origin of the final URL is the target's own."""

    def __init__(self, signer: Signer, origins: Origins) -> None:
        self._signer = signer
        self._origins = origins

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a request to the target; leave one to its public origins unsigned.

        Raises:
            UnsafeRequest: The request would go elsewhere.
        """
        if "Host" in request.headers:
            raise UnsafeRequest("it has a header Host, which names another server than its URL")
        if not self._origins.allows_credential(str(request.url)):
            return request
        signed = self._signer(request)
        self._origins.allows_credential(str(signed.url))
        return signed


def prepare(provider: Addresses, settings: Any, request: requests.Request, signer: Signer) -> requests.PreparedRequest:
    """Add the address to a request, check where it goes, and sign it.

    Args:
        provider: Provides the addresses.
        settings: The provider's settings, from which the allowed origins are derived.
        request: Its URL is a path, or an absolute URL at one of the provider's origins.
        signer: Signs the request, or returns it unchanged.

    Raises:
        UnsafeRequest: It would leave the target, programs could disagree about where it goes, or it cannot be written.
    """
    final = requests.Request(
        request.method,
        _address(provider, settings, request.url),
        headers=request.headers,
        data=request.data,
        json=request.json,
        params=request.params,
        auth=OwnOriginOnly(signer, provider.origins(settings)),
    )
    try:
        return final.prepare()
    except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema):
        raise UnsafeRequest("its URL is not in the form that every program reads alike") from None
    except requests.exceptions.InvalidHeader:
        raise UnsafeRequest("one of its headers contains a character that HTTP does not allow") from None
    except (requests.exceptions.InvalidJSONError, UnicodeEncodeError):
        raise UnsafeRequest("it contains half a surrogate pair, or a number that JSON cannot represent") from None


def unsigned(method: str, url: str) -> requests.PreparedRequest:
    """Prepare a request to a host that is no provider's: nothing signs it."""
    return requests.Request(method, url).prepare()


def _address(provider: Addresses, settings: Any, url: str) -> str:
    if not url.startswith(("https://", "http://")):
        _require_path(url)
        return provider.url(settings, url)
    Origin.of(url)
    _require_path("/" + url.split("/", 3)[3] if url.count("/") > 2 else "/")
    return url


def _require_path(target: str) -> None:
    if (fault := path_fault(target.partition("?")[0])) is not None:
        raise UnsafeRequest(f"its path {fault}")
