"""Signing for Twilio: HTTP Basic, with an API key or with the account's auth token.

https://www.twilio.com/docs/usage/requests-to-twilio.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth

from mfagate.providers.twilio.settings import TwilioSettings

ACCOUNTS = "/2010-04-01/Accounts/"
"""The API of accounts and keys. It takes the auth token, and no API key but a main one
(https://www.twilio.com/docs/iam/api-keys/keys-in-console)."""


def is_about_accounts(url: str) -> bool:
    """Whether a URL or path is one of the API of accounts; the same words further back, or in the query, do not count.

    A path comes out of a contract, and a value in it must not choose the credential.
    """
    return urlsplit(url).path.startswith(ACCOUNTS)


def signs_with_key(settings: TwilioSettings, url: str) -> bool:
    """Whether a request is signed with the API key: all but those about accounts, if there is a key."""
    return settings.key is not None and not is_about_accounts(url)


class TwilioAuth(AuthBase):
    """Signs with the API key where there is one, else with the auth token; for accounts with the token alone."""

    def __init__(self, settings: TwilioSettings) -> None:
        """Without a credential nothing is signed."""
        self._settings = settings

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Set the Authorization header."""
        settings = self._settings
        credential = settings.key if signs_with_key(settings, str(request.url)) else settings.token
        return HTTPBasicAuth(*credential)(request) if credential else request
