"""Sign for Duo: a Date header, and a Basic header with the integration key and the signature."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from urllib.parse import parse_qsl, urlsplit

from requests import PreparedRequest
from requests.auth import AuthBase, _basic_auth_str

from mfagate.providers.duo.signature import Version, canonical, sign

_FORM = "application/x-www-form-urlencoded"


class DuoAuth(AuthBase):
    """Signs forms with version 2 and everything else with version 5, as Duo's own clients do.

    The signature covers the account's host, whatever address the request is sent to.
    """

    def __init__(
        self, host: str, integration_key: str, secret_key: str | None, *, now: Callable[[], str] = formatdate
    ) -> None:
        """Without a secret key, requests stay unsigned."""
        self._host = host
        self._integration_key = integration_key
        self._secret_key = secret_key
        self._now = now

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Set the two headers."""
        if self._secret_key is None:
            return request
        date = self._now()
        signature = sign(self._secret_key, self._text(request, date))
        request.headers["Date"] = date
        request.headers["Authorization"] = _basic_auth_str(self._integration_key, signature)
        return request

    def _text(self, request: PreparedRequest, date: str) -> str:
        url = urlsplit(str(request.url))
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else bytes(body)
        is_form = request.headers.get("Content-Type", "").startswith(_FORM)
        version: Version = 2 if is_form else 5
        return canonical(
            version,
            date=date,
            method=str(request.method),
            host=self._host,
            path=url.path,
            parameters=parse_qsl(body.decode() if is_form else url.query, keep_blank_values=True),
            body=body,
            headers=request.headers,
        )
