"""Names of the same settings in Microsoft's SDKs and tools.

https://learn.microsoft.com/python/api/overview/azure/identity-readme#environment-variables,
https://registry.terraform.io/providers/hashicorp/azuread/latest/docs and the output of ``az ad sp create-for-rbac``.
"""

from __future__ import annotations

from mfagate.config.settings import OtherNames
from mfagate.providers.other_names import by_other_name

PREFIXES = ("AZURE", "ENTRA", "ARM", "AAD", "AZURE_AD", "MSAL", "GRAPH", "MS", "MICROSOFT")

OTHER_NAMES = (
    OtherNames(
        "Microsoft's SDKs and tools",
        by_other_name(
            {
                "tenant_id": "tenant directory_id tenantid authority",
                "client_id": "app_id appid application_id clientid",
                "client_secret": "secret password app_secret secret_value client_secret_value",
                "private_key": "client_certificate_path certificate_path client_certificate certificate",
                "certificate_thumbprint": "thumbprint client_certificate_thumbprint",
                "cloud": "environment authority_host instance",
            }
        ),
    ),
)
