"""Names that Microsoft's SDKs and tools have for the same settings.

https://learn.microsoft.com/python/api/overview/azure/identity-readme#environment-variables,
https://registry.terraform.io/providers/hashicorp/azuread/latest/docs and the output of ``az ad sp create-for-rbac``.
"""

from __future__ import annotations

from mfagate.config.settings import OtherNames

PREFIXES = (
    "AZURE",
    "ENTRA",
    "ARM",
    "AAD",
    "AZURE_AD",
    "MSAL",
    "GRAPH",
    "MS",
    "MICROSOFT",
)

OTHER_NAMES = (
    OtherNames(
        "Microsoft's SDKs and tools",
        {
            "tenant": "tenant_id",
            "directory_id": "tenant_id",
            "tenantid": "tenant_id",
            "authority": "tenant_id",
            "app_id": "client_id",
            "appid": "client_id",
            "application_id": "client_id",
            "clientid": "client_id",
            "secret": "client_secret",
            "password": "client_secret",
            "app_secret": "client_secret",
            "secret_value": "client_secret",
            "client_secret_value": "client_secret",
            "client_certificate_path": "private_key",
            "certificate_path": "private_key",
            "client_certificate": "private_key",
            "certificate": "private_key",
            "thumbprint": "certificate_thumbprint",
            "client_certificate_thumbprint": "certificate_thumbprint",
            "environment": "cloud",
            "authority_host": "cloud",
            "instance": "cloud",
        },
    ),
)
