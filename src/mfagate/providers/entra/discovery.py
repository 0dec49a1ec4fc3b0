"""The tenant's public openid-configuration, which shows the tenant's national cloud.

https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc. According to users, the global host also
describes tenants of other clouds, with the endpoints of those clouds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Response
from mfagate.core.finding import Finding
from mfagate.providers.answers import object_of
from mfagate.providers.entra.clouds import CLOUDS
from mfagate.providers.entra.errors import UNKNOWN_TENANT, error_name, error_of
from mfagate.providers.entra.settings import GUID, EntraSettings
from mfagate.providers.probes import Send


def path(settings: EntraSettings) -> str:
    """Return its path on the login host."""
    return f"/{settings.tenant_id}/v2.0/.well-known/openid-configuration"


def document(response: Response | None) -> dict[str, Any] | None:
    """Return the document, or None if the answer is something else."""
    body = object_of(response)
    is_document = all(isinstance(body.get(name), str) for name in ("issuer", "token_endpoint"))
    return body if response is not None and response.status == 200 and is_document else None


def login_answers(response: Response) -> bool:
    """Return whether Entra's login host answered, with the document or with the error of an unknown tenant.

    The credential probe reports an unknown tenant, because it can find the reason by further requests.
    """
    if document(response) is not None:
        return True
    error = error_of(response)
    known_by_number = error is not None and error.code in UNKNOWN_TENANT
    return response.status == 400 and (known_by_number or error_name(response) == "invalid_tenant")


def tenant_in(found: dict[str, Any]) -> str | None:
    """Return the tenant's id from its issuer, in lower case."""
    issuer = re.fullmatch(rf"https://[^/]+/({GUID})/v2\.0", found["issuer"])
    return issuer[1].lower() if issuer else None


def in_another_cloud(finding: Finding, settings: EntraSettings, send: Send[EntraSettings]) -> Finding:
    """Add to a refusal because of the tenant which cloud the tenant is in."""
    name = next((name for name in _clouds_of(settings, send) if name != settings.cloud), None)
    if name is None:
        return finding
    # Only a setting that is present has a line in the file.
    setting = "cloud" if "cloud" in settings.model_fields_set else "tenant_id"
    return replace(
        finding,
        cause=CauseId.CREDENTIAL_WRONG_REGION,
        message=f"the tenant is in the cloud {name}, but settings.cloud is {settings.cloud}",
        evidence={**finding.evidence, "found at": CLOUDS[name].login},
        next_step=f'Set cloud = "{name}", or use the tenant and application of the cloud {settings.cloud}.',
        setting=setting,
    )


def _clouds_of(settings: EntraSettings, send: Send[EntraSettings]) -> Iterator[str]:
    """Yield the clouds in which the login hosts find the tenant, beginning with the configured one."""
    import requests

    for login in dict.fromkeys((settings.hosts.login, *(cloud.login for cloud in CLOUDS.values()))):
        found = document(send(requests.Request("GET", f"https://{login}{path(settings)}")).response)
        if found is not None and (name := _cloud_in(found, settings)) is not None:
            yield name


def _cloud_in(found: dict[str, Any], settings: EntraSettings) -> str | None:
    login = urlsplit(found["token_endpoint"]).hostname
    names = [name for name, cloud in CLOUDS.items() if cloud.login == login]
    if settings.cloud in names:
        return settings.cloud  # No documented field distinguishes DoD tenants from GCC High tenants.
    exact = [name for name in names if CLOUDS[name].graph == found.get("msgraph_host")]
    return next(iter(exact or names), None)
