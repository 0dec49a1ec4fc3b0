"""Vonage Verify v2 for mfagate (https://developer.vonage.com/en/verify/overview)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import SecretStr

from mfagate.cassettes.scrub import Scrubbing
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Response
from mfagate.core.finding import Finding
from mfagate.providers.base import ApiError, ErrorMeaning, Probe, Provider, Send
from mfagate_vonage.errors import MEANINGS, answer_of, error_of
from mfagate_vonage.settings import VonageSettings

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from mfagate.providers.oauth import Tokens
    from mfagate.providers.states import States
    from mfagate.sandbox import Sandbox

NO_SUCH_REQUEST = "00000000-0000-0000-0000-000000000000"
"""A verification that nobody started: a code for it is checked against nothing."""

_START = "/v2/verify"

_VERIFICATION_SECONDS = 180.0
"""https://api.support.vonage.com/hc/en-us/articles/18991572062108: a verification ends by itself, by default."""

_PAIRS = {"api_secret": "api_key", "private_key": "application_id"}


class Vonage(Provider):
    """Knowledge about Vonage Verify v2."""

    name: ClassVar[str] = "vonage"
    title: ClassVar[str] = "Vonage Verify"
    settings: ClassVar[type[VonageSettings]] = VonageSettings
    test_data: ClassVar[Mapping[str, str]] = {
        "number": "a phone number (E.164 without +) that may be sent an SMS at each run",
        "code": "the code that is sent there; only the sandbox knows it beforehand",
        "forbidden_api_key": "API key of an account that may not use Verify",
        "forbidden_api_secret": "its secret",
    }
    test_secrets: ClassVar[frozenset[str]] = frozenset({"code", "forbidden_api_secret"})
    meanings: ClassVar[Mapping[str | int, ErrorMeaning]] = MEANINGS
    about_a_user: ClassVar[frozenset[str | int]] = frozenset({"Conflict", "Invalid Code", "Not Found"})
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
    sandbox_is_emulator: ClassVar[bool] = True

    def base_url(self, settings: VonageSettings) -> str:
        """One host for Verify and for the account's secrets."""
        return "https://api.nexmo.com"

    def signer(self, settings: VonageSettings, tokens: Tokens) -> AuthBase:
        """Key and secret, or the application's JWT."""
        from mfagate_vonage.auth import VonageAuth

        return VonageAuth(settings)

    def pings(self, settings: VonageSettings) -> Sequence[Probe]:
        """Verify refuses whom it does not know, in its own words; it has no endpoint for everybody."""
        return [Probe("api", "POST", f"/v2/verify/{NO_SUCH_REQUEST}", _refuses, json={"code": "0000"})]

    def credentials(self, settings: VonageSettings) -> Sequence[Probe]:
        """https://developer.vonage.com/en/api/account#listAPISecrets, and a code for a verification that is none."""
        probes = []
        if settings.api_secret is not None:
            path = f"/accounts/{settings.api_key}/secrets"
            probes.append(Probe("api_secret", "GET", path, lambda response: "_embedded" in answer_of(response)))
        if settings.private_key is not None:
            path = f"/v2/verify/{NO_SUCH_REQUEST}"
            probes.append(Probe("private_key", "POST", path, _knows_no_such_request, json={"code": "0000"}))
        return probes

    def with_bad_credential(self, settings: VonageSettings, subject: str) -> VonageSettings:
        """A secret of the right shape, or a key that belongs to no application."""
        from mfagate_vonage.auth import new_private_key

        made_up = f"Aa0{secrets.token_hex(6)}" if subject == "api_secret" else new_private_key()
        return settings.model_copy(update={subject: SecretStr(made_up)})

    def inspect(self, settings: VonageSettings) -> Sequence[tuple[str, Finding]]:
        """Each secret needs the name that goes with it."""
        return [
            (name, Finding(CauseId.CONFIG_SETTING_MISSING, f"{name} has to be set with {secret}"))
            for secret, name in _PAIRS.items()
            if getattr(settings, secret) is not None and getattr(settings, name) is None
        ]

    def error_of(self, response: Response) -> ApiError | None:
        """A problem as of RFC 7807."""
        return error_of(response)

    def sends_message(self, method: str, path: str, fields: Mapping[str, Any]) -> bool:
        """Whatever begins or goes on with a verification; a code that is checked sends nothing.

        https://developer.vonage.com/en/api/verify.v2
        """
        return method == "POST" and "code" not in fields

    def too_soon(self, error: ApiError, exchange: Exchange) -> float | None:
        """One number has one verification at a time, and somebody else may have started it."""
        conflicts = error.code == "Conflict" and urlsplit(exchange.request.url).path.endswith(_START)
        return _VERIFICATION_SECONDS if conflicts else None

    def states(self, send: Send, settings: VonageSettings, test_data: Mapping[str, str]) -> States:
        """Starts, answers and cancels verifications."""
        from mfagate_vonage.states import VonageStates

        return VonageStates(self, send, settings, test_data)

    def sandbox(self) -> Sandbox:
        """The emulator."""
        from mfagate.sandbox.emulator import EmulatorSandbox
        from mfagate_vonage.faults import FAULTS

        return EmulatorSandbox(self.title, Path(__file__).with_name("emulator.py"), FAULTS)


def _refuses(response: Response) -> bool:
    error = error_of(response)
    return response.status == 401 and error is not None and error.code == "Unauthorized"


def _knows_no_such_request(response: Response) -> bool:
    error = error_of(response)
    return response.status == 404 and error is not None and "was not found" in error.message


PROVIDER = Vonage()
