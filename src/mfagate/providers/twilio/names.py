"""Names that Twilio's examples and other tools have for the same settings.

https://www.twilio.com/docs/iam/api-keys and https://www.twilio.com/docs/verify/quickstarts.
"""

from __future__ import annotations

from mfagate.config.settings import OtherNames

PREFIXES = ("TWILIO",)

OTHER_NAMES = (
    OtherNames(
        "Twilio's examples",
        {
            "sid": "account_sid",
            "username": "account_sid",
            "password": "auth_token",
            "account": "account_sid",
            "account_id": "account_sid",
            "accountsid": "account_sid",
            "token": "auth_token",
            "authtoken": "auth_token",
            "api_key": "api_key_sid",
            "key_sid": "api_key_sid",
            "api_sid": "api_key_sid",
            "api_key_id": "api_key_sid",
            "apikey": "api_key_sid",
            "api_secret": "api_key_secret",
            "api_key_secret_value": "api_key_secret",
            "key_secret": "api_key_secret",
            "secret": "api_key_secret",
            "verify_service_sid": "service_sid",
            "verify_sid": "service_sid",
            "verify_service_id": "service_sid",
            "verification_sid": "service_sid",
            "verification_service_sid": "service_sid",
            "service_id": "service_sid",
            "verify_service": "service_sid",
        },
    ),
)
