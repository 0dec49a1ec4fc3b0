"""Which credential signs which request."""

from __future__ import annotations

import pytest
import requests
from pydantic import SecretStr
from requests.auth import _basic_auth_str

from mfagate.providers.oauth import Tokens
from mfagate.providers.signing import prepare
from mfagate.providers.twilio.provider import PROVIDER
from mfagate.providers.twilio.settings import TwilioSettings

ACCOUNT, KEY, KEY_SECRET, TOKEN = "AC" + "0" * 32, "SK" + "0" * 32, "key secret", "auth token"
SETTINGS = TwilioSettings(
    account_sid=ACCOUNT,
    service_sid="VA" + "0" * 32,
    auth_token=SecretStr(TOKEN),
    api_key_sid=KEY,
    api_key_secret=SecretStr(KEY_SECRET),
)


def prepared(path: str) -> requests.PreparedRequest:
    auth = PROVIDER.api.auth(SETTINGS, Tokens(lambda request: pytest.fail("no token is needed")))
    return prepare(PROVIDER.api, SETTINGS, requests.Request("GET", path), auth)


def test_the_api_of_accounts_gets_the_auth_token() -> None:
    request = prepared(f"/2010-04-01/Accounts/{ACCOUNT}.json")
    assert str(request.url).startswith("https://api.twilio.com/")
    assert request.headers["Authorization"] == _basic_auth_str(ACCOUNT, TOKEN)


@pytest.mark.parametrize(
    "path",
    [
        "/v2/Services",
        "/v2/Services/2010-04-01/Accounts/x",
        "/v2/Services?a=/2010-04-01/Accounts/",
        "/2010-04-01",
    ],
)
def test_everything_else_gets_the_api_key(path: str) -> None:
    """Words further back in a path, or in a query, choose no credential: they come out of a contract."""
    request = prepared(path)
    assert str(request.url).startswith("https://verify.twilio.com/")
    assert request.headers["Authorization"] == _basic_auth_str(KEY, KEY_SECRET)
