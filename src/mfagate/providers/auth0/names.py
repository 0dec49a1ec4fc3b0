"""Names of the same settings in Auth0's SDKs and quickstarts.

https://auth0.com/docs/quickstart/webapp, https://github.com/auth0/nextjs-auth0 and
https://registry.terraform.io/providers/auth0/auth0/latest/docs.
"""

from __future__ import annotations

from mfagate.config.settings import OtherNames
from mfagate.providers.other_names import by_other_name

PREFIXES = ("AUTH0",)

OTHER_NAMES = (
    OtherNames(
        "Auth0's SDKs and quickstarts",
        by_other_name(
            {
                "domain": "issuer_base_url issuer tenant host base_url tenant_domain url",
                "client_id": "clientid app_id",
                "client_secret": "clientsecret app_secret",
                "audience": "api_identifier identifier api_audience management_audience",
                "management_token": "api_token mgmt_token management_api_token token",
            }
        ),
        "domain is only a host name, without https://.",
    ),
    OtherNames(
        "the session of nextjs-auth0",
        by_other_name({"client_secret": "secret"}),
        "AUTH0_SECRET encrypts the cookies of nextjs-auth0; it is not the client secret.",
    ),
)
