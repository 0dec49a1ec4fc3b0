"""Names of the same settings in Okta's SDKs and other tools.

https://github.com/okta/okta-sdk-python#configuration-reference and
https://registry.terraform.io/providers/okta/okta/latest/docs.
"""

from __future__ import annotations

from mfagate.config.settings import OtherNames
from mfagate.providers.other_names import by_other_name

PREFIXES = ("OKTA", "OKTA_CLIENT", "OKTA_API")

OTHER_NAMES = (
    OtherNames(
        "Okta's Terraform provider",
        by_other_name({"org_url": "org_name"}),
        "org_url is the whole address, https://ORG_NAME.BASE_URL.",
    ),
    OtherNames(
        "Okta's SDKs and Terraform provider",
        by_other_name(
            {
                "org_url": "orgurl client_orgurl base_url domain okta_domain org url host",
                "api_token": "token client_token api_key ssws_token ssws ssws_api_key service_token",
                "client_id": "clientid app_id",
                "private_key": "privatekey jwk",
                "key_id": "kid private_key_id",
                "scopes": "scope",
            }
        ),
    ),
    OtherNames(
        "a sign-in with OpenID Connect",
        by_other_name({"org_url": "issuer", "private_key": "client_secret"}),
        "Okta's own APIs accept an API token, or a client id with a private key, but not a client secret.",
    ),
)
