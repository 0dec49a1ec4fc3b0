"""Sign for Twilio: HTTP Basic, with an API key or with the account's auth token.

https://www.twilio.com/docs/usage/requests-to-twilio.
"""

from __future__ import annotations

from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth

from mfagate.providers.twilio.settings import TwilioSettings, signs_with_key


class TwilioAuth(AuthBase):
    """Signs with the API key if there is one, or else with the auth token; the account API gets only the token."""

    def __init__(self, settings: TwilioSettings) -> None:
        """Without a credential, requests stay unsigned."""
        self._settings = settings

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Set the Authorization header."""
        settings = self._settings
        credential = settings.key if signs_with_key(settings, str(request.url)) else settings.token
        return HTTPBasicAuth(*credential)(request) if credential else request
