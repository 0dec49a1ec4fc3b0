"""Names of the same settings in plugins of privacyIDEA.

https://github.com/privacyidea/keycloak-provider and https://github.com/privacyidea/simplesamlphp-module-privacyidea.
"""

from __future__ import annotations

from mfagate.config.settings import OtherNames
from mfagate.providers.other_names import by_other_name

PREFIXES = ("PRIVACYIDEA", "PI")

OTHER_NAMES = (
    OtherNames(
        "the plugins of privacyIDEA",
        by_other_name(
            {
                "url": "server server_url privacyidea_server base_url host hostname endpoint",
                "validate_key": "api_key token auth_token api_token validate_token",
                "admin_key": "admin_token",
                "realm": "pi_realm default_realm user_realm",
                "service_password": "service_pass",
            }
        ),
    ),
)
