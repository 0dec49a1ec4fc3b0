"""What all reference clients share: signing, sending, and a typed error for every refusal.

A reference client reads only the successful answers of its provider. This module handles all other answers, so that
every client treats a rate limit or a rejected key in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypedDict, Unpack

import requests

from mfagate.core import strict_json
from mfagate.core.causes import CauseFamily, CauseId
from mfagate.core.diagnosis import diagnose, seconds_to_wait
from mfagate.core.exchange import Exchange, Request, Response
from mfagate.core.origins import UnsafeRequest
from mfagate.providers.errors import ProviderDialect
from mfagate.providers.oauth import TokenRefused, Tokens
from mfagate.providers.probes import Settings
from mfagate.providers.provider import Provider
from mfagate.providers.second_factor import (
    ContractViolation,
    CredentialRejected,
    ProviderUnavailable,
    RateLimited,
    SecondFactorError,
)
from mfagate.providers.signing import deliver, prepare
from mfagate.transport import Transport, UnsendableRequest


class ClientOptions(TypedDict, total=False):
    """How a client reaches its provider.

    ``endpoint``: address to connect to instead of the provider's own. ``timeout_seconds`` (5.0): limit of each request,
    from the name lookup to the last byte of the answer. ``ca_bundle``: PEM file of the trusted certificate authorities.
    """

    endpoint: str | None
    timeout_seconds: float
    ca_bundle: Path | None


class ApiClient(Generic[Settings]):
    """One provider's API. Each request uses a new connection, so that no connection is stale.

    Args:
        provider: Signs requests and explains errors.
        settings: The provider's settings.
        transport: How to reach it.
    """

    def __init__(self, provider: Provider[Settings], settings: Settings, **transport: Unpack[ClientOptions]) -> None:
        self._provider = provider
        self._settings = settings
        self._endpoint = transport.get("endpoint")
        self._transport = Transport(
            timeout_seconds=transport.get("timeout_seconds", 5.0), ca_bundle=transport.get("ca_bundle")
        )
        self._tokens = Tokens(self._send)

    def ask(self, method: str, path: str, **request: Any) -> Response:
        """Send one signed request; the arguments are the same as for ``requests.Request``.

        Raises:
            ProviderUnavailable: No complete answer arrived in time.
            ContractViolation: The path, perhaps from an earlier answer, leads to another host; nothing was sent.
            SecondFactorError: The provider refused a required token; the type says why.
        """
        api = self._provider.api
        auth = api.auth(self._settings, self._tokens)
        try:
            prepared = prepare(api, self._settings, requests.Request(method, path, **request), auth)
        except TokenRefused as refused:
            raise self._refusal(refused.exchange) from None
        except UnsafeRequest as error:
            raise ContractViolation(f"a request to {self._provider.title} was not sent: {error}") from None
        response = self._send(prepared).response
        assert response is not None, "an exchange without an answer raises an error earlier"
        return response

    def refusal(self, response: Response) -> SecondFactorError:
        """Return the error to raise for an unsuccessful answer."""
        return self._refusal(Exchange(Request("", ""), datetime.now(UTC), response))

    def json_object(self, response: Response) -> dict[str, Any]:
        """Return the body of an answer that must be a JSON object.

        Raises:
            ContractViolation: The body is something else, or has another content type.
        """
        body = self._json(response)
        if not isinstance(body, dict):
            raise ContractViolation(f"the answer of {self._provider.title} is not a JSON object")
        return body

    def successful(self, response: Response, status: int = 200) -> dict[str, Any]:
        """Return the JSON object of a successful answer.

        Raises:
            SecondFactorError: The answer has another status; the type says why.
            ContractViolation: The answer is not a JSON object.
        """
        if response.status != status:
            raise self.refusal(response)
        return self.json_object(response)

    def json_array(self, response: Response) -> list[Any]:
        """Return the body of an answer that must be a JSON array.

        Raises:
            ContractViolation: The body is something else, or has another content type.
        """
        body = self._json(response)
        if not isinstance(body, list):
            raise ContractViolation(f"the answer of {self._provider.title} is not a JSON array")
        return body

    def _json(self, response: Response) -> Any:
        if response.media_type != "application/json":
            kind = response.shown_type or "without a content type"
            raise ContractViolation(f"{self._provider.title} answered {kind}, not JSON")
        try:
            if response.truncated or response.undecodable is not None:
                return None
            return strict_json.loads(response.body)
        except ValueError:
            return None

    def _send(self, prepared: requests.PreparedRequest) -> Exchange:
        try:
            exchange = deliver(self._transport, prepared, self._endpoint)
        except UnsendableRequest as error:
            raise ContractViolation(f"a request to {self._provider.title} was not sent: {error}") from None
        if exchange.failure is not None:
            raise ProviderUnavailable(f"{self._provider.title} did not answer: {exchange.failure.message}")
        return exchange

    def _refusal(self, exchange: Exchange) -> SecondFactorError:
        response = exchange.response
        assert response is not None, "an exchange without an answer raises an error earlier"
        finding = diagnose(exchange, ProviderDialect(self._provider.dialect, self._settings))
        message = f"{self._provider.title}: {finding.message}"
        if finding.cause is CauseId.PROVIDER_RATE_LIMITED:
            return RateLimited(message, seconds_to_wait(response))
        if finding.cause is CauseId.CREDENTIAL_NOT_PROVABLE:
            return SecondFactorError(message)  # The answer does not show whether the user or the client was refused.
        if finding.cause is CauseId.PROVIDER_REFUSAL_UNRECOGNISED:
            return CredentialRejected(message)
        kinds: Mapping[CauseFamily, type[SecondFactorError]] = {
            CauseFamily.CREDENTIAL: CredentialRejected,
            CauseFamily.ACCOUNT: CredentialRejected,
            CauseFamily.PROVIDER: ProviderUnavailable,
            CauseFamily.NETWORK: ProviderUnavailable,
        }
        return kinds.get(finding.cause.family, ContractViolation)(message)
