"""Which key signs which endpoint."""

from __future__ import annotations

import pytest
import requests
from pydantic import SecretStr

from mfagate.providers.oauth import Tokens
from mfagate.providers.privacyidea.provider import PROVIDER
from mfagate.providers.privacyidea.settings import PrivacyIDEASettings
from mfagate.providers.signing import prepare

VALIDATE, ADMIN = "the.validate.key", "the.admin.key"


def signature(url: str, path: str) -> str:
    settings = PrivacyIDEASettings(url=url, validate_key=SecretStr(VALIDATE), admin_key=SecretStr(ADMIN))
    auth = PROVIDER.api.auth(settings, Tokens(lambda request: pytest.fail("no token is needed")))
    return prepare(PROVIDER.api, settings, requests.Request("GET", path), auth).headers["Authorization"]


@pytest.mark.parametrize(
    "prefix", ["", "/pi", "/a/b", "/m\u00fcller", "/validate/pi", "/pi/validate"], ids=lambda prefix: prefix or "none"
)
@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/validate/check", VALIDATE),
        ("/validate/polltransaction/123", VALIDATE),
        ("/validate/triggerchallenge", ADMIN),
        ("/auth/rights", ADMIN),
        ("/token/init", ADMIN),
        ("/token/validate/check", ADMIN),
        ("/token/?serial=/validate/check", ADMIN),
    ],
)
def test_the_endpoint_below_the_url_decides_the_key(prefix: str, path: str, key: str) -> None:
    """Not a prefix at which the server is mounted, and not a value in a path."""
    assert signature(f"https://mfa.example{prefix}", path) == key
