"""The requests of mfagate to Vonage Verify, all safe in production."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from pydantic import SecretStr

from mfagate.core.exchange import Response
from mfagate.providers.probes import Probe, ProviderProbes
from mfagate_vonage.errors import answer_of, error_of
from mfagate_vonage.settings import VonageSettings

NO_SUCH_REQUEST = "00000000-0000-0000-0000-000000000000"
"""A verification that does not exist, so that no code is checked."""


class VonageProbes(ProviderProbes[VonageSettings]):
    """Probes of Vonage Verify that are safe in production."""

    def pings(self, settings: VonageSettings) -> Sequence[Probe]:
        """Request without a credential, which Verify refuses in its own format; no endpoint is public."""
        return [Probe("api", "POST", f"/v2/verify/{NO_SUCH_REQUEST}", _refuses, json={"code": "0000"})]

    def credentials(self, settings: VonageSettings) -> Sequence[Probe]:
        """https://developer.vonage.com/en/api/account#listAPISecrets, and a code for a verification that does not
        exist."""
        probes = []
        if settings.api_secret is not None:
            path = f"/accounts/{settings.api_key}/secrets"
            probes.append(Probe("api_secret", "GET", path, lambda response: "_embedded" in answer_of(response)))
        if settings.private_key is not None:
            path = f"/v2/verify/{NO_SUCH_REQUEST}"
            probes.append(Probe("private_key", "POST", path, _knows_no_such_request, json={"code": "0000"}))
        return probes

    def with_bad_credential(self, settings: VonageSettings, subject: str) -> VonageSettings:
        """Return the settings with a well-formed made-up secret, or a key of no application."""
        from mfagate_vonage.auth import new_private_key

        made_up = f"Aa0{secrets.token_hex(6)}" if subject == "api_secret" else new_private_key()
        return settings.model_copy(update={subject: SecretStr(made_up)})


def _refuses(response: Response) -> bool:
    error = error_of(response)
    return response.status == 401 and error is not None and error.code == "Unauthorized"


def _knows_no_such_request(response: Response) -> bool:
    error = error_of(response)
    return response.status == 404 and error is not None and "was not found" in error.message
