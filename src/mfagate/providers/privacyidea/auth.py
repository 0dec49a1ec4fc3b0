"""Signing for privacyIDEA: the API key, raw, in the Authorization header.

There is no ``Bearer`` in front of it; the server refuses one as invalid padding
(https://privacyidea.readthedocs.io/en/latest/modules/api/auth.html).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.auth import AuthBase

_ADMIN_ONLY = "/validate/triggerchallenge"


class ApiKeyAuth(AuthBase):
    """Puts the key that the endpoint takes on a request: an endpoint takes one role only."""

    def __init__(self, validate_key: str | None, admin_key: str | None) -> None:
        self._validate_key = validate_key
        self._admin_key = admin_key

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Set the header; a key that is not configured leaves the request unsigned."""
        path = urlsplit(request.url or "").path
        # The server may be mounted below a prefix, so look at how the path goes on, not how it starts.
        validates = "/validate/" in path and not path.endswith(_ADMIN_ONLY)
        key = self._validate_key if validates else self._admin_key
        if key is not None:
            request.headers["Authorization"] = key
        return request
