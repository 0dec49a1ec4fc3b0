"""Vonage Verify v2 for mfagate (https://developer.vonage.com/en/verify/overview)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from mfagate.cassettes.scrub import Scrubbing
from mfagate.core.causes import CauseId
from mfagate.core.finding import Finding
from mfagate.providers.api import ProviderApi
from mfagate.providers.probes import Send
from mfagate.providers.provider import Provider
from mfagate_vonage.dialect import VonageDialect
from mfagate_vonage.probes import VonageProbes
from mfagate_vonage.settings import VonageSettings

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from mfagate.providers.oauth import Tokens
    from mfagate.providers.states import States

_PAIRS = {"api_secret": "api_key", "private_key": "application_id"}


class VonageApi(ProviderApi[VonageSettings]):
    """The addresses of Vonage Verify's API, and the signer of requests."""

    def base_url(self, settings: VonageSettings) -> str:
        """Return the host of Verify and of the account's secrets."""
        return "https://api.nexmo.com"

    def signer(self, settings: VonageSettings, tokens: Tokens) -> AuthBase:
        """Sign with key and secret, or with the application's JWT."""
        from mfagate_vonage.auth import VonageAuth

        return VonageAuth(settings)

    def sends_message(self, method: str, path: str, fields: Mapping[str, Any]) -> bool:
        """Return whether a verification starts or continues; the check of a code sends nothing.

        https://developer.vonage.com/en/api/verify.v2
        """
        return method == "POST" and "code" not in fields


class Vonage(Provider[VonageSettings]):
    """Knowledge about Vonage Verify v2."""

    name: ClassVar[str] = "vonage"
    title: ClassVar[str] = "Vonage Verify"
    settings = VonageSettings
    dialect = VonageDialect()
    probes = VonageProbes()
    api = VonageApi()
    test_data: ClassVar[Mapping[str, str]] = {
        "number": "a phone number (E.164 without +) that receives an SMS at each run",
        "code": "the code that is sent to the number; only the sandbox knows it in advance",
        "forbidden_api_key": "API key of an account that may not use Verify",
        "forbidden_api_secret": "its secret",
    }
    test_secrets: ClassVar[frozenset[str]] = frozenset({"code", "forbidden_api_secret"})
    scrubbing: ClassVar[Scrubbing] = Scrubbing(
        secret_fields=frozenset({"to"}),
        volatile_fields={
            "request_id": "c11236f4-00bf-4b89-84ba-88b25df97315",
            "instance": "bf0ca0bf927b3b52e3cb03217e1a1ddf",
            "detail": "a sentence",
            "href": "/accounts/0a1b2c3d/secrets",
            "id": "ad6dc56f-07b5-46e1-a527-85530e625800",
            "created_at": "2026-01-01T00:00:00Z",
        },
    )

    def inspect(self, settings: VonageSettings) -> Sequence[tuple[str, Finding]]:
        """Require the name that belongs to each secret."""
        return [
            (name, Finding(CauseId.CONFIG_SETTING_MISSING, f"{name} must be set together with {secret}"))
            for secret, name in _PAIRS.items()
            if getattr(settings, secret) is not None and getattr(settings, name) is None
        ]

    def states(self, send: Send, settings: VonageSettings, test_data: Mapping[str, str]) -> States:
        """Return the states of an account: started, answered and cancelled verifications."""
        from mfagate_vonage.states import VonageStates

        return VonageStates(self, send, settings, test_data)


PROVIDER = Vonage()
