"""The expiry dates of the application's credentials, from its registration.

Graph returns the first three characters of a secret (``hint``) and the thumbprint of a certificate
(``customKeyIdentifier``), which identify the configured credential among several:
https://learn.microsoft.com/graph/api/resources/passwordcredential and
https://learn.microsoft.com/graph/api/resources/keycredential.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mfagate.core import numbers
from mfagate.core.exchange import Response
from mfagate.providers.answers import object_of
from mfagate.providers.entra.settings import EntraSettings
from mfagate.providers.probes import Expiry, ExpiryProbe, Probe

READS_APPLICATION = "Application.Read.All"

_HINT_CHARACTERS = 3


def probe(settings: EntraSettings) -> ExpiryProbe:
    """Return the request for the application: https://learn.microsoft.com/graph/api/application-get."""
    subject = "client_secret" if settings.client_secret is not None else "private_key"
    path = f"/v1.0/applications(appId='{settings.client_id}')"
    params = {"$select": "id,appId,keyCredentials,passwordCredentials"}
    return ExpiryProbe(
        Probe(subject, "GET", path, lambda response: _application(response) is not None, params=params),
        f"the application permission {READS_APPLICATION} of Microsoft Graph",
        lambda response: _expiries(_application(response) or {}, settings, subject),
    )


def _application(response: Response) -> Mapping[str, Any] | None:
    body = object_of(response)
    has_lists = all(isinstance(body.get(name), list) for name in ("passwordCredentials", "keyCredentials"))
    return body if response.status == 200 and has_lists else None


def _expiries(application: Mapping[str, Any], settings: EntraSettings, subject: str) -> Sequence[Expiry]:
    if subject == "client_secret":
        hint = (settings.secret("client_secret") or "")[:_HINT_CHARACTERS]
        ours = [entry for entry in _entries(application["passwordCredentials"]) if entry.get("hint") == hint]
    else:
        thumbprint = (settings.certificate_thumbprint or "").lower()
        ours = [entry for entry in _entries(application["keyCredentials"]) if thumbprint in _thumbprints(entry)]
    # The configured credential was just accepted, so expired ones do not count. Of several, the first to expire does.
    ends = [end for entry in ours if (end := _end(entry)) is not None and end > datetime.now(UTC)]
    what = "the client secret" if subject == "client_secret" else "the certificate"
    return [Expiry(subject, min(ends), what)] if ends else []


def _entries(listed: Iterable[Any]) -> list[Mapping[str, Any]]:
    return [entry for entry in listed if isinstance(entry, dict)]


def _end(entry: Mapping[str, Any]) -> datetime | None:
    return numbers.iso_date(entry.get("endDateTime"))


def _thumbprints(entry: Mapping[str, Any]) -> set[str]:
    """Return the thumbprints that the identifier may mean: Graph returns base64, or hexadecimal according to users."""
    identifier = str(entry.get("customKeyIdentifier") or "")
    try:
        return {identifier.lower(), base64.b64decode(identifier, validate=True).hex()}
    except (binascii.Error, ValueError):
        return {identifier.lower()}
