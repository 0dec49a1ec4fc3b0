"""Reference clients fail closed for users and codes that HTTP or UTF-8 cannot write."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from mfagate.providers.auth0.client import Auth0Client
from mfagate.providers.auth0.settings import Auth0Settings
from mfagate.providers.duo.client import DuoClient
from mfagate.providers.duo.settings import DuoSettings
from mfagate.providers.entra.client import EntraClient
from mfagate.providers.entra.settings import EntraSettings
from mfagate.providers.okta.client import OktaClient
from mfagate.providers.okta.settings import OktaSettings
from mfagate.providers.privacyidea.client import PrivacyIDEAClient
from mfagate.providers.second_factor import Challenge, Decision, Factor, SecondFactor, SecondFactorError
from mfagate.providers.twilio.client import TwilioClient
from mfagate.providers.twilio.settings import TwilioSettings

NOBODY = "http://127.0.0.1:9"
GUID = "01234567-89ab-cdef-0123-456789abcdef"
SECRET = SecretStr("0" * 32)

CLIENTS: dict[str, SecondFactor] = {
    "auth0": Auth0Client(
        Auth0Settings(domain="a.eu.auth0.com", client_id="a" * 32, client_secret=SECRET),
        lambda user: user,
        endpoint=NOBODY,
    ),
    "duo": DuoClient(
        DuoSettings(host="api-01234567.duosecurity.com", integration_key="DI" + "0" * 18, secret_key=SECRET),
        endpoint=NOBODY,
    ),
    "entra": EntraClient(
        EntraSettings(tenant_id=GUID, client_id=GUID, client_secret=SECRET),
        endpoint=NOBODY,
    ),
    "okta": OktaClient(OktaSettings(org_url="https://a.okta.com", api_token=SECRET), endpoint=NOBODY),
    "privacyidea": PrivacyIDEAClient(NOBODY, "a.b.c", "a.b.c"),
    "twilio": TwilioClient(
        TwilioSettings(account_sid="AC" + "0" * 32, service_sid="VA" + "0" * 32, auth_token=SECRET),
        endpoint=NOBODY,
    ),
}

ODD = ["\ud800", "a\udcffb", "\0", "\r\nX: y", "..", "a/../b", "a?b", "", "\u00e9" * 9000]
TRANSACTIONS = [None, "VE" + "0" * 32, "a b", "\ud800"]


@pytest.mark.parametrize("odd", ODD, ids=[ascii(text)[1:12] for text in ODD])
@pytest.mark.parametrize("name", CLIENTS)
def test_an_odd_name_is_not_let_in_at_the_start(name: str, odd: str) -> None:
    """A challenge that is not decided remains to be verified: privacyIDEA needs no request to start with a code."""
    for factor in Factor:
        try:
            challenge = CLIENTS[name].start(odd, factor)
        except (SecondFactorError, ValueError) as error:
            assert not isinstance(error, UnicodeError)
        else:
            assert challenge.decided is None


@pytest.mark.parametrize("odd", ODD, ids=[ascii(text)[1:12] for text in ODD])
@pytest.mark.parametrize("name", CLIENTS)
def test_odd_names_and_codes_let_nobody_in(name: str, odd: str) -> None:
    """A client may deny at once what no code can look like; everything else is an error that it documents."""
    for factor in Factor:
        for transaction in TRANSACTIONS:
            for user, code in ((odd, "123456"), (odd, None), ("alice", odd)):
                try:
                    decision = CLIENTS[name].verify(Challenge(user, factor, transaction), code)
                except (SecondFactorError, ValueError) as error:
                    assert not isinstance(error, UnicodeError)
                else:
                    assert decision is Decision.DENY
