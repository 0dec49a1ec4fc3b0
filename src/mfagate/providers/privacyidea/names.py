"""Names that plugins of privacyIDEA have for the same settings.

https://github.com/privacyidea/keycloak-provider and https://github.com/privacyidea/simplesamlphp-module-privacyidea.
"""

from __future__ import annotations

from mfagate.config.settings import OtherNames

PREFIXES = (
    "PRIVACYIDEA",
    "PI",
)

OTHER_NAMES = (
    OtherNames(
        "the plugins of privacyIDEA",
        {
            "server": "url",
            "server_url": "url",
            "privacyidea_server": "url",
            "base_url": "url",
            "host": "url",
            "hostname": "url",
            "endpoint": "url",
            "api_key": "validate_key",
            "token": "validate_key",
            "auth_token": "validate_key",
            "api_token": "validate_key",
            "validate_token": "validate_key",
            "admin_token": "admin_key",
            "pi_realm": "realm",
            "default_realm": "realm",
            "user_realm": "realm",
            "service_pass": "service_password",
        },
    ),
)
