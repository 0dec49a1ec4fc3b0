"""Names of the same settings in Twilio's examples and other tools.

https://www.twilio.com/docs/iam/api-keys and https://www.twilio.com/docs/verify/quickstarts.
"""

from __future__ import annotations

from mfagate.config.settings import OtherNames
from mfagate.providers.other_names import by_other_name

PREFIXES = ("TWILIO",)

OTHER_NAMES = (
    OtherNames(
        "Twilio's examples",
        by_other_name(
            {
                "account_sid": "sid username account account_id accountsid",
                "auth_token": "password token authtoken",
                "api_key_sid": "api_key key_sid api_sid api_key_id apikey",
                "api_key_secret": "api_secret api_key_secret_value key_secret secret",
                "service_sid": "verify_service_sid verify_sid verify_service_id verification_sid "
                "verification_service_sid service_id verify_service",
            }
        ),
    ),
)
