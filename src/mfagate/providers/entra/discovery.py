"""The tenant's openid-configuration: public, and the place where a tenant's national cloud can be seen.

https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc. Users of the global host
report that it describes tenants of other clouds too, with the endpoints of those clouds.
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
from mfagate.providers.entra.clouds import CLOUDS
from mfagate.providers.entra.errors import UNKNOWN_TENANT, error_name, error_of
from mfagate.providers.entra.settings import GUID, EntraSettings
from mfagate.providers.errors import object_of
from mfagate.providers.probes import Send


def path(settings: EntraSettings) -> str:
    """Where it is on the login host."""
    return f"/{settings.tenant_id}/v2.0/.well-known/openid-configuration"


def document(response: Response | None) -> dict[str, Any] | None:
    """The document, if the answer is one."""
    body = object_of(response)
    is_document = all(isinstance(body.get(name), str) for name in ("issuer", "token_endpoint"))
    return body if response is not None and response.status == 200 and is_document else None


def login_answers(response: Response) -> bool:
    """Whether Entra's login host answered: with the document, or that it knows no such tenant.

    Which of the two is judged with the credential, where further requests may tell why.
    """
    if document(response) is not None:
        return True
    error = error_of(response)
    known_by_number = error is not None and error.code in UNKNOWN_TENANT
    return response.status == 400 and (known_by_number or error_name(response) == "invalid_tenant")


def tenant_in(found: dict[str, Any]) -> str | None:
    """The tenant's id, of which its issuer is made, in lower case."""
    issuer = re.fullmatch(rf"https://[^/]+/({GUID})/v2\.0", found["issuer"])
    return issuer[1].lower() if issuer else None


def in_another_cloud(finding: Finding, settings: EntraSettings, send: Send[EntraSettings]) -> Finding:
    """A refusal because of the tenant, made more precise: which cloud is the tenant in?"""
    name = next((name for name in _clouds_of(settings, send) if name != settings.cloud), None)
    if name is None:
        return finding
    # A setting that is not there has no line to point at.
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
    """The clouds that the login hosts, our own first, say the tenant is in."""
    import requests

    for login in dict.fromkeys((settings.hosts.login, *(cloud.login for cloud in CLOUDS.values()))):
        found = document(send(requests.Request("GET", f"https://{login}{path(settings)}")).response)
        if found is not None and (name := _cloud_in(found, settings)) is not None:
            yield name


def _cloud_in(found: dict[str, Any], settings: EntraSettings) -> str | None:
    login = urlsplit(found["token_endpoint"]).hostname
    names = [name for name, cloud in CLOUDS.items() if cloud.login == login]
    if settings.cloud in names:
        return settings.cloud  # Nothing that is documented tells a tenant of DoD from one of GCC High.
    exact = [name for name in names if CLOUDS[name].graph == found.get("msgraph_host")]
    return next(iter(exact or names), None)
