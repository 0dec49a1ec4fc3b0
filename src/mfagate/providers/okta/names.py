"""Names that Okta's SDKs and other tools have for the same settings.

https://github.com/okta/okta-sdk-python#configuration-reference and
https://registry.terraform.io/providers/okta/okta/latest/docs.
"""

from __future__ import annotations

from mfagate.config.settings import OtherNames

PREFIXES = (
    "OKTA",
    "OKTA_CLIENT",
    "OKTA_API",
)

OTHER_NAMES = (
    OtherNames(
        "Okta's Terraform provider",
        {"org_name": "org_url"},
        note="It is the whole address there, https://ORG_NAME.BASE_URL.",
    ),
    OtherNames(
        "Okta's SDKs and Terraform provider",
        {
            "orgurl": "org_url",
            "client_orgurl": "org_url",
            "base_url": "org_url",
            "domain": "org_url",
            "okta_domain": "org_url",
            "org": "org_url",
            "url": "org_url",
            "host": "org_url",
            "token": "api_token",
            "client_token": "api_token",
            "api_key": "api_token",
            "ssws_token": "api_token",
            "ssws": "api_token",
            "ssws_api_key": "api_token",
            "service_token": "api_token",
            "clientid": "client_id",
            "app_id": "client_id",
            "privatekey": "private_key",
            "jwk": "private_key",
            "kid": "key_id",
            "private_key_id": "key_id",
            "scope": "scopes",
        },
    ),
    OtherNames(
        "a sign-in with OpenID Connect",
        {
            "issuer": "org_url",
            "client_secret": "private_key",
        },
        "Okta's own APIs take an API token, or a client id with a private key; a client secret opens neither.",
    ),
)
