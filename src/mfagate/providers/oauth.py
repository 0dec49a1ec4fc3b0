"""Access tokens by client credentials (RFC 6749 section 4.4): fetched once and kept until they expire.

A provider that requires tokens signs two kinds of request: the token request carries the client's authentication in
its body, and every other request carries the token.
"""

from __future__ import annotations

import copy
import json
import threading
import time
import uuid
from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from requests.auth import AuthBase

from mfagate.core import numbers
from mfagate.core.exchange import Exchange, Response
from mfagate.core.origins import Origins
from mfagate.providers.answers import object_of
from mfagate.providers.signing import OwnOriginOnly

if TYPE_CHECKING:
    import requests

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_ASSERTION_SECONDS = 300
"""The lifetime of an assertion. Microsoft recommends 5 to 10 minutes; Okta accepts up to an hour."""

_EARLY_SECONDS = 60.0
"""Seconds before its expiry when a token is replaced, so that it does not expire in transit."""


class TokenRefused(Exception):
    """The provider issued no token; ``exchange`` is the token request and its answer."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__("the answer to the token request contains no access token")
        self.exchange = exchange


Reader = Callable[["Response | None"], "tuple[str, float] | None"]
"""Returns the access token in an answer and its lifetime in seconds; None if there is no token."""


class Tokens:
    """The access tokens of one target, by credential. Threads may share it."""

    def __init__(
        self, send: Callable[[requests.PreparedRequest], Exchange], learn: Callable[[str, str], None] | None = None
    ) -> None:
        """``send`` sends a signed request; ``learn`` receives each token, so that it is masked in all output."""
        self._send = send
        self._learn = learn
        self._kept: dict[Hashable, tuple[str, float]] = {}
        self._fetching = threading.Lock()
        self.origins = Origins()

    def at(self, origins: Origins) -> Self:
        """Return the same tokens, restricted to requests to these origins."""
        same = copy.copy(self)
        same.origins = origins
        return same

    def get(
        self, credential: Hashable, request: Callable[[], requests.PreparedRequest], read: Reader | None = None
    ) -> str:
        """Return the token of a credential.

        Args:
            credential: Identifies the credential that the token belongs to.
            request: Creates the request for a new token.
            read: Reads token and lifetime from an answer; by default in the format of OAuth.

        Raises:
            TokenRefused: The answer contains no token.
        """
        with self._fetching:
            token, end = self._kept.get(credential, ("", 0.0))
            if time.monotonic() < end:
                return token
            started = time.monotonic()
            exchange = self._send(request())
            found = (read or token_in)(exchange.response)
            issued = found[0] if found is not None else _issued(exchange.response)
            if self._learn is not None and issued:
                self._learn("access token", issued)
            if found is None:
                raise TokenRefused(exchange)
            token, lifetime = found
            self._kept[credential] = (token, started + lifetime - min(_EARLY_SECONDS, lifetime / 2))
            return token


def token_in(response: Response | None) -> tuple[str, float] | None:
    """Return the access token in an answer and its lifetime in seconds (RFC 6749 section 5.1)."""
    token, body = _issued(response), object_of(response)
    if response is None or response.status != 200 or not token or str(body.get("token_type", "")).lower() != "bearer":
        return None
    lifetime = numbers.finite(body.get("expires_in"))
    return token, max(lifetime or 0.0, 0.0)


def _issued(response: Response | None) -> str | None:
    """Return the access token in an answer, even if the rest of the answer is invalid."""
    token = object_of(response).get("access_token")
    return token if isinstance(token, str) else None


class ClientCredentials(AuthBase):
    """Signs for an API that requires a token.

    ``authenticated`` returns whether a path takes the client's authentication in the body instead of a token.
    ``fields`` returns that authentication for a URL (None removes a field). ``request`` creates the token request.
    ``credential`` identifies the credential that a token belongs to.
    """

    def __init__(
        self,
        tokens: Tokens,
        credential: Hashable,
        *,
        authenticated: Callable[[str], bool],
        fields: Callable[[str], Mapping[str, str | None]],
        request: Callable[[], requests.Request],
    ) -> None:
        self._tokens = tokens
        self._credential = credential
        self._authenticated = authenticated
        self._fields = fields
        self._request = request

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the authentication into the body, or the token into the header.

        Raises:
            TokenRefused: The provider refused a required token.
        """
        url = str(request.url)
        if self._authenticated(urlsplit(url).path):
            return in_body(request, self._fields(url))
        token = self._tokens.get(self._credential, self._signed)
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    def _signed(self) -> requests.PreparedRequest:
        """Return the token request, which contains the client's secret.

        Raises:
            UnsafeRequest: The request would leave the target.
        """
        return signed_in_body(self._request(), self._fields, self._tokens.origins)


def assertion_claims(client_id: str | None, audience: str) -> dict[str, Any]:
    """Return the claims by which an application authenticates itself with its key (RFC 7523 section 3)."""
    now = int(time.time())
    claims = {"iss": client_id, "sub": client_id, "aud": audience, "jti": str(uuid.uuid4())}
    return {**claims, "iat": now, "exp": now + _ASSERTION_SECONDS}


def signed_in_body(
    request: requests.Request, fields: Callable[[str], Mapping[str, str | None]], origins: Origins
) -> requests.PreparedRequest:
    """Prepare a request for a token, and put the authentication for its URL into the body.

    Raises:
        UnsafeRequest: The request would leave the target.
    """
    request.auth = OwnOriginOnly(lambda it: in_body(it, fields(str(it.url))), origins)
    return request.prepare()


def in_body(request: requests.PreparedRequest, fields: Mapping[str, str | None]) -> requests.PreparedRequest:
    """Set top-level fields of a form or JSON body; None removes a field. Other bodies stay unchanged."""
    body = request.body or b""
    text = body if isinstance(body, str) else bytes(body).decode("utf-8", "replace")
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        try:
            document = json.loads(text)
        except ValueError:
            return request
        if isinstance(document, dict):
            request.body = json.dumps(_merged(document, fields), ensure_ascii=False).encode()
    elif kind == "application/x-www-form-urlencoded":
        form = dict(parse_qsl(text, keep_blank_values=True))
        request.body = urlencode(_merged(form, fields)).encode()
    request.prepare_content_length(request.body)
    return request


def _merged(body: Mapping[str, Any], fields: Mapping[str, str | None]) -> dict[str, Any]:
    return {name: value for name, value in {**body, **fields}.items() if value is not None or name not in fields}
