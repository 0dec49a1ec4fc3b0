"""Signing for privacyIDEA: the API key, raw, in the Authorization header.

There is no ``Bearer`` in front of it; the server refuses one as invalid padding
(https://privacyidea.readthedocs.io/en/latest/modules/api/auth.html).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.auth import AuthBase

_ADMIN_ONLY = "/validate/triggerchallenge"


def signing_setting(path: str) -> str:
    """Return the setting whose key a path takes: an endpoint takes one role only.

    The server may be mounted below a prefix, so the end of the path decides, not its start.
    """
    validates = "/validate/" in path and not path.endswith(_ADMIN_ONLY)
    return "validate_key" if validates else "admin_key"


class ApiKeyAuth(AuthBase):
    """Puts the key that the endpoint takes on a request."""

    def __init__(self, validate_key: str | None, admin_key: str | None) -> None:
        self._keys = {"validate_key": validate_key, "admin_key": admin_key}

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Set the header; a key that is not configured leaves the request unsigned."""
        key = self._keys[signing_setting(urlsplit(request.url or "").path)]
        if key is not None:
            request.headers["Authorization"] = key
        return request
