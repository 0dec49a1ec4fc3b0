"""Sign for privacyIDEA: an API key or a service account's token, raw, in the Authorization header.

The header has no ``Bearer`` prefix; the server would reject it as invalid padding
(https://privacyidea.readthedocs.io/en/latest/modules/api/auth.html).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.auth import AuthBase

from mfagate.config.jwt import expiry
from mfagate.providers.oauth import Tokens, in_body, signed_in_body
from mfagate.providers.privacyidea.errors import result_of
from mfagate.providers.privacyidea.settings import PrivacyIDEASettings

if TYPE_CHECKING:
    from mfagate.core.exchange import Response

LOGIN_PATH = "/auth"

_ADMIN_ONLY = "/validate/triggerchallenge"

_LIFETIME_SECONDS = 300.0
"""Lifetime of a token without an expiry time. The server's default is an hour."""


def signing_setting(path: str) -> str:
    """Return the setting whose key a path takes: each endpoint accepts only one role."""
    validates = path.startswith("/validate/") and path != _ADMIN_ONLY
    return "validate_key" if validates else "admin_key"


def login_form(settings: PrivacyIDEASettings) -> Mapping[str, str]:
    """Return the request for a service account's token, without the password."""
    realm = {"realm": settings.service_realm} if settings.service_realm else {}
    return {"username": settings.service_account or "", **realm}


def token_in(response: Response | None) -> tuple[str, float] | None:
    """Return the token that ``POST /auth`` issued, and its lifetime in seconds."""
    value = result_of(response).get("value") if response is not None and response.status == 200 else None
    token = value.get("token") if isinstance(value, dict) else None
    if not isinstance(token, str) or not token:
        return None
    end = expiry(token)
    return token, max(end.timestamp() - time.time(), 0.0) if end is not None else _LIFETIME_SECONDS


class PrivacyIDEAAuth(AuthBase):
    """Signs with what the endpoint takes: a key, a service account's token, or its name and password."""

    def __init__(self, settings: PrivacyIDEASettings, tokens: Tokens) -> None:
        """Without a key, requests stay unsigned."""
        self._settings = settings
        self._tokens = tokens
        self._root = urlsplit(settings.url).path.rstrip("/").count("/")

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign the request, if the credential is configured.

        Raises:
            TokenRefused: The server issued no token to the service account.
        """
        # Counted, not compared: the prefix may be percent-encoded now.
        segments = urlsplit(request.url or "").path.split("/")[self._root + 1 :]
        path = "/" + "/".join(segments)
        has_account = self._settings.service_account is not None
        if path == LOGIN_PATH:
            return in_body(request, self._password()) if has_account else request
        setting = signing_setting(path)
        key = self._settings.secret(setting)
        if key is None and setting == "admin_key" and has_account:
            key = self._tokens.get(self._credential(), self._login, token_in)
        if key is not None:
            request.headers["Authorization"] = key
        return request

    def _credential(self) -> tuple[str | None, ...]:
        settings = self._settings
        return settings.url, settings.service_account, settings.service_realm, settings.secret("service_password")

    def _password(self) -> Mapping[str, str | None]:
        return {**login_form(self._settings), "password": self._settings.secret("service_password")}

    def _login(self) -> PreparedRequest:
        import requests

        request = requests.Request("POST", self._settings.url + LOGIN_PATH, data=login_form(self._settings))
        request.headers = {"Accept": "application/json"}
        return signed_in_body(request, lambda _: self._password(), self._tokens.origins)
