"""Names that Auth0's SDKs and quickstarts have for the same settings.

https://auth0.com/docs/quickstart/webapp, https://github.com/auth0/nextjs-auth0 and
https://registry.terraform.io/providers/auth0/auth0/latest/docs.
"""

from __future__ import annotations

from mfagate.config.settings import OtherNames

PREFIXES = ("AUTH0",)

OTHER_NAMES = (
    OtherNames(
        "Auth0's SDKs and quickstarts",
        {
            "issuer_base_url": "domain",
            "issuer": "domain",
            "tenant": "domain",
            "host": "domain",
            "base_url": "domain",
            "tenant_domain": "domain",
            "url": "domain",
            "clientid": "client_id",
            "app_id": "client_id",
            "clientsecret": "client_secret",
            "app_secret": "client_secret",
            "api_identifier": "audience",
            "identifier": "audience",
            "api_audience": "audience",
            "management_audience": "audience",
            "api_token": "management_token",
            "mgmt_token": "management_token",
            "management_api_token": "management_token",
            "token": "management_token",
        },
        "The domain is a host name alone, without https://.",
    ),
    OtherNames(
        "the session of nextjs-auth0",
        {
            "secret": "client_secret",
        },
        "AUTH0_SECRET encrypts the cookies of nextjs-auth0 and is no client secret.",
    ),
)
