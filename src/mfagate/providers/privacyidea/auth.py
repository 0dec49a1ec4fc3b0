"""Signing for privacyIDEA: the API key, raw, in the Authorization header.

There is no ``Bearer`` in front of it; the server refuses one as invalid padding
(https://privacyidea.readthedocs.io/en/latest/modules/api/auth.html).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.auth import AuthBase

from mfagate.providers.privacyidea.settings import PrivacyIDEASettings

_ADMIN_ONLY = "/validate/triggerchallenge"


def signing_setting(path: str) -> str:
    """Return the setting whose key a path below the server's URL takes: an endpoint takes one role only."""
    validates = path.startswith("/validate/") and path != _ADMIN_ONLY
    return "validate_key" if validates else "admin_key"


class ApiKeyAuth(AuthBase):
    """Puts the key that the endpoint takes on a request."""

    def __init__(self, settings: PrivacyIDEASettings) -> None:
        """Without a key nothing is signed."""
        self._settings = settings
        self._root = urlsplit(settings.url).path.rstrip("/").count("/")

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Set the header; a key that is not configured leaves the request unsigned."""
        # Counted rather than compared: the prefix may have been percent-encoded since.
        segments = urlsplit(request.url or "").path.split("/")[self._root + 1 :]
        key = self._settings.secret(signing_setting("/" + "/".join(segments)))
        if key is not None:
            request.headers["Authorization"] = key
        return request
